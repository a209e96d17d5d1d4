package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// openDB opens the file at path as a process of its own would.
func openDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// openStore also makes the table.
func openStore(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	return storeOn(t, openDB(t, path))
}

// openPatientStore is a store that waits longer for a lock.
func openPatientStore(t testing.TB, path string, busy time.Duration) *sqlstore.Store {
	t.Helper()
	dsn := strings.Replace(sqlstore.SQLiteDSN(path), "busy_timeout(5000)",
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()), 1)
	require.NotEqual(t, sqlstore.SQLiteDSN(path), dsn)
	db, err := sql.Open("sqlite", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return storeOn(t, db)
}

func storeOn(t testing.TB, db *sql.DB) *sqlstore.Store {
	t.Helper()
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	require.NoError(t, sqlstore.Migrate(context.Background(), cfg))
	store, err := sqlstore.New(context.Background(), cfg)
	require.NoError(t, err)
	return store
}

func TestStore_Conforms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	storagetest.Run(t, func(t *testing.T) storage.Store { return openStore(t, path) })
}

// One connection, as some applications have it, must not wait for itself.
func TestStore_ConformsWithOneConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	storagetest.Run(t, func(t *testing.T) storage.Store {
		db := openDB(t, path)
		db.SetMaxOpenConns(1)
		cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite, Table: "main.second_factors"}
		require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
		store, err := sqlstore.New(t.Context(), cfg)
		require.NoError(t, err)
		return store
	})
}

// The other driver that needs no C compiler reads the same name.
func TestStore_ConformsThroughNcruces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	storagetest.Run(t, func(t *testing.T) storage.Store {
		db, err := sql.Open("sqlite3", sqlstore.SQLiteDSN(path))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return storeOn(t, db)
	})
}
