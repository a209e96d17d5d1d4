package mfa_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// key stands for a phishing-resistant factor in hardware.
var key = &stated{word{kind: "key", traits: factor.Traits{AMR: "hwk",
	Level: factor.LevelPhishingResistant}},
	factor.Settings{Hardware: true}}

// stated is a word that states its settings.
type stated struct {
	word
	settings factor.Settings
}

func (s *stated) Traits() factor.Traits {
	t := s.traits
	t.Settings = s.settings
	return t
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func newApp(t testing.TB) factor.Factor {
	return must[*totp.Factor](t)(totp.New(totp.Config{Issuer: "Acme", Strict: true}))
}

func newMail(t testing.TB) factor.Factor {
	return must[*email.Factor](t)(email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{},
		ServiceName: "Acme"}))
}

func newPhone(t testing.TB, check func(context.Context, sms.CheckInput) error) factor.Factor {
	return must[*sms.Factor](t)(sms.New(sms.Config{Sender: &mfatest.Outbox[sms.Message]{},
		ServiceName: "Acme",
		Origin:      "acme.example", Allow: []string{"+31"}, Check: check}))
}

// sound is a configuration, of the factors that there are, that meets the profile.
func sound(t testing.TB, p policy.Profile) mfa.Config {
	keys := must[*seal.Keyring](t)(seal.NewKeyring(seal.GenerateKey()))
	cfg := mfa.Config{
		Store: memory.New(), Keys: keys, Clock: mfatest.NewClock(testStart), Profile: p,
		Factors: []factor.Factor{key, newApp(t), newPhone(t, func(context.Context,
			sms.CheckInput) error {
			return nil
		}), newMail(t),
			must[*recovery.Factor](t)(recovery.New(recovery.Config{Count: 4, Bits: 120})),
			must[*access.Factor](t)(access.New(access.Config{}))},
		Policies: policy.Static(policy.Policy{Kinds: []string{"key", "totp", "sms"},
			NoDowngrade: true}),
		Notify:    func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) },
		Events:    func(context.Context, mfa.Event) {},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
	}
	if p == policy.ProfileASVSL3 || p == policy.ProfileNISTAAL3 {
		cfg.Policies = policy.Static(policy.Policy{Kinds: []string{"key"}, NoDowngrade: true})
	}
	return cfg
}

func rowsOf(list []policy.Finding) (rows []string) {
	for _, f := range list {
		if !f.Advice && !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
	}
	slices.Sort(rows)
	return rows
}

func TestManager_MeetsAProfileWhenSound(t *testing.T) {
	for _, p := range []policy.Profile{policy.ProfileNISTAAL2, policy.ProfileNISTAAL3,
		policy.ProfileASVSL2, policy.ProfilePCIDSS4, policy.ProfileASVSL3, "default", ""} {
		m, err := mfa.New(sound(t, p))
		require.NoError(t, err, p)
		list, err := m.Audit(t.Context(), p)
		require.NoError(t, err)
		require.Empty(t, list, p)
	}
}

// Each part of Config that a profile looks at is held to it, by New and by Audit. Package
// policy tests what is looked for.
func TestNew_HoldsEachPartOfConfigToTheProfile(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*mfa.Config)
		rows   string // under policy.ProfileASVSL3
	}{
		"Factors": {func(c *mfa.Config) {
			c.Factors[4] = must[*recovery.Factor](t)(recovery.New(recovery.Config{}))
		}, "A-14"},
		"Factors, none that notifies": {func(c *mfa.Config) {
			c.Factors = slices.Delete(c.Factors, 3, 4)
		}, "A-7"},
		"Policies":           {func(c *mfa.Config) { c.Policies = nil }, "A-20 A-4 A-6"},
		"Events":             {func(c *mfa.Config) { c.Events = nil }, "A-30"},
		"Events and Notices": {func(c *mfa.Config) { c.Events, c.Notify = nil, nil }, "A-30 A-7"},
		"Sends":              {func(c *mfa.Config) { c.RateLimits.PerUser = -1 }, "A-32"},
		"LinkTTL":            {func(c *mfa.Config) { c.LinkTTL = 48 * time.Hour }, "A-9"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sound(t, policy.ProfileASVSL3)
			tc.change(&cfg)
			m, err := mfa.New(cfg)
			require.ErrorIs(t, err, policy.ErrInvalid)
			require.ErrorIs(t, err, policy.ErrInvalid)
			require.Nil(t, m)
			cfg.Profile = ""
			m, err2 := mfa.New(cfg)
			require.NoError(t, err2)
			list, err2 := m.Audit(t.Context(), policy.ProfileASVSL3)
			require.NoError(t, err2)
			require.Equal(t, strings.Fields(tc.rows), rowsOf(list))
			for _, f := range list {
				require.ErrorContains(t, err, f.Row+", "+f.Where+": "+f.Problem+"; "+f.Remedy)
			}
		})
	}
}

