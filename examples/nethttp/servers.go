//go:build databases

package main

import (
	"context"
	"errors"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"

	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// openServer opens the store on a database server. Its drivers take long to download and compile,
// so only a build with the tag "databases" has them.
func openServer(ctx context.Context, scheme, where string) (records, func() error, error) {
	switch scheme {
	case "mysql", "mariadb":
		dsn, err := sqlstore.MySQLDSN(where)
		if err != nil {
			return nil, nil, err
		}
		return openSQL(ctx, "mysql", dsn, sqlstore.MySQL)
	case "redis", "rediss":
		return openRedis(ctx, where)
	}
	return openSQL(ctx, "pgx", where, sqlstore.PostgreSQL)
}

func openRedis(ctx context.Context, where string) (records, func() error, error) {
	options, err := redis.ParseURL(where)
	if err != nil {
		return nil, nil, err
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // package mfa decides what to do after an error
	client := redis.NewClient(options)
	store, err := redisstore.New(ctx, redisstore.Config{
		Do: func(ctx context.Context, args ...any) (any, error) {
			return client.Do(ctx, args...).Result()
		},
	})
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return store, client.Close, nil
}
