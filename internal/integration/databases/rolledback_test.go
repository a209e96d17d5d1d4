package databases_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// A Galera cluster certifies a write when the node that took it is done with it, and gives the
// loser a deadlock (1213). An operator took that for an outage, and users were turned away at each
// collision.
func TestStore_GaleraLosesNoWriteAndReportsNoOutage(t *testing.T) {
	nodes := servers.Galera(t, 2)
	e := engines[1]
	var stores []*sqlstore.Store
	for _, n := range nodes {
		stores = append(stores, e.store(t, with(e.dsn(n.Addr),
			"wsrep_retry_autocommit=0&wsrep_sync_wait=1"), ""))
	}
	const writers, writes = 4, 40
	var wg sync.WaitGroup
	for w := range writers {
		updater := storage.NewUpdater(stores[w%len(stores)])
		wg.Go(func() {
			for range writes {
				err := updater.Update(t.Context(), "k", func(old []byte) (storage.Change, error) {
					return storage.Change{Data: append(old[:len(old):len(old)], 'x')}, nil
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		got, err := s.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Len(t, got.Data, writers*writes)
	}
}

// CockroachDB and YugabyteDB are not to be had here, so a server that speaks PostgreSQL's protocol
// stands for them: it hands each statement on to a real one, and replies to every second write, as
// those two do to one that lost a race, with SQLSTATE 40001 and without carrying it out.
func TestUpdate_TriesAgainWhereWritesAreRolledBack(t *testing.T) {
	e := engines[0]
	server := servers.PostgreSQL(t)
	e.store(t, e.dsn(server.Addr), "") // makes the table
	collide := new(collisions)
	dsn := with(e.dsn(rollsBack(t, server.Addr, collide)),
		"default_query_exec_mode=simple_protocol")
	store, err := sqlstore.New(t.Context(), sqlstore.Config{DB: e.open(t, dsn), Dialect: e.dialect})
	require.NoError(t, err)
	collide.every.Store(2)
	updater := storage.NewUpdater(store)
	for i := range 20 {
		err := updater.Update(t.Context(), "k", func(old []byte) (storage.Change, error) {
			require.Len(t, old, i)
			return storage.Change{Data: append(old[:len(old):len(old)], 'x')}, nil
		})
		require.NoError(t, err)
	}
	require.EqualValues(t, 20, collide.refused.Load())
}

// collisions says which writes are refused: none, or one in so many.
type collisions struct{ every, seen, refused atomic.Int64 }

func (c *collisions) next() bool {
	every := c.every.Load()
	if every == 0 || c.seen.Add(1)%every != 1 {
		return false
	}
	c.refused.Add(1)
	return true
}

// rollsBack starts the server of the test above, and returns its address.
func rollsBack(t *testing.T, upstream string, c *collisions) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = rollBackWrites(client, upstream, c) }()
		}
	}()
	return l.Addr().String()
}

func rollBackWrites(client net.Conn, upstream string, c *collisions) error {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	in, out := pgproto3.NewBackend(client, client), pgproto3.NewFrontend(server, server)
	startup, err := in.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	out.Send(startup)
	if err := out.Flush(); err != nil {
		return err
	}
	go func() { _, _ = io.Copy(client, server) }()
	for {
		message, err := in.Receive()
		if err != nil {
			return err
		}
		query, ok := message.(*pgproto3.Query)
		if ok && isWrite(query.String) && c.next() {
			in.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "40001",
				Message: "restart transaction: TransactionRetryWithProtoRefreshError"})
			in.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
			if err := in.Flush(); err != nil {
				return err
			}
			continue
		}
		out.Send(message)
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

func isWrite(query string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return verb == "INSERT" || verb == "UPDATE" || verb == "DELETE"
}
