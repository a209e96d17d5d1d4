package mfa_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// A factor that cannot say what was decided is an outage and no failed attempt: a client that polls
// has typed nothing, and would lock its user within seconds.
func TestPending_AFailureOfThePolledFactorIsNotCounted(t *testing.T) {
	for _, expensive := range []bool{false, true} {
		for name, fail := range map[string]func(){
			"an error": func() {},
			"a panic":  func() { panic("mailbox") },
		} {
			t.Run(fmt.Sprint(name, " ", expensive), func(t *testing.T) {
				change := func(r *approvalRig) {
					r.push.traits.Expensive, r.colleague.traits.Expensive = expensive, expensive
					r.Manager = r.another()
				}
				entryPoints(t, change, func(t *testing.T, r *approvalRig, p entryPoint) {
					p.factor.says = func(factor.VerifyInput) (*factor.Verdict, error) {
						fail()
						return nil, errDisk
					}
					for range 12 {
						success, err := p.poll()
						require.False(t, success)
						require.ErrorIs(t, err, mfa.ErrUnavailable)
						require.NotErrorIs(t, err, factor.ErrPending)
						requireNotCounted(t, err)
					}
					p.factor.says = nil
					p.factor.decide(p.device, nil)
					success, err := p.poll()
					require.NoError(t, err)
					require.True(t, success)
				})
			})
		}
	}
}

// A failure of the store is an outage, whatever the factor says, and never a success.
func TestPending_AFailureOfTheStoreIsNotPending(t *testing.T) {
	for _, expensive := range []bool{false, true} {
		r := newApprovalRig(t)
		r.push.traits.Expensive = expensive
		r.Manager = r.another()
		ch := r.sent("sign-in", "push")
		r.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errDisk})
		require.ErrorIs(t, r.poll(ch), mfa.ErrUnavailable)
		r.store.Heal()
		r.push.decide("phone", nil)
		r.store.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: errDisk})
		err := r.poll(ch)
		r.store.Heal()
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.NotErrorIs(t, err, factor.ErrPending)
		require.NoError(t, r.poll(ch))
	}
}

// A poll is about the device that was asked. The user's other devices, which a factor cannot find
// anything for, make it neither incorrect nor expired.
func TestPending_AsksTheDeviceThatWasAsked(t *testing.T) {
	r := newApprovalRig(t)
	r.enrolApproval(r.push, "tablet")
	ch := r.begin(ann)
	for _, device := range []string{"phone", "tablet"} {
		var o mfa.Option
		for _, option := range ch.Options {
			if option.FactorID == r.deviceID(device) {
				o = option
			}
		}
		require.True(t, o.Polled && o.Sends)
		_, err := r.Session(ann, binding).SendTo(t.Context(), ch, o)
		require.NoError(t, err)
		r.push.asked = nil
		requirePending(t, r.poll(ch))
		require.Len(t, r.push.asked, 1)
		require.Equal(t, device, string(r.push.asked[0].State))
	}
	r.push.decide("phone", nil) // of what another request superseded
	requirePending(t, r.poll(ch))
	r.push.decide("tablet", factor.ErrIncorrect)
	require.Equal(t, 4, left(t, r.poll(ch)), "the approval of the phone excuses no denial")
}

// A challenge that goes to all devices is denied by one of them, although the others are silent.
func TestPending_OneDenialOfASharedChallengeDenies(t *testing.T) {
	r := newApprovalRig(t)
	r.push.traits.SharedChallenge = true
	r.Manager = r.another()
	r.enrolApproval(r.push, "tablet")
	for _, device := range []string{"phone", "tablet"} {
		ch := r.sent("sign-in", "push")
		requirePending(t, r.poll(ch))
		r.push.says = func(in factor.VerifyInput) (*factor.Verdict, error) {
			if string(in.State) == device {
				return nil, factor.ErrIncorrect
			}
			return nil, factor.ErrPending
		}
		require.ErrorIs(t, r.poll(ch), factor.ErrIncorrect)
		r.push.says = nil
		require.ErrorIs(t, r.poll(ch), factor.ErrExpired)
	}
}

// Of many clients that poll at the moment of an approval, one signs in.
func TestPending_OneApprovalSignsInOnce(t *testing.T) {
	for _, expensive := range []bool{false, true} {
		r := newApprovalRig(t)
		r.push.traits.Expensive = expensive
		managers := []*mfa.Manager{r.another(), r.another()}
		ch := r.sent("sign-in", "push")
		r.push.decide("phone", nil)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				s := managers[i%2].Session(ann, binding)
				if v, err := s.Verify(t.Context(), ch, "push", secret.Text{}); err == nil {
					require.NotNil(t, v)
					wins.Add(1)
				}
			})
		}
		wg.Wait()
		require.Equal(t, int32(1), wins.Load())
	}
}

// A response without a first factor names its instance, so that it cannot be a poll. A factor that
// returns ErrPending to one lets nobody in, and says nothing of the kind.
func TestPending_IsNoneWithoutAFirstFactor(t *testing.T) {
	_, err := mfa.New(polledKeyConfig(t))
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ErrorContains(t, err, "cannot name an instance")

	k := &pendingKey{signer: &signer{resistant: true}}
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append(c.Factors, k)
		c.Policies = policy.Stored(policy.Static(passwordless))
	})
	r.withKey(ann, "key-1")
	k.pending = true
	v, err := r.answer(r.open(), "key-1", "", ann)
	require.Nil(t, v)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotErrorIs(t, err, factor.ErrPending)
}

// Which kinds are polled is kept with a challenge and an enrolment.
func TestPending_IsKnownOfWhatIsKept(t *testing.T) {
	r := newApprovalRig(t)
	ch, e := r.begin(ann), r.enrolling(r.push, "tablet")
	require.True(t, e.Polled)
	s := r.another().Session(ann, binding)
	for _, coding := range codings {
		again := restored(t, coding, *ch)
		require.NoError(t, s.RestoreChallenge(again))
		require.Equal(t, ch.Options, again.Options)
		pending := restored(t, coding, *e)
		require.NoError(t, s.RestoreEnrollment(pending))
		require.True(t, pending.Polled)
	}
	polled := map[string]bool{}
	for _, o := range ch.Options {
		polled[o.Kind] = o.Polled
	}
	require.Equal(t, map[string]bool{"app": false, "mail": false, "push": true}, polled)
}
