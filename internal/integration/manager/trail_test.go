package manager_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/trail"
)

// BenchmarkTrail is the second step of a sign-in with an audit trail in the application's database
// and without one, in turns, each the median of all turns: by the JSON API over HTTP, and by calls
// of Begin and Verify alone. of-plain is the throughput as a share of that without a trail.
// cpu-of-plain is the same by the processor time of the process and the database, which says more
// where other work keeps the processors. A turn signs every user in four times, and ends when the
// trail has every event of it.
func BenchmarkTrail(b *testing.B) {
	for _, place := range []struct {
		name, driver string
		dialect      sqlstore.Dialect
		start        func(*testing.B) (dsn string, used func() time.Duration)
	}{
		{"sqlite", "sqlite", sqlstore.SQLite, func(b *testing.B) (string, func() time.Duration) {
			return sqlstore.SQLiteDSN(filepath.Join(b.TempDir(), "records.db")),
				func() time.Duration { return 0 } // it is in the process
		}},
		{"postgresql", "pgx", sqlstore.PostgreSQL,
			func(b *testing.B) (string, func() time.Duration) {
				server := servers.PostgreSQL(b)
				return server.PostgreSQLDSN(), server.ProcessorTime
			}},
		{"mariadb", "mysql", sqlstore.MySQL,
			func(b *testing.B) (string, func() time.Duration) {
				server := servers.MariaDB(b)
				return servers.MariaDBDSN(server.Addr, "secondgate"), server.ProcessorTime
			}},
	} {
		b.Run(place.name, func(b *testing.B) {
			dsn, used := place.start(b)
			db, err := sql.Open(place.driver, dsn)
			require.NoError(b, err)
			defer func() { _ = db.Close() }()
			db.SetMaxOpenConns(17)
			db.SetMaxIdleConns(17)
			cfg := sqlstore.Config{DB: db, Dialect: place.dialect}
			require.NoError(b, sqlstore.Migrate(b.Context(), cfg))
			store, err := sqlstore.New(b.Context(), cfg)
			require.NoError(b, err)
			plain := newCrowd(b, store, crowded)
			audit, end := trailIn(b, db, place.dialect)
			defer end()
			kept := *plain
			kept.m = plain.manager(store, func(c *mfa.Config) { c.Events = audit.Events(nil) })
			for _, workers := range []int{1, 16} {
				sites := map[*crowd]*site{plain: plain.jsonAPI(b, plain.m),
					&kept: plain.jsonAPI(b, kept.m)}
				b.Run(fmt.Sprintf("http/workers=%d", workers), func(b *testing.B) {
					measureTrail(b, plain, &kept, audit, used,
						func(c *crowd) { c.signIns(b, workers, sites[c]) })
				})
				b.Run(fmt.Sprintf("calls/workers=%d", workers), func(b *testing.B) {
					measureTrail(b, plain, &kept, audit, used,
						func(c *crowd) { c.secondSteps(b, workers) })
				})
			}
		})
	}
}

// measureTrail measures turns with and without an audit trail. The database has used so much
// processor time.
func measureTrail(b *testing.B, plain, kept *crowd, audit *trail.Trail,
	used func() time.Duration, do func(*crowd),
) {
	turn := func(c *crowd) (processor, all float64) {
		before, began := used()+processorTime(b), time.Now()
		for range 4 {
			do(c)
		}
		if c == kept {
			require.NoError(b, audit.Flush(b.Context()))
		}
		return (used() + processorTime(b) - before).Seconds(), time.Since(began).Seconds()
	}
	var shares, cpuShares, each []float64
	for b.Loop() {
		for range 5 { // fewer differ more from run to run than the trail takes
			var cpu, all [4]float64
			for i, c := range []*crowd{kept, plain, plain, kept} {
				cpu[i], all[i] = turn(c)
			}
			shares = append(shares, (all[1]+all[2])/(all[0]+all[3]))
			cpuShares = append(cpuShares, (cpu[1]+cpu[2])/(cpu[0]+cpu[3]))
			each = append(each, (all[0]+all[3])/(8*crowded))
		}
	}
	for _, list := range [][]float64{shares, cpuShares, each} {
		slices.Sort(list)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(1/each[len(each)/2], "sign-ins/s")
	b.ReportMetric(shares[len(shares)/2], "of-plain")
	b.ReportMetric(cpuShares[len(cpuShares)/2], "cpu-of-plain")
}

// trailIn starts an audit trail in a database, until end is called.
func trailIn(b *testing.B, db *sql.DB, d sqlstore.Dialect) (audit *trail.Trail, end func()) {
	b.Helper()
	table, err := trail.NewTable(db, d)
	require.NoError(b, err)
	require.NoError(b, table.Migrate(b.Context()))
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(b, err)
	audit, err = trail.New(trail.Config{Log: table, Key: secret.Bytes(key),
		Origin: "acme.example/trail", Client: func(context.Context) trail.Client {
			return trail.Client{Address: "192.0.2.7", Agent: "Mozilla/5.0 (X11; Linux x86_64)"}
		}})
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- audit.Run(ctx) }()
	return audit, func() {
		stop()
		require.NoError(b, <-done)
	}
}
