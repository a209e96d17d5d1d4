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
		require.ErrorContains(t, err, name)
	}
	r := newRig(t)
	err := r.Admin(mfa.System("root"), "").SetPolicy(t.Context(),
		policy.StoredPolicy{Policy: policy.Policy{Kinds: []string{"fax"}}})
	require.ErrorIs(t, err, policy.ErrInvalid)
}
