package mfa_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// pinRig is a rig where ann has an app and a PIN, and one failed attempt with the PIN.
type pinRig struct {
	*rig
	ch    *mfa.Challenge
	other *mfa.Manager // another process
}

func newPinRig(t *testing.T, change ...func(*mfa.Config)) *pinRig {
	t.Helper()
	r := &pinRig{rig: newRig(t, change...)}
	r.app.once = false
	r.grant = r.enroll(r.withApp(ann, "tulip").Grant, "pin", "123456").Grant
	_, err := r.verify(r.begin(ann), "pin", secret.New("wrong"))
	require.Equal(t, 4, left(t, err))
	r.ch, r.other = r.begin(ann), r.another()
	return r
}

// pinID is the ID of the PIN that ann has now.
func (r *pinRig) pinID() string { return r.idOf(ann, "pin") }

// during lets do happen while the factor looks at the next response, and only then.
func (r *pinRig) during(do func()) {
	var done atomic.Bool
	r.pin.verify = func(factor.VerifyInput) {
		if done.CompareAndSwap(false, true) {
			do()
		}
	}
}

// answerApp responds to the challenge by the app, in another process.
func (r *pinRig) answerApp(ch *mfa.Challenge, word secret.Text) error {
	_, err := r.other.Session(ann, binding).Verify(context.Background(), ch, "app", word)
	return err
}

// TestVerify_SettlesTheLeaseOnEveryWayOut lets everything happen that can happen while an
// expensive response is verified. Afterwards the next response is verified at once, with the
// clock standing still; and what is counted is what the contract says is counted.
func TestVerify_SettlesTheLeaseOnEveryWayOut(t *testing.T) {
	is := func(want error) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			require.ErrorIs(t, err, want)
			var counted *mfa.AttemptError
			require.False(t, errors.As(err, &counted), "not counted")
		}
	}
	counted := func(want error) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			require.ErrorIs(t, err, want)
			require.Equal(t, 3, left(t, err))
		}
	}
	must := func(t *testing.T, err error) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name      string
		response  secret.Text
		meanwhile func(t *testing.T, r *pinRig)
		want      func(*testing.T, error)
		left      int // after one more incorrect response, when a lock that is there has ended
	}{
		{"correct", secret.New("123456"), nil, func(t *testing.T,
			err error) {
			require.NoError(t, err)
		}, 4},
		{"incorrect", secret.New("000000"), nil, counted(factor.ErrIncorrect), 2},
		{"correct, the challenge was answered", secret.New("123456"),
			func(t *testing.T, r *pinRig) { must(t, r.answerApp(r.ch, secret.New("tulip"))) },
			is(mfa.ErrTokenExpired), 3},
		{"incorrect, the challenge was answered", secret.New("000000"),
			func(t *testing.T, r *pinRig) { must(t, r.answerApp(r.ch, secret.New("tulip"))) },
			counted(factor.ErrIncorrect), 2},
		{"correct, the challenge was abandoned", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Session(ann, binding).Cancel(context.Background(), r.ch))
			}, is(mfa.ErrTokenExpired), 3},
		{"correct, the factor was removed", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Session(ann, binding).Remove(context.Background(), r.grant,
					r.pinID()))
			}, is(mfa.ErrNotAvailable), -1},
		{"incorrect, the factor was removed", secret.New("000000"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Session(ann, binding).Remove(context.Background(), r.grant,
					r.pinID()))
			}, counted(factor.ErrIncorrect), -1},
		{"correct, another kind locked the user", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				for range 5 {
					if err := r.answerApp(r.ch, secret.New("wrong")); !errors.Is(err,
						factor.ErrIncorrect) {
						t.Error(err)
					}
				}
			}, func(t *testing.T, err error) { requireLocked(t, err) }, 4},
		{"correct, the user was unlocked", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Admin(boss, "").Unlock(context.Background(), ann))
			},
			is(mfa.ErrUnavailable), 4},
		{"correct, the user was reset", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Admin(boss, "").Reset(context.Background(), ann))
			},
			is(mfa.ErrUnavailable), -1},
		{"correct, the user was deleted", secret.New("123456"),
			func(t *testing.T, r *pinRig) {
				must(t, r.other.Admin(boss, "").Delete(context.Background(), ann))
			},
			is(mfa.ErrUnavailable), -1},
		{"the factor panics", secret.New("123456"),
			func(*testing.T, *pinRig) { panic("123456") }, counted(mfa.ErrUnavailable), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPinRig(t)
			if c.meanwhile != nil {
				r.during(func() { c.meanwhile(t, r) })
			}
			_, err := r.verify(r.ch, "pin", c.response)
			c.want(t, err)
			ch := r.begin(ann)
			if until := ch.LockedUntil; !until.IsZero() {
				r.clock.Set(until)
			}
			err = r.withoutWaiting(t, ch, secret.New("wrong"))
			if c.left >= 0 {
				require.Equal(t, c.left, left(t, err))
			}
		})
	}
}

