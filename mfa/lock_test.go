package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

func TestVerify_LocksAfterFive(t *testing.T) {
	for _, kind := range []string{"app", "mail", "pin"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			g := r.withApp(ann, "tulip").Grant
			r.enroll(g, "pin", "123456")
			ch := r.begin(ann)
			r.send(ch)
			right := map[string]secret.Text{"app": secret.New("tulip"),
				"mail": r.mail.code(ann.Email), "pin": secret.New("123456")}[kind]
			for i := range 5 {
				_, err := r.verify(ch, kind, secret.New("000000"))
				require.ErrorIs(t, err, factor.ErrIncorrect)
				require.Equal(t, 4-i, left(t, err))
			}
			_, err := r.verify(ch, kind, right)
			l := requireLocked(t, err)
			require.Equal(t, 3*time.Minute, l.RetryAfter)
			_, err = r.verify(ch, "app", secret.New("tulip"))
			requireLocked(t, err)
			_, err = r.Session(ann, binding).Send(t.Context(), ch, "mail")
			requireLocked(t, err)
			require.Equal(t, l.Until, r.begin(ann).LockedUntil)

			r.clock.Advance(3*time.Minute - time.Millisecond)
			_, err = r.verify(ch, kind, right)
			require.Equal(t, time.Millisecond, requireLocked(t, err).RetryAfter)
			r.clock.Advance(time.Millisecond)
			ch = r.begin(ann)
			require.True(t, ch.LockedUntil.IsZero())
			_, err = r.verify(ch, kind, secret.New("000000"))
			require.Equal(t, 4, left(t, err), "tries start again when the lock ends")
			_, err = r.verify(ch, "app", secret.New("tulip"))
			require.NoError(t, err)
		})
	}
}

func TestVerify_LocksAfterTenOverAllKinds(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	r.enroll(g, "pin", "123456")
	ch := r.begin(ann)
	for i, kind := range []string{"app", "app", "app", "app", "mail", "mail", "mail", "mail", "pin",
		"pin"} {
		_, err := r.verify(ch, kind, secret.New("000000"))
		var a *mfa.AttemptError
		require.ErrorAs(t, err, &a)
		require.Equal(t, i == 9, !a.LockedUntil.IsZero(), i)
	}
	_, err := r.verify(ch, "app", secret.New("tulip"))
	requireLocked(t, err)
}

func TestVerify_SuccessClearsOnlyTheKindUsed(t *testing.T) {
	r := newRig(t)
	r.withApp(ann, "tulip")
	ch := r.begin(ann)
	for range 3 {
		_, err := r.verify(ch, "mail", secret.New("000000"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := r.verify(ch, "app", secret.New("tulip"))
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "mail", secret.New("000000"))
	require.Equal(t, 1, left(t, err))
}

// Resends, new challenges, other purposes, confirming an enrolment and other processes
// do not add a guess.
func TestLockout_NothingAddsAGuess(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	other := r.another()
	e, err := r.Session(ann, binding).Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "mail",
		Params: map[string]secret.Text{"address": secret.New("b@example.com")}})
	require.NoError(t, err)
	guesses := []func() error{
		func() error {
			_, err := r.verify(r.begin(ann), "mail", secret.New("000000"))
			return err
		},
		func() error {
			ch := r.begin(ann)
			r.send(ch)
			r.send(ch)
			_, err := r.verify(ch, "mail", secret.New("000000"))
			return err
		},
		func() error {
			ch := r.beginFor(ann, "step-up")
			_, err := r.Session(ann, binding).StepUp().Verify(t.Context(), ch, "mail",
				secret.New("000000"))
			return err
		},
		func() error {
			_, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("000000"))
			return err
		},
		func() error {
			_, err := other.Session(ann, binding).Verify(t.Context(), r.begin(ann), "mail",
				secret.New("000000"))
			return err
		},
	}
	for i, guess := range guesses {
		require.Equal(t, 4-i, left(t, guess()))
	}
	for _, guess := range guesses[2:] {
		requireLocked(t, guess())
	}
}

