package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// refused is a failure that is said to be one, and is taken for no result of a store.
func refused(t *testing.T, err error, says ...string) {
	t.Helper()
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "sqlstore: "), "%q", err)
	for _, result := range []error{storage.ErrNotFound, storage.ErrConflict, storage.ErrInvalid} {
		require.NotErrorIs(t, err, result)
	}
	for _, s := range says {
		require.ErrorContains(t, err, s)
	}
}

func TestNew_RefusesAMissingTable(t *testing.T) {
	cfg := sqlstore.Config{DB: openDB(t, filepath.Join(t.TempDir(), "records.db")),
		Dialect: sqlstore.SQLite}
	_, err := sqlstore.New(t.Context(), cfg)
	refused(t, err, "no such table", "secondgate_records", "sqlstore.Migrate")

	// Another table of the same database is no substitute.
	require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
	cfg.Table = "other"
	_, err = sqlstore.New(t.Context(), cfg)
	refused(t, err, "no such table", "other")
}

func TestStore_DroppedTableIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	store, db := openStore(t, path), openDB(t, path)
	_, err := db.ExecContext(t.Context(), "DROP TABLE secondgate_records")
	require.NoError(t, err)
	_, err = store.Get(t.Context(), "k")
	refused(t, err, "no such table")
	refused(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")}),
		"no such table")
}

func TestNew_RefusesAnUnfitTable(t *testing.T) {
	for name, c := range map[string]struct{ ddl, says string }{
		"text keys": {`CREATE TABLE secondgate_records (key TEXT PRIMARY KEY, revision BLOB, data
			BLOB, updated_at TEXT)`,
			"column key has type TEXT"},
		"text revisions": {`CREATE TABLE secondgate_records (key BLOB PRIMARY KEY, revision TEXT,
			data BLOB, updated_at TEXT)`,
			"column revision has type TEXT"},
		"no revision": {`CREATE TABLE secondgate_records (key BLOB PRIMARY KEY, data BLOB,
			updated_at TEXT)`, "revision"},
		"no key": {`CREATE TABLE secondgate_records (id BLOB PRIMARY KEY, revision BLOB, data BLOB,
			updated_at TEXT)`, "key"},
		"a view": {`CREATE VIEW secondgate_records AS SELECT x'00' key, x'00' revision, x'00' data,
			'' updated_at`, "view"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sqlstore.Config{DB: openDB(t, filepath.Join(t.TempDir(), "records.db")),
				Dialect: sqlstore.SQLite}
			_, err := cfg.DB.ExecContext(t.Context(), c.ddl)
			require.NoError(t, err)
			_, err = sqlstore.New(t.Context(), cfg)
			refused(t, err, c.says)
			refused(t, sqlstore.Migrate(t.Context(), cfg), c.says)
		})
	}
}

// A key that is not the primary key cannot be inserted on condition.
func TestNew_RefusesATableWithoutPrimaryKey(t *testing.T) {
	cfg := sqlstore.Config{DB: openDB(t, filepath.Join(t.TempDir(), "records.db")),
		Dialect: sqlstore.SQLite}
	_, err := cfg.DB.ExecContext(t.Context(), `CREATE TABLE secondgate_records (key BLOB, revision
		BLOB, data BLOB, updated_at TEXT)`)
	require.NoError(t, err)
	_, err = sqlstore.New(t.Context(), cfg)
	refused(t, err, "ON CONFLICT")
}

// A row that something else wrote is damaged, not absent.
func TestGet_ForeignRowIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	store, db := openStore(t, path), openDB(t, path)
	_, err := db.ExecContext(t.Context(), `INSERT INTO secondgate_records (key, revision, data)
		VALUES (x'6b', x'', x'')`)
	require.NoError(t, err)
	_, err = store.Get(t.Context(), "k")
	refused(t, err, "empty revision or data")
	_, _, err = store.List(t.Context(), "", "", 10)
	refused(t, err, "empty revision or data")
}

