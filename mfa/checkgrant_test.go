package mfa_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func TestSessionCheck_NeedsAGrant(t *testing.T) {
	r := newRig(t)
	weak := r.signIn(ann).Grant
	require.NoError(t, r.Session(ann, binding).Check(t.Context(), weak))
	strong := r.enroll(weak, "app", "word").Grant
	check := func(s mfa.User, g mfa.Grant, b string) error {
		return r.Session(s, b).Check(t.Context(), g)
	}
	require.NoError(t, check(ann, strong, binding))
	require.ErrorIs(t, check(ann, weak, binding), mfa.ErrForbidden,
		"there is a stronger factor now")
	require.ErrorIs(t, check(person(1), strong, binding), mfa.ErrToken, "another person's")
	require.ErrorIs(t, check(ann, strong, "another session"), mfa.ErrToken)
	require.ErrorIs(t, check(ann, grantOf(secret.New("x")), binding), mfa.ErrToken)
	require.ErrorIs(t, check(mfa.User{}, strong, binding), factor.ErrMalformed)
	first := r.begin(mfa.User{ID: "new"})
	require.Equal(t, mfa.NextEnroll, first.Next)
	require.ErrorIs(t, check(mfa.User{ID: "new"}, first.Grant, binding), mfa.ErrForbidden,
		"that one opens an enrolment and nothing else")
	r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
	require.ErrorIs(t, check(ann, strong, binding), mfa.ErrUnavailable)
	r.clock.Advance(5 * time.Minute)
	require.ErrorIs(t, check(ann, strong, binding), mfa.ErrTokenExpired)
}
