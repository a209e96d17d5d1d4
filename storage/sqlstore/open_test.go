package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	db := (&fake{}).db(t)
	for name, c := range map[string]struct {
		cfg  sqlstore.Config
		says string
	}{
		"no DB": {sqlstore.Config{Dialect: sqlstore.SQLite}, "Config.DB is nil"},
		"no dialect": {sqlstore.Config{DB: db},
			"set Config.Dialect to sqlstore.SQLite, PostgreSQL or MySQL"},
		"unknown dialect": {sqlstore.Config{DB: db, Dialect: "oracle"}, `unknown dialect "oracle"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sqlstore.New(t.Context(), c.cfg)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, sqlstore.Migrate(t.Context(), c.cfg), c.says)
		})
	}
}

func TestNew_TableNames(t *testing.T) {
	long := strings.Repeat("t", 63)
	for _, name := range []string{"t", "_", "T9", long, "app.mfa", long + "." + long} {
		for _, d := range dialects {
			ddl, err := sqlstore.Schema(d, name)
			require.NoError(t, err)
			q := map[sqlstore.Dialect]string{sqlstore.MySQL: "`"}[d]
			if q == "" {
				q = `"`
			}
			require.Contains(t, ddl, "CREATE TABLE IF NOT EXISTS "+q+strings.ReplaceAll(name, ".",
				q+"."+q)+q+" (")
		}
	}
	for _, name := range []string{" ", "9t", long + "t", "a.b.c", ".a", "a.", "a b", "a;b", `a"`,
		"a`", "a'", "a--", "a\x00", "é", "a\n", "a\nb", "$1", "%s"} {
		for _, d := range dialects {
			_, err := sqlstore.Schema(d, name)
			require.ErrorContains(t, err, "Config.Table must be", "%q", name)
			_, err = sqlstore.New(t.Context(), sqlstore.Config{DB: (&fake{}).db(t), Dialect: d,
				Table: name})
			require.ErrorContains(t, err, "Config.Table must be", "%q", name)
		}
	}
}

// The files are what a migration tool is given, so each must stand by itself.
func TestSchema_FilesStandAlone(t *testing.T) {
	for _, d := range dialects {
		ddl, err := sqlstore.Schema(d, "")
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(ddl, sqlstore.DefaultTable),
			"%s: the name is replaced once", d)
		require.Equal(t, 1, strings.Count(ddl, "CREATE TABLE IF NOT EXISTS"))
		require.NotContains(t, ddl, ";")
		for _, column := range []string{"key", "revision", "data", "updated_at"} {
			require.Contains(t, ddl, column)
		}
	}
	_, err := sqlstore.Schema("", "")
	require.ErrorContains(t, err, "unknown dialect")
}

func TestNew_ChecksTheColumnTypes(t *testing.T) {
	for _, c := range []struct {
		dialect sqlstore.Dialect
		types   []string
		says    string // "" for what is accepted
	}{
		{sqlstore.SQLite, nil, ""},
		{sqlstore.SQLite, []string{"", "", "", ""}, ""},
		{sqlstore.SQLite, []string{"blob", "BLOB", "BLOB", "TEXT"}, ""},
		{sqlstore.SQLite, []string{"TEXT", "BLOB", "BLOB", "TEXT"},
			"column key has type TEXT, want BLOB"},
		{sqlstore.SQLite, []string{"BLOB", "TEXT", "BLOB", "TEXT"}, "column revision"},
		{sqlstore.SQLite, []string{"BLOB", "BLOB", "TEXT", "TEXT"}, "column data"},
		{sqlstore.PostgreSQL, []string{"BYTEA", "BYTEA", "BYTEA", "TIMESTAMPTZ"}, ""},
		{sqlstore.PostgreSQL, []string{"VARCHAR", "BYTEA", "BYTEA", "TIMESTAMPTZ"},
			"column key has type VARCHAR, want BYTEA"},
		{sqlstore.MySQL, []string{"VARBINARY", "VARBINARY", "BLOB", "DATETIME"}, ""},
		{sqlstore.MySQL, []string{"BINARY", "VARBINARY", "BLOB", "DATETIME"},
			"column key has type BINARY"},
		{sqlstore.MySQL, []string{"VARCHAR", "VARBINARY", "BLOB", "DATETIME"},
			"column key has type VARCHAR"},
		{sqlstore.MySQL, []string{"VARBINARY", "VARBINARY", "BLOB", "DATE"},
			"column updated_at has type DATE"},
	} {
		f := &fake{types: c.types, query: mysqlIsSound}
		_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: c.dialect})
		if c.says == "" {
			require.NoError(t, err, "%s %q", c.dialect, c.types)
		} else {
			require.ErrorContains(t, err, c.says, "%s %q", c.dialect, c.types)
		}
	}
}

