package sqlstore

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Dialect names the database that a DB leads to.
type Dialect string

// The databases whose SQL is known. There is no default.
const (
	// SQLite is version 3.37 or later, through any driver.
	SQLite Dialect = "sqlite"
	// PostgreSQL is also what speaks its protocol and SQL, such as CockroachDB.
	PostgreSQL Dialect = "postgresql"
	// MySQL is also MariaDB.
	MySQL Dialect = "mysql"
)

// DefaultTable is the table's name unless Config.Table says otherwise.
const DefaultTable = "secondgate_records"

//go:embed schema/*.sql
var schemas embed.FS

// Schema returns the statement that creates the table, for a migration tool of your own: a
// plain CREATE TABLE IF NOT EXISTS with no semicolon at the end. An empty table stands for
// [DefaultTable]; the name's rules are those of Config.Table.
func Schema(dialect Dialect, table string) (string, error) {
	if err := dialect.check(); err != nil {
		return "", err
	}
	quoted, err := dialect.quoteTable(table)
	if err != nil {
		return "", err
	}
	text, err := schemas.ReadFile("schema/" + string(dialect) + ".sql")
	if err != nil {
		return "", fmt.Errorf("sqlstore: %w", err)
	}
	return strings.Replace(string(text), DefaultTable, quoted, 1), nil
}

func (d Dialect) check() error {
	switch d {
	case SQLite, PostgreSQL, MySQL:
		return nil
	}
	return fmt.Errorf("sqlstore: unknown dialect %q: set Config.Dialect to sqlstore.SQLite, "+
		"PostgreSQL or MySQL", string(d))
}

// tableName is stricter than any of the databases. 63 is PostgreSQL's limit, beyond which it
// cuts names off without an error, so that two tables could become one.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$`)

func (d Dialect) quoteTable(name string) (string, error) {
	if name == "" {
		name = DefaultTable
	}
	if !tableName.MatchString(name) {
		return "", fmt.Errorf("sqlstore: table name %q: Config.Table must be letters, digits "+
			"and underscores, "+
			"at most 63 and not starting with a digit, or two such names with a dot between them",
			name)
	}
	q := `"`
	if d == MySQL {
		q = "`"
	}
	return q + strings.ReplaceAll(name, ".", q+"."+q) + q, nil
}

// statements are the SQL of a Store, complete but for the paging of list.
type statements struct {
	get, insert, update, delete string

	// tryColumns and tryInsert are for New: they read all columns of a key, and insert the
	// row that a key has into the same table, which for want of such a row does nothing but
	// be refused without the privilege or the primary key it needs.
	tryColumns, tryInsert string

	// list is followed by conditions on key and order, which is followed by the limit.
	list, order string
	// key is the column, quoted where it is a reserved word. SQLite must not see it in
	// double quotes: for want of such a column it would take it for a string.
	key string
	// mark returns the n-th placeholder, counting from 1.
	mark func(n int) string
}

func (d Dialect) statements(table string) statements {
	s := statements{key: "key", mark: func(int) string { return "?" }}
	now := "CURRENT_TIMESTAMP"
	// The row of a faster writer is left alone, without an error.
	otherwise := " ON CONFLICT (key) DO NOTHING"
	switch d {
	case PostgreSQL:
		s.mark = func(n int) string { return fmt.Sprintf("$%d", n) }
	case MySQL:
		s.key = "`key`"
		now = "UTC_TIMESTAMP(6)"
		// MySQL has no DO NOTHING. INSERT IGNORE would also ignore that data was cut short.
		// An update of nothing is counted as 0 rows, or as 1, like an insertion, if the
		// connection has clientFoundRows. An update of something is counted as 2 by both,
		// so the time, which is no part of the record, is moved by the least that changes
		// it whatever the column's precision.
		otherwise = " ON DUPLICATE KEY UPDATE updated_at = updated_at + INTERVAL 1 SECOND"
	}
	m := s.mark
	s.get = fmt.Sprintf("SELECT revision, data FROM %s WHERE %s = %s", table, s.key, m(1))
	s.insert = fmt.Sprintf("INSERT INTO %s (%s, revision, data, updated_at) VALUES (%s, %s, %s, "+
		"%s)%s",
		table, s.key, m(1), m(2), m(3), now, otherwise)
	s.update = fmt.Sprintf("UPDATE %s SET revision = %s, data = %s, updated_at = %s WHERE %s = "+
		"%s AND revision = %s",
		table, m(1), m(2), now, s.key, m(3), m(4))
	s.delete = fmt.Sprintf("DELETE FROM %s WHERE %s = %s AND revision = %s", table, s.key,
		m(1), m(2))
	s.tryColumns = fmt.Sprintf("SELECT %s, revision, data, updated_at FROM %s WHERE %[1]s = %[3]s",
		s.key, table, m(1))
	s.tryInsert = fmt.Sprintf("INSERT INTO %s (%s, revision, data, updated_at) %s", table, s.key,
		s.tryColumns)
	if d != MySQL {
		// In MySQL's form the column would be ambiguous, and no key is no error to it.
		s.tryInsert += otherwise
	}
	s.list = fmt.Sprintf("SELECT %s, revision, data FROM %s", s.key, table)
	s.order = fmt.Sprintf(" ORDER BY %s LIMIT ", s.key)
	return s
}

// columnTypes are what the columns of the table may be, as drivers name them, in the order
// key, revision, data, updated_at; none means that anything will do.
func (d Dialect) columnTypes() [4][]string {
	switch d {
	case PostgreSQL:
		bytes := []string{"BYTEA"}
		return [4][]string{bytes, bytes, bytes, nil}
	case MySQL:
		// Not BINARY, which pads. The time must be one to which a second can be added.
		bytes := []string{"VARBINARY"}
		return [4][]string{bytes, bytes, {"BLOB", "MEDIUMBLOB", "LONGBLOB"},
			{"DATETIME", "TIMESTAMP"}}
	}
	bytes := []string{"BLOB"}
	return [4][]string{bytes, bytes, bytes, nil}
}

// checkColumn refuses a type that is known and unsuitable; a driver need not name types.
func (d Dialect) checkColumn(i int, typ string) error {
	want := d.columnTypes()[i]
	if typ == "" || want == nil || slices.Contains(want, strings.ToUpper(typ)) {
		return nil
	}
	name := [4]string{"key", "revision", "data", "updated_at"}[i]
	return fmt.Errorf("column %s has type %s, want %s: only these are compared and kept byte "+
		"for byte",
		name, typ, strings.Join(want, " or "))
}
