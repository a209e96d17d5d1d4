package trail_test

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// database stands in for an SQL database, to fail where a real one cannot be brought to. It knows
// the statements of a Table; package internal/integration/trail sends them to real databases.
type database struct {
	// fail is for a statement, for "COMMIT", for "NEXT" of a row, and for "ROWS", their number.
	fail func(statement string) error
	lose int // how many rows a statement of PostgreSQL does not make

	mu      sync.Mutex
	rows    [][]driver.Value // in the order of their numbers
	pending [][]driver.Value
	asked   []string
	bytes   int // values that were sent as bytes, and not as a text
	read    int // rows
	open    int // results and prepared statements that are not closed
}

func (d *database) Connect(context.Context) (driver.Conn, error) { return conn{d}, nil }
func (d *database) Driver() driver.Driver                        { return nil }

type conn struct{ *database }

func (c conn) Prepare(query string) (driver.Stmt, error) {
	if err := fail(c.fail, "PREPARE"); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	return prepared{c, query}, nil
}

func (c conn) Close() error { return nil }

// prepared is a statement that a Table sends several times.
type prepared struct {
	conn
	query string
}

func (p prepared) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
	return nil
}

func (p prepared) NumInput() int                              { return -1 }
func (p prepared) Exec([]driver.Value) (driver.Result, error) { panic(p.query) }
func (p prepared) Query([]driver.Value) (driver.Rows, error)  { panic(p.query) }

func (p prepared) ExecContext(
	ctx context.Context, args []driver.NamedValue,
) (driver.Result, error) {
	return p.conn.ExecContext(ctx, p.query, args)
}

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
	switch {
	case strings.Contains(query, "CREATE "):
		return driver.RowsAffected(0), nil
	case strings.Contains(query, "json_to_recordset"):
		conditional := strings.Contains(query, "(SELECT MAX(seq) FROM secondgate_trail), 0) = ?")
		if conditional && c.last() != values[1].(int64) {
			return affected{c.database, 0}, nil
		}
		return c.insertAtOnce(values[0].(string))
	case strings.HasPrefix(query, "INSERT INTO secondgate_trail (seq, fact, personal, "):
		inserted := slices.Collect(slices.Chunk(values, 7))
		if slices.ContainsFunc(inserted, c.has) {
			return nil, errors.New("the key is there")
		}
		c.pending = append(c.pending, inserted...)
		return driver.RowsAffected(len(inserted)), nil
	}
	for _, row := range c.rows {
		if row[6] == values[0] && row[0].(int64) <= values[1].(int64) {
			row[2], row[6] = "", ""
		}
	}
	return driver.RowsAffected(1), nil
}

// insertAtOnce inserts the rows of a text of JSON.
func (c conn) insertAtOnce(text string) (driver.Result, error) {
	var list []map[string]any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	list = list[c.lose:]
	for _, r := range list {
		row := []driver.Value{int64(r["seq"].(float64)), r["fact"], r["personal"],
			r["personal_hash"], r["hash"], r["checkpoint"], r["subject"]}
		if c.has(row) {
			return nil, errors.New("the key is there")
		}
		c.rows = append(c.rows, row)
	}
	return affected{c.database, len(list)}, nil
}

// affected is a number of rows that cannot always be read.
type affected struct {
	*database
	n int
}

func (a affected) LastInsertId() (int64, error) { return 0, errors.ErrUnsupported }
func (a affected) RowsAffected() (int64, error) { return int64(a.n), fail(a.fail, "ROWS") }

// has reports whether there is a row with the number of another.
func (d *database) has(other []driver.Value) bool {
	return slices.ContainsFunc(slices.Concat(d.rows, d.pending), func(row []driver.Value) bool {
		return row[0] == other[0]
	})
}

func (d *database) last() int64 {
	if len(d.rows) == 0 {
		return 0
	}
	return d.rows[len(d.rows)-1][0].(int64)
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
	if strings.Contains(query, "MAX(seq)") {
		c.open++
		if len(c.rows) == 0 {
			return &result{c.database, [][]driver.Value{{nil}}}, nil
		}
		return &result{c.database, [][]driver.Value{{c.last()}}}, nil
	}
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

var numbered = regexp.MustCompile(`\$\d+`)

// note notes a statement, and returns it with a ? for each parameter.
func (d *database) note(query string, args []driver.NamedValue) (string, []driver.Value) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var values []driver.Value
	for _, a := range args {
		if b, ok := a.Value.([]byte); ok {
			d.bytes++
			a.Value = string(b)
		}
		values = append(values, a.Value)
	}
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

func (r *result) Columns() []string {
	if len(r.left) == 0 {
		return make([]string, 7)
	}
	return make([]string, len(r.left[0]))
}

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
