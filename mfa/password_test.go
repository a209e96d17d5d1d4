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
)

func TestManagerCheckPasswordChange_AsksUsersWithASecondFactor(t *testing.T) {
	r := newRig(t)
	check := func(s mfa.User, g mfa.Grant) error {
		return r.Session(s, binding).CheckPasswordChange(t.Context(), g)
	}
	nobody := mfa.User{ID: "new"}
	require.NoError(t, check(nobody, mfa.Grant{}), "a user who has nothing proves the password")
	require.NoError(t, check(mfa.User{ID: "x", Email: "x@intranet", EmailVerified: true},
		mfa.Grant{}),
		"an address that cannot be mailed to must not keep the password as it is")
	require.ErrorIs(t, check(ann, mfa.Grant{}), mfa.ErrToken, "the address is a second factor")
	grant := r.signIn(ann).Grant
	require.NoError(t, check(ann, grant))
	strong := r.enroll(grant, "app", "word").Grant
	require.ErrorIs(t, check(ann, grant), mfa.ErrProofRequired)
	require.NoError(t, check(ann, strong))
	require.ErrorIs(t, check(person(1), strong), mfa.ErrToken)

	lost := mfa.User{ID: "lost", Enrolled: true}
	require.ErrorIs(t, check(lost, mfa.Grant{}), mfa.ErrRecordMissing)
	require.ErrorIs(t, check(mfa.User{}, mfa.Grant{}), factor.ErrMalformed)
	r.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
	require.ErrorIs(t, check(nobody, mfa.Grant{}), mfa.ErrUnavailable)
	r.clock.Advance(5 * time.Minute)
	require.ErrorIs(t, check(ann, strong), mfa.ErrTokenExpired)
}

// A user with a factor of their own needs a grant, whether or not an address is one as well.
func TestManagerCheckPasswordChange_AsksUsersWithoutAnAddress(t *testing.T) {
	r := with(t, policy.Policy{})
	g := r.setUp(bea, "app")
	s := r.Session(bea, binding)
	require.ErrorIs(t, s.CheckPasswordChange(t.Context(), mfa.Grant{}), mfa.ErrToken)
	require.NoError(t, s.CheckPasswordChange(t.Context(), g))
}
