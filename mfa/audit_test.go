package mfa_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
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
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// key stands for a phishing-resistant factor in hardware.
var key = &stated{word{kind: "key", traits: factor.Traits{Class: factor.ClassPossession, AMR: "hwk", Level: factor.LevelPhishingResistant}},
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

// issuing is stated, and sends.
type issuing struct{ stated }

func (*issuing) Issue(context.Context, factor.IssueInput) (*factor.Issue, error) { return nil, nil }
func (*issuing) Deliver(context.Context, factor.DeliverInput) error              { return nil }

var (
	possession = factor.Traits{Class: factor.ClassPossession, Level: factor.LevelStrong}
	wayBack    = factor.Traits{Class: factor.ClassRecovery, NoConfirmation: true}
	issuedBack = factor.Traits{Class: factor.ClassRecovery, NoConfirmation: true, AdminOnly: true}
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		require.NoError(t, err)
		return v
	}
}

func newApp(t testing.TB, change ...func(*totp.Config)) mfa.Factor {
	cfg := totp.Config{Issuer: "Acme", Strict: true}
	for _, f := range change {
		f(&cfg)
	}
	return must[*totp.Factor](t)(totp.New(cfg))
}

func newMail(t testing.TB) mfa.Factor {
	return must[*email.Factor](t)(email.New(email.Config{Sender: &mfatest.Outbox[email.Message]{}, ServiceName: "Acme"}))
}

func newPhone(t testing.TB, check func(context.Context, sms.CheckInput) error) mfa.Factor {
	return must[*sms.Factor](t)(sms.New(sms.Config{Sender: &mfatest.Outbox[sms.Message]{}, ServiceName: "Acme",
		Origin: "acme.example", Allow: []string{"+31"}, Check: check}))
}

// sound is a configuration, of the factors that there are, that meets the profile.
func sound(t testing.TB, p mfa.Profile) mfa.Config {
	keys := must[*seal.Keyring](t)(seal.NewKeyring(seal.GenerateKey()))
	cfg := mfa.Config{
		Store: memory.New(), Keys: keys, Clock: mfatest.NewClock(testStart), Profile: p,
		Factors: []mfa.Factor{key, newApp(t), newPhone(t, func(context.Context, sms.CheckInput) error { return nil }), newMail(t),
			must[*recovery.Factor](t)(recovery.New(recovery.Config{Count: 4, Bits: 120})), must[*access.Factor](t)(access.New(access.Config{}))},
		Policies:  mfa.StaticPolicy(mfa.Policy{Kinds: []string{"key", "totp", "sms"}}),
		Notices:   mfa.NoticesNow,
		Events:    func(context.Context, mfa.Event) {},
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
	}
	if p == mfa.ASVSL3 {
		cfg.Policies = mfa.StaticPolicy(mfa.Policy{Kinds: []string{"key"}})
	}
	return cfg
}

func rowsOf(list []mfa.Finding, advice bool) (rows []string) {
	for _, f := range list {
		if f.Advice == advice && !slices.Contains(rows, f.Row) {
			rows = append(rows, f.Row)
		}
	}
	slices.Sort(rows)
	return rows
}

var strict = []mfa.Profile{mfa.NISTAAL2, mfa.ASVSL2, mfa.ASVSL3}

func TestSoundConfigurationsMeetTheirProfile(t *testing.T) {
	for _, p := range append(slices.Clone(strict), mfa.DefaultProfile, "") {
		m, err := mfa.New(sound(t, p))
		require.NoError(t, err, p)
		list, err := m.Audit(t.Context(), p)
		require.NoError(t, err)
		require.Empty(t, list, p)
	}
}

