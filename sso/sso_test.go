package sso_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

func TestMicrosoft_LinksAndSignsIn(t *testing.T) {
	r := newRig(t)
	require.ErrorIs(t, r.link("kari", "kari@acme.example", "microsoft", kariMS),
		sso.ErrNotActivated)
	r.activate(contoso, false)
	_, err := r.signIn("microsoft", kariMS)
	require.ErrorIs(t, err, sso.ErrNotLinked)

	require.NoError(t, r.link("kari", "kari@acme.example", "microsoft", kariMS))
	require.Equal(t, "sso.linked", r.lastEvent().Name)
	r.clock.Advance(time.Hour)
	in, err := r.signIn("microsoft", kariMS)
	require.NoError(t, err)
	require.Equal(t, "kari", in.SubjectID)
	require.Equal(t, "acme", in.Tenant)
	require.Equal(t, []string{"pwd", "mfa"}, in.AMR)
	require.Equal(t, contoso, in.Link.Organization)
	require.Equal(t, r.clock.Now(), in.AuthTime)
	require.False(t, in.SecondFactor, "ours is asked unless an administrator says otherwise")

	links, err := r.service.Links(t.Context(), mfa.User{Tenant: "acme", ID: "kari"})
	require.NoError(t, err)
	require.Equal(t, []sso.Link{in.Link}, links)
	require.Equal(t, time.Hour, links[0].LastUsed.Sub(links[0].Created))
}

// An organisation that nobody activated may give its users any address, and any object ID.
func TestActivation_ExcludesOtherOrganisations(t *testing.T) {
	r := newRig(t)
	r.activate(contoso, true)
	require.NoError(t, r.link("kari", "kari@contoso.example", "microsoft", kariMS))
	_, err := r.signIn("microsoft", malloryMS)
	require.ErrorIs(t, err, sso.ErrNotLinked)
	require.ErrorIs(t, r.link("mallory", "m@acme.example", "microsoft", malloryMS),
		sso.ErrNotActivated)

	r.activate(fabrikam, false) // even then it is another account
	_, err = r.signIn("microsoft", malloryMS)
	require.ErrorIs(t, err, sso.ErrNotLinked)
}

// Withdrawing an activation stops linked accounts at once.
func TestDeactivate_StopsLinkedAccounts(t *testing.T) {
	r := newRig(t)
	r.activate(contoso, true)
	require.NoError(t, r.link("kari", "", "microsoft", kariMS))
	in, err := r.signIn("microsoft", kariMS)
	require.NoError(t, err)
	require.True(t, in.SecondFactor)

	request := sso.ActivationRequest{Admin: r.admin("left"), Tenant: "acme",
		Activation: sso.Activation{Provider: "microsoft", Organization: contoso}}
	require.NoError(t, r.service.Deactivate(t.Context(), request))
	_, err = r.signIn("microsoft", kariMS)
	require.ErrorIs(t, err, sso.ErrNotActivated)
	r.activate(contoso, false)
	in, err = r.signIn("microsoft", kariMS)
	require.NoError(t, err)
	require.False(t, in.SecondFactor)
}

// The activation of one tenant of the application is not another's.
func TestActivation_IsForOneTenant(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.service.Activate(t.Context(),
		sso.ActivationRequest{Admin: r.admin(""), Tenant: "other",
			Activation: sso.Activation{Provider: "microsoft", Organization: contoso}}))
	require.ErrorIs(t, r.link("kari", "", "microsoft", kariMS), sso.ErrNotActivated)
}

func TestGoogle_LinksAndSignsIn(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("anna", "anna@gmail.com", "google", annaGmail))
	require.NoError(t, r.link("bob", "bob@example.com", "google", bobWorkspace))
	in, err := r.signIn("google", annaGmail)
	require.NoError(t, err)
	require.Equal(t, "anna", in.SubjectID)
	require.Equal(t, "gmail.com", in.Link.Organization)
	require.Equal(t, "example.com", r.linked[1].Organization)

	require.ErrorIs(t, r.link("carl", "carl@elsewhere.example", "google", carlForeign),
		sso.ErrAddress, "Google does not speak for it")
	require.ErrorIs(t, r.link("dora", "dora@gmail.com", "google", annaGmail), sso.ErrAddress,
		"not her own address")
	require.ErrorIs(t, r.link("dora", "", "google", annaGmail), sso.ErrAddress)
	require.ErrorIs(t, r.link("dora", "anna@gmail.com", "google", annaGmail),
		sso.ErrLinkedElsewhere)
}

// Neither an address changed here nor one changed there moves a link.
func TestLink_DoesNotDependOnTheAddress(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("anna", "anna@gmail.com", "google", annaGmail))
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["email"] = "somebody.else@gmail.com"
		return sign(c)
	}
	in, err := r.signIn("google", annaGmail)
	require.NoError(t, err)
	require.Equal(t, "anna", in.SubjectID, "the account is still hers")
	require.Equal(t, "somebody.else@gmail.com", in.Link.Account, "shown as it is now")
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["sub"] = "another account that took the address over"
		return sign(c)
	}
	_, err = r.signIn("google", annaGmail)
	require.ErrorIs(t, err, sso.ErrNotLinked)
}

