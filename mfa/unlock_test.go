package mfa_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// stoppedRig is a rig where ann's app was disabled, and the lock has ended.
func stoppedRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, func(c *mfa.Config) {
		c.Lockout = lockout.Config{Tries: 5, Total: 10, Wait: 3 * time.Minute, DisableAfter: 10}
		c.Notify = func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }
	})
	r.app.once = false // correct responses can be given again
	r.withApp(ann, "word")
	for range 2 {
		for range 5 {
			_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
			require.ErrorIs(t, err, factor.ErrIncorrect)
		}
		r.clock.Advance(4 * time.Minute)
	}
	_, err := r.verify(r.begin(ann), "app", secret.New("word"))
	var stopped *mfa.DisabledError
	require.ErrorAs(t, err, &stopped)
	_ = r.mail.notices()
	return r
}

func (r *rig) prove(answer secret.Text) (int, error) {
	return r.Session(ann, binding).UnlockByProof(r.t.Context(), r.begin(ann), "app", answer)
}

func TestUnlockByProof_TakesThreeResponses(t *testing.T) {
	r := stoppedRig(t)
	for want := 2; want >= 0; want-- {
		_, err := r.verify(r.begin(ann), "app", secret.New("word"))
		var stopped *mfa.DisabledError
		require.ErrorAs(t, err, &stopped, "not before the third")
		left, err := r.prove(secret.New("word"))
		require.NoError(t, err)
		require.Equal(t, want, left)
		if want > 0 {
			r.clock.Advance(29999 * time.Millisecond)
			_, err = r.prove(secret.New("word"))
			l := requireLocked(t, err)
			require.Equal(t, time.Millisecond, l.RetryAfter)
			r.clock.Advance(time.Millisecond)
		}
	}
	require.Contains(t, r.eventNames(), "lockout.unlocked")
	require.Equal(t, []string{"lockout.unlocked to ann@example.com"}, r.mail.notices())
	_, err := r.verify(r.begin(ann), "app", secret.New("word"))
	require.NoError(t, err)
	_, err = r.prove(secret.New("word"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "nothing is stopped any more")
}

// A failure starts the row over, counts and locks.
func TestUnlockByProof_StartsOverAfterAFailedAttempt(t *testing.T) {
	r := stoppedRig(t)
	for range 2 {
		_, err := r.prove(secret.New("word"))
		require.NoError(t, err)
		r.clock.Advance(time.Minute)
	}
	_, err := r.prove(secret.New("wrong"))
	require.Equal(t, 4, left(t, err))
	for want := 2; want >= 0; want-- {
		n, err := r.prove(secret.New("word"))
		require.NoError(t, err)
		require.Equal(t, want, n)
		r.clock.Advance(time.Minute)
	}

	r = stoppedRig(t)
	for i := range 5 {
		_, err := r.prove(secret.New("wrong"))
		require.Equal(t, 4-i, left(t, err))
	}
	_, err = r.prove(secret.New("word"))
	requireLocked(t, err)
}

// Answers that lie too far apart are no row.
func TestUnlockByProof_ResponsesExpire(t *testing.T) {
	r := stoppedRig(t)
	for range 3 {
		n, err := r.prove(secret.New("word"))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		r.clock.Advance(time.Hour)
	}
}

// The challenge stays open for the sign-in, and proves nothing by itself.
func TestUnlockByProof_DoesNotSignIn(t *testing.T) {
	r := stoppedRig(t)
	ch := r.begin(ann)
	for range 3 {
		_, err := r.Session(ann, binding).UnlockByProof(t.Context(), ch, "app",
			secret.New("word"))
		require.NoError(t, err)
		r.clock.Advance(40 * time.Second)
	}
	_, err := r.verify(ch, "app", secret.New("word"))
	require.NoError(t, err)
	require.Equal(t, 1, count(r.eventNames(), "verify.success")-1,
		"the sign-in by mail at first, and this one")
}

func count(list []string, what string) (n int) {
	for _, s := range list {
		if s == what {
			n++
		}
	}
	return n
}

// A PIN, which proves no more when it is typed three times, and a kind that has to send first
// are not enabled by proof, not even by correct responses once they are disabled.
func TestUnlockByProof_IsForPossessionsThatNothingIsSentFor(t *testing.T) {
	for _, kind := range []string{"pin", "mail", "recovery"} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, func(c *mfa.Config) {
				c.Lockout = lockout.Config{Tries: 5, Total: 10, Wait: time.Second, DisableAfter: 10}
			})
			c := r.enroll(r.signIn(ann).Grant, "pin", "1234")
			_, err := r.Session(ann, binding).NewRecoveryCodes(t.Context(), c.Grant)
			require.NoError(t, err)
			ch := r.begin(ann)
			r.send(ch)
			correct := map[string]secret.Text{"pin": secret.New("1234"),
				"mail": r.mail.code(ann.Email), "recovery": secret.New("a")}[kind]
			incorrect := map[bool]secret.Text{true: secret.New("000000"),
				false: secret.New("000001")}[correct.Reveal() != "000000"]
			for range 2 {
				for range 5 {
					_, err := r.verify(ch, kind, incorrect)
					require.ErrorIs(t, err, factor.ErrIncorrect)
				}
				r.clock.Advance(time.Second)
			}
			_, err = r.verify(ch, kind, correct)
			var stopped *mfa.DisabledError
			require.ErrorAs(t, err, &stopped)
			_, err = r.Session(ann, binding).UnlockByProof(t.Context(), ch, kind, correct)
			require.ErrorIs(t, err, mfa.ErrNotAvailable)
		})
	}
}

