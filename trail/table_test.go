package trail_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// database stands in for an SQL database, to fail where a real one cannot be brought to. It knows
// the statements of a Table; package internal/integration/trail sends them to real databases.
type database struct {
	fail func(statement string) error // of a statement, of "COMMIT", and of "NEXT" for a row

	mu      sync.Mutex
	rows    [][]driver.Value // in the order of their numbers
	pending [][]driver.Value
	asked   []string
	read    int // rows
	open    int // results that are not closed
}

func (d *database) Connect(context.Context) (driver.Conn, error) { return conn{d}, nil }
func (d *database) Driver() driver.Driver                        { return nil }

type conn struct{ *database }

func (c conn) Prepare(query string) (driver.Stmt, error) { panic("prepared: " + query) }
func (c conn) Close() error                              { return nil }

func (c conn) Begin() (driver.Tx, error) { return c, fail(c.fail, "BEGIN") }

func (c conn) Commit() error {
	err := fail(c.fail, "COMMIT")
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.rows = append(c.rows, c.pending...)
	}
	c.pending = nil
	return err
}

func (c conn) Rollback() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending = nil
	return nil
}

func (c conn) ExecContext(
	_ context.Context, query string, args []driver.NamedValue,
) (driver.Result, error) {
	query, values := c.note(query, args)
	if err := fail(c.fail, query); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(query, "INSERT INTO secondgate_trail (seq, fact, personal, ") {
		for _, row := range slices.Concat(c.rows, c.pending) {
			if row[0] == values[0] {
				return nil, errors.New("the key is there")
			}
		}
		c.pending = append(c.pending, values)
		return driver.RowsAffected(1), nil
	}
	for _, row := range c.rows {
		if row[6] == values[0] && row[0].(int64) <= values[1].(int64) {
			row[2], row[6] = "", ""
		}
	}
	return driver.RowsAffected(1), nil
}

func (c conn) QueryContext(
	_ context.Context, query string, args []driver.NamedValue,
) (driver.Rows, error) {
	query, values := c.note(query, args)
	if err := fail(c.fail, query); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.rows)
	next := func() driver.Value { v := values[0]; values = values[1:]; return v }
	if strings.Contains(query, "subject = ?") {
		subject := next()
		list = slices.DeleteFunc(list, func(r []driver.Value) bool { return r[6] != subject })
	}
	if strings.Contains(query, "seq >= ?") {
		from := next().(int64)
		list = slices.DeleteFunc(list, func(r []driver.Value) bool { return r[0].(int64) < from })
	}
	if strings.Contains(query, "DESC") {
		slices.Reverse(list)
	}
	limit := int64(1)
	if strings.Contains(query, "LIMIT ?") {
		limit = next().(int64)
	}
	c.open++
	return &result{c.database, list[:min(len(list), int(limit))]}, nil
}

var numbered = regexp.MustCompile(`\$\d`)

// note notes a statement, and returns it with a ? for each parameter.
func (d *database) note(query string, args []driver.NamedValue) (string, []driver.Value) {
	var values []driver.Value
	for _, a := range args {
		values = append(values, a.Value)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, query)
	n := 0
	for _, parameter := range numbered.FindAllString(query, -1) {
		if n++; parameter != fmt.Sprintf("$%d", n) {
			panic(query)
		}
	}
	return numbered.ReplaceAllString(query, "?"), values
}

type result struct {
	*database
	left [][]driver.Value
}

func (r *result) Columns() []string { return make([]string, 7) }

func (r *result) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	return nil
}

func (r *result) Next(dest []driver.Value) error {
	if err := fail(r.fail, "NEXT"); err != nil {
		return err
	}
	if len(r.left) == 0 {
		return io.EOF
	}
	copy(dest, r.left[0])
	r.left = r.left[1:]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read++
	return nil
}

