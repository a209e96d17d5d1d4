package databases_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// replicated is a primary of PostgreSQL with a standby, the network between them, and a store of an
// application whose data source name has both servers.
type replicated struct {
	primary, standby *servers.Server
	between          *servers.Proxy
	db               *sql.DB // of the application
	store            *sqlstore.Store
}

// synchronous is what docs/scaling.md says that a primary is set to.
var synchronous = []string{"-c", "synchronous_commit=on",
	"-c", "synchronous_standby_names=ANY 1 (standby)"}

func newReplicated(t *testing.T, options ...string) *replicated {
	t.Helper()
	r := &replicated{primary: servers.PostgreSQL(t, options...)}
	r.between = servers.NewProxy(t, r.primary.Addr)
	r.standby = servers.PostgreSQLStandby(t, r.between.Addr)
	dsn := fmt.Sprintf("postgres://secondgate@%s,%s/postgres?sslmode=disable&connect_timeout=5&"+
		"target_session_attrs=read-write", r.primary.Addr, r.standby.Addr)
	r.db = engines[0].open(t, dsn)
	r.store = engines[0].store(t, dsn, "")
	r.receives(t)
	return r
}

// receives waits until the standby has everything.
func (r *replicated) receives(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var streams int
		err := r.db.QueryRow("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' " +
			"AND flush_lsn >= pg_current_wal_flush_lsn()").Scan(&streams)
		return err == nil && streams == 1
	}, 2*time.Minute, 20*time.Millisecond, "the standby does not stream")
}

// failOver ends the primary at once and promotes the standby.
func (r *replicated) failOver() {
	r.primary.Kill()
	r.between.Cut() // what is still on its way is lost
	r.standby.Promote()
}

// acknowledged is a user, and what the application was told of their responses.
type acknowledged struct {
	*user
	accepted  secret.Text // the code that signed the user in last
	remaining int         // after the last failed attempt that got a verdict
}

// The primary is cut off from its standby and killed while users sign in and guess, and the standby
// is promoted. Each code that was accepted is used, and each failed attempt that got a verdict is
// counted.
func TestStandby_PromotedHasWhatWasAcknowledged(t *testing.T) {
	r := newReplicated(t, synchronous...)
	const workers = 4
	users := make([]*acknowledged, 2*workers)
	for i := range users {
		users[i] = &acknowledged{user: enrolledAs(t, r.store, fmt.Sprint("user-", i)), remaining: 5}
	}
	var wg, first sync.WaitGroup
	first.Add(workers)
	for _, u := range users[:workers] {
		wg.Go(func() {
			began := sync.OnceFunc(first.Done)
			defer began()
			for u.signsIn(t) {
				began()
			}
		})
	}
	guessed := users[workers:]
	first.Wait() // and killed in the middle of others
	var guesses sync.WaitGroup
	guesses.Add(workers)
	for _, u := range guessed {
		wg.Go(func() {
			began := sync.OnceFunc(guesses.Done)
			defer began()
			for u.remaining > 1 && u.guesses(t) {
				began()
			}
		})
	}
	guesses.Wait()
	r.between.Hang(true)
	r.cancelsWrites(t)
	r.failOver()
	wg.Wait()

	for _, u := range users[:workers] {
		require.NotEmpty(t, u.accepted.Reveal())
		err := u.respond(t.Context(), u.beginAtLast(t), u.accepted)
		require.Error(t, err, "a code is accepted again")
		require.NotErrorIs(t, err, mfa.ErrUnavailable)
	}
	for _, u := range guessed {
		require.Less(t, u.remaining, 5)
		remaining := 0
		if ch := u.beginAtLast(t); ch.LockedUntil.IsZero() {
			remaining = u.attempts(t, ch)
		}
		require.Less(t, remaining, u.remaining, "a failed attempt was not counted")
	}
	for _, key := range []string{"swap", "batch"} {
		_, err := r.store.Get(t.Context(), key)
		require.ErrorIs(t, err, storage.ErrNotFound, "the standby never received it")
	}
}