func TestGoogle_ClosedNeedsAnActivatedWorkspace(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		google := sso.Google("secondgate-demo", secret.New("ssotest-client-secret"))
		google.Issuer, google.Open = idp.URL+"/google", false
		c.Providers = []sso.Provider{google}
	})
	require.ErrorIs(t, r.link("bob", "bob@example.com", "google", bobWorkspace),
		sso.ErrNotActivated)
	require.NoError(t, r.service.Activate(t.Context(),
		sso.ActivationRequest{Admin: r.admin(""), Tenant: "acme",
			Activation: sso.Activation{Provider: "google", Organization: "Example.com"}}))
	require.NoError(t, r.link("bob", "bob@example.com", "google", bobWorkspace))
	require.ErrorIs(t, r.link("anna", "anna@gmail.com", "google", annaGmail), sso.ErrNotActivated)
}

func TestGoogle_RefusesAnUnverifiedAddress(t *testing.T) {
	r := newRig(t)
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["email_verified"] = false
		return sign(c)
	}
	require.ErrorIs(t, r.link("anna", "anna@gmail.com", "google", annaGmail), sso.ErrAddress)
	r.tamper = nil
	require.NoError(t, r.link("anna", "anna@gmail.com", "google", annaGmail))
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		delete(c, "email_verified")
		return sign(c)
	}
	_, err := r.signIn("google", annaGmail)
	require.ErrorIs(t, err, sso.ErrAddress)
}

func TestSecondFactor_NeedsTheClaimAndTheActivation(t *testing.T) {
	for _, c := range []struct {
		name   string
		accept bool
		claims map[string]any
		want   bool
	}{
		{"asked for and accepted", true, nil, true},
		{"not accepted", false, nil, false},
		{"accepted, not asked for", true, map[string]any{"amr": []string{"pwd"}}, false},
		{"accepted, nothing said", true, map[string]any{"amr": nil}, false},
		{"accepted, said in another form", true, map[string]any{"amr": "mfa"}, false},
		{"accepted, said in a class not configured", true, map[string]any{"amr": nil, "acr": "mfa"},
			false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.activate(contoso, c.accept)
			require.NoError(t, r.link("kari", "", "microsoft", kariMS))
			r.tamper = func(claims map[string]any, sign func(map[string]any) string) string {
				for k, v := range c.claims {
					claims[k] = v
				}
				return sign(claims)
			}
			in, err := r.signIn("microsoft", kariMS)
			require.NoError(t, err)
			require.Equal(t, c.want, in.SecondFactor)
		})
	}
}

func TestMFAClasses_CountWhereAccepted(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		c.Providers = []sso.Provider{{ID: "oidc", Name: "X", Issuer: idp.URL + "/oidc",
			ClientID: "secondgate-demo", ClientSecret: secret.New("ssotest-client-secret"),
			Open: true, MFAClasses: []string{"phr"}}}
		idp.Users[daveOIDC].ACR = "phr"
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	in, err := r.signIn("oidc", daveOIDC)
	require.NoError(t, err)
	require.False(t, in.SecondFactor, "open is not accepted")
	require.NoError(t, r.service.Activate(t.Context(),
		sso.ActivationRequest{Admin: r.admin(""), Tenant: "acme",
			Activation: sso.Activation{Provider: "oidc", AcceptMFA: true}}))
	in, err = r.signIn("oidc", daveOIDC)
	require.NoError(t, err)
	require.True(t, in.SecondFactor)
	require.Equal(t, "phr", in.ACR)
}

func TestBegin_SendsStateNonceAndPKCE(t *testing.T) {
	r := newRig(t)
	at := r.browser().begin("oidc", "sign-in")
	u, err := url.Parse(at)
	require.NoError(t, err)
	q := u.Query()
	require.Equal(t, "code", q.Get("response_type"))
	require.Equal(t, "S256", q.Get("code_challenge_method"))
	require.Len(t, q.Get("code_challenge"), 43)
	require.Len(t, q.Get("state"), 26)
	require.Len(t, q.Get("nonce"), 26)
	require.NotEqual(t, q.Get("state"), q.Get("nonce"))
	require.Equal(t, r.app.URL+"/sso/oidc/callback", q.Get("redirect_uri"))
	require.Equal(t, "openid email", q.Get("scope"))
	again, err := url.Parse(r.browser().begin("oidc", "sign-in"))
	require.NoError(t, err)
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		require.NotEqual(t, q.Get(name), again.Query().Get(name))
	}
	r.as("dave", "")
	require.Equal(t, "select_account", query(t, r.browser().begin("oidc", "link"), "prompt"))
}
