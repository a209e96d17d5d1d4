package passkey_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/storage/memory"
)

// strictConfig is the configuration that docs/passkeys.md shows for the highest levels.
func strictConfig(t *testing.T, keys *passkey.Factor, profile policy.Profile) mfa.Config {
	t.Helper()
	mails, err := email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{},
		ServiceName: "Acme"})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{Count: 4, Bits: 120})
	require.NoError(t, err)
	cfg := mfa.Config{Store: memory.New(), Keys: newKeys(t), Profile: profile,
		Events: func(context.Context, mfa.Event) {},
		Notify: func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }}

	cfg.Factors = []factor.Factor{keys, mails, codes} // mails are for notices, and sign nobody in
	cfg.Policies = policy.Static(policy.Policy{
		Kinds:    []string{"passkey"},
		Hardware: true,
	})
	return cfg
}

// A-4, and every other row: the configuration passes each profile with no finding and no advice.
func TestManager_PassesTheStrictProfiles(t *testing.T) {
	for _, profile := range []policy.Profile{policy.ProfileNISTAAL2, policy.ProfileNISTAAL3,
		policy.ProfileASVSL2, policy.ProfileASVSL3, policy.ProfilePCIDSS4} {
		m, err := mfa.New(strictConfig(t, newFactor(t, newService(t).use), profile))
		require.NoError(t, err, profile)
		found, err := m.Audit(t.Context(), profile)
		require.NoError(t, err)
		require.Empty(t, found, profile)
	}
	cfg := strictConfig(t, newFactor(t), policy.ProfileASVSL3)
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid, "no list proves what keeps a key")
	cfg.Policies = policy.Static(policy.Policy{Kinds: []string{"passkey"}})
	_, err = mfa.New(cfg)
	require.ErrorContains(t, err, "A-4")
}
