package userstable_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/secondgate/secondgate/examples/userstable"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

// open returns an application's database with a users table, and the Store in it.
func open(t testing.TB, path string) (*sql.DB, *userstable.Store) {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(path))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT " +
		"NULL, mfa_record BLOB)")
	require.NoError(t, err)
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	require.NoError(t, sqlstore.Migrate(t.Context(), cfg))
	rest, err := sqlstore.New(t.Context(), cfg)
	require.NoError(t, err)
	store, err := userstable.New(t.Context(), db, rest)
	require.NoError(t, err)
	return db, store
}

// accounts adds a user for each key of the kit, so that the kit tests the column and not the table
// of sqlstore.
type accounts struct {
	store *userstable.Store
	db    *sql.DB
	*directory
}

// directory maps keys of the kit to users.
type directory struct {
	mu   sync.Mutex
	ids  map[string]int
	keys []string
}

func (a accounts) userKey(key string) (string, error) {
	if err := storage.CheckKey(key); err != nil {
		return key, nil // for the store to refuse
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	id, ok := a.ids[key]
	if !ok {
		id = len(a.keys)
		if _, err := a.db.Exec("INSERT INTO users (id, name) VALUES (?, 'Ann')",
			id); err != nil {
			return "", err
		}
		a.ids[key], a.keys = id, append(a.keys, key)
	}
	return "p/0//" + strconv.Itoa(id), nil
}

func (a accounts) Get(ctx context.Context, key string) (storage.Record, error) {
	key, err := a.userKey(key)
	if err != nil {
		return storage.Record{}, err
	}
	return a.store.Get(ctx, key)
}

func (a accounts) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	key, err := a.userKey(key)
	if err != nil {
		return err
	}
	return a.store.Swap(ctx, key, old, next)
}

func (a accounts) Delete(ctx context.Context, key string, old storage.Revision) error {
	key, err := a.userKey(key)
	if err != nil {
		return err
	}
	return a.store.Delete(ctx, key, old)
}

func (a accounts) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	all, next, err := a.store.List(ctx, "p/", cursor, limit)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range all {
		id, err := strconv.Atoi(strings.TrimPrefix(e.Key, "p/0//"))
		if err != nil {
			return nil, "", err
		}
		if e.Key = a.keys[id]; strings.HasPrefix(e.Key, prefix) {
			page = append(page, e)
		}
	}
	return page, next, err
}

func TestStore_KeepsUsersInTheColumn(t *testing.T) {
	path, d := filepath.Join(t.TempDir(), "app.db"), &directory{ids: map[string]int{}}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		db, store := open(t, path)
		return accounts{store, db, d}
	})
}

// Keys that are not a user's are kept in the other table, and both are listed.
func TestStore_KeepsTheRestInTheTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	storagetest.Run(t, func(t *testing.T) storage.Store {
		_, store := open(t, path)
		return store
	})
}

