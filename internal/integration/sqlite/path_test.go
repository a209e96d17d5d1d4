package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// Whatever the path's characters, the file that is asked for is the file that is used, and
// no other comes into being.
func TestOpen_UsesThePathToTheLetter(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "question?mode=memory.db", "hash#tag.db", "percent%41.db",
		"100%.db", "a&b=c.db",
		"plus+.db", "semi;colon.db", "quote'\".db", "back\\slash.db", "colon:.db", ":memory:",
		"file:x.db", "é e\u0301.db",
		"\xff\xfe.db", "-dash.db", "?vfs=none", "tab\t.db", "new\nline.db", "~.db", "[a].db",
		"%00.db", "%2500.db",
	} {
		for _, relative := range []bool{false, true} {
			t.Run(name+map[bool]string{true: "/relative"}[relative], func(t *testing.T) {
				dir := t.TempDir()
				path := filepath.Join(dir, name)
				dsnPath := path
				if relative {
					t.Chdir(dir)
					dsnPath = name
				}
				store := openStore(t, dsnPath)
				require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r1",
					Data: []byte(name)}))
				// Another connection, opened later and by its absolute path, finds the same.
				rec, err := openStore(t, path).Get(t.Context(), "k")
				require.NoError(t, err)
				require.Equal(t, name, string(rec.Data))

				files, err := os.ReadDir(dir)
				require.NoError(t, err)
				for _, f := range files {
					require.Contains(t, []string{name, name + "-wal", name + "-shm"}, f.Name())
				}
				require.NotEmpty(t, files)
			})
		}
	}
}

func TestOpen_PathWithDoubledSlashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	store := openStore(t, "/"+path)
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r1",
		Data: []byte("x")}))
	require.FileExists(t, path)
}

// These name no file; a temporary or a truncated one would lose everything in silence.
func TestOpen_RefusesPathsThatNameNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"", ".", "./", "/", "a\x00b", "\x00",
		filepath.Join(dir, "a\x00.db")} {
		db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
		require.NoError(t, err)
		err = sqlstore.Migrate(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.SQLite})
		refused(t, err, "unable to open database file")
		require.NoError(t, db.Close())
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}

// The settings that the promises rest on are those of every connection.
func TestOpen_SetsEachConnection(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "records.db"))
	for range 3 {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		defer conn.Close() // held until the end, so that the next one is another
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2",
			"busy_timeout": "5000"} {
			var got string
			require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			require.Equal(t, want, got, pragma)
		}
	}
}

// An empty file made beforehand keeps its mode, and the files beside it have the same.
func TestOpen_KeepsTheModeOfAPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	store := openStore(t, path)
	require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "r1",
		Data: []byte("x")}))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
}
