package mfa_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// A policy for a whole tenant holds for every user type that has none of its own.
func TestPolicyOfATenant(t *testing.T) {
	r := newRig(t)
	set := func(tenant, userType string, mode mfa.Mode) {
		require.NoError(t, r.SetPolicy(t.Context(), mfa.SetPolicyRequest{Actor: mfa.System("boss"), Tenant: tenant, UserType: userType, Policy: mfa.Policy{Mode: mode}}))
	}
	mode := func(tenant, userType string) mfa.Mode {
		p, err := r.Policy(t.Context(), tenant, userType)
		require.NoError(t, err)
		return p.Mode
	}
	set("acme", "", mfa.Optional)
	require.Equal(t, mfa.Optional, mode("acme", "staff"))
	require.Equal(t, mfa.Optional, mode("acme", ""))
	require.Equal(t, mfa.Required, mode("other", "staff"), "another tenant has the default")
	set("acme", "staff", mfa.Off)
	require.Equal(t, mfa.Off, mode("acme", "staff"))
	require.Equal(t, mfa.Optional, mode("acme", "guest"))
}
