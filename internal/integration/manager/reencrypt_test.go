package manager_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

// BenchmarkReencrypt moves the records of many users to a new key, in turns with as many bare
// conditional updates through the same driver, one at a time: of-bare is the throughput
// relative to theirs.
func BenchmarkReencrypt(b *testing.B) {
	const users = 1000
	for _, y := range yards {
		b.Run(y.name, func(b *testing.B) {
			yard := y.open(b)
			yard.prepare(users)
			store := yard.open()
			c := newCrowd(b, store, users)
			var ours, bare time.Duration
			rounds := 0
			for b.Loop() {
				next := seal.GenerateKey()
				var err error
				c.keys, err = seal.NewKeyring(next, c.key)
				require.NoError(b, err)
				c.key = next
				m, done := c.manager(store), 0
				start := time.Now()
				for p, err := range m.Reencrypt(b.Context(), "") {
					require.NoError(b, err)
					done = p.Reencrypted
				}
				ours += time.Since(start)
				require.Equal(b, users, done)
				took, _ := inParallel(b, 1, users, func(i int) error {
					return yard.bare(context.Background(), i, fmt.Sprint(rounds),
						fmt.Sprint(rounds+1))
				})
				bare += took
				rounds++
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(rounds*users)/ours.Seconds(), "records/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "of-bare")
		})
	}
}
