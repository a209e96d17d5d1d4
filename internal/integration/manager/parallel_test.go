package manager_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

func rounds() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10
	}
	return 1
}

// guesses is how many failed attempts meet at once: through each of four Managers, more than its
// pool has connections.
func guesses() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 200
	}
	return 100
}

func TestSignIn_WithEachKind(t *testing.T) {
	everywhere(t, func(t *testing.T, kind string, open func() storage.Store) {
		w := newWorld(t, open)
		m := w.manager(w.open())
		w.enrollAll(m)
		ch := w.begin(m)
		response := w.correct(m, ch, kind)
		v, err := verify(t.Context(), m, ch, kind, response)
		require.NoError(t, err)
		require.Equal(t, kind, v.Kind)
		_, err = verify(t.Context(), m, ch, kind, response)
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// With a limit of five, exactly five of the parallel failed attempts, through Managers with
// connections of their own to one database, get a verdict.
func TestVerify_LimitsParallelGuesses(t *testing.T) {
	incorrect := map[string]secret.Text{"totp": secret.New("000000"), "email": secret.New("000000"),
		"sms": secret.New("000000"), "pin": secret.New("000000"),
		"recovery": secret.New("0000-0000-0000-0000")}
	everywhere(t, func(t *testing.T, kind string, open func() storage.Store) {
		w := newWorld(t, open)
		managers := []*mfa.Manager{w.manager(w.open()), w.manager(w.open()), w.manager(w.open()),
			w.manager(w.open())}
		w.enrollAll(managers[0])
		var verdicts, locked atomic.Int32
		n := guesses()
		together(n, func(i int) {
			m := managers[i%len(managers)]
			ch, err := m.Session(ann, binding).Begin(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			_, err = verify(context.Background(), m, ch, kind, incorrect[kind])
			var l *mfa.LockedError
			switch {
			case errors.Is(err, factor.ErrIncorrect):
				verdicts.Add(1)
			case errors.As(err, &l):
				locked.Add(1)
			default:
				t.Errorf("got %v", err)
			}
		})
		require.EqualValues(t, 5, verdicts.Load())
		require.EqualValues(t, n-5, locked.Load())
	})
}

// One correct response submitted 64 times at once succeeds once.
func TestVerify_AcceptsOneOfParallelResponses(t *testing.T) {
	everywhere(t, func(t *testing.T, kind string, open func() storage.Store) {
		w := newWorld(t, open)
		managers := []*mfa.Manager{w.manager(w.open()), w.manager(w.open()), w.manager(w.open()),
			w.manager(w.open())}
		w.enrollAll(managers[0])
		ch := w.begin(managers[0])
		response := w.correct(managers[0], ch, kind)
		var wins atomic.Int32
		together(64, func(i int) {
			_, err := verify(context.Background(), managers[i%len(managers)], ch, kind, response)
			if err == nil {
				wins.Add(1)
			} else if !errors.Is(err, mfa.ErrTokenExpired) {
				t.Errorf("got %v", err)
			}
		})
		require.EqualValues(t, 1, wins.Load())
	})
}

// The same authenticator code in 64 challenges of their own: one success, and the others
// are replays until the user is locked.
func TestVerify_AcceptsACodeInOneOfManyChallenges(t *testing.T) {
	w := newWorld(t, sqlite(t))
	managers := []*mfa.Manager{w.manager(w.open()), w.manager(w.open())}
	w.enrollAll(managers[0])
	code := w.shown()
	var wins, replays atomic.Int32
	together(64, func(i int) {
		m := managers[i%2]
		ch, err := m.Session(ann, binding).Begin(context.Background())
		if err != nil {
			t.Error(err)
			return
		}
		switch _, err := verify(context.Background(), m, ch, "totp", code); {
		case err == nil:
			wins.Add(1)
		case errors.Is(err, factor.ErrReplayed):
			replays.Add(1)
		}
	})
	require.EqualValues(t, 1, wins.Load())
	require.EqualValues(t, 5, replays.Load())
}

// Whatever call of the store fails, before or after it was carried out, a success is never
// reported that is not recorded: afterwards the same response never succeeds again if it did.
func TestVerify_SuccessIsRecordedWhateverFails(t *testing.T) {
	disk := errors.New("disk full")
	for _, kind := range kinds {
		for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpSwap} {
			for skip := range 3 {
				for when, fault := range map[string]mfatest.Fault{"before": {Before: disk},
					"after": {After: disk}} {
					t.Run(kind+" "+string(op)+" "+when+" "+string(rune('0'+skip)),
						func(t *testing.T) {
							w := newWorld(t, sqlite(t))
							store := mfatest.NewFaultyStore(w.open())
							m := w.manager(store)
							w.enrollAll(m)
							ch := w.begin(m)
							response := w.correct(m, ch, kind)
							store.Inject(op, skip, mfatest.Fault{})
							store.Inject(op, 1, fault)
							_, err := verify(t.Context(), m, ch, kind, response)
							wins := 0
							if err == nil {
								wins++
							} else {
								require.ErrorIs(t, err, mfa.ErrUnavailable)
							}
							store.Heal()
							w.clock.Advance(31 * time.Second)
							for range 2 {
								if _, err := verify(t.Context(), m, ch, kind,
									response); err == nil {
									wins++
								}
							}
							require.LessOrEqual(t, wins, 1)
						})
				}
			}
		}
	}
}

// An outage is a typed error within the caller's deadline, counts nothing and locks no user.
func TestVerify_InAnOutageCountsNothing(t *testing.T) {
	w := newWorld(t, sqlite(t))
	store := mfatest.NewFaultyStore(w.open())
	m := w.manager(store)
	w.enrollAll(m)
	ch := w.begin(m)
	store.Inject(mfatest.OpGet, -1, mfatest.Fault{Run: func(ctx context.Context, _ string) {
		<-ctx.Done()
	}, Before: context.DeadlineExceeded})
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := verify(ctx, m, ch, "totp", w.shown())
		cancel()
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	store.Heal()
	_, err := verify(t.Context(), m, ch, "totp", w.shown())
	require.NoError(t, err)
}

var _ storage.Store = (*mfatest.FaultyStore)(nil)