// newTable returns a Table in a database that stands in.
func newTable(t *testing.T, dialect sqlstore.Dialect) (*database, *trail.Table) {
	d := &database{}
	db := sql.OpenDB(d)
	t.Cleanup(func() {
		require.Zero(t, d.open, "each result is closed")
		require.NoError(t, db.Close())
	})
	table, err := trail.NewTable(db, dialect)
	require.NoError(t, err)
	return d, table
}

// prefix fails the statements that begin so.
func prefix(text string, err error) func(string) error {
	return func(statement string) error {
		if strings.HasPrefix(statement, text) {
			return err
		}
		return nil
	}
}

// A trail in a table has what one in a file has, and each dialect has its parameters.
func TestTable_KeepsATrail(t *testing.T) {
	for dialect, parameter := range map[sqlstore.Dialect]string{
		sqlstore.SQLite:     "(?, ?, ?, ?, ?, ?, ?)",
		sqlstore.PostgreSQL: "($1, $2, $3, $4, $5, $6, $7)"} {
		synctest.Test(t, func(t *testing.T) {
			d, table := newTable(t, dialect)
			p := start(t, trail.Config{Log: table})
			for i := range 1003 { // more than two pages
				p.event([]string{"ann", "bob"}[min(i%10, 1)])
			}
			require.NoError(t, p.Flush(t.Context()))
			require.Len(t, verified(t, table), 1003)
			require.True(t, slices.ContainsFunc(d.asked, func(s string) bool {
				return strings.HasSuffix(s, "VALUES "+parameter)
			}), d.asked[0])

			d.read = 0
			list, err := p.Newest(t.Context(), ann, 7)
			require.NoError(t, err)
			require.Len(t, list, 7)
			require.Equal(t, 7, d.read, "it reads what it returns")
			d.rows[0][6] = d.rows[1][6] // an attacker puts ann's entry under bob
			list, err = p.Newest(t.Context(), mfa.User{ID: "bob", Tenant: "acme"}, 1003)
			require.NoError(t, err)
			require.Len(t, list, 902)
			d.rows[0][6] = d.rows[10][6]

			require.NoError(t, p.Erase(t.Context(), ann))
			require.NotContains(t, verified(t, table), "ann")
			n := 0
			for _, err := range table.Read(t.Context(), 500) {
				require.NoError(t, err)
				if n++; n == 3 {
					break
				}
			}
			require.Equal(t, 3, n)
		})
	}
}

// A walk reads page after page and ends with the last one.
func TestTable_ReadsPages(t *testing.T) {
	d, table := newTable(t, sqlstore.SQLite)
	hash := "AA=="
	for i := range 1000 {
		d.rows = append(d.rows, []driver.Value{int64(i + 1), "{}", "", hash, hash, "", "s"})
	}
	n := int64(0)
	for e, err := range table.About(t.Context(), "s") {
		require.NoError(t, err)
		n++
		require.Equal(t, n, e.Seq)
	}
	require.EqualValues(t, 1000, n)
	require.Len(t, d.asked, 3)
	require.Equal(t, 1000, d.read)
}

func TestTable_ReturnsTheErrorsOfTheDatabase(t *testing.T) {
	batch := []trail.Entry{{Seq: 1, Fact: []byte("{}")}}
	for _, statement := range []string{"SELECT", "BEGIN", "INSERT", "COMMIT", "UPDATE", "NEXT"} {
		d, table := newTable(t, sqlstore.SQLite)
		d.fail = prefix(statement, errDown)
		reads, writes := statement == "SELECT" || statement == "NEXT", statement != "UPDATE"
		check := func(fails bool, err error) {
			t.Helper()
			if fails {
				require.ErrorIs(t, err, errDown, statement)
				require.ErrorContains(t, err, "trail: ")
				require.NotErrorIs(t, err, trail.ErrConflict)
			} else {
				require.NoError(t, err, statement)
			}
		}
		check(writes, table.Append(t.Context(), batch))
		check(statement == "UPDATE", table.Erase(t.Context(), "s", 1))
		_, err := table.Last(t.Context())
		check(reads, err)
		err = nil
		for _, err = range table.Read(t.Context(), 1) {
		}
		check(reads, err)
		newest, err := trail.New(trail.Config{Log: table, Key: secret.Bytes(testKey),
			Origin: origin})
		require.NoError(t, err)
		_, err = newest.Newest(t.Context(), ann, 1)
		check(reads, err)
		require.Equal(t, !writes, len(d.rows) == 1, "%s keeps all of a batch or nothing",
			statement)
	}
}