func TestNew_RefusesAnUnfitMySQL(t *testing.T) {
	replies := func(autocommit, primary, key int64) func(string) ([][]driver.Value, error) {
		return func(q string) ([][]driver.Value, error) {
			switch {
			case strings.Contains(q, "@@autocommit"):
				return [][]driver.Value{{autocommit}}, nil
			case strings.Contains(q, "information_schema"):
				return [][]driver.Value{{primary, key}}, nil
			}
			return nil, nil
		}
	}
	for says, f := range map[string]*fake{
		"autocommit off":           {query: replies(0, 1, 1)},
		"primary key":              {query: replies(1, 0, 0)},
		"not the column key alone": {query: replies(1, 2, 1)},
		"is not the column key":    {query: replies(1, 1, 0)},
		"read information_schema": {query: func(q string) ([][]driver.Value, error) {
			return failIf(q, "information_schema")
		}},
		"read @@autocommit": {query: func(q string) ([][]driver.Value, error) {
			return failIf(q, "@@autocommit")
		}},
		"the table cannot be used: ": {query: func(q string) ([][]driver.Value, error) {
			return failIf(q, "updated_at")
		}},
	} {
		_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: sqlstore.MySQL})
		require.ErrorContains(t, err, says)
	}
}

func failIf(query, part string) ([][]driver.Value, error) {
	if strings.Contains(query, part) {
		return nil, errDriver
	}
	return mysqlIsSound(query)
}

// Each kind of statement is tried, so that a missing privilege shows at the start.
func TestNew_TriesEveryWrite(t *testing.T) {
	for _, d := range dialects {
		for _, verb := range []string{"INSERT", "UPDATE", "DELETE"} {
			f := &fake{query: mysqlIsSound, exec: func(q string) (int64, error) {
				if strings.HasPrefix(q, verb) {
					return 0, errDriver
				}
				return 0, nil
			}}
			_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: d})
			require.ErrorIs(t, err, errDriver)
			require.ErrorContains(t, err, "the table cannot be written")
		}
	}
}

func TestNew_ReportsAnUnreachableDatabase(t *testing.T) {
	f := &fake{ping: func() error { return errDriver }}
	_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: sqlstore.PostgreSQL})
	require.ErrorIs(t, err, errDriver)
	require.ErrorContains(t, err, "sqlstore: the database cannot be opened")
	require.Empty(t, f.asked)
}

// A new SQLite file may be locked for a moment by the other processes that start.
func TestNew_WaitsForALockedFile(t *testing.T) {
	for _, c := range []struct {
		dialect sqlstore.Dialect
		err     error
		waits   bool
	}{
		{sqlstore.SQLite, errors.New("database is locked (5) (SQLITE_BUSY)"), true},
		{sqlstore.SQLite, errors.New("unable to open database file"), false},
		{sqlstore.PostgreSQL, errors.New("database is locked"), false},
	} {
		pings := 0
		f := &fake{query: mysqlIsSound, ping: func() error {
			if pings++; pings < 4 {
				return c.err
			}
			return nil
		}}
		_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: c.dialect})
		if c.waits {
			require.NoError(t, err)
			require.Equal(t, 4, pings)
		} else {
			require.ErrorIs(t, err, c.err)
			require.Equal(t, 1, pings)
		}
	}

	// It waits no longer than its caller does.
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		locked := errors.New("database is locked")
		f := &fake{ping: func() error { return locked }}
		_, err := sqlstore.New(ctx, sqlstore.Config{DB: f.db(t), Dialect: sqlstore.SQLite})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, locked, "the reason is in it")
	})
}

// What was in the pool before a restart of the database is replaced; a database that breaks
// every connection is an error all the same.
func TestNew_ReplacesBrokenConnections(t *testing.T) {
	refused := errors.New("password authentication failed")
	for _, c := range []struct{ now, want error }{{nil, nil}, {refused, refused}} {
		pings := 0
		f := &fake{ping: func() error {
			if pings++; pings < 40 {
				return driver.ErrBadConn
			}
			return c.now
		}}
		_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t),
			Dialect: sqlstore.PostgreSQL})
		require.ErrorIs(t, err, c.want)
		require.Equal(t, 40, pings)
	}
	f := &fake{ping: func() error { return driver.ErrBadConn }}
	_, err := sqlstore.New(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: sqlstore.PostgreSQL})
	require.ErrorIs(t, err, driver.ErrBadConn)
}

// Where the table is, no privilege to create one is needed.
func TestMigrate_NeedsNoPrivilegeForAnExistingTable(t *testing.T) {
	f := &fake{query: mysqlIsSound}
	require.NoError(t, sqlstore.Migrate(t.Context(),
		sqlstore.Config{DB: f.db(t), Dialect: sqlstore.PostgreSQL}))
	for _, q := range f.asked {
		require.NotContains(t, q.query, "CREATE")
	}
}

// Another process may create the table between the look and the attempt.
func TestMigrate_WhenAnotherProcessWasFirst(t *testing.T) {
	there := false
	f := &fake{
		query: func(string) ([][]driver.Value, error) {
			if !there {
				return nil, errDriver
			}
			return nil, nil
		},
		exec: func(q string) (int64, error) {
			if strings.Contains(q, "CREATE") {
				there = true
				return 0, errors.New("duplicate key value violates unique constraint " +
					"\"pg_type_typname_nsp_index\"")
			}
			return 0, nil
		},
	}
	require.NoError(t, sqlstore.Migrate(t.Context(),
		sqlstore.Config{DB: f.db(t), Dialect: sqlstore.PostgreSQL}))

	f = &fake{
		query: func(string) ([][]driver.Value, error) { return nil, errors.New("no such table") },
		exec:  func(string) (int64, error) { return 0, errDriver },
	}
	err := sqlstore.Migrate(t.Context(), sqlstore.Config{DB: f.db(t), Dialect: sqlstore.PostgreSQL})
	require.ErrorIs(t, err, errDriver, "the reason is why it could not be created")
}
