package clusters_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/etcdstore"
	"github.com/secondgate/secondgate/storage/sqlstore"
	"github.com/secondgate/secondgate/totp"
)

// crowded is how many users the rates are measured over.
const crowded = 128

// benched are the stores whose sign-ins take turns. The first is the baseline.
var benched = []struct {
	name string
	open func(b *testing.B) storage.Store
}{
	{"postgresql", func(b *testing.B) storage.Store {
		return postgresStore(b, servers.PostgreSQL(b).PostgreSQLDSN())
	}},
	{"postgresql+standby", func(b *testing.B) storage.Store {
		primary := servers.PostgreSQL(b, "-c", "synchronous_standby_names=ANY 1 (standby)")
		servers.PostgreSQLStandby(b, primary.Addr)
		return postgresStore(b, primary.PostgreSQLDSN())
	}},
	{"etcd", func(b *testing.B) storage.Store {
		return etcdstore.New(etcd(b, servers.Etcd(b, 3).Addrs()), "")
	}},
	{"nats", func(b *testing.B) storage.Store {
		return natsStore(b, natsCluster(b).Addrs())
	}},
}

func postgresStore(b *testing.B, dsn string) storage.Store {
	b.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	cfg := sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL}
	require.NoError(b, sqlstore.Migrate(b.Context(), cfg))
	s, err := sqlstore.New(b.Context(), cfg)
	require.NoError(b, err)
	return s
}

// crowd is users with an authenticator app each.
type crowd struct {
	b       *testing.B
	m       *mfa.Manager
	clock   *mfatest.Clock
	secrets []string
	took    time.Duration
	each    []time.Duration
}

func newCrowd(b *testing.B, store storage.Store) *crowd {
	b.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(b, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(b, err)
	c := &crowd{b: b, secrets: make([]string, crowded),
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC))}
	c.m, err = mfa.New(mfa.Config{Store: store, Keys: keys, Clock: c.clock,
		Factors: []factor.Factor{app}})
	require.NoError(b, err)
	c.all(16, func(s mfa.Session, i int) error {
		ch, err := s.Begin(b.Context())
		if err != nil {
			return err
		}
		e, err := s.Enroll(b.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp"})
		if err != nil {
			return err
		}
		c.secrets[i] = e.Prompt.Secret.Reveal()
		_, err = s.Confirm(b.Context(), e, c.code(i))
		return err
	})
	return c
}

func (c *crowd) code(i int) secret.Text {
	return secret.New(mfatest.AppCode(c.b, c.secrets[i], c.clock.Now()))
}

// all does something for every user by so many workers, and returns how long each took.
func (c *crowd) all(workers int, do func(s mfa.Session, i int) error) []time.Duration {
	c.b.Helper()
	each := make([]time.Duration, crowded)
	var wg sync.WaitGroup
	var next atomic.Int64
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < crowded; i = int(next.Add(1)) - 1 {
				s, began := c.m.Session(mfa.User{ID: fmt.Sprint("user-", i)}, "s"), time.Now()
				if err := do(s, i); err != nil {
					c.b.Error(err)
					return
				}
				each[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	return each
}

// signIns signs every user in once.
func (c *crowd) signIns(workers int) {
	c.b.Helper()
	c.clock.Advance(time.Minute)
	codes := make([]secret.Text, crowded)
	for i := range codes {
		codes[i] = c.code(i)
	}
	began := time.Now()
	c.each = append(c.each, c.all(workers, func(s mfa.Session, i int) error {
		ch, err := s.Begin(context.Background())
		if err == nil {
			_, err = s.Verify(context.Background(), ch, "totp", codes[i])
		}
		return err
	})...)
	c.took += time.Since(began)
}

// BenchmarkSignIn is the second step of a sign-in, Begin and Verify of a code, over PostgreSQL
// alone, over PostgreSQL with a synchronous standby, and over clusters of three of etcd and NATS.
// They take turns: of-postgresql is the rate as a share of PostgreSQL's alone. All servers share
// the machine and its disk, so that a cluster has no more of them than one server.
func BenchmarkSignIn(b *testing.B) {
	crowds := make([]*crowd, len(benched))
	for k, place := range benched {
		crowds[k] = newCrowd(b, place.open(b))
	}
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			for _, c := range crowds {
				c.took, c.each = 0, nil
			}
			for b.Loop() {
				for _, c := range crowds {
					c.signIns(workers)
				}
			}
			b.ReportMetric(0, "ns/op")
			for k, c := range crowds {
				name := benched[k].name
				slices.Sort(c.each)
				b.ReportMetric(float64(len(c.each))/c.took.Seconds(), name+"/s")
				for unit, at := range map[string]int{"-p50-ms": 50, "-p99-ms": 99} {
					b.ReportMetric(float64(c.each[len(c.each)*at/100].Microseconds())/1000,
						name+unit)
				}
				if k > 0 {
					b.ReportMetric(crowds[0].took.Seconds()/c.took.Seconds(),
						name+"-of-postgresql")
				}
			}
		})
	}
}
