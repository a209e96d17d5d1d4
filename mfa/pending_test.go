package mfa_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// entryPoint is a way to respond with a Polled kind. poll says whether it gave a success.
type entryPoint struct {
	factor *approval
	device string
	poll   func() (success bool, err error)
}

// entryPoints opens every way to respond with a Polled kind, each in a rig of its own.
func entryPoints(
	t *testing.T, change func(*approvalRig), try func(*testing.T, *approvalRig, entryPoint),
) {
	for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
		t.Run(purpose, func(t *testing.T) {
			r := newApprovalRig(t)
			r.enrolApproval(r.colleague, "desk")
			change(r)
			p := entryPoint{factor: r.push, device: "phone"}
			switch purpose {
			case "confirm":
				e := r.enrolling(r.push, "tablet")
				p.device = "tablet"
				p.poll = func() (bool, error) {
					c, err := r.Session(ann, binding).Confirm(t.Context(), e, secret.New("x"))
					return c != nil, err
				}
			case "replace":
				p.factor, p.device = r.colleague, "desk"
				fallthrough
			default:
				ch := r.sent(purpose, p.factor.kind)
				s := withPurpose(r.Session(ann, binding), purpose)
				p.poll = func() (bool, error) {
					v, err := s.Verify(t.Context(), ch, p.factor.kind, secret.New("x"))
					return v != nil, err
				}
			}
			try(t, r, p)
		})
	}
}

// However often a client asks, nothing is counted, written or reported while nothing is decided,
// and the challenge and what was issued to it stay as they are.
func TestPending_IsNoAttemptAtAnyEntryPoint(t *testing.T) {
	entryPoints(t, func(*approvalRig) {}, func(t *testing.T, r *approvalRig, p entryPoint) {
		before, events := dump(t, r.store), len(r.events)
		r.store.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: errDisk})
		for range 150 { // more than disable a kind
			success, err := p.poll()
			require.False(t, success)
			requirePending(t, err)
		}
		r.store.Heal()
		require.Equal(t, before, dump(t, r.store))
		require.Len(t, r.events, events)
		p.factor.decide(p.device, nil)
		success, err := p.poll()
		require.NoError(t, err)
		require.True(t, success)
		success, err = p.poll()
		require.False(t, success, "single use")
		require.ErrorIs(t, err, mfa.ErrTokenExpired)
	})
}

// An expensive factor is charged before it is asked, and the charge is given back.
func TestPending_GivesTheChargeOfAnExpensiveFactorBack(t *testing.T) {
	expensive := func(r *approvalRig) {
		r.push.traits.Expensive, r.colleague.traits.Expensive = true, true
		r.Manager = r.another()
	}
	entryPoints(t, expensive, func(t *testing.T, r *approvalRig, p entryPoint) {
		events := len(r.events)
		for range 12 { // more than lock
			success, err := p.poll()
			require.False(t, success)
			requirePending(t, err)
		}
		require.Len(t, r.events, events)
		p.factor.decide(p.device, factor.ErrIncorrect)
		_, err := p.poll()
		require.Equal(t, 4, left(t, err), "the first failed attempt")
	})
}

// What is denied is denied: the denial is counted once, and a later approval counts for nothing.
func TestPending_ADenialIsFinal(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*approvalRig)
		denial error
	}{
		{"denied", func(*approvalRig) {}, factor.ErrIncorrect},
		{"replayed", func(*approvalRig) {}, factor.ErrReplayed},
		{"expensive", func(r *approvalRig) {
			r.push.traits.Expensive, r.colleague.traits.Expensive = true, true
			r.Manager = r.another()
		}, factor.ErrIncorrect},
	} {
		t.Run(c.name, func(t *testing.T) {
			entryPoints(t, c.change, func(t *testing.T, r *approvalRig, p entryPoint) {
				p.factor.decide(p.device, c.denial)
				success, err := p.poll()
				require.False(t, success)
				require.ErrorIs(t, err, c.denial)
				require.Equal(t, 4, left(t, err))
				p.factor.decide(p.device, nil)
				for range 10 {
					success, err = p.poll()
					require.False(t, success)
					require.ErrorIs(t, err, factor.ErrExpired)
					requireNotCounted(t, err)
				}
			})
		})
	}
}