func TestStoreList_ListsBoth(t *testing.T) {
	db, store := open(t, filepath.Join(t.TempDir(), "app.db"))
	want := map[string]bool{}
	for i := -2; i < 5; i++ {
		_, err := db.Exec("INSERT INTO users (id, name) VALUES (?, 'Ann')", i)
		require.NoError(t, err)
		for _, key := range []string{fmt.Sprintf("p/0//%d", i), fmt.Sprintf("b/%d", i)} {
			require.NoError(t, store.Swap(t.Context(), key, "", record("r", key)))
			want[key] = true
		}
	}
	for limit := 1; limit < 16; limit++ {
		got, cursor := map[string]bool{}, storage.Cursor("")
		for {
			page, next, err := store.List(t.Context(), "", cursor, limit)
			require.NoError(t, err)
			for _, e := range page {
				require.Equal(t, e.Key, string(e.Record.Data))
				got[e.Key] = true
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		require.Equal(t, want, got)
	}
	_, _, err := store.List(t.Context(), "", "elsewhere", 1)
	require.ErrorIs(t, err, storage.ErrInvalid)
	page, _, err := store.List(t.Context(), "p/0//1", "", 99)
	require.NoError(t, err)
	require.Len(t, page, 1)
}

func record(revision storage.Revision, data string) storage.Record {
	return storage.Record{Revision: revision, Data: []byte(data)}
}

// Another spelling of a number is another user, who has no row.
func TestStore_FindsUsersOfTheTable(t *testing.T) {
	db, store := open(t, filepath.Join(t.TempDir(), "app.db"))
	_, err := db.Exec("INSERT INTO users (id, name) VALUES (42, 'Ann')")
	require.NoError(t, err)
	require.NoError(t, store.Swap(t.Context(), "p/0//42", "", record("r1", "x")))
	for _, key := range []string{"p/0//042", "p/0//+42", "p/0//42 ", "p/0//4_2", "p/0//42.0",
		"p/0//0x2a", "p/0//", "p/0//ann",
		"p/0//99999999999999999999", "p/2/eu/42", "p/", "p/42"} {
		_, err := store.Get(t.Context(), key)
		require.ErrorIs(t, err, storage.ErrInvalid, key)
		require.NotErrorIs(t, err, storage.ErrNotFound, key)
		require.ErrorIs(t, store.Swap(t.Context(), key, "r1", record("r2", "x")),
			storage.ErrInvalid, key)
		require.ErrorIs(t, store.Delete(t.Context(), key, "r1"), storage.ErrInvalid, key)
	}
	// No user with that number has signed up.
	_, err = store.Get(t.Context(), "p/0//43")
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.ErrorIs(t, store.Swap(t.Context(), "p/0//43", "", record("r1", "x")),
		storage.ErrConflict)
}

// A revision that begins with another one is not equal to it, whatever the data begins with.
func TestStore_SeparatesRevisionsFromData(t *testing.T) {
	db, store := open(t, filepath.Join(t.TempDir(), "app.db"))
	_, err := db.Exec("INSERT INTO users (id, name) VALUES (42, 'Ann')")
	require.NoError(t, err)
	require.NoError(t, store.Swap(t.Context(), "p/0//42", "", record("r", "rrr")))
	for _, old := range []storage.Revision{"rr", "rrr", "rrrr"} {
		require.ErrorIs(t, store.Swap(t.Context(), "p/0//42", old, record("next", "x")),
			storage.ErrConflict)
		require.ErrorIs(t, store.Delete(t.Context(), "p/0//42", old), storage.ErrConflict)
	}
}

// A value that the application wrote into the column is an error, and no missing record.
func TestStore_RefusesForeignBytes(t *testing.T) {
	db, store := open(t, filepath.Join(t.TempDir(), "app.db"))
	for i, value := range []any{[]byte{}, []byte{0}, []byte{0, 0, 0}, []byte{1}, []byte{1, 'r'},
		[]byte{200, 'r', 'x'}, "", "text"} {
		_, err := db.Exec("INSERT INTO users (id, name, mfa_record) VALUES (?, 'Ann', ?)", i, value)
		require.NoError(t, err)
		_, err = store.Get(t.Context(), fmt.Sprintf("p/0//%d", i))
		require.ErrorContains(t, err, "something else wrote", "%v", value)
		require.NotErrorIs(t, err, storage.ErrNotFound)
		require.ErrorIs(t, store.Swap(t.Context(), fmt.Sprintf("p/0//%d", i), "", record("r", "x")),
			storage.ErrConflict)
		_, _, err = store.List(t.Context(), "p/", "", 100)
		require.Error(t, err)
	}
}

func TestNew_RequiresTheColumn(t *testing.T) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = userstable.New(t.Context(), db, nil)
	require.ErrorContains(t, err, "users.mfa_record")
	_, err = db.Exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
	require.NoError(t, err)
	_, err = userstable.New(t.Context(), db, nil)
	require.ErrorContains(t, err, "users.mfa_record")
}

// The user 42 enrols a PIN and signs in with it.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("sqlite", "file:example?mode=memory&cache=shared")
	check(err)
	defer func() { check(db.Close()) }()
	db.SetMaxOpenConns(1) // the database lives as long as its connection
	_, err = db.Exec("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, " +
		"mfa_record BLOB); INSERT INTO users (id, name) VALUES (42, 'Ann')")
	check(err)

	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	check(sqlstore.Migrate(ctx, cfg))
	rest, err := sqlstore.New(ctx, cfg)
	check(err)
	store, err := userstable.New(ctx, db, rest)
	check(err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	check(err)
	number, err := pin.New(pin.Config{})
	check(err)
	m, err := mfa.New(mfa.Config{Store: store, Keys: keys, Factors: []factor.Factor{number},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	check(err)

	ann := mfa.User{ID: "42"} // users.id
	begun, err := m.Session(ann, "session").Begin(ctx)
	check(err)
	e, err := m.Session(ann, "session").Enroll(ctx, begun.Grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New("739162")}})
	check(err)
	_, err = m.Session(ann, "session").Confirm(ctx, e, secret.New("739162"))
	check(err)

	begun, err = m.Session(ann, "session").Begin(ctx)
	check(err)
	v, err := m.Session(ann, "session").Verify(ctx, begun, "pin", secret.New("739162"))
	check(err)
	var kept bool
	check(db.QueryRow("SELECT mfa_record IS NOT NULL FROM users WHERE id = 42").Scan(&kept))
	fmt.Println(v.Kind, kept)

	// Deleting the account deletes its second factor.
	_, err = db.Exec("DELETE FROM users WHERE id = 42")
	check(err)
	report, err := m.Admin(mfa.System("report"), "").Report(ctx)
	check(err)
	fmt.Println(len(report.Groups))
	// Output:
	// pin true
	// 0
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
