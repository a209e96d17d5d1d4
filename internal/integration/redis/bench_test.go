package redis_test

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/redisstore"
)

// BenchmarkSwap takes turns between Swap and the bare EVALSHA of a conditional update of the
// same bytes through the same client, and reports how many times the bare one it takes.
func BenchmarkSwap(b *testing.B) {
	send := do(connect(b, servers.Redis(b).Addr))
	store := open(b, redisstore.Config{Do: send})
	sha, err := send(b.Context(), "SCRIPT", "LOAD",
		`if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'r', ARGV[2], 'd', ARGV[3]) return 1`)
	require.NoError(b, err)
	data := bytes.Repeat([]byte("x"), 1000)
	old := rand.Text()
	first := storage.Record{Revision: storage.Revision(old), Data: data}
	require.NoError(b, store.Swap(b.Context(), "swap", "", first))
	_, err = send(b.Context(), "HSET", "bare", "r", old, "d", string(data))
	require.NoError(b, err)

	var swap, bare time.Duration
	for b.Loop() {
		next := rand.Text()
		began := time.Now()
		if err := store.Swap(b.Context(), "swap", storage.Revision(old),
			storage.Record{Revision: storage.Revision(next), Data: data}); err != nil {
			b.Fatal(err)
		}
		between := time.Now()
		if n, err := send(b.Context(), "EVALSHA", sha, "1", "bare", old, next,
			string(data)); err != nil || n != int64(1) {
			b.Fatal(n, err)
		}
		swap += between.Sub(began)
		bare += time.Since(between)
		old = next
	}
	b.ReportMetric(float64(swap.Nanoseconds())/float64(b.N), "ns/swap")
	b.ReportMetric(float64(swap)/float64(bare), "x-bare")
	b.ReportMetric(0, "ns/op") // of both, which says nothing
}
