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

// use is what a store is opened for.
type use uint8

const (
	toWrite use = iota
	// toRead permits a replica, which takes no writes, where the engine has such.
	toRead
	// toCreate makes the table or the stream.
	toCreate
)

// opener opens the store at a URL.
type opener func(ctx context.Context, where string, want use) (opened, error)

// openers returns what opens the URLs of each scheme. Each scheme is the URL of a store, so that no
// command takes such a URL for the path of a file.
func openers() map[string]opener {
	list := map[string]opener{"sqlite": openFile, "dynamodb": openDynamo}
	for scheme, open := range map[string]opener{
		"postgres postgresql": openPostgreSQL, "mysql mariadb": openMySQL,
		"redis rediss": openRedis, "etcd etcd+tls": openEtcd, "nats nats+tls": openNATS,
		"mongodb mongodb+srv": openMongo,
	} {
		for alias := range strings.FieldsSeq(scheme) {
			list[alias] = open
		}
	}
	return list
}

// openStore opens the store at a URL. No error quotes the URL, which may have a password in it.
func openStore(ctx context.Context, where string, want use) (opened, error) {
	scheme, _, ok := strings.Cut(where, ":")
	if !ok {
		return opened{}, fmt.Errorf("the store is no URL; %w", errUsage)
	}
	open := openers()[scheme]
	if open == nil {
		return opened{}, fmt.Errorf("a store begins with one of %s; %w",
			strings.Join(storeSchemes(), " "), errUsage)
	}
	return open(ctx, where, want)
}

// storeSchemes returns how the URL of each kind of store begins.
func storeSchemes() (list []string) {
	for _, example := range storeURLs {
		scheme, _, _ := strings.Cut(example, ":")
		list = append(list, scheme+":")
	}
	return list
}

func openFile(ctx context.Context, where string, want use) (opened, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(where, "sqlite:"), "//")
	if err := refuseMissing(path); err != nil && want != toCreate {
		return opened{}, err
	}
	return openSQLite(ctx, path, want)
}

func openPostgreSQL(ctx context.Context, where string, want use) (opened, error) {
	return openSQL(ctx, "pgx", where, sqlstore.PostgreSQL, want)
}

func openMySQL(ctx context.Context, where string, want use) (opened, error) {
	dsn, err := sqlstore.MySQLDSN(where)
	if err != nil {
		return opened{}, fmt.Errorf("%w; %w", err, errUsage)
	}
	return openSQL(ctx, "mysql", dsn, sqlstore.MySQL, want)
}

// refuseMissing refuses the path of a database that is not there: SQLite would make an empty one.
func refuseMissing(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database %s", path)
	}
	return nil // to open it says what else is wrong
}

// openSQLite opens a file, for a reader also one that this process cannot write.
func openSQLite(ctx context.Context, path string, want use) (opened, error) {
	dsn := sqlstore.SQLiteDSN(path)
	o, err := openSQL(ctx, "sqlite", dsn, sqlstore.SQLite, want)
	if err == nil || want != toRead || !isCopy(path, err) {
		return o, err
	}
	return openSQL(ctx, "sqlite", dsn+"&immutable=1", sqlstore.SQLite, want)
}

// isCopy reports whether a file that cannot be opened is one that no process writes, such as a
// backup. SQLite needs files beside it even to read, unless it knows that. An application that has
// the file open has made them.
func isCopy(path string, err error) bool {
	if !strings.Contains(err.Error(), "readonly database") { // SQLite's own text
		return false
	}
	for _, beside := range []string{path + "-wal", path + "-shm"} {
		if _, err := os.Lstat(beside); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}

func openSQL(
	ctx context.Context, driver, dsn string, dialect sqlstore.Dialect, want use,
) (opened, error) {
	db, err := openDB(driver, dsn)
	if err != nil {
		return opened{}, err
	}
	cfg := sqlstore.Config{DB: db, Dialect: dialect}
	if want == toCreate {
		if err := sqlstore.Migrate(ctx, cfg); err != nil {
			return opened{}, errors.Join(storeProblem(err), db.Close())
		}
	}
	var store storage.Store
	if want == toRead {
		store, err = readOnly(sqlstore.NewReader(ctx, cfg))
	} else {
		store, err = sqlstore.New(ctx, cfg)
	}
	if err != nil {
		if want != toCreate && !errors.Is(err, sqlstore.ErrReadOnly) && db.PingContext(ctx) == nil {
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

func openRedis(ctx context.Context, where string, want use) (opened, error) {
	options, err := redis.ParseURL(where)
	if err != nil {
		return opened{}, fmt.Errorf("the URL of the store is malformed; %w", errUsage)
	}
	redis.SetLogger(silent{})
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // package mfa decides what to do after an error
	client := redis.NewClient(options)
	cfg := redisstore.Config{Do: func(ctx context.Context, args ...any) (any, error) {
		return client.Do(ctx, args...).Result()
	}}
	var store storage.Store
	if want == toRead {
		store, err = readOnly(redisstore.NewReader(ctx, cfg))
	} else {
		store, err = redisstore.New(ctx, cfg)
	}
	if err != nil {
		return opened{}, errors.Join(err, client.Close())
	}
	return opened{store, redisEngine{client}, client.Close}, nil
}

// reader reads records, also of a replica.
type reader interface {
	storage.Lister
	Get(ctx context.Context, key string) (storage.Record, error)
}

// unwritten is the store of a command that only reads. The command writes nothing by it, so no user
// is signed in by a replica that may be behind.
type unwritten struct{ reader }

var errUnwritten = errors.New("this command only reads")

func readOnly[R reader](r R, err error) (storage.Store, error) {
	return unwritten{r}, err
}

func (unwritten) Swap(context.Context, string, storage.Revision, storage.Record) error {
	return errUnwritten
}

func (unwritten) Delete(context.Context, string, storage.Revision) error { return errUnwritten }
