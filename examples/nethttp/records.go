package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// records is where secondgate's records are: by default in a table of the application's own
// database, with -db wherever the URL leads. People and sessions stay in the application's.
type records interface {
	storage.Store
	storage.Lister
}

// openRecords opens the store that -db names, and makes its table. Errors say what to do.
func openRecords(ctx context.Context, where string, own *sql.DB) (_ records, closeStore func() error, err error) {
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
		f, err := os.OpenFile(where, os.O_RDWR|os.O_CREATE, 0o600) // SQLite would make it as the umask allows
		if err != nil {
			return nil, nil, err
		}
		if err := f.Close(); err != nil {
			return nil, nil, err
		}
		return openSQL(ctx, "sqlite", sqlstore.SQLiteDSN(where), sqlstore.SQLite)
	case scheme == "postgres" || scheme == "postgresql":
		return openSQL(ctx, "pgx", where, sqlstore.PostgreSQL)
	case scheme == "mysql" || scheme == "mariadb":
		dsn, err := mysqlDSN(where)
		if err != nil {
			return nil, nil, err
		}
		return openSQL(ctx, "mysql", dsn, sqlstore.MySQL)
	case scheme == "redis" || scheme == "rediss":
		return openRedis(ctx, where)
	}
	return nil, nil, errors.New("not a file, and not a postgres://, mysql:// or redis:// URL")
}

func openSQL(ctx context.Context, driver, dsn string, d sqlstore.Dialect) (records, func() error, error) {
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

func openRedis(ctx context.Context, where string) (records, func() error, error) {
	options, err := redis.ParseURL(where)
	if err != nil {
		return nil, nil, err
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // the core decides what to do after an error
	client := redis.NewClient(options)
	store, err := redisstore.New(ctx, redisstore.Config{
		Do: func(ctx context.Context, args ...any) (any, error) { return client.Do(ctx, args...).Result() },
	})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return store, client.Close, nil
}

// mysqlDSN makes of mysql://user:password@host:port/database the form that the driver reads.
func mysqlDSN(where string) (string, error) {
	u, err := url.Parse(where)
	if err != nil {
		return "", errors.New("not a URL")
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		cfg.Addr += ":3306"
	}
	if u.User != nil {
		cfg.User = u.User.Username()
		cfg.Passwd, _ = u.User.Password()
	}
	if u.Host == "" || cfg.DBName == "" || u.RawQuery != "" {
		return "", errors.New("give it as mysql://user:password@host:3306/database")
	}
	return cfg.FormatDSN(), nil
}

// redactURL takes the password out of what is printed.
func redactURL(where string) string {
	if u, err := url.Parse(where); err == nil && u.User != nil {
		return u.Redacted()
	}
	if strings.Contains(where, "@") {
		return "(with a password)"
	}
	return where
}
