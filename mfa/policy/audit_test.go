package policy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/totp"
)

var strict = []policy.Profile{
	policy.ProfileNISTAAL2, policy.ProfileASVSL2, policy.ProfileASVSL3,
	policy.ProfileNISTAAL3, policy.ProfilePCIDSS4}

// rowsOf returns the rows of the findings that are advice, or of those that are not.
func rowsOf(list []policy.Finding, advice bool) string {
	var rows []string
	for _, f := range list {
		if f.Advice == advice && !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
	}
	slices.Sort(rows)
	return strings.Join(rows, " ")
}

func TestSetupAudit_FindsNothingInASoundSetup(t *testing.T) {
	for _, p := range append(slices.Clone(strict), "default", "") {
		s := sound(t, p)
		require.NoError(t, s.Check(start), p)
		list, err := s.Audit(p, start)
		require.NoError(t, err)
		require.Empty(t, list, p)
	}
}

type fault struct {
	change func(*policy.Setup)
	// nist, l2 and l3 are the rows that each profile refuses it for; advice is the rows that
	// the default profile finds.
	nist, l2, l3, advice string
}

// with lets users sign in with a factor, beside the key.
func with(f factor.Factor) func(*policy.Setup) {
	return func(s *policy.Setup) {
		same := func(g factor.Factor) bool { return g.Kind() == f.Kind() }
		s.Factors = append(slices.DeleteFunc(slices.Clone(s.Factors), same), f)
		s.Policies = policy.Static(policy.Policy{Kinds: []string{"key", f.Kind()},
			NoDowngrade: true})
	}
}

// beside configures a factor that policies do not name.
func beside(f factor.Factor) func(*policy.Setup) {
	return func(s *policy.Setup) { s.Factors = append(s.Factors, f) }
}

func under(p policy.Policy) func(*policy.Setup) {
	return func(s *policy.Setup) {
		if p.Kinds == nil {
			p.Kinds = []string{"key"}
		}
		p.NoDowngrade = slices.Contains(p.Kinds, "key")
		s.Policies = policy.Static(p)
	}
}

func policyFaults(t *testing.T) map[string]fault {
	onlyKey := policy.Policy{Kinds: []string{"key"}}
	return map[string]fault{
		"off":      {under(policy.Policy{Mode: policy.ModeOff}), "N-3", "A-4", "A-4", ""},
		"optional": {under(policy.Policy{Mode: policy.ModeOptional}), "N-3", "A-4", "A-4", ""},
		"grace": {under(policy.Policy{EnrollBy: start.Add(time.Hour)}),
			"N-3", "A-4", "A-4", ""},
		"grace that has ended": {under(policy.Policy{EnrollBy: start}), "", "", "", ""},
		"remembered devices":   {under(policy.Policy{Remember: time.Hour}), "N-40", "", "", ""},
		"e-mail": {under(policy.Policy{Kinds: []string{"key", "email"}}),
			"N-13", "A-6", "A-4 A-6", ""},
		"implicit e-mail": {under(policy.Policy{Kinds: []string{"key", "email"},
			Implicit: []string{"email"}}), "N-13", "A-6", "A-4 A-6", ""},
		"app only": {under(policy.Policy{Kinds: []string{"totp"}}), "N-4", "", "A-4", ""},
		"SMS only": {under(policy.Policy{Kinds: []string{"sms"}}),
			"N-19 N-4", "A-20", "A-20 A-4", "N-19"},
		"SMS and e-mail": {under(policy.Policy{Kinds: []string{"sms", "email"}}),
			"N-13 N-19 N-4", "A-20 A-6", "A-20 A-4 A-6", "N-19"},
		"a passkey that a phishing site goes around": {func(s *policy.Setup) {
			s.Policies = policy.Static(onlyKey)
		}, "", "", "", "A-2"},
		"no policy": {func(s *policy.Setup) { s.Policies = nil },
			"N-13", "A-6", "A-20 A-4 A-6", "A-2"},
		"no policy for the other types": {func(s *policy.Setup) {
			s.Policies = policy.ByUserType(map[string]policy.Policy{"staff": onlyKey})
		}, "N-13", "A-6", "A-20 A-4 A-6", "A-2"},
		"defaults of stored policies": {func(s *policy.Setup) {
			s.Policies = policy.Stored(policy.Static(
				policy.Policy{Kinds: []string{"key"}, Mode: policy.ModeOff}))
		}, "N-3", "A-4", "A-4", "A-2"},
		"PIN only": {func(s *policy.Setup) {
			with(must[*pin.Factor](t)(pin.New(pin.Config{MinLength: 8})))(s)
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"pin"}})
		}, "N-1 N-4", "A-4", "A-4", "N-1"},
	}
}

