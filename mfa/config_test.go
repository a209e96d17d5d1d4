package mfa_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
	"github.com/stretchr/testify/require"
)

func TestManager_RefusesMalformedInput(t *testing.T) {
	r := newRig(t)
	v := r.signIn(ann)
	ch := r.begin(ann)
	huge := strings.Repeat("1", 1<<20)
	for _, answer := range []string{"", huge, "\xff\xfe", "12\x003456", "abcdef", "①②③④⑤⑥"} {
		_, err := r.verify(ch, "mail", secret.New(answer))
		require.ErrorIs(t, err, factor.ErrMalformed, "%.20q", answer)
	}
	_, err := r.verify(ch, "mail", secret.New("000000"))
	require.Equal(t, 4, left(t, err), "none of them was counted")

	good, grant := textOf(t, ch).Reveal(), textOf(t, v.Grant).Reveal()
	for _, text := range []string{"", "x", huge, "\xff", good[1:], good + "A", grant} {
		token := secret.New(text)
		_, err := r.Session(ann, binding).Verify(t.Context(), challengeOf(token), "mail",
			secret.New("000000"))
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(ann, binding).Send(t.Context(), challengeOf(token), "mail")
		require.ErrorIs(t, err, mfa.ErrToken)
		_, err = r.Session(ann, binding).Confirm(t.Context(), enrollmentOf(token),
			secret.New("1"))
		require.ErrorIs(t, err, mfa.ErrToken)
		if text != "" {
			_, err = r.ConfirmLink(t.Context(), token)
			require.ErrorIs(t, err, mfa.ErrToken)
		}
		if text != grant {
			_, err = r.Session(ann, binding).Enroll(t.Context(), grantOf(token),
				mfa.EnrollRequest{Kind: "app"})
			require.ErrorIs(t, err, mfa.ErrToken)
		}
	}
	for _, s := range []mfa.User{{}, {ID: huge}, {ID: "a\xff"}, {ID: "a", Tenant: huge}, {ID: "a",
		Email: huge}} {
		_, err := r.Session(s, binding).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrMalformed)
		_, err = r.Overview(t.Context(), s)
		require.ErrorIs(t, err, factor.ErrMalformed)
		require.ErrorIs(t, r.Admin(mfa.System("root"), "").Reset(t.Context(), s),
			factor.ErrMalformed)
	}
	for _, b := range []string{"", huge} {
		_, err := r.Session(ann, b).Begin(t.Context())
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	_, err = mfa.Session{}.Begin(t.Context())
	require.ErrorIs(t, err, factor.ErrMalformed)
	for _, e := range []mfa.EnrollRequest{
		{Name: huge}, {Name: "a\nb"}, {Name: "\xff"},
		{Params: map[string]secret.Text{"word": secret.New(huge)}},
		{Params: map[string]secret.Text{"word": secret.New("\xff")}}, {},
	} {
		e.Kind = "app"
		_, err := r.Session(ann, binding).Enroll(t.Context(), v.Grant, e)
		require.ErrorIs(t, err, factor.ErrMalformed)
	}
	_, err = r.verify(ch, "nothing", secret.New("1"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
	_, err = r.verify(ch, "app", secret.New("1"))
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "ann has no app")
}

func TestNew_ExplainsInvalidConfigs(t *testing.T) {
	app := &word{kind: "app", traits: factor.Traits{Level: factor.LevelWeak}}
	with := func(s policy.Source) func(*mfa.Config) {
		return func(c *mfa.Config) { c.Policies = s }
	}
	only := func(p policy.Policy) func(*mfa.Config) { return with(policy.Static(p)) }
	odd := policy.ByUserType(map[string]policy.Policy{"x": {Mode: "on"}})
	unknown := policy.Static(policy.Policy{Default: "fax"})
	for name, change := range map[string]func(*mfa.Config){
		"Store is nil":              func(c *mfa.Config) { c.Store = nil },
		"Keys is nil":               func(c *mfa.Config) { c.Keys = nil },
		"at least one":              func(c *mfa.Config) { c.Factors = nil },
		"not a recovery":            func(c *mfa.Config) { c.Factors = []factor.Factor{codes{}} },
		"twice":                     func(c *mfa.Config) { c.Factors = []factor.Factor{app, app} },
		"Factors[1] is nil":         func(c *mfa.Config) { c.Factors[1] = nil },
		"a-z":                       func(c *mfa.Config) { c.Factors[0] = &word{kind: "App"} },
		"no Level":                  func(c *mfa.Config) { c.Factors[0] = &word{kind: "app"} },
		"Tries is -1":               func(c *mfa.Config) { c.Lockout.Tries = -1 },
		"DisableAfter is 101":       func(c *mfa.Config) { c.Lockout.DisableAfter = 101 },
		"Wait is":                   func(c *mfa.Config) { c.Lockout.Wait = time.Millisecond },
		"GrantTTL is":               func(c *mfa.Config) { c.GrantTTL = time.Second },
		"ChallengeTTL is":           func(c *mfa.Config) { c.ChallengeTTL = 24 * time.Hour },
		"\"fax\" is not configured": only(policy.Policy{Kinds: []string{"fax"}}),
		"cannot be implicit":        only(policy.Policy{Implicit: []string{"app"}}),
		"recovery kinds only":       only(policy.Policy{Kinds: []string{"recovery"}}),
		"mode \"on\"":               with(odd),
		"default kind":              with(policy.Stored(unknown)),
		"needs defaults":            with(policy.Stored(nil)),
	} {
		cfg := newRig(t).cfg
		change(&cfg)
		_, err := mfa.New(cfg)
		require.ErrorIs(t, err, policy.ErrInvalid, name)
		require.NotErrorIs(t, err, mfa.ErrUnavailable, name)
		require.ErrorContains(t, err, name)
	}
	r := newRig(t)
	err := r.Admin(mfa.System("root"), "").SetPolicy(t.Context(),
		policy.StoredPolicy{Policy: policy.Policy{Kinds: []string{"fax"}}})
	require.ErrorIs(t, err, policy.ErrInvalid)
}

// A kind is 1 to 32 of a-z, 0-9 and hyphen.
func TestNew_BoundsTheNameOfAKind(t *testing.T) {
	long := strings.Repeat("k", 33)
	for kind, valid := range map[string]bool{"a": true, "z": true, "0": true, "9": true,
		"my-kind": true, long[:32]: true, "": false, long: false, "Kind": false, "k`": false,
		"k{": false, "k/": false, "k:": false, "k_": false, "k.": false} {
		cfg := newRig(t).cfg
		cfg.Factors = append(cfg.Factors, &word{kind: kind,
			traits: factor.Traits{Level: factor.LevelWeak}})
		m, err := mfa.New(cfg)
		require.Equal(t, valid, err == nil, "%q: %v", kind, err)
		if valid {
			require.Equal(t, []string{"app", "mail", "pin", "recovery", kind}, m.Kinds())
			clear(m.Kinds())
			require.Equal(t, "app", m.Kinds()[0], "the caller has a list of its own")
		}
	}
}

// What the application says of a user is bounded, each field by what its comment says.
func TestUser_IsBounded(t *testing.T) {
	r := newRig(t)
	for field, tc := range map[string]struct {
		most int
		set  func(*mfa.User, string)
	}{
		"ID":       {128, func(u *mfa.User, v string) { u.ID = v }},
		"Tenant":   {64, func(u *mfa.User, v string) { u.Tenant = v }},
		"UserType": {64, func(u *mfa.User, v string) { u.UserType = v }},
		"Account":  {128, func(u *mfa.User, v string) { u.Account = v }},
		"Email":    {254, func(u *mfa.User, v string) { u.Email = v }},
		"Phone":    {32, func(u *mfa.User, v string) { u.Phone = v }},
		"Locale":   {35, func(u *mfa.User, v string) { u.Locale = v }},
		"TimeZone": {64, func(u *mfa.User, v string) { u.TimeZone = v }},
	} {
		u := mfa.User{ID: "u"}
		tc.set(&u, strings.Repeat("x", tc.most))
		require.NoError(t, r.PasswordChanged(t.Context(), u), field)
		tc.set(&u, strings.Repeat("x", tc.most+1))
		err := r.PasswordChanged(t.Context(), u)
		require.ErrorIs(t, err, factor.ErrMalformed, field)
		require.ErrorContains(t, err, "User."+field)
		tc.set(&u, "\xff")
		require.ErrorIs(t, r.PasswordChanged(t.Context(), u), factor.ErrMalformed, field)
	}
}