// Each fault breaks these rows and no other. Without a profile it is advice at most.
func TestProfileRefuses(t *testing.T) {
	type faults map[mfa.Profile]string // rows, by spaces
	add := func(f mfa.Factor) func(*mfa.Config) {
		return func(c *mfa.Config) { c.Factors = append(c.Factors, f) }
	}
	// use adds a factor and lets people sign in with it, beside the key.
	use := func(f mfa.Factor) func(*mfa.Config) {
		return func(c *mfa.Config) {
			c.Factors = append(slices.DeleteFunc(slices.Clone(c.Factors), func(g mfa.Factor) bool { return g.Kind() == f.Kind() }), f)
			c.Policies = mfa.StaticPolicy(mfa.Policy{Kinds: []string{"key", f.Kind()}})
		}
	}
	policy := func(p mfa.Policy) func(*mfa.Config) {
		return func(c *mfa.Config) {
			if p.Kinds == nil {
				p.Kinds = []string{"key"}
			}
			c.Policies = mfa.StaticPolicy(p)
		}
	}
	codes := func(kind string, traits factor.Traits, s factor.Settings) *stated {
		return &stated{word{kind: kind, traits: traits}, s}
	}
	for name, tc := range map[string]struct {
		change func(*mfa.Config)
		want   faults
		advice string // rows under the default profile
	}{
		"nobody is asked":    {policy(mfa.Policy{Mode: mfa.Off}), faults{mfa.NISTAAL2: "N-3", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, ""},
		"who likes is asked": {policy(mfa.Policy{Mode: mfa.Optional}), faults{mfa.NISTAAL2: "N-3", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, ""},
		"grace":              {policy(mfa.Policy{EnrollBy: testStart.Add(time.Hour)}), faults{mfa.NISTAAL2: "N-3", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, ""},
		"grace that is over": {policy(mfa.Policy{EnrollBy: testStart}), nil, ""},
		"remembered devices": {policy(mfa.Policy{Remember: time.Hour}), faults{mfa.NISTAAL2: "N-40"}, ""},
		"a key in software":  {use(&word{kind: "passkey", traits: factor.Traits{Class: factor.ClassPossession, AMR: "pop", Level: factor.LevelPhishingResistant}}), faults{mfa.ASVSL3: "A-4"}, ""},
		"e-mail":             {policy(mfa.Policy{Kinds: []string{"key", "email"}}), faults{mfa.NISTAAL2: "N-13", mfa.ASVSL2: "A-6", mfa.ASVSL3: "A-4 A-6"}, ""},
		"e-mail, implicit":   {policy(mfa.Policy{Kinds: []string{"key", "email"}, Implicit: []string{"email"}}), faults{mfa.NISTAAL2: "N-13", mfa.ASVSL2: "A-6", mfa.ASVSL3: "A-4 A-6"}, ""},
		"app only":           {policy(mfa.Policy{Kinds: []string{"totp"}}), faults{mfa.NISTAAL2: "N-4", mfa.ASVSL3: "A-4"}, ""},
		"SMS only":           {policy(mfa.Policy{Kinds: []string{"sms"}}), faults{mfa.NISTAAL2: "N-19 N-4", mfa.ASVSL2: "A-20", mfa.ASVSL3: "A-20 A-4"}, "N-19"},
		"SMS and e-mail":     {policy(mfa.Policy{Kinds: []string{"sms", "email"}}), faults{mfa.NISTAAL2: "N-13 N-19 N-4", mfa.ASVSL2: "A-20 A-6", mfa.ASVSL3: "A-20 A-4 A-6"}, "N-19"},
		"a zero policy":      {func(c *mfa.Config) { c.Policies = nil }, faults{mfa.NISTAAL2: "N-13", mfa.ASVSL2: "A-6", mfa.ASVSL3: "A-20 A-4 A-6"}, ""},
		"for the other types": {func(c *mfa.Config) {
			c.Policies = mfa.StaticPolicies(map[string]mfa.Policy{"staff": {Kinds: []string{"key"}}})
		}, faults{mfa.NISTAAL2: "N-13", mfa.ASVSL2: "A-6", mfa.ASVSL3: "A-20 A-4 A-6"}, ""},
		"below stored policies": {func(c *mfa.Config) {
			c.Policies = mfa.StoredPolicies(mfa.StaticPolicy(mfa.Policy{Kinds: []string{"key"}, Mode: mfa.Off}))
		}, faults{mfa.NISTAAL2: "N-3", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, ""},

		"a PIN":          {use(must[*pin.Factor](t)(pin.New(pin.Config{}))), faults{mfa.NISTAAL2: "N-1 N-6", mfa.ASVSL2: "A-3 A-4", mfa.ASVSL3: "A-3 A-4"}, ""},
		"a PIN of seven": {use(must[*pin.Factor](t)(pin.New(pin.Config{MinLength: 7}))), faults{mfa.NISTAAL2: "N-1 N-6", mfa.ASVSL2: "A-3 A-4", mfa.ASVSL3: "A-3 A-4"}, ""},
		"a long PIN":     {use(must[*pin.Factor](t)(pin.New(pin.Config{MinLength: 8}))), faults{mfa.NISTAAL2: "N-1", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, ""},
		"a PIN only": {func(c *mfa.Config) {
			use(must[*pin.Factor](t)(pin.New(pin.Config{MinLength: 8})))(c)
			c.Policies = mfa.StaticPolicy(mfa.Policy{Kinds: []string{"pin"}})
		}, faults{mfa.NISTAAL2: "N-1 N-4", mfa.ASVSL2: "A-4", mfa.ASVSL3: "A-4"}, "N-1"},
		"three steps":        {use(newApp(t, func(c *totp.Config) { c.Strict = false })), faults{mfa.ASVSL2: "A-17", mfa.ASVSL3: "A-17 A-4"}, ""},
		"a grace for typing": {use(newApp(t, func(c *totp.Config) { c.EntryGrace = time.Second })), faults{mfa.ASVSL2: "A-17", mfa.ASVSL3: "A-17 A-4"}, ""},
		"a long step":        {use(newApp(t, func(c *totp.Config) { c.Period = 31 * time.Second })), faults{mfa.ASVSL2: "A-17", mfa.ASVSL3: "A-17 A-4"}, ""},
		"questions":          {add(must[*questions.Factor](t)(questions.New(questions.Config{}))), faults{mfa.NISTAAL2: "N-2", mfa.ASVSL2: "A-10", mfa.ASVSL3: "A-10"}, "N-2"},
		"short paper codes":  {func(c *mfa.Config) { c.Factors[4] = must[*recovery.Factor](t)(recovery.New(recovery.Config{})) }, faults{mfa.NISTAAL2: "N-12", mfa.ASVSL2: "A-14", mfa.ASVSL3: "A-14"}, ""},
		"a code for a week": {func(c *mfa.Config) {
			c.Factors[5] = must[*access.Factor](t)(access.New(access.Config{MaxTTL: 25 * time.Hour}))
		}, faults{mfa.NISTAAL2: "N-34", mfa.ASVSL2: "A-9", mfa.ASVSL3: "A-9"}, "N-34"},
		"nobody is told":      {func(c *mfa.Config) { c.Notices, c.Events = nil, nil }, faults{mfa.NISTAAL2: "N-37", mfa.ASVSL2: "A-30", mfa.ASVSL3: "A-30 A-7"}, "A-30 N-37"},
		"nobody can be told":  {func(c *mfa.Config) { c.Factors = slices.Delete(slices.Clone(c.Factors), 3, 4) }, faults{mfa.NISTAAL2: "N-37", mfa.ASVSL3: "A-7"}, "N-37"},
		"nothing is logged":   {func(c *mfa.Config) { c.Events = nil }, faults{mfa.ASVSL2: "A-30", mfa.ASVSL3: "A-30"}, "A-30"},
		"sends without end":   {func(c *mfa.Config) { c.Sends.PerPerson = -1 }, faults{mfa.ASVSL2: "A-32", mfa.ASVSL3: "A-32"}, "A-32"},
		"a link for two days": {func(c *mfa.Config) { c.LinkTTL = 48 * time.Hour }, faults{mfa.NISTAAL2: "N-34", mfa.ASVSL2: "A-9", mfa.ASVSL3: "A-9"}, "N-34"},

		// Factors of other authors.
		"a stranger that states nothing":      {use(&word{kind: "odd", traits: possession}), faults{mfa.NISTAAL2: "N-20", mfa.ASVSL2: "A-16 A-17", mfa.ASVSL3: "A-16 A-17 A-4"}, ""},
		"a stranger that sends":               {use(&issuing{*codes("odd", possession, factor.Settings{Bits: 13.3, Lifetime: time.Hour})}), faults{mfa.NISTAAL2: "N-15 N-17", mfa.ASVSL2: "A-16 A-17", mfa.ASVSL3: "A-16 A-17 A-4"}, ""},
		"a stranger that sends well":          {use(&issuing{*codes("odd", possession, factor.Settings{Bits: 20, Lifetime: 10 * time.Minute})}), faults{mfa.ASVSL3: "A-4"}, ""},
		"a code that never changes":           {use(codes("odd", possession, factor.Settings{Bits: 20, Step: time.Hour, Lifetime: 30 * time.Second})), faults{mfa.NISTAAL2: "N-20", mfa.ASVSL3: "A-4"}, ""},
		"a possession that is not strong":     {use(codes("odd", factor.Traits{Class: factor.ClassPossession}, factor.Settings{Bits: 20, Lifetime: 30 * time.Second})), faults{mfa.NISTAAL2: "N-3", mfa.ASVSL3: "A-4"}, ""},
		"knowledge that states nothing":       {use(&word{kind: "odd", traits: factor.Traits{Class: factor.ClassKnowledge}}), faults{mfa.NISTAAL2: "N-1 N-6", mfa.ASVSL2: "A-3 A-4", mfa.ASVSL3: "A-3 A-4"}, ""},
		"a way back that states nothing":      {add(&word{kind: "odd", traits: wayBack}), faults{mfa.NISTAAL2: "N-33", mfa.ASVSL2: "A-16", mfa.ASVSL3: "A-16"}, "N-33"},
		"a way back behind a password hash":   {add(codes("odd", wayBack, factor.Settings{Bits: 64, SlowHash: true})), nil, ""},
		"a way back of 111 bits":              {add(codes("odd", wayBack, factor.Settings{Bits: 111})), faults{mfa.NISTAAL2: "N-12", mfa.ASVSL2: "A-14", mfa.ASVSL3: "A-14"}, ""},
		"an issued code that states nothing":  {add(&word{kind: "odd", traits: issuedBack}), faults{mfa.NISTAAL2: "N-34", mfa.ASVSL2: "A-16 A-9", mfa.ASVSL3: "A-16 A-9"}, "N-34"},
		"an issued code of six digits, a day": {add(codes("odd", issuedBack, factor.Settings{Bits: 19.93, Lifetime: 24 * time.Hour})), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range strict {
				cfg := sound(t, p)
				tc.change(&cfg)
				m, err := mfa.New(cfg)
				want := strings.Fields(tc.want[p])
				if len(want) == 0 {
					require.NoError(t, err, p)
					continue
				}
				require.ErrorIs(t, err, mfa.ErrConfig, p)
				require.Nil(t, m)
				// The same is found beforehand, as data, by a Manager that is not held to it,
				// and the error names all of it.
				cfg.Profile = ""
				m, err2 := mfa.New(cfg)
				require.NoError(t, err2)
				list, err2 := m.Audit(t.Context(), p)
				require.NoError(t, err2)
				require.Equal(t, want, rowsOf(list, false), p)
				for _, f := range list {
					if !f.Advice {
						require.ErrorContains(t, err, f.Row+", "+f.Where+": "+f.Problem+"; "+f.Remedy)
					}
				}
			}
			cfg := sound(t, "")
			tc.change(&cfg)
			m, err := mfa.New(cfg)
			require.NoError(t, err, "the default profile refuses nothing")
			list, err := m.Audit(t.Context(), "")
			require.NoError(t, err)
			require.Empty(t, rowsOf(list, false))
			require.Equal(t, strings.Fields(tc.advice), append([]string{}, rowsOf(list, true)...))
		})
	}
}

// What a standard recommends is said, and refused nowhere.
func TestAdviceIsNotRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*mfa.Config)
		rows   map[mfa.Profile]string
	}{
		"nobody looks at the number": {func(c *mfa.Config) { c.Factors[2] = newPhone(t, nil) }, map[mfa.Profile]string{mfa.NISTAAL2: "N-19"}},
		"many tries":                 {func(c *mfa.Config) { c.Lockout = lockout.Config{Tries: 11} }, map[mfa.Profile]string{mfa.NISTAAL2: "O-10", mfa.ASVSL2: "O-10", mfa.ASVSL3: "O-10"}},
		"a day is not fresh": {func(c *mfa.Config) {
			c.Policies = mfa.StaticPolicy(mfa.Policy{Kinds: []string{"key"}, MaxAge: 25 * time.Hour})
		},
			map[mfa.Profile]string{mfa.NISTAAL2: "N-5", mfa.ASVSL2: "N-5", mfa.ASVSL3: "N-5"}},
		"only the application tells": {func(c *mfa.Config) { c.Notices = nil }, map[mfa.Profile]string{mfa.NISTAAL2: "N-37", mfa.ASVSL3: "A-7"}},
	} {
		for _, p := range strict {
			cfg := sound(t, p)
			tc.change(&cfg)
			m, err := mfa.New(cfg)
			require.NoError(t, err, name)
			list, err := m.Audit(t.Context(), p)
			require.NoError(t, err)
			require.Equal(t, strings.Fields(tc.rows[p]), append([]string{}, rowsOf(list, true)...), "%s under %s", name, p)
			require.Empty(t, rowsOf(list, false))
		}
	}
}

func TestProfileMustBeKnown(t *testing.T) {
	cfg := sound(t, "asvs-l1")
	_, err := mfa.New(cfg)
	require.ErrorIs(t, err, mfa.ErrConfig)
	require.ErrorContains(t, err, "asvs-l1")
	cfg.Profile = ""
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	_, err = m.Audit(t.Context(), "AAL2")
	require.ErrorIs(t, err, mfa.ErrConfig)
}

// Policies that come into being later are held to the profile as well.
func TestProfileHoldsForPoliciesSetLater(t *testing.T) {
	cfg := sound(t, "")
	cfg.Policies = mfa.StoredPolicies(cfg.Policies)
	lax := must[*mfa.Manager](t)(mfa.New(cfg))
	cfg.Profile = mfa.ASVSL2
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	set := func(m *mfa.Manager, tenant string, p mfa.Policy) error {
		return m.SetPolicy(t.Context(), mfa.SetPolicyRequest{Actor: mfa.System("root"), Tenant: tenant, UserType: "staff", Policy: p})
	}
	err := set(m, "acme", mfa.Policy{Mode: mfa.Optional, Kinds: []string{"email"}})
	require.ErrorIs(t, err, mfa.ErrConfig)
	require.ErrorContains(t, err, "A-4, A-6")
	require.NoError(t, set(m, "acme", mfa.Policy{Kinds: []string{"totp"}}))
	require.NoError(t, set(m, "", mfa.Policy{Kinds: []string{"key"}}))

	// One that was set before the profile was: Audit says so, and nobody gets in by it.
	require.NoError(t, set(lax, "acme", mfa.Policy{Mode: mfa.Optional, Kinds: []string{"key"}}))
	list, err := m.Audit(t.Context(), mfa.ASVSL2)
	require.NoError(t, err)
	require.Equal(t, []mfa.Finding{{Row: "A-4", Where: `policy of user type "staff" of tenant "acme"`,
		Problem: `mode "optional" lets people in with one factor`, Remedy: "set Mode to Required"}}, list)
	_, err = m.Begin(t.Context(), mfa.BeginRequest{Binding: binding, Subject: mfa.Subject{ID: "a", Tenant: "acme", UserType: "staff"}})
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.ErrorIs(t, err, mfa.ErrConfig)
	_, err = m.Begin(t.Context(), mfa.BeginRequest{Binding: binding, Subject: mfa.Subject{ID: "a", UserType: "staff"}})
	require.NoError(t, err)
}

type policyFunc func() mfa.Policy

func (f policyFunc) Policy(context.Context, string, string) (mfa.Policy, error) { return f(), nil }

// A policy that an application's own source returns is judged when it is used.
func TestProfileHoldsForPoliciesOfTheApplication(t *testing.T) {
	p := mfa.Policy{Kinds: []string{"key"}}
	for _, wrap := range []func(mfa.PolicySource) mfa.PolicySource{mfa.StoredPolicies, func(s mfa.PolicySource) mfa.PolicySource { return s }} {
		cfg := sound(t, mfa.NISTAAL2)
		cfg.Policies = wrap(policyFunc(func() mfa.Policy { return p }))
		m := must[*mfa.Manager](t)(mfa.New(cfg))
		list, err := m.Audit(t.Context(), mfa.NISTAAL2)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.True(t, list[0].Advice)
		require.Equal(t, "Config.Policies", list[0].Where)
		begin := func() error {
			_, err := m.Begin(t.Context(), mfa.BeginRequest{Binding: binding, Subject: ann})
			return err
		}
		p = mfa.Policy{Kinds: []string{"key"}}
		require.NoError(t, begin())
		p.Remember = time.Hour
		require.ErrorIs(t, begin(), mfa.ErrUnavailable)
		require.ErrorContains(t, begin(), "N-40")
	}
}

// Audit does not pass over what it cannot read.
func TestAuditFailsRatherThanPassOver(t *testing.T) {
	cfg := sound(t, "")
	cfg.Policies = mfa.StoredPolicies(cfg.Policies)
	store := cfg.Store
	cfg.Store = struct{ storage.Store }{store}
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	_, err := m.Audit(t.Context(), "")
	require.ErrorIs(t, err, errors.ErrUnsupported)

	cfg.Store = store
	m = must[*mfa.Manager](t)(mfa.New(cfg))
	require.NoError(t, m.SetPolicy(t.Context(), mfa.SetPolicyRequest{Actor: mfa.System("root"), Policy: mfa.Policy{}}))
	for _, rec := range dump(t, store.(storage.Lister)) {
		require.NotEmpty(t, rec)
	}
	cfg.Keys = must[*seal.Keyring](t)(seal.NewKeyring(seal.GenerateKey()))
	m = must[*mfa.Manager](t)(mfa.New(cfg))
	list, err := m.Audit(t.Context(), "")
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Nil(t, list)
}

// What is broken comes before advice, and all of it can go to a page.
func TestFindingsAreSortedAndTold(t *testing.T) {
	cfg := sound(t, "")
	cfg.Factors[1] = newApp(t, func(c *totp.Config) { c.Strict = false })
	cfg.Lockout.Tries, cfg.LinkTTL = 20, 48*time.Hour
	cfg.Policies = mfa.StaticPolicies(map[string]mfa.Policy{"": {Mode: mfa.Off}, "staff": {Mode: mfa.Off}})
	m := must[*mfa.Manager](t)(mfa.New(cfg))
	list, err := m.Audit(t.Context(), mfa.ASVSL2)
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(list, func(a, b mfa.Finding) int {
		return map[bool]int{true: 1}[a.Advice] - map[bool]int{true: 1}[b.Advice]
	}))
	seen := map[string]int{}
	for _, f := range list {
		require.NotEmpty(t, f.Where)
		require.NotEmpty(t, f.Problem)
		require.NotEmpty(t, f.Remedy)
		seen[f.Row]++
	}
	require.Equal(t, map[string]int{"A-4": 2, "A-6": 2, "A-17": 1, "A-9": 1, "O-10": 1}, seen, "a policy's faults by policy, a factor's once")
	data, err := json.Marshal(list[0])
	require.NoError(t, err)
	var m2 map[string]any
	require.NoError(t, json.Unmarshal(data, &m2))
	require.Subset(t, []string{"row", "where", "problem", "remedy"}, slices.Collect(maps.Keys(m2)))
}
