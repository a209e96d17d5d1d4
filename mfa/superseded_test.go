package mfa_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// requireUncounted checks that an error is the one of a correct response that came too late.
func requireUncounted(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, factor.ErrExpired)
	var counted *mfa.AttemptError
	require.False(t, errors.As(err, &counted), "counted: %v", err)
}

// lateMail is the mail factor, verified at a cost.
type lateMail struct{ *sent }

func (m lateMail) Traits() factor.Traits {
	t := m.sent.Traits()
	t.Expensive = true
	return t
}

// expensiveMail makes the mail factor of a rig one that is expensive to verify.
func expensiveMail(c *mfa.Config) {
	for i, f := range c.Factors {
		if mail, ok := f.(*sent); ok {
			c.Factors[i] = lateMail{mail}
		}
	}
}

// TestVerify_CountsNoCodeThatWasSent gives codes that were sent to the user, and that no
// longer give entry, a thousand times each: nothing is counted, nothing is written, nobody is
// let in, and what was counted before stays counted.
func TestVerify_CountsNoCodeThatWasSent(t *testing.T) {
	for _, c := range []struct {
		name string
		// code makes a code and returns it with the challenge to give it to.
		code func(r *rig) (*mfa.Challenge, secret.Text)
	}{
		{"expired", func(r *rig) (*mfa.Challenge, secret.Text) {
			ch := r.begin(ann)
			r.send(ch)
			r.clock.Advance(91 * time.Second)
			return ch, r.mail.code(ann.Email)
		}},
		{"superseded by a resend", func(r *rig) (*mfa.Challenge, secret.Text) {
			ch := r.begin(ann)
			r.send(ch)
			code := r.mail.code(ann.Email)
			r.send(ch)
			return ch, code
		}},
		{"superseded by another challenge", func(r *rig) (*mfa.Challenge, secret.Text) {
			ch := r.begin(ann)
			r.send(ch)
			code := r.mail.code(ann.Email)
			r.send(r.begin(ann))
			return ch, code
		}},
		{"of the challenge before this one", func(r *rig) (*mfa.Challenge, secret.Text) {
			r.send(r.begin(ann))
			return r.begin(ann), r.mail.code(ann.Email)
		}},
		{"superseded and expired", func(r *rig) (*mfa.Challenge, secret.Text) {
			r.send(r.begin(ann))
			code := r.mail.code(ann.Email)
			r.send(r.begin(ann))
			r.clock.Advance(time.Hour)
			return r.begin(ann), code
		}},
		{"of an enrolment", func(r *rig) (*mfa.Challenge, secret.Text) {
			_, err := r.begun(r.grant, "mail", "b@example.com")
			require.NoError(r.t, err)
			return r.begin(ann), r.mail.code("b@example.com")
		}},
		{"of an enrolment that another one replaced", func(r *rig) (*mfa.Challenge, secret.Text) {
			_, err := r.begun(r.grant, "mail", "b@example.com")
			require.NoError(r.t, err)
			code := r.mail.code("b@example.com")
			_, err = r.begun(r.grant, "mail", "c@example.com")
			require.NoError(r.t, err)
			return r.begin(ann), code
		}},
	} {
		for name, change := range map[string]func(*mfa.Config){
			"": func(*mfa.Config) {}, ", expensive": expensiveMail,
		} {
			t.Run(c.name+name, func(t *testing.T) {
				r := newRig(t, change)
				r.grant = r.signIn(ann).Grant
				_, err := r.verify(r.begin(ann), "mail", secret.New("000000"))
				require.Equal(t, 4, left(t, err))
				ch, code := c.code(r)
				writes := r.store.Calls(mfatest.OpSwap)
				n := 1000
				if name != "" {
					n = 20 // each is charged and taken back
				}
				for range n {
					_, err := r.verify(ch, "mail", code)
					requireUncounted(t, err)
				}
				if name == "" {
					require.Equal(t, writes, r.store.Calls(mfatest.OpSwap), "writes")
				}
				_, err = r.verify(r.begin(ann), "mail", secret.New("000000"))
				require.Equal(t, 3, left(t, err), "nothing is counted and nothing is cleared")
				r.send(ch)
				_, err = r.verify(ch, "mail", r.mail.code(ann.Email))
				require.NoError(t, err)
			})
		}
	}
}

// What is remembered is bounded in number and in time.
func TestVerify_ForgetsSupersededCodes(t *testing.T) {
	r := newRig(t)
	var codes []secret.Text
	ch := r.begin(ann)
	for range 5 {
		r.send(ch)
		codes = append(codes, r.mail.code(ann.Email))
	}
	for _, code := range codes[1:4] {
		_, err := r.verify(ch, "mail", code)
		requireUncounted(t, err)
	}
	_, err := r.verify(ch, "mail", codes[0])
	require.Equal(t, 4, left(t, err), "the fourth before this one")
	r.clock.Advance(90*time.Second + time.Hour - time.Millisecond)
	_, err = r.verify(r.begin(ann), "mail", codes[3])
	requireUncounted(t, err)
	r.clock.Advance(time.Millisecond)
	_, err = r.verify(r.begin(ann), "mail", codes[3])
	require.Equal(t, 3, left(t, err), "an hour after it expired")
}

