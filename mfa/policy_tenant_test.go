package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
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

// A user with one ID in two tenants has factors of their own in each. For every act the application
// learns in which of them the administrator is signed in.
func TestAuthorize_KnowsTheActorsTenant(t *testing.T) {
	tenants := map[string]string{}
	r := newRig(t, func(c *mfa.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			tenants[a.Name] = a.ActorTenant
			return nil
		}
	})
	boss := mfa.User{ID: "boss", Tenant: "lax"}
	own := r.Session(boss, binding)
	begun, err := own.Begin(t.Context())
	require.NoError(t, err)
	e, err := own.Enroll(t.Context(), begun.Grant, mfa.EnrollRequest{Kind: "app",
		Params: map[string]secret.Text{"word": secret.New("boss")}})
	require.NoError(t, err)
	confirmed, err := own.Confirm(t.Context(), e, secret.New("boss"))
	require.NoError(t, err)
	other := mfa.User{ID: "ann", Tenant: "strict", Email: "ann@example.com", EmailVerified: true}
	admin := r.Admin(own.Actor(confirmed.Grant), "")
	require.NoError(t, admin.Reset(t.Context(), other))
	require.NoError(t, admin.Delete(t.Context(), other))
	require.NoError(t, admin.SetPolicy(t.Context(), policy.StoredPolicy{
		Scope: policy.Scope{Tenant: "strict"}}))
	_, err = admin.SupportCases(t.Context(), "strict")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"reset": "lax", "delete": "lax", "set-policy": "lax",
		"support-cases": "lax"}, tenants)
	require.NoError(t, r.Admin(mfa.System("nightly"), "").Reset(t.Context(), other))
	require.Empty(t, tenants["reset"], "a program acts in no tenant")
}
