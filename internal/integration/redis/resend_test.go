package redis_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// lossy breaks a connection after the server has replied and before the client has read it.
type lossy struct {
	net.Conn
	armed *atomic.Bool
}

func (c lossy) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.armed.CompareAndSwap(true, false) {
		_ = c.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

// A client with its default settings sends a command again when the connection breaks. A write
// that was made is then not reported as a conflict.
func TestSwap_ThroughAClientThatSendsAgain(t *testing.T) {
	server := servers.Redis(t)
	armed := new(atomic.Bool)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Dialer: func(ctx context.Context,
		network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return lossy{c, armed}, err
	}})
	t.Cleanup(func() { _ = client.Close() })
	store := open(t, redisstore.Config{Do: do(client)})
	old := storage.Revision("")
	for _, next := range []storage.Revision{"r1", "r2", "r3"} {
		armed.Store(true)
		require.NoError(t, store.Swap(t.Context(), "k", old, record(next)))
		require.False(t, armed.Load(), "the reply was lost")
		old = next
	}
	// The same call made anew is another call.
	require.ErrorIs(t, store.Swap(t.Context(), "k", "r2", record("r3")), storage.ErrConflict)
}
