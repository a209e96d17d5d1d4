package databases_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/sqlstore"
)

// outage is a way in which a database fails while an application runs.
type outage struct {
	name string
	// begin breaks it, and returns what mends it.
	begin func(t *testing.T, s *site) (end func())
	// reads: what is there can still be read.
	reads bool
	// deletes: a record may still be deleted.
	deletes bool
	// late: the database may carry a write out after its caller was given an error.
	late bool
	// conflicts: the database rolls a write back by itself and says to try again.
	conflicts bool
	// patience is the deadline of each call in it, briefly by default; where the database
	// says no by itself before that, no write is carried out after it.
	patience time.Duration
}

const briefly = 250 * time.Millisecond

// statement makes an outage of statements of the administrator's. The application's
// connections are closed where a setting holds for new ones only.
func statement(name string, reads, disconnect bool, begin, end map[sqlstore.Dialect]string) outage {
	return outage{name: name, reads: reads, begin: func(t *testing.T, s *site) func() {
		do := func(statement string) {
			if s.run(t, statement); disconnect {
				s.disconnect()
			}
		}
		do(begin[s.dialect])
		return func() { do(end[s.dialect]) }
	}}
}

func sqls(postgres, mysql string) map[sqlstore.Dialect]string {
	return map[sqlstore.Dialect]string{sqlstore.PostgreSQL: postgres, sqlstore.MySQL: mysql}
}

// start mends the database even if the test fails, for the tests after it.
func (o outage) start(t *testing.T, s *site) (end func()) {
	mend, mended := o.begin(t, s), false
	end = func() {
		if !mended {
			mended = true
			mend()
		}
	}
	t.Cleanup(end)
	return end
}

var outages = []outage{
	{name: "down", begin: func(_ *testing.T, s *site) func() {
		s.server.Stop()
		return s.server.Start
	}},
	{name: "killed", begin: func(_ *testing.T, s *site) func() {
		s.server.Kill()
		return s.server.Start
	}},
	{name: "frozen", begin: func(_ *testing.T, s *site) func() {
		s.server.Suspend()
		return s.server.Resume
	}},
	{name: "connections refused", begin: func(_ *testing.T, s *site) func() {
		s.proxy.Refuse(true)
		s.proxy.Cut()
		return func() { s.proxy.Refuse(false) }
	}},
	{name: "nothing gets through", begin: func(_ *testing.T, s *site) func() {
		s.proxy.Hang(true)
		return func() { s.proxy.Hang(false) }
	}},
	{name: "too slow", late: true, begin: func(_ *testing.T, s *site) func() {
		s.proxy.Delay(2 * briefly)
		return func() { s.proxy.Delay(0) }
	}},
	statement("incorrect password", false, true,
		sqls("ALTER USER app PASSWORD 'another'", "ALTER USER app@'%' IDENTIFIED BY 'another'"),
		sqls("ALTER USER app PASSWORD '"+password+"'", "ALTER USER app@'%' IDENTIFIED BY '"+
			password+"'")),
	statement("missing table", false, false,
		sqls("ALTER TABLE secondgate_records RENAME TO elsewhere",
			"RENAME TABLE secondgate_records TO elsewhere"),
		sqls("ALTER TABLE elsewhere RENAME TO secondgate_records",
			"RENAME TABLE elsewhere TO secondgate_records")),
	statement("read-only", true, true,
		sqls("ALTER ROLE app SET default_transaction_read_only = on", "SET GLOBAL read_only = ON"),
		sqls("ALTER ROLE app RESET default_transaction_read_only", "SET GLOBAL read_only = OFF")),
	statement("no privilege", false, true,
		sqls("ALTER TABLE secondgate_records OWNER TO secondgate",
			"REVOKE ALL ON secondgate.* FROM app@'%'"),
		sqls("ALTER TABLE secondgate_records OWNER TO app",
			"GRANT ALL ON secondgate.* TO app@'%'")),
	{name: "row locked", reads: true, late: true, begin: lockRow},
	{name: "row locked, short lock time-out", reads: true, conflicts: true,
		patience: 2 * time.Second,
		begin: func(t *testing.T, s *site) func() {
			// MariaDB counts whole seconds; with 0 it does not wait.
			set, reset := sqls("ALTER ROLE app SET lock_timeout = '50ms'",
				"SET GLOBAL innodb_lock_wait_timeout = 0"),
				sqls("ALTER ROLE app RESET lock_timeout",
					"SET GLOBAL innodb_lock_wait_timeout = 50")
			s.run(t, set[s.dialect])
			s.disconnect()
			unlock := lockRow(t, s)
			return func() {
				unlock()
				s.run(t, reset[s.dialect])
				s.disconnect()
			}
		}},
}

