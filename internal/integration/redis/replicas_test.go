package redis_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// A write is acknowledged when the replica has it, and is an error when it has not.
func TestSwap_WaitsForReplicas(t *testing.T) {
	primary := servers.Redis(t)
	client := connect(t, primary.Addr)
	cfg := redisstore.Config{Do: do(client), WaitReplicas: 1, WaitTimeout: 300 * time.Millisecond,
		Pin: func(_ context.Context, _ string, use func(redisstore.Do) error) error {
			conn := client.Conn()
			defer func() { _ = conn.Close() }()
			return use(func(ctx context.Context, args ...any) (any, error) {
				return conn.Do(ctx, args...).Result()
			})
		}}
	store := open(t, cfg)
	err := store.Swap(t.Context(), "k", "", storage.Record{Revision: "r", Data: []byte("x")})
	require.ErrorIs(t, err, redisstore.ErrNotReplicated)
	require.NotErrorIs(t, err, storage.ErrConflict)

	replica := servers.Redis(t)
	_, port, _ := net.SplitHostPort(primary.Addr)
	require.NoError(t, connect(t, replica.Addr).Do(t.Context(), "REPLICAOF", "127.0.0.1",
		port).Err())
	require.Eventually(t, func() bool {
		return store.Swap(t.Context(), fmt.Sprint("try", time.Now().UnixNano()), "",
			storage.Record{Revision: "r", Data: []byte("x")}) == nil
	}, 2*time.Minute, 50*time.Millisecond)
	// A replica of a busy machine takes its time.
	cfg.WaitTimeout = time.Minute
	patient := open(t, cfg)
	for i := range 50 {
		require.NoError(t, patient.Swap(t.Context(), fmt.Sprint("n", i), "",
			storage.Record{Revision: "r", Data: []byte("x")}))
		n, err := connect(t, replica.Addr).Exists(t.Context(),
			fmt.Sprint("secondgate:n", i)).Result()
		require.NoError(t, err)
		require.EqualValues(t, 1, n, "the replica has it")
	}
	require.ErrorIs(t, patient.Swap(t.Context(), "n0", "", storage.Record{Revision: "r2",
		Data: []byte("x")}), storage.ErrConflict)
	replica.Kill()
	require.ErrorIs(t, store.Swap(t.Context(), "after", "",
		storage.Record{Revision: "r", Data: []byte("x")}), redisstore.ErrNotReplicated)

	cfg.Pin = func(context.Context, string, func(redisstore.Do) error) error { return nil }
	require.ErrorContains(t, open(t, cfg).Delete(t.Context(), "k", "r"), "Config.Pin")
}

// The replicas that WAIT counts are those of its connection's writes: on another connection it
// would count at once, whatever they have.
func TestSwap_WaitsOnTheConnectionOfTheWrite(t *testing.T) {
	primary, replica := servers.Redis(t), servers.Redis(t)
	_, port, _ := net.SplitHostPort(primary.Addr)
	require.NoError(t, connect(t, replica.Addr).Do(t.Context(), "REPLICAOF", "127.0.0.1",
		port).Err())
	proxy := servers.NewProxy(t, primary.Addr)
	client := connect(t, proxy.Addr, func(o *redis.Options) { o.MaxRetries = 3 })
	cut := false
	store := open(t, redisstore.Config{Do: do(client), WaitReplicas: 1,
		WaitTimeout: 300 * time.Millisecond,
		Pin: func(_ context.Context, _ string, use func(redisstore.Do) error) error {
			conn := client.Conn()
			defer func() { _ = conn.Close() }()
			return use(func(ctx context.Context, args ...any) (any, error) {
				if args[0] == "WAIT" && cut {
					proxy.Cut()
				}
				return conn.Do(ctx, args...).Result()
			})
		}})
	require.Eventually(t, func() bool {
		return store.Swap(t.Context(), fmt.Sprint("try", time.Now().UnixNano()), "",
			record("r")) == nil
	}, 2*time.Minute, 50*time.Millisecond)
	replica.Suspend() // it is connected, and has nothing of what follows
	defer replica.Resume()
	require.ErrorIs(t, store.Swap(t.Context(), "k1", "", record("r")), redisstore.ErrNotReplicated)
	cut = true
	require.Error(t, store.Swap(t.Context(), "k2", "", record("r")))
}
