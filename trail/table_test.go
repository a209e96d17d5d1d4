package trail_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

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

// A trail in a table has what one in a file has. A server is sent many rows in a statement, MySQL
// at most 100: 500, 500 and 3 take 5, 5 and 1. MySQL is sent bytes, which no character set changes.
func TestTable_KeepsATrail(t *testing.T) {
	for dialect, want := range map[sqlstore.Dialect]struct {
		end                     string
		rows, statements, bytes int
	}{
		sqlstore.SQLite:     {"(?, ?, ?, ?, ?, ?, ?)", 1, 1003, 0},
		sqlstore.PostgreSQL: {"COALESCE((SELECT MAX(seq) FROM secondgate_trail), 0) = $2", 0, 3, 0},
		sqlstore.MySQL:      {"(?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?)", 100, 11, 6 * 1003},
	} {
		synctest.Test(t, func(t *testing.T) {
			d, table := newTable(t, dialect)
			p := start(t, trail.Config{Log: table})
			for i := range 1003 { // more than two pages
				p.event([]string{"ann", "bob"}[min(i%10, 1)])
			}
			require.NoError(t, p.Flush(t.Context()))
			require.Len(t, verified(t, table), 1003)
			require.Equal(t, want.bytes, d.bytes)
			inserts := slices.DeleteFunc(slices.Clone(d.asked), func(s string) bool {
				return !strings.HasPrefix(s, "INSERT")
			})
			require.Equal(t, want.statements, len(inserts))
			require.True(t, strings.HasSuffix(inserts[0], want.end), inserts[0])
			require.Equal(t, want.rows, strings.Count(inserts[0], "(?"))

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
			for _, s := range d.asked {
				require.False(t, strings.Contains(s, "?") && dialect == sqlstore.PostgreSQL ||
					strings.Contains(s, "$") && dialect != sqlstore.PostgreSQL, s)
			}
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
	for dialect, writing := range map[sqlstore.Dialect][]string{
		sqlstore.SQLite:     {"BEGIN", "SELECT MAX", "PREPARE", "INSERT", "COMMIT"},
		sqlstore.PostgreSQL: {"INSERT", "ROWS"},
		sqlstore.MySQL:      {"BEGIN", "SELECT MAX", "INSERT", "COMMIT"},
	} {
		for _, statement := range append(writing, "SELECT seq", "NEXT", "UPDATE") {
			d, table := newTable(t, dialect)
			d.fail = prefix(statement, errDown)
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
			reads := statement == "SELECT seq" || statement == "NEXT"
			writes := slices.Contains(writing, statement) ||
				statement == "NEXT" && dialect != sqlstore.PostgreSQL
			if statement != "ROWS" { // an error whose rows are there is a conflict, see below
				check(writes, table.Append(t.Context(), batch))
				require.Equal(t, !writes, len(d.rows) == 1, "%s keeps all of a batch or nothing",
					statement)
			}
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
		}
	}
}

// A statement of PostgreSQL that does not make all rows, as in a table with a trigger, is an error,
// also where their number is not known.
func TestTable_NeedsAllRowsOfABatch(t *testing.T) {
	batch := []trail.Entry{{Seq: 1, Fact: []byte("{}")}, {Seq: 2, Fact: []byte("{}")}}
	for lose, fault := range []error{errDown, nil} {
		d, table := newTable(t, sqlstore.PostgreSQL)
		d.lose, d.fail = lose, prefix("ROWS", fault)
		require.Error(t, table.Append(t.Context(), batch))
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
		requireBroken(t, err, 7)
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
	for dialect, statements := range map[sqlstore.Dialect][]string{
		sqlstore.SQLite:     {"BEGIN", "COMMIT"},
		sqlstore.PostgreSQL: {"INSERT"},
		sqlstore.MySQL:      {"BEGIN", "INSERT", "COMMIT"},
	} {
		_, empty := newTable(t, dialect)
		require.ErrorIs(t, empty.Append(t.Context(), batch[1:]), trail.ErrConflict,
			"one is missing")
		for _, statement := range statements {
			d, table := newTable(t, dialect)
			d.fail = func(s string) error {
				if !strings.HasPrefix(s, statement) {
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
}

// What MySQL rolled back for another writer's sake is a conflict before that writer's rows are
// seen, and the next attempt is made at once. Another error is none.
func TestTable_WhatWasRolledBackIsAConflict(t *testing.T) {
	batch := []trail.Entry{{Seq: 1, Fact: []byte("{}")}}
	for text, conflict := range map[string]bool{
		"Error 1213 (40001): Deadlock found when trying to get lock": true,
		"Error 1205 (HY000): Lock wait timeout exceeded":             true,
		"Error 1114 (HY000): The table 'secondgate_trail' is full":   false,
	} {
		for _, statement := range []string{"INSERT", "COMMIT"} {
			d, table := newTable(t, sqlstore.MySQL)
			d.fail = prefix(statement, errors.New(text))
			err := table.Append(t.Context(), batch)
			require.ErrorContains(t, err, text)
			require.Equal(t, conflict, errors.Is(err, trail.ErrConflict), text)
		}
	}
}

// Long entries go to MySQL in more statements, because it refuses a long one.
func TestTable_SendsShortStatements(t *testing.T) {
	d, table := newTable(t, sqlstore.MySQL)
	var batch []trail.Entry
	for i := range int64(9) {
		batch = append(batch, trail.Entry{Seq: i + 1, Fact: []byte("{}"),
			Personal: make([]byte, 300<<10)})
	}
	require.NoError(t, table.Append(t.Context(), batch))
	require.Len(t, d.rows, 9)
	inserts := 0
	for _, s := range d.asked {
		if strings.HasPrefix(s, "INSERT") {
			inserts++
			require.LessOrEqual(t, strings.Count(s, "(?"), 4)
		}
	}
	require.Equal(t, 3, inserts)
}

// A batch whose context ends is not written, whichever row is being inserted.
func TestTable_EndsWithItsContext(t *testing.T) {
	batch := []trail.Entry{{Seq: 1, Fact: []byte("{}")}, {Seq: 2, Fact: []byte("{}")},
		{Seq: 3, Fact: []byte("{}")}}
	for after := range batch {
		d, table := newTable(t, sqlstore.SQLite)
		ctx, cancel := context.WithCancel(t.Context())
		inserts := 0
		d.fail = func(s string) error {
			if strings.HasPrefix(s, "INSERT") {
				inserts++
			}
			if inserts == after {
				cancel()
			}
			return nil
		}
		require.ErrorIs(t, table.Append(ctx, batch), context.Canceled)
		require.Empty(t, d.rows)
		require.Equal(t, after, inserts)
	}
}

func TestNewTable_KnowsEachDialect(t *testing.T) {
	db := sql.OpenDB(&database{})
	defer func() { require.NoError(t, db.Close()) }()
	for dialect, works := range map[sqlstore.Dialect]bool{sqlstore.SQLite: true,
		sqlstore.PostgreSQL: true, sqlstore.MySQL: true, "": false, "oracle": false} {
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