func TestVerify_DisablesTheKindAfterAHundred(t *testing.T) {
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	n := 0
	for ; n < 100; n++ {
		if n > 0 && n%5 == 0 {
			r.clock.Advance(3 * time.Minute)
		}
		_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect, n)
	}
	r.clock.Advance(365 * 24 * time.Hour)
	ch := r.begin(ann)
	require.True(t, ch.Options[0].Disabled)
	require.False(t, ch.Options[0].Default)
	_, err := r.verify(ch, "app", secret.New("tulip"))
	var stopped *mfa.DisabledError
	require.ErrorAs(t, err, &stopped, "waiting does not help")
	require.Contains(t, r.eventNames(), "lockout.disabled")
	_ = g
	require.NoError(t, r.Admin(mfa.System("root"), "").Unlock(t.Context(), ann))
	_, err = r.verify(r.begin(ann), "app", secret.New("tulip"))
	require.NoError(t, err)
}

func TestEnroll_EnablesADisabledKind(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Lockout = lockout.Config{Tries: 5, DisableAfter: 5} })
	g := r.signIn(ann).Grant
	r.enroll(g, "pin", "secret")
	ch := r.begin(ann)
	for range 5 {
		_, err := r.verify(ch, "pin", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	r.clock.Advance(3 * time.Minute)
	g = r.signIn(ann).Grant
	r.enroll(g, "pin", "better")
	_, err := r.verify(r.begin(ann), "pin", secret.New("better"))
	require.NoError(t, err)
}

func TestClock_GoingBackNeitherShortensALockNorRevivesACode(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	code := r.mail.code(ann.Email)
	start := r.clock.Now()
	r.clock.Advance(90 * time.Second)
	_, err := r.verify(ch, "mail", secret.New("000000")) // a write at +90 s
	require.ErrorIs(t, err, factor.ErrIncorrect)
	r.clock.Set(start)
	_, err = r.verify(ch, "mail", code)
	requireUncounted(t, err)
	for range 4 {
		_, err = r.verify(ch, "mail", secret.New("000000"))
	}
	require.Equal(t, 0, left(t, err))
	r.clock.Set(start.Add(-time.Hour))
	_, err = r.verify(ch, "mail", code)
	require.Equal(t, 3*time.Minute, requireLocked(t, err).RetryAfter)
}

// With a limit of five, exactly five of 200 parallel wrong guesses through several Managers get
// a verdict.
func TestVerify_CountsParallelResponses(t *testing.T) {
	for _, kind := range []string{"app", "mail", "pin"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			g := r.withApp(ann, "tulip").Grant
			r.enroll(g, "pin", "123456")
			managers := []*mfa.Manager{r.Manager, r.another(), r.another(), r.another()}
			var verdicts, locked atomic.Int32
			together(200, func(i int) {
				m := managers[i%len(managers)]
				ch, err := m.Session(ann, binding).Begin(context.Background())
				if err != nil {
					t.Error(err)
					return
				}
				_, err = m.Session(ann, binding).Verify(context.Background(), ch, kind,
					secret.New("000000"))
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
			require.EqualValues(t, 195, locked.Load())
		})
	}
}

// One correct response, submitted 64 times at once through several Managers, succeeds once, for
// every kind.
func TestVerify_AcceptsOneOfParallelResponses(t *testing.T) {
	for _, kind := range []string{"app", "mail", "pin", "recovery"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t)
			g := r.withApp(ann, "tulip").Grant
			g = r.enroll(g, "pin", "123456").Grant
			g = r.stepUp("app", "tulip2", g)
			_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), g)
			require.NoError(t, err)
			ch := r.begin(ann)
			r.send(ch)
			right := map[string]secret.Text{"app": secret.New("tulip"),
				"mail": r.mail.code(ann.Email), "pin": secret.New("123456"),
				"recovery": secret.New("c")}[kind]
			managers := []*mfa.Manager{r.Manager, r.another(), r.another(), r.another()}
			var wins atomic.Int32
			together(64, func(i int) {
				_, err := managers[i%len(managers)].Session(ann,
					binding).Verify(context.Background(), ch, kind, right)
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, mfa.ErrTokenExpired) {
					t.Errorf("got %v", err)
				}
			})
			require.EqualValues(t, 1, wins.Load())
		})
	}
}

// stepUp enrols a further app, which proves the strong kind again.
func (r *rig) stepUp(kind, text string, g mfa.Grant) mfa.Grant {
	r.t.Helper()
	ch := r.beginFor(ann, "manage")
	v, err := r.Session(ann, binding).ManageFactors().Verify(r.t.Context(), ch, kind,
		secret.New("tulip"))
	if errors.Is(err, factor.ErrReplayed) || err != nil {
		r.t.Fatal(err)
	}
	// The word was used; give the user a fresh one under the same text.
	require.NoError(r.t, r.Session(ann, binding).Remove(r.t.Context(), v.Grant, v.FactorID))
	return r.enroll(v.Grant, kind, "tulip").Grant
}

