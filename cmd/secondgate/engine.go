package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// engine asks a database about itself.
type engine interface {
	// clock returns the database's time. ok is false for one without a clock of its own.
	clock(ctx context.Context) (now time.Time, ok bool, err error)
	// settings returns those that decide whether an acknowledged write survives. One that the
	// database does not show is missing or empty.
	settings(ctx context.Context) (map[string]string, error)
	// records returns about how many records there are.
	records(ctx context.Context) (int, error)
}

// sqlEngine is a database that speaks SQL.
type sqlEngine struct {
	db      *sql.DB
	dialect sqlstore.Dialect
}

func (e sqlEngine) clock(ctx context.Context) (time.Time, bool, error) {
	query := map[sqlstore.Dialect]string{
		sqlstore.PostgreSQL: "SELECT extract(epoch FROM clock_timestamp())::float8",
		sqlstore.MySQL:      "SELECT UNIX_TIMESTAMP(SYSDATE(6))",
	}[e.dialect]
	if query == "" {
		return time.Time{}, false, nil
	}
	var seconds float64
	err := e.db.QueryRowContext(ctx, query).Scan(&seconds)
	return time.UnixMicro(int64(seconds * 1e6)), true, err
}

func (e sqlEngine) settings(ctx context.Context) (map[string]string, error) {
	switch e.dialect {
	case sqlstore.PostgreSQL:
		return e.pairs(ctx, "SELECT name, setting FROM pg_settings WHERE name IN "+
			"('fsync', 'full_page_writes', 'synchronous_commit')")
	case sqlstore.MySQL:
		list, err := e.pairs(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN "+
			"('innodb_flush_log_at_trx_commit', 'log_bin', 'sync_binlog')")
		if list["log_bin"] != "ON" {
			delete(list, "sync_binlog") // there is none to sync
		}
		return list, err
	}
	list := make(map[string]string)
	for _, name := range []string{"journal_mode", "synchronous"} {
		var value string
		if err := e.db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value); err != nil {
			return nil, err
		}
		list[name] = value
	}
	return list, nil
}

func (e sqlEngine) records(ctx context.Context) (n int, err error) {
	err = e.db.QueryRowContext(ctx, "SELECT count(*) FROM "+sqlstore.DefaultTable).Scan(&n)
	return n, err
}

// pairs returns the rows of a query with two columns.
func (e sqlEngine) pairs(ctx context.Context, query string) (map[string]string, error) {
	rows, err := e.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := make(map[string]string)
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		list[name] = value
	}
	return list, rows.Err()
}

type redisEngine struct{ client *redis.Client }

func (e redisEngine) clock(ctx context.Context) (time.Time, bool, error) {
	now, err := e.client.Time(ctx).Result()
	return now, true, err
}

// records counts the keys of everything that is in the same database.
func (e redisEngine) records(ctx context.Context) (int, error) {
	n, err := e.client.DBSize(ctx).Result()
	return int(n), err
}

// settings asks for each setting by itself, and leaves out what a managed service does not show.
func (e redisEngine) settings(ctx context.Context) (map[string]string, error) {
	list := map[string]string{}
	for _, name := range []string{"appendfsync", "appendonly", "maxmemory-policy"} {
		shown, err := e.client.ConfigGet(ctx, name).Result()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		list[name] = ""
		if err == nil {
			list[name] = shown[name]
		}
	}
	return list, nil
}

// committed are the values of synchronous_commit with which an acknowledged write is on disk.
var committed = []string{"on", "local", "remote_write", "remote_apply"}

// durable says which values of a setting keep acknowledged writes, and what any other risks.
var durable = map[string]struct {
	keeps []string
	risk  string
}{
	"fsync":                          {[]string{"on"}, "a power cut can destroy the database"},
	"full_page_writes":               {[]string{"on"}, "a power cut can destroy the database"},
	"synchronous_commit":             {committed, takesBack},
	"innodb_flush_log_at_trx_commit": {[]string{"1"}, takesBack},
	"sync_binlog": {[]string{"1"},
		"after a power cut the replicas may have other records than the primary"},
	"synchronous":     {[]string{"2", "3"}, takesBack}, // FULL and EXTRA
	"journal_mode":    {[]string{"wal", "delete", "truncate", "persist"}, takesBack},
	"unsafe-no-fsync": {[]string{"false"}, takesBack},  // of etcd
	"sync_interval":   {[]string{"always"}, takesBack}, // of JetStream
	"appendonly":      {[]string{"yes"}, "a restart takes back all writes since the last snapshot"},
	"appendfsync":     {[]string{"always"}, takesBack},
	"maxmemory-policy": {[]string{"noeviction"},
		"a full server drops records, and with them second factors"},
	"storage-engine": {[]string{"wiredtiger"}, // of MongoDB
		"a restart takes back all writes"},
	"ttl-index": {[]string{"none"}, dropsRecords},
	"collation": {[]string{"none"},
		"two users whose IDs differ in case or accents may share one record"},
	"time-to-live": {[]string{"disabled"}, dropsRecords}, // of DynamoDB
}

const takesBack = "a power cut takes back the last writes: a code that was used is valid again, " +
	"and failed attempts are not counted"

const dropsRecords = "the database deletes records, and with them second factors"
