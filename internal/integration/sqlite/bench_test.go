package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
)

// BenchmarkSwap measures a write of two kilobytes through the store beside the bare
// conditional UPDATE through the same driver, on the same file, in turns of one run.
func BenchmarkSwap(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "records.db")
	store, db := openStore(b, path), openDB(b, path)
	data := make([]byte, 2048)
	data[0] = 1
	for _, k := range []string{"store", "bare"} {
		require.NoError(b, store.Swap(ctx, k, "", storage.Record{Revision: "r0", Data: data}))
	}
	old, n := map[string]storage.Revision{"store": "r0", "bare": "r0"}, 0
	swap := func(k string) (was, now storage.Revision) {
		n++
		was, now = old[k], storage.Revision(fmt.Sprint("r", n))
		old[k] = now
		return was, now
	}
	elapsed := map[string]float64{}
	b.ResetTimer()
	for b.Loop() {
		// Turns are short, so that what else the disk does meets both alike.
		for _, k := range []string{"store", "bare"} {
			start := b.Elapsed()
			for range 8 {
				was, now := swap(k)
				if k == "store" {
					require.NoError(b, store.Swap(ctx, k, was,
						storage.Record{Revision: now, Data: data}))
					continue
				}
				res, err := db.ExecContext(ctx, "UPDATE secondgate_records SET revision = ?, "+
					"data = ? WHERE key = ? AND revision = ?",
					[]byte(now), data, []byte(k), []byte(was))
				require.NoError(b, err)
				affected, err := res.RowsAffected()
				require.NoError(b, err)
				require.EqualValues(b, 1, affected)
			}
			elapsed[k] += float64(b.Elapsed() - start)
		}
	}
	writes := float64(8 * b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(elapsed["store"]/writes, "ns/swap")
	b.ReportMetric(elapsed["bare"]/writes, "ns/bare-update")
	b.ReportMetric(elapsed["store"]/elapsed["bare"], "swap/bare-update")
}

// BenchmarkGet does the same for a read.
func BenchmarkGet(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "records.db")
	store, db := openStore(b, path), openDB(b, path)
	require.NoError(b, store.Swap(ctx, "k", "", storage.Record{Revision: "r0",
		Data: make([]byte, 2048)}))
	var viaStore, bare float64
	b.ResetTimer()
	for b.Loop() {
		start := b.Elapsed()
		for range 32 {
			_, err := store.Get(ctx, "k")
			require.NoError(b, err)
		}
		middle := b.Elapsed()
		for range 32 {
			var revision, data []byte
			row := db.QueryRowContext(ctx, "SELECT revision, data FROM secondgate_records WHERE "+
				"key = ?", []byte("k"))
			require.NoError(b, row.Scan(&revision, &data))
		}
		viaStore += float64(middle - start)
		bare += float64(b.Elapsed() - middle)
	}
	reads := float64(32 * b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(viaStore/reads, "ns/get")
	b.ReportMetric(bare/reads, "ns/bare-select")
	b.ReportMetric(viaStore/bare, "get/bare-select")
}
