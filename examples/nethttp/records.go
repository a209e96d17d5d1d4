package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// records is the store of secondgate's records: a table in the application's own database, or the
// database that -db names. Users and sessions stay in the application's.
type records interface {
	storage.Store
	storage.Lister
}

// openStore opens the store of secondgate's records, and reads the keys that encrypt them. It
// makes a key only while the store is empty. A store with records needs the key that is missing.
func (a *app) openStore(ctx context.Context) (records, *seal.Keyring, error) {
	// A database server that does not respond must not keep this program from saying so.
	opening, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	store, closeStore, err := openRecords(opening, a.cfg.db, a.db)
	if err != nil {
		return nil, nil, err
	}
	a.closeStore = closeStore
	first, _, err := store.List(ctx, "", "", 1)
	if err != nil {
		return nil, nil, err
	}
	keys, err := openKeyring(a.cfg.data, len(first) == 0)
	return store, keys, err
}

// openRecords opens the store that -db names, and makes its table. Its errors say what to do.
func openRecords(
	ctx context.Context, where string, own *sql.DB,
) (_ records, closeStore func() error, err error) {
	scheme, _, isURL := strings.Cut(where, "://")
	defer func() {
		if err != nil {
			err = fmt.Errorf("-db %s: %w", redactURL(where), err)
		}
	}()
	switch {
	case where == "":
		store, err := openTable(ctx, own, sqlstore.SQLite)
		return store, func() error { return nil }, err
	case !isURL:
		// SQLite would make the file as the umask allows
		f, err := os.OpenFile(where, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, nil, err
		}
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
		return openSQL(ctx, "sqlite3", sqlstore.SQLiteDSN(where), sqlstore.SQLite)
	case slices.Contains([]string{"postgres", "postgresql", "mysql", "mariadb", "redis", "rediss"},
		scheme):
		return openServer(ctx, scheme, where)
	}
	return nil, nil, errors.New("not a file, and not a postgres://, mysql:// or redis:// URL")
}

func openSQL(
	ctx context.Context, driver, dsn string, d sqlstore.Dialect,
) (records, func() error, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	store, err := openTable(ctx, db, d)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return store, db.Close, nil
}

func openTable(ctx context.Context, db *sql.DB, d sqlstore.Dialect) (*sqlstore.Store, error) {
	cfg := sqlstore.Config{DB: db, Dialect: d}
	if err := sqlstore.Migrate(ctx, cfg); err != nil {
		return nil, err
	}
	return sqlstore.New(ctx, cfg)
}

// redactURL returns the URL without its password.
func redactURL(where string) string {
	if u, err := url.Parse(where); err == nil && u.User != nil {
		return u.Redacted()
	}
	if strings.Contains(where, "@") {
		return "(with a password)"
	}
	return where
}