// A row that is no entry is an error that names it.
func TestTable_RefusesARowThatIsNoEntry(t *testing.T) {
	for _, row := range [][]driver.Value{
		{int64(7), "{}", "", "!", "", "", ""}, {int64(7), "{}", "", "", "!", "", ""},
	} {
		d, table := newTable(t, sqlstore.SQLite)
		d.rows = [][]driver.Value{row}
		_, err := table.Last(t.Context())
		require.ErrorContains(t, err, "trail: entry 7")
	}
	d, table := newTable(t, sqlstore.SQLite)
	d.rows = [][]driver.Value{{"no number", "{}", "", "", "", "", ""}}
	_, err := table.Last(t.Context())
	require.ErrorContains(t, err, "trail: ")
}

// Another process that appends first is a conflict, whether it is seen before the write or by the
// key of the table, at an insert or at the commit.
func TestTable_LetsOneOfTwoWritersAppend(t *testing.T) {
	batch := []trail.Entry{{Seq: 1, Fact: []byte("{}")}, {Seq: 2, Fact: []byte("{}")}}
	_, empty := newTable(t, sqlstore.SQLite)
	require.ErrorIs(t, empty.Append(t.Context(), batch[1:]), trail.ErrConflict, "one is missing")
	for _, statement := range []string{"BEGIN", "COMMIT"} {
		d, table := newTable(t, sqlstore.SQLite)
		d.fail = func(s string) error {
			if s != statement {
				return nil
			}
			d.fail = nil
			d.rows = [][]driver.Value{{int64(1), "{}", "", "", "", "", "other"}}
			if s == "COMMIT" {
				return errors.New("could not serialize access")
			}
			return nil
		}
		require.ErrorIs(t, table.Append(t.Context(), batch), trail.ErrConflict, statement)
		require.Len(t, d.rows, 1)
		require.ErrorIs(t, table.Append(t.Context(), batch), trail.ErrConflict, "and later")
		require.NoError(t, table.Append(t.Context(), batch[1:]))
		require.Len(t, d.rows, 2)
	}
}

func TestNewTable_KnowsTwoDialects(t *testing.T) {
	db := sql.OpenDB(&database{})
	defer func() { require.NoError(t, db.Close()) }()
	for dialect, works := range map[sqlstore.Dialect]bool{sqlstore.SQLite: true,
		sqlstore.PostgreSQL: true, sqlstore.MySQL: false, "": false} {
		_, err := trail.NewTable(db, dialect)
		require.Equal(t, works, err == nil, dialect)
	}
	_, err := trail.NewTable(nil, sqlstore.SQLite)
	require.ErrorContains(t, err, "needs a database")
}

// A table whose trail an attacker cut off verifies no more, by what the process has seen.
func TestTable_IsWrittenNoMoreAfterACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, table := newTable(t, sqlstore.SQLite)
		p := start(t, trail.Config{Log: table})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		p.event("bob")
		require.NoError(t, p.Flush(t.Context()))
		d.rows = d.rows[:1]
		p.event("cas")
		require.ErrorIs(t, p.Flush(t.Context()), trail.ErrRewritten)
		_, err := trail.Verify(table.Read(t.Context(), 1), trail.Verification{
			Key: testKey.Public().(ed25519.PublicKey), Origin: origin})
		require.NoError(t, err, "it is what an anchor shows")
	})
}
