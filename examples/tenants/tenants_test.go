package tenants_test

import (
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/examples/tenants"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// start serves the application. Ann belongs to two tenants: acme requires a second factor, and
// club leaves it to the user.
func start(t *testing.T, shared bool) (*mfatest.Client, *secondgate.Gate) {
	t.Helper()
	a := &tenants.App{Shared: shared, Members: map[string]map[string]string{
		"ann":  {"acme": "staff", "club": "member"},
		"boss": {"acme": "admin"},
		"all":  {"acme": "admin", "club": "admin"},
	}, Brands: map[string]brand.Brand{
		"acme": {Product: "Acme Works", Accent: "#7a1fa2"},
		"club": {Product: "The Club"},
	}}
	app, gate, err := tenants.New(a, secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFile(t.TempDir() + "/key"), Logger: slog.New(slog.DiscardHandler)},
		map[string]policy.Policy{
			"acme": {}, "club": {Mode: policy.ModeOptional}})
	require.NoError(t, err)
	return mfatest.NewClient(t, app), gate
}

func signIn(t *testing.T, c *mfatest.Client, tenant string) mfatest.Page {
	t.Helper()
	return c.Post(t, "/login", url.Values{"user": {"ann"}, "tenant": {tenant}})
}

func change(t *testing.T, c *mfatest.Client, tenant string) mfatest.Page {
	t.Helper()
	return c.Post(t, "/tenant", url.Values{"tenant": {tenant}})
}

// A user who goes on to another tenant sees that one's brand, with separate and shared factors.
func TestBrand_IsThatOfTheTenantNow(t *testing.T) {
	for _, shared := range []bool{false, true} {
		c, _ := start(t, shared)
		signIn(t, c, "club")
		page := c.Get(t, "/mfa/factors").Text
		require.Contains(t, page, "The Club")
		require.NotContains(t, page, "colours-")
		page = change(t, c, "acme").Text
		require.Contains(t, page, "Acme Works")
		require.NotContains(t, page, "The Club")
		require.Contains(t, page, "colours-7a1fa2-")
		app := c.Post(t, "/mfa/enroll/totp", url.Values{}).Text
		require.Contains(t, app, "issuer=Acme%20Works")
	}
}

func TestSeparateFactors_AreOfOneTenant(t *testing.T) {
	c, gate := start(t, false)
	require.Equal(t, "welcome to club", signIn(t, c, "club").Text, "asks for nothing")
	require.Contains(t, change(t, c, "acme").Path, "/mfa/enroll")
	c.PassSecondFactor(t, new(mfatest.App))
	require.Equal(t, "welcome to acme", c.Get(t, "/").Text)
	for tenant, has := range map[string]int{"acme": 1, "club": 0} {
		o, err := gate.Manager.Overview(t.Context(), mfa.User{ID: "ann", Tenant: tenant})
		require.NoError(t, err)
		require.Len(t, o.Factors, has, tenant)
	}
	// What was proven for one tenant proves nothing for the other.
	require.Equal(t, "welcome to club", change(t, c, "club").Text)
	require.NotContains(t, c.Get(t, "/mfa/factors").Text, "Last used")
}

func TestSharedFactors_AreThoseOfTheUser(t *testing.T) {
	c, gate := start(t, true)
	require.Equal(t, "welcome to club", signIn(t, c, "club").Text, "asks for nothing")
	require.NotContains(t, change(t, c, "acme").Text, "welcome", "the policy of acme, at once")
	c.PassSecondFactor(t, new(mfatest.App))
	require.Equal(t, "welcome to acme", c.Get(t, "/").Text)
	require.Equal(t, "welcome to club", change(t, c, "club").Text)
	require.Equal(t, "welcome to acme", change(t, c, "acme").Text, "with the same proof")
	o, err := gate.Manager.Overview(t.Context(), mfa.User{ID: "ann"})
	require.NoError(t, err)
	require.Len(t, o.Factors, 1)
	require.NotContains(t, signIn(t, c, "club").Text, "welcome", "ann has a factor in both")
}

// actor returns an administrator who has just enrolled an app.
func actor(t *testing.T, m *mfa.Manager, u mfa.User) mfa.Admin {
	t.Helper()
	s := m.Session(u, "a session")
	begun, err := s.Begin(t.Context())
	require.NoError(t, err)
	e, err := s.Enroll(t.Context(), begun.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	c, err := s.Confirm(t.Context(), e, secret.New(mfatest.AppCode(t, e.Prompt.URI, time.Now())))
	require.NoError(t, err)
	return m.Admin(s.Actor(c.Grant), "lost phone")
}

// An administrator acts in the tenant alone in which they are signed in, and on shared factors only
// with a role in each tenant of the user.
func TestAuthorize_KeepsToTheTenant(t *testing.T) {
	_, gate := start(t, false)
	all := actor(t, gate.Manager, mfa.User{ID: "all", Tenant: "acme", UserType: "admin"})
	require.NoError(t, all.Reset(t.Context(), mfa.User{ID: "ann", Tenant: "acme"}))
	require.ErrorIs(t, all.Reset(t.Context(), mfa.User{ID: "ann", Tenant: "club"}),
		mfa.ErrForbidden, "where nothing was proven")

	_, gate = start(t, true)
	boss := actor(t, gate.Manager, mfa.User{ID: "boss", UserType: "acme/admin"})
	require.ErrorIs(t, boss.Reset(t.Context(), mfa.User{ID: "ann"}), mfa.ErrForbidden)
	all = actor(t, gate.Manager, mfa.User{ID: "all", UserType: "acme/admin"})
	require.NoError(t, all.Reset(t.Context(), mfa.User{ID: "ann"}))
}