// signsIn signs the user in, until the primary is gone.
func (u *acknowledged) signsIn(t testing.TB) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	u.clock.Advance(time.Minute)
	ch, err := u.begin(ctx)
	if err != nil {
		return false
	}
	code := u.code(t)
	if err := u.respond(ctx, ch, code); err != nil {
		return false
	}
	u.accepted = code
	return true
}

// guesses gives an incorrect code, until the primary is gone.
func (u *acknowledged) guesses(t testing.TB) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ch, err := u.begin(ctx)
	if err != nil {
		return false
	}
	var attempt *mfa.AttemptError
	if err := u.respond(ctx, ch, u.incorrect(t)); !errors.As(err, &attempt) {
		return false
	}
	u.remaining = attempt.Remaining
	return true
}

// attempts gives an incorrect code, and returns how many more there may be.
func (u *acknowledged) attempts(t testing.TB, ch *mfa.Challenge) int {
	t.Helper()
	var attempt *mfa.AttemptError
	require.ErrorAs(t, u.respond(t.Context(), ch, u.incorrect(t)), &attempt)
	return attempt.Remaining
}

// beginAtLast begins when the standby is found.
func (u *acknowledged) beginAtLast(t testing.TB) (ch *mfa.Challenge) {
	t.Helper()
	var err error
	for began := time.Now(); time.Since(began) < 2*time.Minute; time.Sleep(20 * time.Millisecond) {
		if ch, err = u.begin(t.Context()); err == nil {
			return ch
		}
	}
	require.NoError(t, err)
	return nil
}

// Without synchronous_standby_names, what the standby had not received is gone: a code that was
// used is valid again, and failed attempts are not counted. make test-long shows it.
func TestStandby_PromotedWithoutSynchronousCommitLosesWrites(t *testing.T) {
	if os.Getenv("SECONDGATE_LONG") == "" {
		return
	}
	r := newReplicated(t)
	signs := &acknowledged{user: enrolledAs(t, r.store, "ann"), remaining: 5}
	guesses := &acknowledged{user: enrolledAs(t, r.store, "ben"), remaining: 5}
	r.receives(t)
	r.between.Hang(true)
	require.True(t, signs.signsIn(t))
	for range 3 {
		require.True(t, guesses.guesses(t))
	}
	r.failOver()
	require.NoError(t, signs.respond(t.Context(), signs.beginAtLast(t), signs.accepted))
	require.Equal(t, 4, guesses.attempts(t, guesses.beginAtLast(t)))
}

// cancelsWrites has the contexts of writes end that wait for the standby, with a driver that then
// asks the server to cancel them. They are made on the primary already, and the server reports
// success. The store returns an error all the same.
func (r *replicated) cancelsWrites(t *testing.T) {
	t.Helper()
	cfg, err := pgx.ParseConfig(r.primary.PostgreSQLDSN())
	require.NoError(t, err)
	cfg.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: time.Minute}
	}
	db := stdlib.OpenDB(*cfg)
	t.Cleanup(func() { _ = db.Close() })
	store, err := sqlstore.New(t.Context(), sqlstore.Config{DB: db, Dialect: sqlstore.PostgreSQL})
	require.NoError(t, err)
	next := storage.Record{Revision: "r", Data: []byte("x")}
	for name, write := range map[string]func(ctx context.Context) error{
		"swap": func(ctx context.Context) error { return store.Swap(ctx, "swap", "", next) },
		"batch": func(ctx context.Context) error {
			_, err := store.SwapBatch(ctx, []storage.Entry{{Key: "batch"}}, []storage.Record{next})
			return err
		},
	} {
		got, problem := failsInTime(time.Second, name, write)
		require.NoError(t, problem)
		require.ErrorIs(t, got, context.DeadlineExceeded, name)
		_, err = store.Get(t.Context(), name)
		require.NoError(t, err, "the primary has not made it")
	}
}
