package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// A policy for a whole tenant holds for every user type that has none of its own.
func TestPolicy_OfATenant(t *testing.T) {
	r := newRig(t)
	set := func(tenant, userType string, mode policy.Mode) {
		require.NoError(t, r.Admin(mfa.System("boss"), "").SetPolicy(t.Context(),
			policy.StoredPolicy{
				Scope:  policy.Scope{Tenant: tenant, UserType: userType},
				Policy: policy.Policy{Mode: mode},
			}))
	}
	mode := func(tenant, userType string) policy.Mode {
		p, err := r.Policy(t.Context(), policy.Scope{Tenant: tenant, UserType: userType})
		require.NoError(t, err)
		return p.Mode
	}
	set("acme", "", policy.ModeOptional)
	require.Equal(t, policy.ModeOptional, mode("acme", "staff"))
	require.Equal(t, policy.ModeOptional, mode("acme", ""))
	require.Equal(t, policy.ModeRequired, mode("other", "staff"), "another tenant has the default")
	set("acme", "staff", policy.ModeOff)
	require.Equal(t, policy.ModeOff, mode("acme", "staff"))
	require.Equal(t, policy.ModeOptional, mode("acme", "guest"))
}