func settingFaults(t *testing.T) map[string]fault {
	return map[string]fault{
		"no notices and no events": {func(s *policy.Setup) { s.Notices, s.Events = false, false },
			"N-37", "A-30", "A-30 A-7", "A-30 N-37"},
		"no factor that can notify": {func(s *policy.Setup) {
			s.Factors = slices.Delete(slices.Clone(s.Factors), 3, 4)
		}, "N-37", "", "A-7", "N-37"},
		"no events": {func(s *policy.Setup) { s.Events = false }, "", "A-30", "A-30", "A-30"},
		"unlimited sends": {func(s *policy.Setup) { s.UnlimitedSends = true },
			"", "A-32", "A-32", "A-32"},
		"a link for two days": {func(s *policy.Setup) { s.LinkTTL = 48 * time.Hour },
			"N-34", "A-9", "A-9", "N-34"},
		"short recovery codes": {func(s *policy.Setup) {
			s.Factors[4] = paper(t, recovery.Config{})
		},
			"N-12", "A-14", "A-14", ""},
		"access codes for 25 hours": {func(s *policy.Setup) {
			s.Factors[5] = codes(t, access.Config{MaxTTL: 25 * time.Hour})
		}, "N-34", "A-9", "A-9", "N-34"},
	}
}

func factorFaults(t *testing.T) map[string]fault {
	newPIN := func(least int) factor.Factor {
		return must[*pin.Factor](t)(pin.New(pin.Config{MinLength: least}))
	}
	return map[string]fault{
		"a key in software": {with(&plain{"passkey", resistant}), "", "", "A-4", ""},
		"a key that may be in software": {func(s *policy.Setup) {
			with(attests)(s)
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"passkey"},
				NoDowngrade: true, DeviceBound: true})
		}, "", "", "A-4", ""},
		"a key that proves its hardware": {func(s *policy.Setup) {
			with(attests)(s)
			s.Policies = policy.Static(policy.Policy{Kinds: []string{"passkey"},
				NoDowngrade: true, Hardware: true})
		}, "", "", "", ""},
		"a PIN":          {with(newPIN(0)), "N-1 N-6", "A-3 A-4", "A-3 A-4", ""},
		"a PIN of seven": {with(newPIN(7)), "N-1 N-6", "A-3 A-4", "A-3 A-4", ""},
		"a PIN of eight": {with(newPIN(8)), "N-1", "A-4", "A-4", ""},
		"three time steps": {with(app(t, func(c *totp.Config) { c.Strict = false })),
			"", "A-17", "A-17 A-4", ""},
		"a grace for typing": {with(app(t, func(c *totp.Config) { c.EntryGrace = time.Second })),
			"", "A-17", "A-17 A-4", ""},
		"a long time step": {with(app(t, func(c *totp.Config) { c.Period = 31 * time.Second })),
			"", "A-17", "A-17 A-4", ""},
		"security questions": {
			beside(must[*questions.Factor](t)(questions.New(questions.Config{}))),
			"N-2", "A-10", "A-10", "N-2"},
	}
}

// Third-party factors are held to what they state; what they do not state, they do not meet.
func thirdPartyFaults() map[string]fault {
	s := func(bits float64, life time.Duration) factor.Settings {
		return factor.Settings{Bits: bits, Lifetime: life}
	}
	slow := factor.Settings{Bits: 20, Step: time.Hour, Lifetime: 30 * time.Second}
	return map[string]fault{
		"a code that states nothing": {with(&plain{"odd", strong}),
			"N-20", "A-16 A-17", "A-16 A-17 A-4", ""},
		"a sent code that is short and old": {
			with(&sending{*states("odd", strong, s(13.3, time.Hour))}),
			"N-15 N-17", "A-16 A-17", "A-16 A-17 A-4", ""},
		"a sent code that is sound": {
			with(&sending{*states("odd", strong, s(20, 10*time.Minute))}), "", "", "A-4", ""},
		"a code that changes hourly": {with(states("odd", strong, slow)), "N-20", "", "A-4", ""},
		"a weak possession": {with(states("odd", factor.Traits{Level: factor.LevelWeak},
			s(20, 30*time.Second))), "N-3", "", "A-4", ""},
		"knowledge that states nothing": {with(&plain{"odd", knowledge}),
			"N-1 N-6", "A-3 A-4", "A-3 A-4", ""},
		"recovery that states nothing": {beside(&plain{"odd", recoveryKind}),
			"N-33", "A-16", "A-16", "N-33"},
		"recovery behind a password hash": {beside(states("odd", recoveryKind,
			factor.Settings{Bits: 64, SlowHash: true})), "", "", "", ""},
		"recovery of 111 bits": {beside(states("odd", recoveryKind, s(111, 0))),
			"N-12", "A-14", "A-14", ""},
		"an access code that states nothing": {beside(&plain{"odd", accessCode}),
			"N-34", "A-16 A-9", "A-16 A-9", "N-34"},
		"an access code of six digits for a day": {
			beside(states("odd", accessCode, s(19.93, 24*time.Hour))), "", "", "", ""},
	}
}

