package mfa_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Reading a stored form takes the place of everything that the value was before, also when the form
// is refused.
func TestKept_ReadingForgetsWhatWasThere(t *testing.T) {
	r := newRig(t)
	v := r.signIn(ann)
	e, err := r.begun(v.Grant, "app", "word")
	require.NoError(t, err)
	for _, text := range []string{"", strings.Repeat("a", 9000)} {
		ch, pending, g := *r.begin(ann), *e, v.Grant
		require.ErrorIs(t, ch.UnmarshalText([]byte(text)), mfa.ErrToken)
		require.ErrorIs(t, ch.UnmarshalBinary([]byte(text)), mfa.ErrToken)
		require.ErrorIs(t, pending.UnmarshalText([]byte(text)), mfa.ErrToken)
		require.ErrorIs(t, pending.UnmarshalBinary([]byte(text)), mfa.ErrToken)
		require.Equal(t, text != "", g.UnmarshalText([]byte(text)) != nil)
		require.Equal(t, text != "", g.UnmarshalBinary([]byte(text)) != nil)
		require.Equal(t, mfa.Challenge{}, ch)
		require.Equal(t, mfa.Enrollment{}, pending)
		require.True(t, g.IsZero())
	}
	require.Equal(t, "[redacted]", fmt.Sprint(v.Grant))
}

// A challenge without a password expires with the factor's or with the Manager's, whichever is
// first, and refuses what names no instance.
func TestPasswordless_BoundsChallengesAndNames(t *testing.T) {
	r, _ := keyRig(t)
	r.withKey(ann, "k1")
	require.Equal(t, testStart.Add(5*time.Minute), r.open().Expires, "the factor's")
	r.cfg.ChallengeTTL = time.Minute
	ch, err := r.another().Passwordless(binding).Begin(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, testStart.Add(time.Minute), ch.Expires, "the Manager's")

	verify := func(ch *mfa.Challenge, response string) error {
		_, err := r.Passwordless(binding).Verify(t.Context(), ch, secret.New(response), known(ann))
		return err
	}
	long := strings.Repeat("k", 1024)
	require.ErrorIs(t, verify(nil, "k1 x"), mfa.ErrToken)
	require.ErrorIs(t, verify(r.begin(ann), "k1 x"), mfa.ErrToken)
	require.ErrorIs(t, verify(r.open(), ""), factor.ErrMalformed)
	require.ErrorIs(t, verify(r.open(), " x"), factor.ErrMalformed)
	require.ErrorIs(t, verify(r.open(), long+" x"), factor.ErrMalformed)
	require.ErrorIs(t, verify(r.open(), long[:1023]+" x"), mfa.ErrUnknownFactor)
	r.clock.Advance(time.Minute)
	require.ErrorIs(t, verify(ch, "k1 "+string(ch.Prompt.Data)), mfa.ErrTokenExpired)
	_, err = r.Passwordless("").Begin(t.Context(), "key")
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, err = r.Passwordless("").Verify(t.Context(), ch, secret.New("k1 x"), known(ann))
	require.ErrorIs(t, err, factor.ErrMalformed)
	_, err = r.Passwordless(binding).Begin(t.Context(), "app")
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	// An enrolment that names nothing, or too much, claims nothing.
	e, err := r.Session(ann, binding).Enroll(t.Context(), r.keyGrant(),
		mfa.EnrollRequest{Kind: "key"})
	require.NoError(t, err)
	before := identities(t, r)
	for _, name := range []string{"", long} {
		_, err = r.Session(ann, binding).Confirm(t.Context(), e, secret.New(name+" x"))
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	require.Equal(t, before, identities(t, r))
}

// keyGrant is a grant of a verification by ann's passkey.
func (r *rig) keyGrant() mfa.Grant {
	r.t.Helper()
	v, err := r.respondTo(r.Session(ann, binding).ManageFactors(), r.beginFor(ann, "manage"), "k1",
		"")
	require.NoError(r.t, err)
	return v.Grant
}