// A clock that ran ahead while many signed in spends no challenge of the present, once an
// administrator has unlocked or reset the user.
func TestUnlock_AfterAClockThatRanAhead(t *testing.T) {
	for name, help := range map[string]func(r *rig) error{
		"unlock": func(r *rig) error {
			return r.Admin(mfa.System("boss"), "").Unlock(t.Context(), ann)
		},
		"reset": func(r *rig) error {
			return r.Admin(mfa.System("boss"), "").Reset(t.Context(), ann)
		},
	} {
		r := newRig(t)
		r.clock.Advance(1000 * time.Hour)
		for range 20 {
			r.clock.Advance(20 * time.Second)
			r.signIn(ann)
		}
		r.clock.Advance(-1001 * time.Hour)
		require.NoError(t, help(r), name)
		r.clock.Advance(time.Second)
		r.signIn(ann)
	}
}

// What is expensive to verify, and what is known, is not unlocked by proof.
func TestUnlockByProof_IsForCheapPossessions(t *testing.T) {
	for name, f := range map[string]factor.Factor{
		"expensive": &slow{word{kind: "odd", traits: factor.Traits{Level: factor.LevelStrong}}},
		"knowledge": &word{kind: "odd", traits: factor.Traits{Level: factor.LevelWeak,
			Knowledge: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *mfa.Config) {
				c.Factors = append(c.Factors, f)
				c.Lockout = lockout.Config{Tries: 5, Total: 10, Wait: 3 * time.Minute,
					DisableAfter: 10}
			})
			r.enroll(r.signIn(ann).Grant, "odd", "word")
			for range 2 {
				for range 5 {
					_, err := r.verify(r.begin(ann), "odd", secret.New("wrong"))
					require.ErrorIs(t, err, factor.ErrIncorrect)
				}
				r.clock.Advance(4 * time.Minute)
			}
			var disabled *mfa.DisabledError
			_, err := r.verify(r.begin(ann), "odd", secret.New("word"))
			require.ErrorAs(t, err, &disabled)
			_, err = r.Session(ann, binding).UnlockByProof(t.Context(), r.begin(ann), "odd",
				secret.New("word"))
			require.ErrorIs(t, err, mfa.ErrNotAvailable)
		})
	}
}

// A response that no factor could accept is refused as at a sign-in.
func TestUnlockByProof_RefusesMalformedResponses(t *testing.T) {
	r := stoppedRig(t)
	before := dump(t, r.store)
	_, err := r.prove(secret.New(""))
	require.ErrorIs(t, err, factor.ErrMalformed)
	require.Equal(t, before, dump(t, r.store), "nothing is counted")
}