// withoutWaiting verifies a PIN and checks that no lease was waited for.
func (r *pinRig) withoutWaiting(t *testing.T, ch *mfa.Challenge, response secret.Text) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	reads := r.store.Calls(mfatest.OpGet)
	_, err := r.other.Session(ann, binding).Verify(ctx, ch, "pin", response)
	require.NotErrorIs(t, err, context.DeadlineExceeded)
	require.LessOrEqual(t, r.store.Calls(mfatest.OpGet)-reads, 3, "reads: %v", err)
	return err
}

// A response whose own charge is the one that locks, or the one that stops the kind, is not
// refused by it; and when it is refused for another reason, lock and stop end with the charge.
func TestVerify_UndoesTheLockAndTheDisablingOfItsOwnCharge(t *testing.T) {
	for name, limits := range map[string]lockout.Config{
		"lock":           {Tries: 2, Total: 10},
		"lock of a kind": {Tries: 2, Total: 10, KindOnly: true},
		"stop":           {Tries: 2, DisableAfter: 2},
		"growing":        {Tries: 2, Growth: 4},
	} {
		t.Run(name, func(t *testing.T) {
			r := newPinRigAt(t, limits)
			_, err := r.verify(r.ch, "pin", secret.New("123456"))
			require.NoError(t, err)
		})
		t.Run(name+", refused", func(t *testing.T) {
			r := newPinRigAt(t, limits)
			r.during(func() {
				if err := r.answerApp(r.ch, secret.New("tulip")); err == nil {
					t.Error("the charge locks meanwhile")
				}
				if err := r.other.Session(ann, binding).Cancel(context.Background(),
					r.ch); err != nil {
					t.Error(err)
				}
			})
			if limits.KindOnly {
				r.during(func() {
					if err := r.answerApp(r.ch, secret.New("tulip")); err != nil {
						t.Error(err)
					}
				})
			}
			_, err := r.verify(r.ch, "pin", secret.New("123456"))
			require.ErrorIs(t, err, mfa.ErrTokenExpired)
			ch := r.begin(ann)
			require.True(t, ch.LockedUntil.IsZero())
			_, err = r.verify(ch, "pin", secret.New("123456"))
			require.NoError(t, err, "as if it had not been given")
		})
	}
}

// newPinRigAt is a pinRig where one more failed attempt with the PIN has a consequence.
func newPinRigAt(t *testing.T, limits lockout.Config) *pinRig {
	t.Helper()
	r := &pinRig{rig: newRig(t, func(c *mfa.Config) { c.Lockout = limits })}
	r.app.once = false
	r.grant = r.enroll(r.withApp(ann, "tulip").Grant, "pin", "123456").Grant
	_, err := r.verify(r.begin(ann), "pin", secret.New("wrong"))
	require.Equal(t, 1, left(t, err))
	r.ch, r.other = r.begin(ann), r.another()
	return r
}

// A store that fails in the settling write leaves the lease, for 30 seconds and no longer.
func TestVerify_LeaseOfAFailedSettlementEnds(t *testing.T) {
	r := newPinRig(t)
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errDisk})
	_, err := r.verify(r.ch, "pin", secret.New("123456"))
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.clock.Advance(30 * time.Second)
	_, err = r.verify(r.ch, "pin", secret.New("123456"))
	require.NoError(t, err)
}

// With a clock that stands still, a lease that a process left behind is waited for less and
// less often, not for ever, and not longer than the caller wants to wait.
func TestVerify_WaitsForAnothersLeaseWithFewReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newPinRig(t)
		r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{})
		r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errDisk})
		_, err := r.verify(r.ch, "pin", secret.New("123456"))
		require.ErrorIs(t, err, mfa.ErrUnavailable)

		start, reads := time.Now(), r.store.Calls(mfatest.OpGet)
		_, err = r.verify(r.ch, "pin", secret.New("123456"))
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.InDelta(t, 30, time.Since(start).Seconds(), 2)
		require.Less(t, r.store.Calls(mfatest.OpGet)-reads, 60, "in half a minute")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		_, err = r.Session(ann, binding).Verify(ctx, r.ch, "pin", secret.New("123456"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}
