package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// list is a printed list of codes. It runs out as recovery codes do, and is none of them.
type list struct{ codes }

func (list) Kind() string { return "list" }
func (list) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, Limited: true}
}
func (list) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("abcde")}, nil
}

// TestLimited_IsNoRecoveryCode: a user with a kind that runs out and is no recovery kind has no
// recovery codes. The user is asked to make some, and no notice calls the kind recovery codes.
func TestLimited_IsNoRecoveryCode(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Factors = append([]factor.Factor{madeCodes{}, list{}}, c.Factors...)
	})
	g := r.enroll(r.begin(bea).Grant, "list", "a").Grant
	o, err := r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Equal(t, 4, o.Factors[0].Remaining)
	require.False(t, o.Factors[0].Unsaved)
	require.Equal(t, -1, o.RecoveryCodesRemaining)
	require.False(t, o.RecoveryCodesLow)
	require.True(t, o.RecoveryCodesDue)

	v, err := r.verify(r.begin(bea), "list", secret.New("b"))
	require.NoError(t, err)
	require.Equal(t, -1, v.RecoveryCodesRemaining)
	require.Equal(t, 2, v.AssuranceLevel)
	require.NotContains(t, r.eventNames(), "recovery.low")
	data, err := r.Admin(boss, "").PersonalData(t.Context(), bea)
	require.NoError(t, err)
	require.Equal(t, 3, *data.Factors[0].Remaining)

	// What administrators make runs out too, and is no set of recovery codes either.
	e, err := r.Session(bea, binding).NewRecoveryCodes(t.Context(), g)
	require.NoError(t, err)
	require.Equal(t, "recovery", e.Kind)
	o, err = r.Overview(t.Context(), bea)
	require.NoError(t, err)
	require.Equal(t, 5, o.RecoveryCodesRemaining)
	require.False(t, o.RecoveryCodesLow)
	for i, code := range []string{"a", "b"} {
		_, err = r.verify(r.begin(bea), "recovery", secret.New(code))
		require.NoError(t, err)
		o, err = r.Overview(t.Context(), bea)
		require.NoError(t, err)
		require.Equal(t, i == 1, o.RecoveryCodesLow)
	}
}