// lockRow has a transaction of the application's, or of a back-up's, hold all rows.
func lockRow(t *testing.T, s *site) func() {
	tx, err := s.admin.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	rows, err := tx.Query("SELECT revision FROM secondgate_records FOR UPDATE")
	require.NoError(t, err)
	for rows.Next() {
	}
	require.NoError(t, errors.Join(rows.Err(), rows.Close()))
	return func() { require.NoError(t, tx.Rollback()) }
}

// Each call in an outage gives an error within its deadline that is no result of a store, and
// afterwards the same Store on the same pool works and what was there is there.
func TestOutage_StoreGivesErrorsInTime(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			s := newSite(t, e)
			for _, o := range outages {
				t.Run(o.name, func(t *testing.T) { outageOfStore(t, o, s) })
			}
		})
	}
}

func outageOfStore(t *testing.T, o outage, s *site) {
	s.run(t, "DROP TABLE IF EXISTS secondgate_records")
	store := s.store(t, s.app(password), "")
	present := storage.Record{Revision: "r1", Data: bytes.Repeat([]byte("x"), 500)}
	require.NoError(t, store.Swap(t.Context(), "k", "", present))

	end := o.start(t, s)
	fails := func(what string, call func(ctx context.Context) error) {
		t.Helper()
		got, problem := failsInTime(cmp.Or(o.patience, briefly), what, call)
		require.NoError(t, problem)
		if o.conflicts {
			require.ErrorIs(t, got, storage.ErrConflict, what)
			return
		}
		require.NoError(t, failure(got), what)
	}
	if !o.reads {
		fails("get", func(ctx context.Context) error { _, err := store.Get(ctx, "k"); return err })
		fails("get of nobody", func(ctx context.Context) error {
			_, err := store.Get(ctx, "nobody")
			return err
		})
		fails("list", func(ctx context.Context) error {
			_, _, err := store.List(ctx, "", "", 10)
			return err
		})
	}
	fails("swap", func(ctx context.Context) error {
		return store.Swap(ctx, "k", "r1", storage.Record{Revision: "r2",
			Data: bytes.Repeat([]byte("y"), 600)})
	})
	if !o.late && !o.deletes {
		fails("delete", func(ctx context.Context) error { return store.Delete(ctx, "k", "r1") })
	}
	end()

	got := recovers(t, store)
	if o.late && got.Revision == "r2" {
		return
	}
	require.Equal(t, present, got)
	err := store.Swap(t.Context(), "k", "r1", storage.Record{Revision: "r3", Data: []byte("z")})
	if o.late && errors.Is(err, storage.ErrConflict) { // the late swap came in between
		got, err = store.Get(t.Context(), "k")
		require.Equal(t, storage.Revision("r2"), got.Revision)
	}
	require.NoError(t, err)
}

// recovers waits until the store replies, which it does without being opened again. All
// errors until then are failures.
func recovers(t *testing.T, store storage.Store) (got storage.Record) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var err error
		if got, err = store.Get(t.Context(), "k"); err == nil {
			return got
		}
		require.NoError(t, failure(err))
		require.Less(t, time.Since(began), 2*time.Minute, "does not recover: %v", err)
	}
}

// In an outage no user is let in, with a correct code or not, and no reply says that they have no
// second factor; more attempts than would lock are not counted; and afterwards the challenge
// of before and the code of before work.
func TestOutage_ManagerLetsNoUserIn(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			s := newSite(t, e)
			for _, o := range outages {
				t.Run(o.name, func(t *testing.T) { outageOfManager(t, o, s) })
			}
		})
	}
}