// Each fault breaks these rows and no other. Under the default profile it is advice at most.
func TestSetupCheck_RefusesWhatBreaksTheProfile(t *testing.T) {
	for _, faults := range []map[string]fault{policyFaults(t), settingFaults(t),
		factorFaults(t), thirdPartyFaults()} {
		for name, tc := range faults {
			t.Run(name, func(t *testing.T) {
				for i, want := range []string{tc.nist, tc.l2, tc.l3} {
					refuses(t, strict[i], tc.change, want)
				}
				s := sound(t, "")
				tc.change(&s)
				require.NoError(t, s.Check(start), "the default profile refuses nothing")
				list, err := s.Audit("", start)
				require.NoError(t, err)
				require.Empty(t, rowsOf(list, false))
				require.Equal(t, tc.advice, rowsOf(list, true))
			})
		}
	}
}

// refuses checks that a setup with one fault breaks these rows of a profile, that Audit finds
// them beforehand, and that the error names all of it.
func refuses(t *testing.T, p policy.Profile, change func(*policy.Setup), want string) {
	t.Helper()
	s := sound(t, p)
	change(&s)
	err := s.Check(start)
	if want == "" {
		require.NoError(t, err, p)
		return
	}
	require.ErrorIs(t, err, policy.ErrInvalid, p)
	s.Profile = ""
	list, err2 := s.Audit(p, start)
	require.NoError(t, err2)
	require.Equal(t, want, rowsOf(list, false), p)
	for _, f := range list {
		if !f.Advice {
			require.ErrorContains(t, err, f.Row+", "+f.Where+": "+f.Problem+"; "+f.Remedy)
		}
	}
}

// What a standard recommends is found, and refused nowhere.
func TestSetupCheck_RefusesNoAdvice(t *testing.T) {
	for name, tc := range map[string]fault{
		"numbers are not looked up": {func(s *policy.Setup) { s.Factors[2] = phone(t, nil) },
			"N-19", "", "", ""},
		"many tries": {func(s *policy.Setup) { s.Lockout.Tries = 11 },
			"O-10", "O-10", "O-10", ""},
		"a day counts as recent": {under(policy.Policy{MaxAge: 25 * time.Hour}),
			"N-5", "N-5", "N-5", ""},
		"only the application notifies": {func(s *policy.Setup) { s.Notices = false },
			"N-37", "", "A-7", ""},
	} {
		for i, want := range []string{tc.nist, tc.l2, tc.l3} {
			s := sound(t, strict[i])
			tc.change(&s)
			require.NoError(t, s.Check(start), name)
			list, err := s.Audit(strict[i], start)
			require.NoError(t, err)
			require.Equal(t, want, rowsOf(list, true), "%s under %s", name, strict[i])
			require.Empty(t, rowsOf(list, false))
		}
	}
}

func TestSetup_RefusesAnUnknownProfile(t *testing.T) {
	s := sound(t, "asvs-l1")
	require.ErrorIs(t, s.Check(start), policy.ErrInvalid)
	require.ErrorContains(t, s.Check(start), "asvs-l1")
	require.ErrorIs(t, s.CheckProfile(policy.Policy{}, start), policy.ErrInvalid)
	s.Profile = ""
	list, err := s.Audit("AAL2", start)
	require.ErrorIs(t, err, policy.ErrInvalid)
	require.Nil(t, list)
}

// Stored policies are named by tenant and user type.
func TestSetupAudit_FindsStoredPolicies(t *testing.T) {
	s := sound(t, "")
	s.Policies = policy.Stored(s.Policies)
	list, err := s.Audit(policy.ProfileASVSL2, start, policy.StoredPolicy{
		Scope:  policy.Scope{Tenant: "acme", UserType: "staff"},
		Policy: policy.Policy{Mode: policy.ModeOff, Kinds: []string{"key"}},
	})
	require.NoError(t, err)
	require.Equal(t, []policy.Finding{{Row: "A-4",
		Where:   `policy of user type "staff" of tenant "acme"`,
		Problem: `mode "off" lets users sign in with one factor`,
		Remedy:  "set Mode to ModeRequired"}}, list)
}

