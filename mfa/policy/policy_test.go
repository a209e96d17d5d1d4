package policy_test

import (
	"context"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
)

// testdata/stored.json was written before the package existed, by package mfa.
func TestPolicy_JSONDoesNotChange(t *testing.T) {
	data, err := os.ReadFile("testdata/stored.json")
	require.NoError(t, err)
	var set map[string]policy.Policy
	require.NoError(t, json.Unmarshal(data, &set))
	require.Equal(t, map[string]policy.Policy{
		"":    {},
		"off": {Mode: policy.ModeOff},
		"staff": {Mode: policy.ModeOptional, Kinds: []string{"totp", "passkey", "email"},
			Default: "passkey", Implicit: []string{"email"}, KeepImplicit: true,
			Passwordless: true, EnrollBy: time.Date(2026, 4, 1, 8, 30, 0, 0, time.UTC),
			MaxAge: 10 * time.Minute, RecoveryHold: 48 * time.Hour,
			Remember: 30 * 24 * time.Hour},
	}, set)
	again, err := json.MarshalIndent(set, "", "\t")
	require.NoError(t, err)
	require.Equal(t, string(data), string(again)+"\n")
	for value, mode := range map[string]policy.Mode{"off": policy.ModeOff,
		"optional": policy.ModeOptional, "required": policy.ModeRequired} {
		require.Equal(t, value, string(mode))
	}
	for value, p := range map[string]policy.Profile{"nist-aal2": policy.ProfileNISTAAL2,
		"nist-aal3": policy.ProfileNISTAAL3, "pci-dss-4": policy.ProfilePCIDSS4,
		"asvs-l2": policy.ProfileASVSL2, "asvs-l3": policy.ProfileASVSL3} {
		require.Equal(t, value, string(p))
	}
}

// A Source of the application may return anything; what is not allowed becomes the default or
// the nearest bound, and never a weaker Mode.
func TestPolicy_WithDefaultsIsNeverWeaker(t *testing.T) {
	defaults := policy.Policy{Mode: policy.ModeRequired, MaxAge: 5 * time.Minute,
		RecoveryHold: 24 * time.Hour}
	require.Equal(t, defaults, policy.Policy{}.WithDefaults())
	require.Equal(t, defaults, policy.Policy{Mode: "optionl", MaxAge: -1,
		RecoveryHold: time.Minute, Remember: -1}.WithDefaults())
	require.Equal(t, 90*24*time.Hour,
		policy.Policy{Remember: 365 * 24 * time.Hour}.WithDefaults().Remember)
	require.Equal(t, 24*time.Hour,
		policy.Policy{RecoveryHold: 31 * 24 * time.Hour}.WithDefaults().RecoveryHold)

	given := policy.Policy{Mode: policy.ModeOff, MaxAge: time.Minute, RecoveryHold: time.Hour,
		Kinds: []string{"totp"}, Implicit: []string{"email"}, Remember: time.Hour}
	got := given.WithDefaults()
	require.Equal(t, given, got)
	got.Kinds[0], got.Implicit[0] = "x", "x"
	require.Equal(t, "totp", given.Kinds[0])
	require.Equal(t, "email", given.Implicit[0])
}

func TestPolicy_AllowsTheKindsItNames(t *testing.T) {
	require.True(t, policy.Policy{}.Allows("totp"))
	require.True(t, policy.Policy{Kinds: []string{"sms", "totp"}}.Allows("totp"))
	require.False(t, policy.Policy{Kinds: []string{"sms"}}.Allows("totp"))
}

func TestSource_GivesThePolicyOfTheUser(t *testing.T) {
	off, on := policy.Policy{Mode: policy.ModeOff}, policy.Policy{Mode: policy.ModeRequired}
	policies := map[string]policy.Policy{"staff": off}
	byType := policy.ByUserType(policies)
	policies["staff"] = on
	for name, tc := range map[string]struct {
		source   policy.Source
		userType string
		want     policy.Policy
	}{
		"one for all":       {policy.Static(off), "guest", off},
		"by type":           {byType, "staff", off},
		"by type, no other": {byType, "guest", policy.Policy{}},
		"by type, others": {policy.ByUserType(map[string]policy.Policy{"": on, "staff": off}),
			"guest", on},
		"no types": {policy.ByUserType(nil), "guest", policy.Policy{}},
		"stored":   {policy.Stored(byType), "staff", off},
	} {
		scope := policy.Scope{Tenant: "acme", UserType: tc.userType}
		got, err := tc.source.Policy(context.Background(), scope)
		require.NoError(t, err)
		require.Equal(t, tc.want, got, name)
	}
}

func TestSetupStored_RecognisesStoredSources(t *testing.T) {
	defaults := own{}
	got, ok := policy.Setup{Policies: policy.Stored(defaults)}.Stored()
	require.True(t, ok)
	require.Equal(t, defaults, got)
	for _, s := range []policy.Source{nil, own{}, policy.Static(policy.Policy{}),
		struct{ policy.Source }{policy.Stored(own{})}} {
		got, ok := policy.Setup{Policies: s}.Stored()
		require.False(t, ok)
		require.Nil(t, got)
	}
}

