package mfa_test

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// testdata/policies.txt is the record of a tenant that was stored before package policy
// existed, sealed with this key.
func TestManagerPolicy_ReadsEarlierRecords(t *testing.T) {
	text, err := os.ReadFile("testdata/policies.txt")
	require.NoError(t, err)
	data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	keys, err := seal.NewKeyring([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	r := newRig(t, func(c *mfa.Config) { c.Keys = keys })
	rec := storage.Record{Revision: "1", Data: data}
	require.NoError(t, r.store.Swap(t.Context(), "t/acme", "", rec))

	staff := policy.Policy{Mode: policy.ModeOptional, Kinds: []string{"app", "mail"},
		Default: "mail", Implicit: []string{"mail"}, KeepImplicit: true,
		EnrollBy: time.Date(2026, 4, 1, 8, 30, 0, 0, time.UTC), MaxAge: 10 * time.Minute,
		RecoveryHold: 48 * time.Hour, Remember: 30 * 24 * time.Hour}
	for userType, want := range map[string]policy.Policy{"": policy.Policy{}.WithDefaults(),
		"off": policy.Policy{Mode: policy.ModeOff}.WithDefaults(), "staff": staff} {
		got, err := r.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: userType})
		require.NoError(t, err)
		require.Equal(t, want, got, userType)
	}
}

// A Source of the application that returns what New would refuse weakens nothing.
func TestManagerPolicy_BoundsWhatTheApplicationReturns(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Policies = policyFunc(func() policy.Policy {
			return policy.Policy{Mode: "optionl", MaxAge: -1, RecoveryHold: 1,
				Remember: 1e6 * time.Hour}
		})
	})
	got, err := r.Policy(t.Context(), policy.Scope{})
	require.NoError(t, err)
	require.Equal(t, policy.Policy{Mode: policy.ModeRequired, MaxAge: 5 * time.Minute,
		RecoveryHold: 24 * time.Hour, Remember: 90 * 24 * time.Hour}, got)
}

// Policies that the configuration fixes cannot be set, and a scope is bounded as a user's is.
func TestSetPolicy_RefusesWhatCannotBeSet(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.Policies = policy.Static(impliedMail) })
	err := r.Admin(boss, "").SetPolicy(t.Context(), policy.StoredPolicy{})
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ErrorContains(t, err, "use policy.Stored")
	r = newRig(t)
	long := strings.Repeat("t", 65)
	for _, scope := range []policy.Scope{{Tenant: long}, {UserType: long}} {
		require.ErrorIs(t, r.Admin(boss, "").SetPolicy(t.Context(),
			policy.StoredPolicy{Scope: scope}), factor.ErrMalformed)
	}
	require.Empty(t, dump(t, r.store))
	require.NoError(t, r.Admin(boss, "").SetPolicy(t.Context(), policy.StoredPolicy{
		Scope: policy.Scope{Tenant: long[:64], UserType: long[:64]}}))
}
