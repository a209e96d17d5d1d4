package trail_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// Each statement can be sent alone, as MySQL takes no others, and repeated.
func TestSchema_IsOfStatements(t *testing.T) {
	for dialect, n := range map[sqlstore.Dialect]int{sqlstore.SQLite: 2, sqlstore.PostgreSQL: 2,
		sqlstore.MySQL: 1} {
		statements, err := trail.Schema(dialect)
		require.NoError(t, err)
		require.Len(t, statements, n)
		require.Contains(t, strings.Join(statements, " "), "(subject, seq)")
		for _, s := range statements {
			require.Contains(t, s, "IF NOT EXISTS secondgate_trail")
			require.NotContains(t, s, ";")
		}
	}
	_, err := trail.Schema("oracle")
	require.ErrorContains(t, err, "oracle")
}

// undone is a database without the table. A CREATE makes it after so many tries.
func undone(d *database, err error, tries int) {
	d.fail = func(s string) error {
		switch {
		case strings.HasPrefix(s, "SELECT") && tries >= 0:
			return errors.New("no such table")
		case strings.Contains(s, "CREATE TABLE"):
			tries--
			return err
		}
		return nil
	}
}

func TestMigrate_MakesTheTableOnce(t *testing.T) {
	for _, dialect := range []sqlstore.Dialect{sqlstore.SQLite, sqlstore.PostgreSQL,
		sqlstore.MySQL} {
		d, table := newTable(t, dialect)
		undone(d, nil, 0)
		require.NoError(t, table.Migrate(t.Context()))
		statements, err := trail.Schema(dialect)
		require.NoError(t, err)
		require.Equal(t, statements, d.asked[1:len(d.asked)-1])
		d.asked = nil
		require.NoError(t, table.Migrate(t.Context()))
		require.Len(t, d.asked, 1, "it needs no privilege where there is nothing to do")
	}
}

// Of two processes at once, one gets an error and has its table.
func TestMigrate_FindsTheTableOfAnotherProcess(t *testing.T) {
	d, table := newTable(t, sqlstore.PostgreSQL)
	undone(d, errors.New("duplicate key value violates unique constraint"), 0)
	require.NoError(t, table.Migrate(t.Context()))
	synctest.Test(t, func(t *testing.T) { // whose connections cannot read while it is made
		d, table := newTable(t, sqlstore.SQLite)
		reads := 0
		d.fail = func(s string) error {
			if reads++; reads < 9 && strings.HasPrefix(s, "SELECT") {
				return errors.New("database is locked")
			}
			return nil
		}
		require.NoError(t, table.Migrate(t.Context()))
	})
	synctest.Test(t, func(t *testing.T) {
		d, table := newTable(t, sqlstore.SQLite)
		undone(d, errors.New("database is locked (5) (SQLITE_BUSY)"), 7)
		began := time.Now()
		require.NoError(t, table.Migrate(t.Context()))
		require.Equal(t, 350*time.Millisecond, time.Since(began))
	})
}

func TestMigrate_ReturnsTheErrorsOfTheDatabase(t *testing.T) {
	for _, statement := range []string{"BEGIN", "CREATE", "-- ", "COMMIT"} {
		d, table := newTable(t, sqlstore.SQLite)
		d.fail = func(s string) error {
			if strings.HasPrefix(s, "SELECT") {
				return errors.New("no such table")
			}
			return prefix(statement, errDown)(s)
		}
		err := table.Migrate(t.Context())
		require.ErrorIs(t, err, errDown, statement)
		require.ErrorContains(t, err, "trail: ")
	}
	d, table := newTable(t, sqlstore.MySQL)
	undone(d, nil, 1)
	require.ErrorContains(t, table.Migrate(t.Context()), "no such table", "it was made otherwise")
}

// A database that stays locked is an error after five seconds, or when the context ends.
func TestMigrate_WaitsForAWhile(t *testing.T) {
	for _, cancelled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			d, table := newTable(t, sqlstore.SQLite)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tries := 0
			d.fail = func(s string) error {
				if tries++; cancelled && tries == 3 {
					cancel()
				}
				return errors.New("database is locked")
			}
			began := time.Now()
			require.ErrorContains(t, table.Migrate(ctx), "database is locked")
			waited := time.Since(began)
			require.Equal(t, cancelled, tries < 10)
			require.Equal(t, cancelled, waited < 5*time.Second)
			require.LessOrEqual(t, waited, 5*time.Second)
		})
	}
}