// Every policy that cannot work is refused with a sentence, whichever source it comes from.
func TestSetup_RefusesPoliciesThatCannotWork(t *testing.T) {
	day := 24 * time.Hour
	for text, p := range map[string]policy.Policy{
		`mode "on" is not off, optional or required`:        {Mode: "on"},
		`kind "fax" is not configured; there are [key totp`: {Kinds: []string{"fax"}},
		"Kinds has recovery kinds only":                     {Kinds: []string{"recovery"}},
		`default kind "fax" is not among`:                   {Default: "fax"},
		`default kind "key" is not among`: {
			Default: "key", Kinds: []string{"totp"}},
		`kind "totp" cannot be implicit`: {Implicit: []string{"totp"}},
		`kind "fax" cannot be implicit`:  {Implicit: []string{"fax"}},
		"Passwordless needs a kind":      {Passwordless: true},
		"NoDowngrade needs a phishing-resistant kind": {NoDowngrade: true,
			Kinds: []string{"totp", "recovery"}},
		"MaxAge is negative":       {MaxAge: -1},
		"RecoveryHold is 59m0s":    {RecoveryHold: 59 * time.Minute},
		"RecoveryHold is 721h0m0s": {RecoveryHold: 30*day + time.Hour},
		"Remember is -1ns":         {Remember: -1},
		"Remember is 2161h0m0s":    {Remember: 90*day + time.Hour},
	} {
		s := sound(t, "")
		err := s.CheckPolicy(p, start)
		require.ErrorIs(t, err, policy.ErrInvalid)
		require.ErrorContains(t, err, "policy: "+text)
		for _, source := range []policy.Source{policy.Static(p),
			policy.ByUserType(map[string]policy.Policy{"": p}),
			policy.Stored(policy.Static(p)), policy.Stored(policy.Stored(policy.Static(p)))} {
			s.Policies = source
			err := s.Check(start)
			require.ErrorIs(t, err, policy.ErrInvalid)
			require.ErrorContains(t, err, `policy: policy of user type "": `+text)
		}
	}
	s := sound(t, "")
	for _, source := range []policy.Source{policy.Stored(nil), policy.Stored(policy.Stored(nil))} {
		s.Policies = source
		require.ErrorContains(t, s.Check(start), "needs defaults")
	}
	for _, p := range []policy.Policy{{}, {RecoveryHold: time.Hour}, {RecoveryHold: 30 * day},
		{Remember: 90 * day}, {Implicit: []string{"email"}},
		{Kinds: []string{"totp", "recovery"}}} {
		require.NoError(t, s.CheckPolicy(p, start))
	}
}

// CheckPolicy holds a policy to the profile too; CheckProfile to nothing else, so that an
// application's own Source may name kinds that another process has.
func TestSetup_HoldsPoliciesToTheProfile(t *testing.T) {
	s := sound(t, policy.ProfileNISTAAL2)
	devices := policy.Policy{Kinds: []string{"key"}, Remember: time.Hour}
	require.ErrorContains(t, s.CheckPolicy(devices, start), "N-40, policy: ")
	require.ErrorContains(t, s.CheckProfile(devices, start), "N-40, policy: ")
	elsewhere := policy.Policy{Kinds: []string{"key", "fax"}}
	require.ErrorContains(t, s.CheckPolicy(elsewhere, start), `"fax" is not configured`)
	require.NoError(t, s.CheckProfile(elsewhere, start))
	s.Profile = ""
	require.NoError(t, s.CheckPolicy(devices, start))
}

// A strict profile sets NoDowngrade; otherwise the policy says.
func TestSetupWithDefaults_SetsNoDowngradeByTheProfile(t *testing.T) {
	for p, want := range map[policy.Profile]bool{"": false, "default": false,
		policy.ProfileNISTAAL2: true, policy.ProfileASVSL2: true, policy.ProfileASVSL3: true} {
		s := policy.Setup{Profile: p}
		require.Equal(t, want, s.WithDefaults(policy.Policy{}).NoDowngrade, p)
		require.True(t, s.WithDefaults(policy.Policy{NoDowngrade: true}).NoDowngrade, p)
		require.Equal(t, policy.ModeRequired, s.WithDefaults(policy.Policy{}).Mode)
	}
}

// A secret of 80 bits meets no profile but the default one.
func TestSetup_AcceptsRenewalsUnderTheDefaultAlone(t *testing.T) {
	for _, p := range []policy.Profile{"", "default"} {
		require.True(t, policy.Setup{Profile: p}.AcceptsRenewals(), p)
	}
	for _, p := range []policy.Profile{policy.ProfileNISTAAL2, policy.ProfileASVSL2,
		policy.ProfileASVSL3, "no such profile"} {
		require.False(t, policy.Setup{Profile: p}.AcceptsRenewals(), p)
	}
}

func TestSetup_PasswordlessNeedsResistantFactors(t *testing.T) {
	identifies := func(kind string, t factor.Traits) identifying {
		return identifying{sending{*states(kind, t, factor.Settings{})}}
	}
	costly := resistant
	costly.Expensive = true
	able, weak, expensive := identifies("able", resistant), identifies("weak", strong),
		identifies("expensive", costly)
	s := sound(t, "")
	s.Factors = append(s.Factors, &able, &weak, &expensive)
	for kind, want := range map[string]bool{"able": true, "weak": false, "expensive": false,
		"key": false, "totp": false, "recovery": false, "fax": false, "": false} {
		require.Equal(t, want, s.Passwordless(kind), kind)
	}
	p := policy.Policy{Passwordless: true}
	require.NoError(t, s.CheckPolicy(p, start))
	p.Kinds = []string{"weak", "expensive"}
	require.ErrorIs(t, s.CheckPolicy(p, start), policy.ErrInvalid)
}
