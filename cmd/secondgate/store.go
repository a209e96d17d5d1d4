package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// opened is a store with its database.
type opened struct {
	storage.Store
	engine
	close func() error
}

// openStore opens the store at a URL, and makes its table or stream if create is set. No error
// quotes the URL, which may have a password in it.
func openStore(ctx context.Context, where string, create bool) (opened, error) {
	scheme, rest, ok := strings.Cut(where, ":")
	if !ok {
		return opened{}, fmt.Errorf("the store is no URL; %w", errUsage)
	}
	switch scheme {
	case "sqlite":
		path := strings.TrimPrefix(rest, "//")
		if err := refuseMissing(path); err != nil && !create {
			return opened{}, err
		}
		return openSQL(ctx, "sqlite", sqlstore.SQLiteDSN(path), sqlstore.SQLite, create)
	case "postgres", "postgresql":
		return openSQL(ctx, "pgx", where, sqlstore.PostgreSQL, create)
	case "mysql", "mariadb":
		dsn, err := sqlstore.MySQLDSN(where)
		if err != nil {
			return opened{}, fmt.Errorf("%w; %w", err, errUsage)
		}
		return openSQL(ctx, "mysql", dsn, sqlstore.MySQL, create)
	case "redis", "rediss":
		return openRedis(ctx, where)
	case "etcd":
		return openEtcd(ctx, "http", rest)
	case "etcd+tls":
		return openEtcd(ctx, "https", rest)
	case "nats":
		return openNATS(ctx, "nats", rest, create)
	case "nats+tls":
		return openNATS(ctx, "tls", rest, create)
	}
	return opened{}, fmt.Errorf("a store begins with sqlite:, postgres:, mysql:, redis:, etcd: "+
		"or nats:; %w", errUsage)
}

// refuseMissing refuses the path of a database that is not there: SQLite would make an empty one.
func refuseMissing(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s", path)
	}
	return nil // to open it says what else is wrong
}

func openSQL(
	ctx context.Context, driver, dsn string, dialect sqlstore.Dialect, create bool,
) (opened, error) {
	db, err := openDB(driver, dsn)
	if err != nil {
		return opened{}, err
	}
	cfg := sqlstore.Config{DB: db, Dialect: dialect}
	if create {
		if err := sqlstore.Migrate(ctx, cfg); err != nil {
			return opened{}, errors.Join(storeProblem(err), db.Close())
		}
	}
	store, err := sqlstore.New(ctx, cfg)
	if err != nil {
		if !create && db.PingContext(ctx) == nil {
			err = fmt.Errorf("%w. If the table is missing, run: secondgate init", err)
		}
		return opened{}, errors.Join(storeProblem(err), db.Close())
	}
	return opened{store, sqlEngine{db, dialect}, db.Close}, nil
}

// storeProblem says of an error about the URL of a database that it is one about the command line.
func storeProblem(err error) error {
	if malformed := (*pgconn.ParseConfigError)(nil); errors.As(err, &malformed) {
		return fmt.Errorf("%w; %w", err, errUsage)
	}
	return err
}

// maxIdle is how many connections are kept: as many as any command uses at once. An import opens
// no more than importConnections, as a database that is busy takes long to begin many.
const (
	maxIdle           = 256
	importConnections = 16
)

// openDB opens a database. Its error does not quote the URL.
func openDB(driver, dsn string) (*sql.DB, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, errors.New("the URL of the database is malformed")
	}
	// The default keeps two, and a busy command would open and close others all the time.
	db.SetMaxIdleConns(maxIdle)
	return db, nil
}

// silent is a log of a client whose errors say the same.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func openRedis(ctx context.Context, where string) (opened, error) {
	options, err := redis.ParseURL(where)
	if err != nil {
		return opened{}, fmt.Errorf("the URL of the store is malformed; %w", errUsage)
	}
	redis.SetLogger(silent{})
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // package mfa decides what to do after an error
	client := redis.NewClient(options)
	store, err := redisstore.New(ctx, redisstore.Config{
		Do: func(ctx context.Context, args ...any) (any, error) {
			return client.Do(ctx, args...).Result()
		},
	})
	if err != nil {
		return opened{}, errors.Join(err, client.Close())
	}
	return opened{store, redisEngine{client}, client.Close}, nil
}