// A denial of one request does not end the next, which the client asked for meanwhile.
func TestPending_ADenialEndsItsOwnRequestOnly(t *testing.T) {
	r := newApprovalRig(t)
	r.push.traits.Expensive = true
	r.Manager = r.another()
	ch := r.sent("sign-in", "push")
	r.push.says = func(factor.VerifyInput) (*factor.Verdict, error) {
		r.push.says = nil
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
		require.NoError(t, err)
		return nil, factor.ErrIncorrect
	}
	require.Equal(t, 4, left(t, r.poll(ch)))
	requirePending(t, r.poll(ch))
	r.push.decide("phone", nil)
	require.NoError(t, r.poll(ch))
}

// What has expired is expired, whatever the factor says of it; and what has not been asked is
// expired too, without the factor being asked.
func TestPending_EndsWithWhatWasIssued(t *testing.T) {
	undecided := func(factor.VerifyInput) (*factor.Verdict, error) { return nil, factor.ErrPending }
	for _, expensive := range []bool{false, true} {
		r := newApprovalRig(t)
		r.push.traits.Expensive = expensive
		r.Manager = r.another()
		expired := func(ch *mfa.Challenge) {
			t.Helper()
			err := r.poll(ch)
			require.ErrorIs(t, err, factor.ErrExpired)
			require.NotErrorIs(t, err, factor.ErrPending)
			requireNotCounted(t, err)
		}
		r.push.says = undecided
		asked := r.push.times()
		expired(r.begin(ann)) // nothing is issued
		require.Equal(t, asked, r.push.times())
		ch := r.sent("sign-in", "push")
		requirePending(t, r.poll(ch))
		r.clock.Advance(90*time.Second - time.Millisecond)
		requirePending(t, r.poll(ch))
		r.clock.Advance(time.Millisecond)
		expired(ch)
		r.push.says = nil
		r.push.decide("phone", nil)
		expired(ch)

		ch = r.sent("sign-in", "push")
		r.sent("sign-in", "push") // another challenge asks
		asked = r.push.times()
		expired(ch)
		require.Equal(t, asked, r.push.times())

		r.push.says = undecided
		ch = r.sent("sign-in", "push")
		r.clock.Advance(15 * time.Minute)
		require.ErrorIs(t, r.poll(ch), mfa.ErrTokenExpired)
	}
}

// While a user is locked, or the kind is disabled, a poll says that and nothing else: neither that
// nothing is decided, nor that it is approved.
func TestPending_IsNoOracleForALockedUser(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.sent("sign-in", "push")
	for range 5 {
		_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	asked := r.push.times()
	requireLocked(t, r.poll(ch))
	r.push.decide("phone", nil)
	requireLocked(t, r.poll(ch))
	require.Equal(t, asked, r.push.times())
	_, err := r.Session(ann, binding).Send(t.Context(), r.begin(ann), "push")
	requireLocked(t, err)
}

// A lock that begins while an expensive factor looks is the answer.
func TestPending_IsNoOracleWhereALockComesBetween(t *testing.T) {
	r := newApprovalRig(t)
	r.push.traits.Expensive = true
	r.Manager = r.another()
	ch := r.sent("sign-in", "push")
	r.push.says = func(factor.VerifyInput) (*factor.Verdict, error) {
		for range 5 {
			_, err := r.verify(r.begin(ann), "app", secret.New("wrong"))
			require.Error(t, err)
		}
		return nil, factor.ErrPending
	}
	requireLocked(t, r.poll(ch))
}

// Denials lock like any failed attempts, and then no further request reaches the device.
func TestPending_DenialsLockAndDisable(t *testing.T) {
	r := newApprovalRig(t, func(c *mfa.Config) { c.RateLimits.PerUser = 500 })
	for n := range 100 {
		ch := r.sent("sign-in", "push")
		r.push.decide("phone", factor.ErrIncorrect)
		require.ErrorIs(t, r.poll(ch), factor.ErrIncorrect)
		if (n+1)%5 == 0 && n < 99 {
			_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
			requireLocked(t, err)
			r.clock.Advance(3 * time.Minute)
		}
	}
	r.clock.Advance(3 * time.Minute)
	delivered := r.push.delivered
	_, err := r.Session(ann, binding).Send(t.Context(), r.begin(ann), "push")
	var disabled *mfa.DisabledError
	require.ErrorAs(t, err, &disabled)
	require.Equal(t, delivered, r.push.delivered)
	_, err = r.Session(ann, binding).UnlockByProof(t.Context(), r.begin(ann), "push", secret.Text{})
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "what sends is not enabled by responses")
}