// outageOfManager works on a record of its own; the table is made anew.
func outageOfManager(t *testing.T, o outage, s *site) {
	s.run(t, "DROP TABLE IF EXISTS secondgate_records")
	store := s.store(t, s.app(password), "")
	p := enrolled(t, store)
	before, err := p.begin(t.Context())
	require.NoError(t, err)

	end := o.start(t, s)
	var codes []secret.Text
	for range 6 {
		codes = append(codes, p.code(t), p.incorrect(t))
	}
	var wg sync.WaitGroup
	for _, code := range codes {
		wg.Go(func() {
			got, problem := failsInTime(cmp.Or(o.patience, briefly), "a response",
				func(ctx context.Context) error {
					return p.respond(ctx, before, code)
				})
			var attempt *mfa.AttemptError
			switch {
			case problem != nil:
				t.Error(problem)
			case !errors.Is(got, mfa.ErrUnavailable), errors.As(got, &attempt),
				strings.Contains(got.Error(), password):
				t.Errorf("a result: %v", got)
			}
		})
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(o.patience, briefly))
			defer cancel()
			switch ch, err := p.begin(ctx); {
			case err == nil && (!o.reads || ch.Next != mfa.NextVerify || !ch.LockedUntil.IsZero()):
				t.Errorf("begin: %+v", ch)
			case err != nil && !errors.Is(err, mfa.ErrUnavailable):
				t.Errorf("begin: %v", err)
			}
		})
	}
	wg.Wait()
	end()

	require.Eventually(t, func() bool {
		_, err := p.begin(t.Context())
		return err == nil
	}, 2*time.Minute, 20*time.Millisecond)
	if o.late || o.conflicts { // it was tried again until the deadline
		// One write, of all that were sent from the same revision, may have been carried out
		// late: then the code is spent, or one attempt counted, and the next code works.
		p.clock.Advance(time.Minute)
		if before, err = p.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	require.NoError(t, p.respond(t.Context(), before, p.code(t)))
	p.clock.Advance(time.Minute)
	after, err := p.begin(t.Context())
	require.NoError(t, err)
	var attempt *mfa.AttemptError
	require.ErrorAs(t, p.respond(t.Context(), after, p.incorrect(t)), &attempt)
	require.Equal(t, 4, attempt.Remaining, "failed attempts were counted in the outage")
}

// What becomes of writes whose deadline passed while the row was locked, as the package's
// comment says: of all those that were cancelled, at most one happens.
func TestSwap_CancelledHappensOnceAtMost(t *testing.T) {
	each(t, func(t *testing.T, e engine, s *servers.Server) {
		store := e.store(t, e.dsn(s.Addr), "")
		require.NoError(t, store.Swap(t.Context(), "k", "", storage.Record{Revision: "old",
			Data: []byte("old")}))
		unlock := lockRow(t, &site{engine: e, server: s, admin: e.open(t, e.dsn(s.Addr))})
		const writers = 5
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				revision := storage.Revision(fmt.Sprintf("r%d", i))
				got, problem := failsInTime(briefly, "swap", func(ctx context.Context) error {
					return store.Swap(ctx, "k", "old", storage.Record{Revision: revision,
						Data: []byte(revision)})
				})
				if err := cmp.Or(problem, failure(got)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		time.Sleep(2 * briefly) // for PostgreSQL to hear of it
		unlock()
		time.Sleep(2 * briefly)

		got, err := store.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, string(got.Revision), string(got.Data))
		if e.dialect == sqlstore.PostgreSQL {
			require.EqualValues(t, "old", got.Revision)
		}
		// Nothing is left that might still happen.
		require.NoError(t, store.Swap(t.Context(), "k", got.Revision,
			storage.Record{Revision: "new", Data: []byte("new")}))
		time.Sleep(2 * briefly)
		got, err = store.Get(t.Context(), "k")
		require.NoError(t, err)
		require.EqualValues(t, "new", got.Revision)
	})
}
