package mfa_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// A remembered device takes the place of a response, and never of an enrolment that the policy
// requires.
func TestBegin_ADeviceReplacesNoEnrolment(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	r.setPolicy(policy.Policy{Kinds: []string{"app"}, Remember: fortnight})
	ch := r.beginOn(ann, token)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	require.False(t, ch.Remembered)
	require.NotEmpty(t, ch.Grant)
}

// A device token costs a read and a write only where the user has devices.
func TestBegin_ReadsOnceForAUserWithoutDevices(t *testing.T) {
	r := remembering(t)
	token := r.onDevice(ann, "Laptop")
	require.NoError(t, r.PasswordChanged(t.Context(), ann))
	reads := func(begin func()) int {
		before := r.store.Calls(mfatest.OpGet)
		begin()
		return r.store.Calls(mfatest.OpGet) - before
	}
	plain := reads(func() { r.begin(ann) })
	require.Equal(t, plain, reads(func() { r.beginOn(ann, token) }))
}

// The first sign-in that asks for an enrolment is noted, and later ones read the record once.
func TestBegin_NotesOnceThatItAsksForAnEnrolment(t *testing.T) {
	r := withGrace(t, time.Hour, 0)
	calls := func() [2]int {
		gets, swaps := r.store.Calls(mfatest.OpGet), r.store.Calls(mfatest.OpSwap)
		r.asked(r.Manager, binding)
		return [2]int{r.store.Calls(mfatest.OpGet) - gets, r.store.Calls(mfatest.OpSwap) - swaps}
	}
	first := calls()
	require.Equal(t, 1, first[1])
	require.Equal(t, [2]int{2, 0}, calls(), "the policy and the record")
}

// The clock of the application may be up to a minute ahead. What it says of the future counts as
// now, and lasts no longer.
func TestBegin_AFirstFactorOfTheFutureIsOneOfNow(t *testing.T) {
	for name, tc := range map[string]struct {
		ahead time.Duration
		err   error
	}{
		"a minute":           {time.Minute, nil},
		"more than a minute": {time.Minute + time.Millisecond, mfa.ErrFirstFactorRequired},
	} {
		r := with(t, policy.Policy{})
		s := r.Session(bea, binding).ManageFactors()
		ch, err := s.FirstFactorAt(r.clock.Now().Add(tc.ahead)).Begin(t.Context())
		require.ErrorIs(t, err, tc.err, name)
		if err != nil {
			continue
		}
		r.clock.Advance(15*time.Minute - time.Millisecond)
		enrol := func() error {
			_, err := r.Session(bea, binding).Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{
				Kind: "app", Params: map[string]secret.Text{"word": secret.New("tulip")}})
			return err
		}
		require.NoError(t, enrol())
		r.clock.Advance(time.Millisecond)
		require.ErrorIs(t, enrol(), mfa.ErrTokenExpired)
	}
}

// That an address keeps a user out is noted once a day, at most. Without the note the sign-in
// fails with the store.
func TestBegin_NotesAnUndeliverableAddressOnceADay(t *testing.T) {
	r := newRig(t)
	nowhere := mfa.User{ID: "nowhere", Email: "a@intranet", EmailVerified: true}
	noted := func() int {
		_, err := r.Session(nowhere, binding).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrUndeliverable)
		return count(r.eventNames(), "address.undeliverable")
	}
	require.Equal(t, 1, noted())
	r.clock.Advance(day - time.Millisecond)
	writes := r.store.Calls(mfatest.OpSwap)
	require.Equal(t, 1, noted())
	require.Equal(t, writes, r.store.Calls(mfatest.OpSwap))
	r.clock.Advance(time.Millisecond)
	require.Equal(t, 2, noted())
	r.clock.Advance(day)
	r.store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("down")})
	_, err := r.Session(nowhere, binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotErrorIs(t, err, factor.ErrUndeliverable)
}