func TestStore_ClosedDatabaseIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	cfg := sqlstore.Config{DB: openDB(t, path), Dialect: sqlstore.SQLite}
	require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
	store, err := sqlstore.New(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, cfg.DB.Close())

	_, err = store.Get(t.Context(), "k")
	refused(t, err, "closed")
	refused(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")}),
		"closed")
	refused(t, store.Delete(t.Context(), "k", "r"), "closed")
	_, _, err = store.List(t.Context(), "", "", 1)
	refused(t, err, "closed")
	_, err = sqlstore.New(t.Context(), cfg)
	refused(t, err, "cannot be opened", "closed")
}

// Another process holds the write lock for longer than the caller has time.
func TestStore_HonoursTheDeadlineWhileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	db := openDB(t, path)
	store := openPatientStore(t, path, 2*time.Minute)
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r1",
		Data: []byte("x")}))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err = store.Swap(ctx, "k", "r1", storage.Record{Revision: "r2", Data: []byte("y")})
	refused(t, err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begun), time.Minute,
		"the deadline must end the wait, not the busy time-out")

	// Readers are not kept out, and the write that was cancelled was not made.
	rec, err := store.Get(t.Context(), "k")
	require.NoError(t, err)
	require.EqualValues(t, "r1", rec.Revision)
	require.NoError(t, tx.Rollback())
	require.NoError(t, store.Swap(t.Context(), "k", "r1", storage.Record{Revision: "r3",
		Data: []byte("z")}))
}

// Without a busy time-out a lock is an error; it is not a conflict, nor an absent record.
func TestStore_LockedIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	openStore(t, path)
	impatient, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer impatient.Close()
	store, err := sqlstore.New(t.Context(), sqlstore.Config{DB: impatient,
		Dialect: sqlstore.SQLite})
	require.NoError(t, err)
	tx, err := openDB(t, path).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	refused(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r1", Data: []byte("x")}),
		"locked")
	require.NoError(t, tx.Rollback())
}

// SQLite refuses a write through a connection that is opened for reading, by the same text in both
// drivers. New says so by a typed error, and a Reader reads.
func TestStore_ReadOnlyConnectionIsAnError(t *testing.T) {
	for _, c := range []struct{ driver, option string }{
		{"sqlite", "&mode=ro"}, {"sqlite", "&_pragma=query_only(1)"},
		{"sqlite3", "&_pragma=query_only(1)"},
	} {
		t.Run(c.driver+c.option, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "records.db")
			open := func(option string) *sql.DB {
				db, err := sql.Open(c.driver, sqlstore.SQLiteDSN(path)+option)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, db.Close()) })
				return db
			}
			record := storage.Record{Revision: "r1", Data: []byte("x")}
			require.NoError(t, storeOn(t, open("")).Swap(t.Context(), "ann", "", record))

			cfg := sqlstore.Config{DB: open(c.option), Dialect: sqlstore.SQLite}
			_, err := sqlstore.New(t.Context(), cfg)
			refused(t, err, "readonly", "allowed to write")
			require.ErrorIs(t, err, sqlstore.ErrReadOnly)
			reader, err := sqlstore.NewReader(t.Context(), cfg)
			require.NoError(t, err)
			got, err := reader.Get(t.Context(), "ann")
			require.NoError(t, err)
			require.Equal(t, record, got)
			cfg.Table = "other"
			require.ErrorIs(t, sqlstore.Migrate(t.Context(), cfg), sqlstore.ErrReadOnly)
		})
	}
}

func TestOpen_ReportsAMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "records.db")
	cfg := sqlstore.Config{DB: openDB(t, path), Dialect: sqlstore.SQLite}
	refused(t, sqlstore.Migrate(t.Context(), cfg), "cannot be opened",
		"unable to open database file")
	_, err := sqlstore.New(t.Context(), cfg)
	refused(t, err, "cannot be opened")
	require.NoFileExists(t, path)
}