type own struct{}

func (own) Policy(context.Context, policy.Scope) (policy.Policy, error) {
	return policy.Policy{}, nil
}

// Nobody sees the policies of an application before they are used, and Audit says so.
func TestSetupAudit_NamesPoliciesItCannotSee(t *testing.T) {
	for _, source := range []policy.Source{own{}, policy.Stored(own{}),
		policy.Stored(policy.Stored(own{}))} {
		s := sound(t, policy.ProfileNISTAAL2)
		s.Policies = source
		require.NoError(t, s.Check(start))
		list, err := s.Audit(policy.ProfileNISTAAL2, start)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Advice)
		require.Equal(t, "Config.Policies", list[0].Where)
	}
}

// What is broken comes before advice, and a factor's fault is found once, however many
// policies allow the factor.
func TestSetupAudit_SortsFindings(t *testing.T) {
	s := sound(t, "")
	s.Factors[1] = app(t, func(c *totp.Config) { c.Strict = false })
	s.Lockout.Tries, s.LinkTTL = 20, 48*time.Hour
	off := policy.Policy{Mode: policy.ModeOff}
	s.Policies = policy.ByUserType(map[string]policy.Policy{"": off, "staff": off})
	list, err := s.Audit(policy.ProfileASVSL2, start)
	require.NoError(t, err)
	advice := slices.IndexFunc(list, func(f policy.Finding) bool { return f.Advice })
	require.Empty(t, rowsOf(list[:advice], true))
	require.Empty(t, rowsOf(list[advice:], false))
	seen := map[string]int{}
	for _, f := range list {
		require.NotEmpty(t, f.Where)
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Remedy)
		seen[f.Row]++
	}
	require.Equal(t, map[string]int{"A-4": 2, "A-6": 2, "A-17": 1, "A-9": 1, "O-10": 1}, seen)
}

func TestFinding_JSON(t *testing.T) {
	data, err := json.Marshal(policy.Finding{Row: "A-4", Where: "w", Problem: "p", Remedy: "r",
		Advice: true})
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(data, &fields))
	require.Equal(t, []string{"advice", "problem", "remedy", "row", "where"},
		slices.Sorted(maps.Keys(fields)))
}

// Users who are excepted from the second factor are found in each tenant: they break the profiles
// that want two factors of every user, and are listed under the others.
func TestSetupAudit_NamesTheUsersWithExceptions(t *testing.T) {
	type ends = map[string]time.Time
	expired := make(ends)
	for i := range 12 {
		expired[fmt.Sprintf("u%02d", i+1)] = start
	}
	found := func(p policy.Profile, of map[string]ends, unreadable int) []policy.Finding {
		s := sound(t, p)
		s.Exceptions, s.Unreadable = of, unreadable
		list, err := s.Audit(p, start)
		require.NoError(t, err)
		return list
	}
	day := start.Add(24 * time.Hour)
	for profile, want := range map[policy.Profile]string{"": "P-4 advice",
		policy.ProfileNISTAAL2: "N-3", policy.ProfileNISTAAL3: "N-3", policy.ProfileASVSL2: "A-4",
		policy.ProfileASVSL3: "A-4", policy.ProfilePCIDSS4: "P-4 advice"} {
		list := found(profile, map[string]ends{"acme": {"eve": day.Add(1), "bob": day,
			"ann": day.AddDate(0, 0, 9)}}, 0)
		require.Len(t, list, 1, profile)
		row := list[0].Row
		if list[0].Advice {
			row += " advice"
		}
		require.Equal(t, want, row, profile)
		require.Equal(t, `users of tenant "acme"`, list[0].Where)
		require.Equal(t, `3 users sign in without a second factor, by an exception: "ann", "bob", `+
			`"eve"; the first exception ends on `+day.UTC().Format(time.DateOnly), list[0].Problem)
	}
	for _, profile := range []policy.Profile{"", policy.ProfileNISTAAL3, policy.ProfilePCIDSS4} {
		list := found(profile, map[string]ends{"": {"eve": start}, "b": expired}, 3)
		require.Len(t, list, 3)
		require.True(t, list[0].Advice && list[1].Advice && list[2].Advice)
		require.Equal(t, `1 user has an exception that has expired, and no second factor yet: "eve"`,
			list[0].Problem)
		require.Contains(t, list[1].Problem, `12 users have an exception that has expired`)
		require.True(t, strings.HasSuffix(list[1].Problem, `"u09", "u10" and 2 more`))
		require.Contains(t, list[2].Problem, "3 records cannot be read")
	}
	require.Empty(t, found("", map[string]ends{"acme": {}}, 0))
}
