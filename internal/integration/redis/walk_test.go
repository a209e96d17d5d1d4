package redis_test

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// The cursors of SCAN mean nothing to another process: a walk that went on regardless would
// leave records out, and an administrator who re-encrypts by it would then retire the key that they
// need.
func TestList_EndsWithTheServersProcess(t *testing.T) {
	server := servers.Redis(t)
	store := open(t, redisstore.Config{Do: do(connect(t, server.Addr))})
	for i := range 1000 {
		require.NoError(t, store.Swap(t.Context(), fmt.Sprint("k", i), "", record("r")))
	}
	seen := map[string]bool{}
	page, cursor, err := store.List(t.Context(), "", "", 300)
	require.NoError(t, err)
	for _, e := range page {
		seen[e.Key] = true
	}
	server.Stop()
	server.Start()
	for cursor != "" {
		if page, cursor, err = store.List(t.Context(), "", cursor, 300); err != nil {
			require.ErrorIs(t, err, storage.ErrInvalid)
			require.ErrorContains(t, err, "begin the walk again")
			return
		}
		for _, e := range page {
			seen[e.Key] = true
		}
	}
	t.Fatalf("the walk went on, and saw %d of 1000 records", len(seen))
}

// Without Nodes a cluster would list the records of whichever node was asked.
func TestList_OnClusterNeedsNodes(t *testing.T) {
	nodes := servers.RedisCluster(t)
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[0].Addr},
		MaxRetries: -1, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	store := open(t, redisstore.Config{Do: do(c)})
	for i := range 30 {
		require.NoError(t, store.Swap(t.Context(), fmt.Sprint("k", i), "", record("r")))
	}
	_, _, err := store.List(t.Context(), "", "", 100)
	require.ErrorContains(t, err, "Config.Nodes")
}
