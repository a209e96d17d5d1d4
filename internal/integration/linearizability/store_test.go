package linearizability_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	_ "modernc.org/sqlite"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/etcdstore"
	"github.com/secondgate/secondgate/storage/natsstore"
	"github.com/secondgate/secondgate/storage/redisstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// openStore opens the store that an address names, as each process does for itself: the engine,
// and its file or host and port.
func openStore(ctx context.Context, address string) (storage.Store, error) {
	engine, rest, _ := strings.Cut(address, " ")
	var cfg sqlstore.Config
	var err error
	switch engine {
	case "sqlite":
		cfg.Dialect = sqlstore.SQLite
		cfg.DB, err = sql.Open("sqlite", sqlstore.SQLiteDSN(rest))
	case "postgresql":
		cfg.Dialect = sqlstore.PostgreSQL
		dsn := servers.PostgreSQLDSN(rest)
		if strings.Contains(rest, ",") { // a primary and its standby
			dsn += "&target_session_attrs=read-write"
		}
		cfg.DB, err = sql.Open("pgx", dsn)
	case "mariadb":
		cfg.Dialect = sqlstore.MySQL
		cfg.DB, err = sql.Open("mysql", servers.MariaDBDSN(rest, "secondgate"))
	case "redis":
		redis.SetLogger(quiet{})
		// The client's default is to send again what had no reply. A write that was made, and
		// is sent again, conflicts with itself: its response is then verified and counted once
		// more.
		client := redis.NewClient(&redis.Options{Addr: rest, MaxRetries: -1,
			ContextTimeoutEnabled: true})
		return redisstore.New(ctx, redisstore.Config{Do: func(ctx context.Context,
			args ...any) (any, error) {
			return client.Do(ctx, args...).Result()
		}})
	case "etcd":
		addrs, prefix, _ := strings.Cut(rest, "/")
		client, err := clientv3.New(clientv3.Config{Endpoints: strings.Split(addrs, ","),
			Logger: zap.NewNop()})
		return etcdstore.New(client, prefix+"/"), err
	case "nats":
		addrs, stream, _ := strings.Cut(rest, "/")
		return openNATS(ctx, addrs, stream)
	default:
		return nil, fmt.Errorf("no engine is called %q", engine)
	}
	if err != nil {
		return nil, err
	}
	if err := sqlstore.Migrate(ctx, cfg); err != nil {
		return nil, err
	}
	return sqlstore.New(ctx, cfg)
}

// openNATS connects to one of the servers.
func openNATS(ctx context.Context, addrs, stream string) (storage.Store, error) {
	conn, err := nats.Connect(addrs, nats.ReconnectBufSize(-1), nats.MaxReconnects(-1))
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return natsstore.New(ctx, js, stream)
}

// quiet: the client prints what the tests provoke.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// witness sees what becomes of the writes of one deed at a time.
type witness struct {
	storage.Store
	// writes are those that happened or may have, conflicts those that another process prevented.
	writes, conflicts int
}

func (w *witness) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := w.Store.Swap(ctx, key, old, next)
	if errors.Is(err, storage.ErrConflict) {
		w.conflicts++
	} else {
		w.writes++
	}
	return err
}

// The ways in which a store can be broken that this test must notice.
const (
	// losesUpdates writes without looking at the revision, at times.
	losesUpdates = "loses updates"
	// readsStale returns what was there a few writes ago, at times.
	readsStale = "reads stale"
	// forgets acknowledges a write that it does not make, at times.
	forgets = "forgets"
	// writesTwice reports a conflict after it has written, at times: what a client does that
	// sends again what had no reply.
	writesTwice = "writes twice"
)

// neverReplies has a write wait for ever, at times. It is a fault of the store that a test of the
// crowd needs, and breaks no promise.
const neverReplies = "never replies"

// broken is a store with such a fault.
type broken struct {
	storage.Store
	fault string

	mu     sync.Mutex
	before map[string][]storage.Record
}

func breakStore(s storage.Store, fault string) storage.Store {
	return &broken{Store: s, fault: fault, before: make(map[string][]storage.Record)}
}

// now is true one time in thirty: a store that is always broken would be found out by anything.
func (b *broken) now(fault string) bool { return b.fault == fault && mathrand.IntN(30) == 0 }

func (b *broken) Get(ctx context.Context, key string) (storage.Record, error) {
	rec, err := b.Store.Get(ctx, key)
	if err != nil || b.fault != readsStale {
		return rec, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.before[key]
	if n := len(list); n == 0 || list[n-1].Revision != rec.Revision {
		list = append(list, rec)
		b.before[key] = list[max(0, len(list)-4):]
	}
	if b.now(readsStale) {
		return list[0], nil
	}
	return rec, nil
}

func (b *broken) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if b.now(forgets) {
		return nil
	}
	if b.now(neverReplies) && mathrand.IntN(5) == 0 {
		select {} // whatever the context says
	}
	err := b.Store.Swap(ctx, key, old, next)
	if err == nil && b.now(writesTwice) {
		return storage.ErrConflict
	}
	overwrite := b.now(losesUpdates)
	for overwrite && errors.Is(err, storage.ErrConflict) {
		rec, getErr := b.Store.Get(ctx, key)
		if getErr != nil {
			return getErr
		}
		err = b.Store.Swap(ctx, key, rec.Revision, next)
	}
	return err
}