func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

// A correct response that is being verified is not refused by its own charge, even as the last
// one before the lock, and others wait for it.
func TestVerifyExpensive_AcceptsTheLastResponseBeforeALock(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	r.enroll(g, "pin", "123456")
	ch := r.begin(ann)
	for range 4 {
		_, err := r.verify(ch, "pin", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := r.verify(ch, "pin", secret.New("123456"))
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "pin", secret.New("wrong"))
	require.Equal(t, 4, left(t, err))
}

// A process that dies while it verifies has counted the response.
func TestVerifyExpensive_ChargesFirst(t *testing.T) {
	r := newRig(t)
	g := r.signIn(ann).Grant
	r.enroll(g, "pin", "123456")
	ch := r.begin(ann)
	for i := range 5 {
		dead := r.another()
		died := make(chan struct{})
		r.pin.verify = func(factor.VerifyInput) { close(died); select {} } // never comes back
		go func() {
			_, _ = dead.Session(ann, binding).Verify(context.Background(), ch, "pin",
				secret.New("wrong"))
		}()
		<-died
		r.pin.verify = nil
		r.clock.Advance(30 * time.Second) // its lease ends
		if i < 4 {
			continue
		}
		_, err := r.verify(ch, "pin", secret.New("123456"))
		requireLocked(t, err)
	}
}

func TestVerify_CountsAPanicOfTheFactor(t *testing.T) {
	for _, kind := range []string{"app", "pin"} {
		r := newRig(t)
		g := r.signIn(ann).Grant
		r.enroll(g, kind, "tulip")
		boom := func(factor.VerifyInput) { panic("tulip") }
		r.app.verify, r.pin.verify = boom, boom
		v, err := r.verify(r.begin(ann), kind, secret.New("tulip"))
		require.Nil(t, v)
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.Equal(t, 4, left(t, err))
		require.NotContains(t, fmt.Sprintf("%v %+v", err, err), "tulip")
	}
}

// A Manager starts nothing that outlives a call.
func TestManager_LeavesNoGoroutine(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := newRig(t)
	g := r.withApp(ann, "tulip").Grant
	r.enroll(g, "pin", "123456")
	together(32, func(int) { _, _ = r.verify(r.begin(ann), "pin", secret.New("wrong")) })
}

// No two expensive responses of a user are verified at once, through however many Managers,
// and a correct one is not refused because of others that are being verified.
func TestVerifyExpensive_OneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.enroll(r.signIn(ann).Grant, "pin", "123456")
		var judging, most atomic.Int32
		r.pin.verify = func(factor.VerifyInput) {
			most.Store(max(most.Load(), judging.Add(1)))
			time.Sleep(5 * time.Millisecond)
			judging.Add(-1)
		}
		ch := r.begin(ann)
		var wins atomic.Int32
		together(8, func(int) {
			_, err := r.another().Session(ann, binding).Verify(context.Background(), ch, "pin",
				secret.New("123456"))
			if err == nil {
				wins.Add(1)
			} else if !errors.Is(err, mfa.ErrTokenExpired) {
				t.Errorf("got %v", err)
			}
		})
		require.EqualValues(t, 1, wins.Load())
		require.EqualValues(t, 1, most.Load())
	})
}

// A caller who hangs up while the response is verified has used it, and no other caller waits.
func TestVerifyExpensive_CountsWhenTheCallerHangsUp(t *testing.T) {
	r := newRig(t)
	r.enroll(r.signIn(ann).Grant, "pin", "123456")
	ch := r.begin(ann)
	ctx, cancel := context.WithCancel(t.Context())
	r.pin.verify = func(factor.VerifyInput) { cancel() }
	_, err := r.Session(ann, binding).Verify(ctx, ch, "pin", secret.New("wrong"))
	require.Error(t, err)
	r.pin.verify = nil
	soon, cancelSoon := context.WithTimeout(t.Context(), time.Minute)
	defer cancelSoon()
	_, err = r.another().Session(ann, binding).Verify(soon, ch, "pin", secret.New("wrong"))
	require.Equal(t, 3, left(t, err), "two are counted, and the clock has not moved")
}