// An attacker with the password cannot send the user's device one request after the other. Polls
// are free, and buy no request.
func TestPending_PromptsAreLimited(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.begin(ann)
	before, limited := r.push.delivered, false
	for range 60 {
		_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
		var over *mfa.RateLimitError
		if limited = errors.As(err, &over); limited {
			break
		}
		require.NoError(t, err)
		requirePending(t, r.poll(ch))
	}
	require.True(t, limited)
	require.Less(t, r.push.delivered-before, 30, "the requests of an hour, for enrolments too")
	delivered := r.push.delivered
	for range 100 {
		requirePending(t, r.poll(ch))
	}
	_, err := r.Session(ann, binding).Send(t.Context(), ch, "push")
	require.Error(t, err)
	require.Equal(t, delivered, r.push.delivered)
}

// What is not counted holds no guess: the factor receives nothing of what the client sends.
func TestPending_ResponsesHoldNoGuess(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.sent("sign-in", "push")
	for _, guess := range []string{"", "123456", "\x00", string(make([]byte, 10_000))} {
		_, err := r.verify(ch, "push", secret.New(guess))
		requirePending(t, err)
	}
	for _, in := range r.push.asked {
		require.True(t, in.Response.IsZero())
	}
}

// For every other kind ErrPending is a failed attempt, and it is not passed on: a factor that reads
// the response could be asked without end otherwise. Beside another refusal it says nothing.
func TestPending_OfOtherFactorsIsAFailedAttempt(t *testing.T) {
	joined := func(err error) error { return fmt.Errorf("%w: %w", factor.ErrPending, err) }
	for name, c := range map[string]struct {
		polled bool
		says   error
		want   error
	}{
		"not polled":           {false, factor.ErrPending, mfa.ErrUnavailable},
		"not polled, wrapped":  {false, joined(errDisk), mfa.ErrUnavailable},
		"not polled, refused":  {false, joined(factor.ErrIncorrect), factor.ErrIncorrect},
		"polled and incorrect": {true, joined(factor.ErrIncorrect), factor.ErrIncorrect},
		"polled and replayed":  {true, joined(factor.ErrReplayed), factor.ErrReplayed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newApprovalRig(t)
			r.push.traits.Polled = c.polled
			r.Manager = r.another()
			ch := r.sent("sign-in", "push")
			r.push.says = func(factor.VerifyInput) (*factor.Verdict, error) {
				return &factor.Verdict{State: []byte("x"), Ended: true}, c.says
			}
			_, err := r.verify(ch, "push", secret.New("guess"))
			require.ErrorIs(t, err, c.want)
			require.NotErrorIs(t, err, factor.ErrPending)
			require.Equal(t, 4, left(t, err))
		})
	}
}

// A Verdict beside ErrPending is ignored, and what the error wraps as well.
func TestPending_IgnoresWhatIsBesideIt(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.sent("sign-in", "push")
	before := dump(t, r.store)
	r.push.says = func(factor.VerifyInput) (*factor.Verdict, error) {
		return &factor.Verdict{State: []byte("x"), Ended: true, Cloned: true, UserVerified: true},
			fmt.Errorf("%w: %w", factor.ErrPending, mfa.ErrUnavailable)
	}
	requirePending(t, r.poll(ch))
	require.Equal(t, before, dump(t, r.store))
	require.NotContains(t, r.eventNames(), "factor.cloned")
}

// Requests take no place in the memory of codes that a user may yet type.
func TestPending_RequestsForgetNoCodes(t *testing.T) {
	r := newApprovalRig(t)
	ch := r.begin(ann)
	r.send(ch)
	early := r.mail.code(ann.Email)
	r.send(ch)
	for range 4 {
		r.sent("sign-in", "push")
	}
	_, err := r.verify(ch, "mail", early)
	requireUncounted(t, err)
}
