package sso_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// What providers send that the standard does not have, and what users of other systems saw of it.
var oddTokens = []struct {
	name, whom string
	mint       mint
}{
	{"dated back", "Microsoft dates tokens back by five minutes; users whose clocks agreed too " +
		"well " +
		"could not sign in", func(c map[string]any, s func(map[string]any) string) string {
		c["iat"] = c["iat"].(int64) - 5*60 - 90
		return s(c)
	}},
	{"addresses in a list", "a directory gave each user a list with one address",
		func(c map[string]any, s func(map[string]any) string) string {
			c["email"] = []any{c["email"]}
			return s(c)
		}},
	{"several addresses", "an employee of two years had two",
		with("email", []string{"dave@example.org", "d@example.org"})},
	{"no address", "an account for a device had a null", with("email", nil)},
	{"a class that is a number", "a national provider numbers its levels", with("acr", 3)},
	{"a class that is a list", "another has several", with("acr", []string{"a", "b"})},
	{"a text for the time of signing in", "a provider in PHP wrote all claims as text",
		with("auth_time", "1764000000")},
	{"no time at all for it", "another left it empty", with("auth_time", "")},
	{"a name that is a number", "a school's user names are numbers",
		with("preferred_username", 4711)},
	{"other providers' claims",
		"an organisation named its own claims like those of Microsoft and " +
			"Google", func(c map[string]any, s func(map[string]any) string) string {
			c["tid"], c["oid"], c["hd"] = 7, []string{"x"}, map[string]any{"domain": "example.org"}
			return s(c)
		}},
	{"a long name", "a translation of the user's title filled the claim",
		with("preferred_username", strings.Repeat("x", 5000))},
	{"methods in a text", "one method was not worth a list", with("amr", "pwd")},
}

// A claim that decides nothing has any form, and the user signs in.
func TestCallback_AcceptsWhatProvidersSend(t *testing.T) {
	for _, c := range oddTokens {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
			r.tamper = c.mint
			in, err := r.signIn("oidc", daveOIDC)
			require.NoError(t, err, c.whom)
			require.Equal(t, "dave", in.SubjectID)
			require.False(t, in.SecondFactor)
		})
	}
}

// A claim that decides something has the form of the standard, or nobody signs in.
func TestCallback_RefusesOddClaimsThatDecide(t *testing.T) {
	for name, m := range map[string]mint{
		"subject":          with("sub", 7),
		"nonce":            with("nonce", []string{"x"}),
		"authorised party": with("azp", []string{"secondgate-demo"}),
		"expiry":           with("exp", "tomorrow"),
		"issue":            with("iat", []int{1}),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
			r.tamper = m
			_, err := r.signIn("oidc", daveOIDC)
			require.ErrorIs(t, err, sso.ErrIdentity)
		})
	}
	// Google decides by hd whose the account is, and Microsoft by tid and oid.
	r := newRig(t)
	r.activate(contoso, false)
	require.NoError(t, r.link("anna", "anna@gmail.com", "google", annaGmail))
	require.NoError(t, r.link("kari", "", "microsoft", kariMS))
	for claim, account := range map[string]int{"hd": annaGmail, "tid": kariMS, "oid": kariMS} {
		r.tamper = with(claim, []string{"example.com"})
		_, err := r.signIn(map[int]string{annaGmail: "google", kariMS: "microsoft"}[account],
			account)
		require.ErrorIs(t, err, sso.ErrIdentity, claim)
	}
	// Of several addresses none is the user's own.
	r.tamper = with("email", []string{"anna@gmail.com", "anna@example.com"})
	require.ErrorIs(t, r.link("bob", "anna@gmail.com", "google", annaGmail), sso.ErrAddress)
}

// A number that is a class counts where it is configured.
func TestMFAClasses_MayBeNumbers(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		s, err := ssotest.New(*idp)
		require.NoError(t, err)
		p := s.Plain()
		p.Open, p.MFAClasses = true, []string{"3"}
		c.Providers = []sso.Provider{p}
	})
	require.NoError(t, r.service.Activate(t.Context(), sso.ActivationRequest{Admin: r.admin(""),
		Tenant: "acme", Activation: sso.Activation{Provider: "oidc", AcceptMFA: true}}))
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	for acr, shown := range map[any]bool{3: true, 2: false, "3": true} {
		r.tamper = with("acr", acr)
		in, err := r.signIn("oidc", daveOIDC)
		require.NoError(t, err)
		require.Equal(t, shown, in.SecondFactor, "%v", acr)
	}
}

// A provider restored its key from a backup and replaced it again seconds later; nobody could sign
// in until the application was restarted.
func TestKeys_RotateTwiceInAMoment(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	for range 2 {
		require.NoError(t, r.idp.RotateKey())
		r.clock.Advance(2 * time.Second)
		_, err := r.signIn("oidc", daveOIDC)
		require.NoError(t, err)
	}
}

// A set of keys had an empty list for each key's certificates, and thumbprints of none.
func TestKeys_NeedNoCertificates(t *testing.T) {
	for _, certificates := range []string{`"x5c":[]`, `"x5c":[""]`, `"x5c":null`, `"x5c":"none"`,
		`"x5t":""`, `"x5t":"AAAA"`, `"x5t#S256":"expired"`, `"x5u":""`, `"x5c":["AAAA"]`} {
		r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
			c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
				resp *http.Response) {
				if strings.HasSuffix(req.URL.Path, "/keys") {
					replaceBody(resp, `"kid":`, certificates+`,"kid":`)
				}
			})}
		})
		require.NoError(t, r.link("dave", "", "oidc", daveOIDC), certificates)
	}
}

// A provider that fails while it is asked for a new key is not asked by each user, and the user's
// account is not what is wrong.
func TestKeys_OutageIsNoIncorrectIdentity(t *testing.T) {
	down, asked := false, 0
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
			resp *http.Response) {
			if strings.HasSuffix(req.URL.Path, "/keys") && down {
				asked++
				resp.StatusCode = http.StatusBadGateway
			}
		})}
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.NoError(t, r.idp.RotateKey())
	down = true
	for range 10 {
		_, err := r.signIn("oidc", daveOIDC)
		require.ErrorIs(t, err, mfa.ErrUnavailable)
	}
	require.Equal(t, 3, asked)
	down = false
	r.clock.Advance(10 * time.Second)
	_, err := r.signIn("oidc", daveOIDC)
	require.NoError(t, err)
}
