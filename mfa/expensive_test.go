package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// A caller who hangs up while a PIN is verified has used it if it was correct, and one who hangs up
// during an incorrect one has not ended the count.
func TestVerifyExpensive_IsSettledWithoutTheCaller(t *testing.T) {
	for word, correct := range map[string]bool{"1234": true, "4321": false} {
		r := newRig(t)
		r.enroll(r.signIn(ann).Grant, "pin", "1234")
		ch := r.begin(ann)
		ctx, cancel := context.WithCancel(t.Context())
		r.pin.word.verify = func(factor.VerifyInput) { cancel() }
		v, err := r.Session(ann, binding).Verify(ctx, ch, "pin", secret.New(word))
		require.Equal(t, correct, v != nil, "%v", err)
		require.Equal(t, correct, err == nil)
		require.Nil(t, r.record(ann).Charge)
		require.Equal(t, !correct, r.record(ann).Lockout.Kinds["pin"].Streak == 1)
	}
}

// A response that is refused before it is verified writes nothing, expensive or not.
func TestVerifyExpensive_WritesNothingWhileLocked(t *testing.T) {
	r := newRig(t)
	r.enroll(r.signIn(ann).Grant, "pin", "1234")
	ch := r.begin(ann)
	for range 5 {
		_, err := r.verify(ch, "pin", secret.New("4321"))
		require.Error(t, err)
	}
	before := r.store.Calls(mfatest.OpSwap)
	_, err := r.verify(ch, "pin", secret.New("1234"))
	requireLocked(t, err)
	require.Equal(t, before, r.store.Calls(mfatest.OpSwap))
}

// A caller who has gone does not wait for their turn.
func TestVerifyExpensive_WaitsNoLongerThanTheCaller(t *testing.T) {
	r := newRig(t)
	r.enroll(r.signIn(ann).Grant, "pin", "1234")
	ch, other := r.begin(ann), r.begin(ann)
	var second error
	r.pin.word.verify = func(factor.VerifyInput) {
		r.pin.word.verify = nil
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, second = r.Session(ann, binding).Verify(ctx, other, "pin", secret.New("1234"))
	}
	_, err := r.verify(ch, "pin", secret.New("1234"))
	require.NoError(t, err)
	require.ErrorIs(t, second, mfa.ErrUnavailable)
	require.ErrorIs(t, second, context.Canceled)
}
