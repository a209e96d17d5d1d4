package manager_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// many is how many users the walks over all records are measured over.
const many = 20_000

// manyUsers puts the records of so many users into a store. They are made in memory, which takes
// less time than as many enrolments in a database.
func manyUsers(b testing.TB, store storage.Store) *crowd {
	b.Helper()
	made := memory.New()
	c := newCrowd(b, made, many)
	page, _, err := made.List(b.Context(), "", "", 2*many)
	require.NoError(b, err)
	inParallel(b, 16, len(page), func(i int) error {
		return store.Swap(b.Context(), page[i].Key, "", page[i].Record)
	})
	return c
}

// processorTime is what the process has used: that of the client, where the store is a server.
func processorTime(b testing.TB) time.Duration {
	b.Helper()
	var used syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// oneByOne is a store that lists, and swaps one record at a time.
type oneByOne struct {
	storage.Store
	storage.Lister
}

// walked is what walks over all records took.
type walked struct{ wall, processor time.Duration }

func (w *walked) measure(b testing.TB, walk func()) {
	b.Helper()
	start, used := time.Now(), processorTime(b)
	walk()
	w.wall += time.Since(start)
	w.processor += processorTime(b) - used
}

func (w *walked) report(b *testing.B, records int) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(records)/w.wall.Seconds(), "records/s")
	b.ReportMetric(float64(w.processor.Microseconds())/float64(records), "cpu-µs/record")
}

// BenchmarkReencrypt moves the records of many users to a new key, in turns with the same over a
// store that swaps one record at a time: times-one-by-one is the throughput relative to that.
func BenchmarkReencrypt(b *testing.B) {
	for _, y := range yards {
		b.Run(y.name, func(b *testing.B) {
			store := y.open(b).open()
			c := manyUsers(b, store)
			rotate := func(store storage.Store) {
				next := seal.GenerateKey()
				var err error
				c.keys, err = seal.NewKeyring(next, c.key)
				require.NoError(b, err)
				c.key = next
				done := 0
				for p, err := range c.manager(store).Reencrypt(b.Context(), "") {
					require.NoError(b, err)
					done = p.Reencrypted
				}
				require.Equal(b, many, done)
			}
			var ours, single walked
			rounds := 0
			for b.Loop() {
				ours.measure(b, func() { rotate(store) })
				single.measure(b, func() { rotate(oneByOne{store, store.(storage.Lister)}) })
				rounds++
			}
			ours.report(b, rounds*many)
			b.ReportMetric(single.wall.Seconds()/ours.wall.Seconds(), "times-one-by-one")
		})
	}
}

// BenchmarkReport counts many users, in turns with a walk that only lists their records: of-list is
// the throughput relative to that.
func BenchmarkReport(b *testing.B) {
	for _, y := range yards {
		b.Run(y.name, func(b *testing.B) {
			store := y.open(b).open()
			m := manyUsers(b, store).manager(store)
			var ours, bare walked
			rounds := 0
			for b.Loop() {
				ours.measure(b, func() {
					r, err := m.Admin(mfa.System("report"), "").Report(b.Context())
					require.NoError(b, err)
					require.Equal(b, many, r.Groups[0].Enrolled)
				})
				bare.measure(b, func() { listAll(b, store.(storage.Lister)) })
				rounds++
			}
			ours.report(b, rounds*many)
			b.ReportMetric(bare.wall.Seconds()/ours.wall.Seconds(), "of-list")
		})
	}
}

func listAll(b testing.TB, store storage.Lister) {
	b.Helper()
	for cursor := storage.Cursor(""); ; {
		_, next, err := store.List(b.Context(), "p/", cursor, 200)
		require.NoError(b, err)
		if cursor = next; next == "" {
			return
		}
	}
}
