package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

const (
	databaseFile = "acme.db"
	keyFile      = "secondgate.key"
)

// schema has the application's own tables. sqlstore.Migrate makes secondgate's.
const schema = `
CREATE TABLE IF NOT EXISTS logins (
	id       INTEGER PRIMARY KEY,
	email    TEXT NOT NULL UNIQUE COLLATE NOCASE,
	password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS accounts (
	id              TEXT PRIMARY KEY,
	login           INTEGER NOT NULL REFERENCES logins(id),
	username        TEXT NOT NULL UNIQUE COLLATE NOCASE,
	name            TEXT NOT NULL,
	type            TEXT NOT NULL,
	email_confirmed INTEGER NOT NULL DEFAULT 0,
	enrolled        INTEGER NOT NULL DEFAULT 0,
	demo_password   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS accounts_login ON accounts(login);
CREATE TABLE IF NOT EXISTS sessions (
	token  TEXT PRIMARY KEY,
	data   BLOB, -- NULL once the token has ended; then it is never written again
	expiry INTEGER NOT NULL,
	-- What the user sees of it. One session has several tokens in its life, and one id.
	id        TEXT NOT NULL,
	account   TEXT NOT NULL,
	began     INTEGER NOT NULL,
	seen      INTEGER NOT NULL,
	device    TEXT NOT NULL,
	client    TEXT NOT NULL,
	how       TEXT NOT NULL,
	changes   INTEGER NOT NULL, -- how often the password had been changed at the sign-in
	signed_in INTEGER NOT NULL,
	ended     INTEGER NOT NULL DEFAULT 0 -- under any of its tokens
);
CREATE INDEX IF NOT EXISTS sessions_expiry ON sessions(expiry);
CREATE INDEX IF NOT EXISTS sessions_id ON sessions(id);
CREATE INDEX IF NOT EXISTS sessions_account ON sessions(account);
CREATE TABLE IF NOT EXISTS preferences (
	account TEXT PRIMARY KEY REFERENCES accounts(id),
	end_sessions INTEGER NOT NULL -- after each change of the sign-in methods
);
CREATE TABLE IF NOT EXISTS outbox (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	time    TEXT NOT NULL,
	channel TEXT NOT NULL,
	recipient TEXT NOT NULL,
	subject TEXT NOT NULL,
	text    TEXT NOT NULL,
	html    TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS password_changes (
	login       INTEGER PRIMARY KEY REFERENCES logins(id),
	changes     INTEGER NOT NULL,
	must_change INTEGER NOT NULL -- 0, or the Unix ms until which it lets the user choose another
);
CREATE TABLE IF NOT EXISTS settings (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL
);`

// openDatabase opens the database in dir. On the first run it makes both.
func openDatabase(ctx context.Context, dir string) (*sql.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	path := filepath.Join(dir, databaseFile)
	// SQLite would make the file as the umask allows. This one is made first, and the files
	// beside it inherit its mode.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if err := f.Close(); err != nil {
		return nil, unwritable(dir, err)
	}
	db, err := sql.Open("sqlite3", sqlstore.SQLiteDSN(path))
	if err != nil {
		return nil, err
	}
	// Writers wait for each other in any case. With few connections they wait in Go, whose
	// queue is fair, and not in SQLite's polling.
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	err = dropOldSessions(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, schema)
	}
	if err == nil {
		err = addDocuments(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot use the database %s: %w; "+
			"make it writable, or move it away to start with an empty one", path, err), db.Close())
	}
	return db, nil
}

// dropOldSessions drops the table of sessions of an earlier version, which did not store their
// users. The application could neither show nor end them, so users sign in again.
func dropOldSessions(ctx context.Context, db *sql.DB) error {
	var columns, ids int
	err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(name = 'id'), 0) FROM
		pragma_table_info('sessions')`).Scan(&columns, &ids)
	if err == nil && columns > 0 && ids == 0 {
		_, err = db.ExecContext(ctx, `DROP TABLE sessions`)
	}
	return err
}

// addDocuments adds the documents of mails to the outbox of an earlier version.
func addDocuments(ctx context.Context, db *sql.DB) error {
	var there bool
	err := db.QueryRowContext(ctx, `SELECT count(*) FROM pragma_table_info('outbox')
		WHERE name = 'html'`).Scan(&there)
	if err == nil && !there {
		_, err = db.ExecContext(ctx, `ALTER TABLE outbox ADD COLUMN html TEXT NOT NULL DEFAULT ''`)
	}
	return err
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("cannot write to the data directory %s: %w; make it writable or name "+
		"another with -data", dir, err)
}

// openKeyring reads the key file in dir, or makes it on the first run. Each line is a key of 32
// bytes in hexadecimal. The first encrypts; the others decrypt what was encrypted before a
// rotation.
func openKeyring(dir string, fresh bool) (*seal.Keyring, error) {
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !fresh {
			return nil,
				fmt.Errorf("the database in %s is encrypted with a key, and %s is missing; "+
					"restore the file from a backup, or move the directory away to start anew",
					dir, path)
		}
		return makeKey(dir, path)
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("the key file %s can be read by others (mode %04o); run: chmod "+
			"600 %[1]s", path, info.Mode().Perm())
	}
	if info.Size() > 64<<10 {
		return nil, badKey(path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for line := range strings.FieldsSeq(string(text)) {
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != seal.KeyLen {
			return nil, badKey(path)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, badKey(path)
	}
	return seal.NewKeyring(keys[0], keys[1:]...)
}

func badKey(path string) error {
	return fmt.Errorf("the key file %s does not hold a key of %d bytes (%d hexadecimal digits "+
		"on a line); "+
		"restore it from a backup, or move the whole data directory away to start anew", path,
		seal.KeyLen, 2*seal.KeyLen)
}

// makeKey writes a new key durably before it encrypts anything.
func makeKey(dir, path string) (*seal.Keyring, error) {
	key := seal.GenerateKey()
	f, err := os.CreateTemp(dir, keyFile+".*") // mode 0600
	if err != nil {
		return nil, unwritable(dir, err)
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintf(f, "%x\n", key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, unwritable(dir, err)
	}
	// A link and no rename: if two processes start at once, the second fails here, where a
	// rename would replace the key that the first one uses.
	if err := os.Link(f.Name(), path); err != nil {
		return nil, unwritable(dir, err)
	}
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return seal.NewKeyring(key)
}
