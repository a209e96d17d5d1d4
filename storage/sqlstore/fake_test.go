package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"sync"
	"testing"
)

// fake is a database that replies what a test sets, and remembers what it was asked:
// for the errors and counts that a real one cannot be brought to give.
type fake struct {
	mu    sync.Mutex
	asked []question

	ping  func() error
	exec  func(query string) (rows int64, err error)
	query func(query string) ([][]driver.Value, error)
	atEnd func()   // is called before the end of rows is reported
	types []string // of the columns; nil for a driver that does not name types
}

type question struct {
	query string
	args  []driver.Value
}

func (f *fake) db(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(f)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// last returns what was asked last, and how often that was asked since the beginning.
func (f *fake) last() (question, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.asked[len(f.asked)-1]
	n := 0
	for _, other := range f.asked {
		if other.query == q.query {
			n++
		}
	}
	return q, n
}

func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = nil
}

func (f *fake) note(query string, args []driver.NamedValue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := question{query: query}
	for _, a := range args {
		q.args = append(q.args, a.Value)
	}
	f.asked = append(f.asked, q)
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return fakeConn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return nil }

type fakeConn struct{ *fake }

func (c fakeConn) Ping(context.Context) error {
	if c.ping == nil {
		return nil
	}
	return c.ping()
}

func (c fakeConn) Prepare(query string) (driver.Stmt, error) { panic("prepared: " + query) }
func (c fakeConn) Begin() (driver.Tx, error)                 { panic("a transaction was begun") }
func (c fakeConn) Close() error                              { return nil }

func (c fakeConn) ExecContext(
	_ context.Context, query string, args []driver.NamedValue,
) (driver.Result, error) {
	c.note(query, args)
	if c.exec == nil {
		return driver.RowsAffected(0), nil
	}
	n, err := c.exec(query)
	if n < 0 {
		return driver.ResultNoRows, err // its RowsAffected fails
	}
	return driver.RowsAffected(n), err
}

func (c fakeConn) QueryContext(
	_ context.Context, query string, args []driver.NamedValue,
) (driver.Rows, error) {
	c.note(query, args)
	list, _, _ := strings.Cut(strings.TrimPrefix(query, "SELECT "), " FROM")
	if _, returned, ok := strings.Cut(query, " RETURNING "); ok {
		list = returned
	}
	rows := &fakeRows{columns: strings.Split(list, ","), types: c.types, atEnd: c.atEnd}
	var err error
	if c.query != nil {
		rows.values, err = c.query(query)
	}
	return rows, err
}

type fakeRows struct {
	atEnd   func()
	columns []string
	types   []string
	values  [][]driver.Value
}

func (r *fakeRows) Columns() []string { return r.columns }
func (r *fakeRows) Close() error      { return nil }

func (r *fakeRows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		if r.atEnd != nil {
			r.atEnd()
		}
		return io.EOF
	}
	copy(dest, r.values[0])
	if err, failed := r.values[0][0].(error); failed {
		return err
	}
	r.values = r.values[1:]
	return nil
}

func (r *fakeRows) ColumnTypeDatabaseTypeName(i int) string {
	if r.types == nil {
		return ""
	}
	return r.types[i]
}