// A code that was accepted is counted when it comes again, in whatever challenge.
func TestVerify_CountsACodeThatWasUsed(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	code := r.mail.code(ann.Email)
	_, err := r.verify(ch, "mail", code)
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "mail", code)
	require.Equal(t, 4, left(t, err))
	again := r.begin(ann)
	r.send(again)
	_, err = r.verify(again, "mail", code)
	require.Equal(t, 3, left(t, err))
	g, err := r.verify(again, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
	e, err := r.begun(g.Grant, "mail", "b@example.com")
	require.NoError(t, err)
	code = r.mail.code("b@example.com")
	_, err = r.Session(ann, binding).Confirm(t.Context(), e, code)
	require.NoError(t, err)
	_, err = r.verify(r.begin(ann), "mail", code)
	require.Equal(t, 4, left(t, err))
}

// A correct code that came too late does not stand for a failed attempt of an attacker: with
// 200 incorrect responses beside 200 late ones at once, five get a verdict.
func TestVerify_LateCodesAddNoGuess(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	code := r.mail.code(ann.Email)
	r.clock.Advance(2 * time.Minute)
	managers := []*mfa.Manager{r.Manager, r.another(), r.another()}
	var verdicts atomic.Int32
	together(400, func(i int) {
		response := code
		if i%2 == 0 {
			response = secret.New("000000")
		}
		_, err := managers[i%len(managers)].Session(ann, binding).Verify(context.Background(), ch,
			"mail", response)
		var locked *mfa.LockedError
		switch {
		case errors.Is(err, factor.ErrIncorrect) && i%2 == 0:
			verdicts.Add(1)
		case errors.Is(err, factor.ErrExpired) && i%2 == 1, errors.As(err, &locked):
		default:
			t.Errorf("%d: %v", i, err)
		}
	})
	require.EqualValues(t, 5, verdicts.Load())
}

// A user is not locked whose codes an attacker superseded five times.
func TestVerify_AnothersChallengesLockNoUser(t *testing.T) {
	r := newRig(t)
	for range 8 {
		mine := r.begin(ann)
		r.send(mine)
		code := r.mail.code(ann.Email)
		r.send(r.begin(ann)) // the attacker's
		_, err := r.verify(mine, "mail", code)
		requireUncounted(t, err)
	}
	mine := r.begin(ann)
	r.send(mine)
	_, err := r.verify(mine, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
}

// While a user is locked, no response is looked at, whatever it is.
func TestVerify_LateCodesAreNotLookedAtWhileLocked(t *testing.T) {
	r := newRig(t)
	ch := r.begin(ann)
	r.send(ch)
	code := r.mail.code(ann.Email)
	r.clock.Advance(2 * time.Minute)
	for range 5 {
		_, _ = r.verify(ch, "mail", secret.New("000000"))
	}
	_, err := r.verify(ch, "mail", code)
	requireLocked(t, err)
}

// temporary is a kind with nothing sent whose word is correct, and late.
type temporary struct{ word }

func (w *temporary) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	v, err := w.word.Verify(ctx, in)
	if err == nil && !in.Confirming {
		return nil, fmt.Errorf("%w: at noon", factor.ErrExpired)
	}
	return v, err
}

// What is true of codes that are sent is true of every kind, and of every way to response.
func TestVerify_CountsNoLateResponseOfAnyKind(t *testing.T) {
	late := &temporary{word{kind: "late", traits: factor.Traits{Level: factor.LevelWeak}}}
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, late)
		c.Lockout.Tries, c.Lockout.DisableAfter = 5, 5
	})
	r.enroll(r.signIn(ann).Grant, "late", "tulip")
	for range 10 {
		_, err := r.verify(r.begin(ann), "late", secret.New("tulip"))
		requireUncounted(t, err)
	}
	for i := range 5 {
		_, err := r.verify(r.begin(ann), "late", secret.New("rose"))
		require.Equal(t, 4-i, left(t, err))
	}
	r.clock.Advance(3 * time.Minute)
	for range 10 { // the kind is disabled now
		_, err := r.Session(ann, binding).UnlockByProof(t.Context(), r.begin(ann), "late",
			secret.New("tulip"))
		requireUncounted(t, err)
	}
}

// lenient is a mail factor that accepts a code at any time.
type lenient struct{ *sent }

func (f lenient) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	in.Now = in.IssuedAt
	return f.sent.Verify(ctx, in)
}

// A code that is late is not accepted, nor counted, whatever its factor says.
func TestVerify_AcceptsNoLateCodeOfALenientFactor(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		for i, f := range c.Factors {
			if mail, ok := f.(*sent); ok {
				c.Factors[i] = lenient{mail}
			}
		}
	})
	ch := r.begin(ann)
	d := r.send(ch)
	r.clock.Set(d.Expires)
	for range 10 {
		v, err := r.verify(ch, "mail", r.mail.code(ann.Email))
		requireUncounted(t, err)
		require.Nil(t, v)
	}
	r.clock.Advance(-time.Millisecond)
	_, err := r.verify(ch, "mail", r.mail.code(ann.Email))
	require.NoError(t, err)
}
