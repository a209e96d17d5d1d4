package command_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// A policy in the store that breaks a profile is found with its scope, and the exit code says so.
func TestAudit_FindsPoliciesThatBreakAProfile(t *testing.T) {
	engines(t, func(t *testing.T, o *operator) {
		sound := []string{"audit", "-profile", "nist-aal2", "-kinds", "totp,passkey"}
		o.does(sound...)

		m := o.application(func(cfg *mfa.Config) {
			cfg.Authorize = func(context.Context, mfa.AdminAction) error { return nil }
		})
		require.NoError(t, m.Admin(mfa.System("console"), "").SetPolicy(t.Context(),
			policy.StoredPolicy{Scope: policy.Scope{Tenant: "acme", UserType: "staff"},
				Policy: policy.Policy{Remember: 30 * 24 * time.Hour}}))
		r := o.run(sound...)
		require.Equal(t, 4, r.code, r.messages)
		require.Regexp(t, `N-\d+ +problem +policy of user type "staff" of tenant "acme"`, r.out)
		require.Contains(t, r.messages, "break the profile nist-aal2")
		o.does("audit") // by default all findings are advice
	})
}

func TestAudit_WritesFindingsForPrograms(t *testing.T) {
	o := onSQLite(t)
	m := o.application(func(cfg *mfa.Config) {
		cfg.Authorize = func(context.Context, mfa.AdminAction) error { return nil }
	})
	require.NoError(t, m.Admin(mfa.System("console"), "broken arm").GrantException(t.Context(),
		mfa.User{ID: "ann", Tenant: "acme"}, "director", time.Now().AddDate(0, 0, 30)))
	r := o.json("audit", "-json")
	require.Equal(t, "default", r["profile"])
	require.Contains(t, fmt.Sprint(r["findings"]), `1 user signs in without a second factor, by `+
		`an exception: "ann"`)
	for _, args := range [][]string{{"-profile", "none"}, {"-kinds", "totp,none"}} {
		require.Equal(t, 2, o.run(append([]string{"audit"}, args...)...).code, "%v", args)
	}
}