// What is advice is found, and refused nowhere: the lockout and Notices too reach the profile.
func TestNew_RefusesNoAdvice(t *testing.T) {
	cfg := sound(t, policy.ProfileNISTAAL2)
	cfg.Lockout, cfg.Notify = lockout.Config{Tries: 11}, nil
	m, err := mfa.New(cfg)
	require.NoError(t, err)
	list, err := m.Audit(t.Context(), policy.ProfileNISTAAL2)
	require.NoError(t, err)
	require.Empty(t, rowsOf(list))
	require.Len(t, list, 2)
	require.Equal(t, []string{"N-37", "O-10"}, []string{list[0].Row, list[1].Row})
}

func TestNew_RefusesAnUnknownProfile(t *testing.T) {
	cfg := sound(t, "asvs-l1")
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ErrorContains(t, err, "asvs-l1")
	cfg.Profile = ""
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	_, err = m.Audit(t.Context(), "AAL2")
	require.ErrorIs(t, err, policy.ErrInvalid)
}

// Policies that come into being later are held to the profile as well.
func TestProfile_HoldsForPoliciesSetLater(t *testing.T) {
	cfg := sound(t, "")
	cfg.Policies = policy.Stored(cfg.Policies)
	lax := must[*mfa.Manager](t)(mfa.New(cfg))
	cfg.Profile = policy.ProfileASVSL2
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	set := func(m *mfa.Manager, tenant string, p policy.Policy) error {
		return m.Admin(mfa.System("root"), "").SetPolicy(t.Context(), policy.StoredPolicy{
			Scope: policy.Scope{Tenant: tenant, UserType: "staff"}, Policy: p,
		})
	}
	err := set(m, "acme", policy.Policy{Mode: policy.ModeOptional, Kinds: []string{"email"}})
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.ErrorContains(t, err, "A-4, A-6")
	require.NoError(t, set(m, "acme", policy.Policy{Kinds: []string{"totp"}}))
	require.NoError(t, set(m, "", policy.Policy{Kinds: []string{"key"}}))

	// One that was set before the profile was: Audit says so, and nobody gets in by it.
	require.NoError(t, set(lax, "acme", policy.Policy{Mode: policy.ModeOptional,
		Kinds: []string{"key"}}))
	list, err := m.Audit(t.Context(), policy.ProfileASVSL2)
	require.NoError(t, err)
	require.Equal(t, []policy.Finding{{Row: "A-4",
		Where:   `policy of user type "staff" of tenant "acme"`,
		Problem: `mode "optional" lets users sign in with one factor`,
		Remedy:  "set Mode to ModeRequired"}}, list)
	_, err = m.Session(mfa.User{ID: "a", Tenant: "acme", UserType: "staff"},
		binding).Begin(t.Context())
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorIs(t, err, policy.ErrInvalid)
	_, err = m.Session(mfa.User{ID: "a", UserType: "staff"}, binding).Begin(t.Context())
	require.NoError(t, err)
}

type policyFunc func() policy.Policy

func (f policyFunc) Policy(context.Context, policy.Scope) (policy.Policy, error) { return f(), nil }

// A policy that an application's own source returns is checked when it is used.
func TestProfile_HoldsForPoliciesOfTheApplication(t *testing.T) {
	p := policy.Policy{Kinds: []string{"key"}}
	for _, wrap := range []func(policy.Source) policy.Source{policy.Stored,
		func(s policy.Source) policy.Source { return s }} {
		cfg := sound(t, policy.ProfileNISTAAL2)
		cfg.Policies = wrap(policyFunc(func() policy.Policy { return p }))
		m := must[*mfa.Manager](t)(mfa.New(cfg))
		list, err := m.Audit(t.Context(), policy.ProfileNISTAAL2)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Advice)
		require.Equal(t, "Config.Policies", list[0].Where)
		begin := func() error {
			_, err := m.Session(ann, binding).Begin(t.Context())
			return err
		}
		p = policy.Policy{Kinds: []string{"key"}}
		require.NoError(t, begin())
		p.Remember = time.Hour
		require.ErrorIs(t, begin(), mfa.ErrUnavailable)
		require.ErrorContains(t, begin(), "N-40")
	}
}

// Audit does not pass over what it cannot read.
func TestManagerAudit_FailsRatherThanOmits(t *testing.T) {
	cfg := sound(t, "")
	cfg.Policies = policy.Stored(cfg.Policies)
	store := cfg.Store
	cfg.Store = struct{ storage.Store }{store}
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	_, err := m.Audit(t.Context(), "")
	require.ErrorIs(t, err, errors.ErrUnsupported)

	cfg.Store = store
	m = must[*mfa.Manager](t)(mfa.New(cfg))
	require.NoError(t, m.Admin(mfa.System("root"), "").SetPolicy(t.Context(),
		policy.StoredPolicy{Policy: policy.Policy{}}))
	for _, rec := range dump(t, store.(storage.Lister)) {
		require.NotEmpty(t, rec)
	}
	cfg.Keys = must[*seal.Keyring](t)(seal.NewKeyring(seal.GenerateKey()))
	m = must[*mfa.Manager](t)(mfa.New(cfg))
	list, err := m.Audit(t.Context(), "")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Nil(t, list)
}
