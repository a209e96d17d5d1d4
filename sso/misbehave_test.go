package sso_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

type mint = func(claims map[string]any, sign func(map[string]any) string) string

func with(name string, value any) mint {
	return func(c map[string]any, sign func(map[string]any) string) string {
		c[name] = value
		return sign(c)
	}
}

func without(name string) mint {
	return func(c map[string]any, sign func(map[string]any) string) string {
		delete(c, name)
		return sign(c)
	}
}

// unsigned makes a token of an algorithm, with what hash makes of it for a signature.
func unsigned(alg string, hash func(text string) []byte) mint {
	return func(c map[string]any, _ func(map[string]any) string) string {
		payload, _ := json.Marshal(c)
		text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) +
			"." + base64.RawURLEncoding.EncodeToString(payload)
		return text + "." + base64.RawURLEncoding.EncodeToString(hash(text))
	}
}

// A provider's token that is wrong in any one way signs nobody in and links nothing.
func TestCallback_RefusesInvalidTokens(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, c := range map[string]struct {
		mint mint
		want error
	}{
		"nonce of another":    {with("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAA"), sso.ErrIdentity},
		"no nonce":            {without("nonce"), sso.ErrIdentity},
		"nonce no text":       {with("nonce", 7), sso.ErrIdentity},
		"audience of another": {with("aud", "another-app"), sso.ErrIdentity},
		"no audience":         {without("aud"), sso.ErrIdentity},
		"two audiences, no azp": {with("aud", []string{"secondgate-demo", "another-app"}),
			sso.ErrIdentity},
		"azp of another":    {with("azp", "another-app"), sso.ErrIdentity},
		"issuer of another": {with("iss", "https://evil.example"), sso.ErrIdentity},
		"issuer with slash": {func(c map[string]any, s func(map[string]any) string) string {
			c["iss"] = c["iss"].(string) + "/"
			return s(c)
		}, sso.ErrIdentity},
		"no issuer":                {without("iss"), sso.ErrIdentity},
		"no subject":               {without("sub"), sso.ErrIdentity},
		"empty subject":            {with("sub", ""), sso.ErrIdentity},
		"half a character":         {with("sub", "dave\ufffd"), sso.ErrIdentity},
		"subject too long":         {with("sub", strings.Repeat("x", 256)), sso.ErrIdentity},
		"expired":                  {with("exp", at(-time.Second)), sso.ErrIdentity},
		"expires now":              {with("exp", at(0)), sso.ErrIdentity},
		"no expiry":                {without("exp"), sso.ErrIdentity},
		"not yet good":             {with("nbf", at(6*time.Minute)), sso.ErrIdentity},
		"of the future":            {with("iat", at(6*time.Minute)), sso.ErrIdentity},
		"made before it was asked": {with("iat", at(-11*time.Minute)), sso.ErrIdentity},
		"no time":                  {without("iat"), sso.ErrIdentity},
		"names in other letters": {func(c map[string]any, s func(map[string]any) string) string {
			c["AUD"], c["aud"] = c["aud"], "another-app"
			return s(c)
		}, sso.ErrIdentity},
		"alg none": {unsigned("none", func(string) []byte { return nil }), sso.ErrIdentity},
		"alg HS256": {unsigned("HS256", func(text string) []byte {
			h := hmac.New(sha256.New, []byte("ssotest-client-secret"))
			h.Write([]byte(text))
			return h.Sum(nil)
		}), sso.ErrIdentity},
		"no token": {func(map[string]any, func(map[string]any) string) string {
			return ""
		}, sso.ErrIdentity},
		"no JWT": {func(map[string]any, func(map[string]any) string) string {
			return "a.b.c"
		}, sso.ErrIdentity},
		"token too long": {with("x", strings.Repeat("x", 70<<10)), sso.ErrIdentity},
		"another payload": {func(c map[string]any, s func(map[string]any) string) string {
			parts := strings.Split(s(c), ".")
			c["sub"] = "somebody else"
			payload, _ := json.Marshal(c)
			return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
		}, sso.ErrIdentity},
		"endless response": {func(map[string]any, func(map[string]any) string) string {
			return strings.Repeat("x", 2<<20)
		}, mfa.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
			_, err := r.signIn("oidc", daveOIDC)
			require.NoError(t, err)
			r.tamper = c.mint
			_, err = r.signIn("oidc", daveOIDC)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, "sso.refused", r.lastEvent().Name)
			require.ErrorIs(t, r.link("frank", "", "oidc", eveOIDC), c.want)
			links, err := r.service.Links(t.Context(), mfa.User{Tenant: "acme", ID: "frank"})
			require.NoError(t, err)
			require.Empty(t, links)
		})
	}
}

func TestCallback_AcceptsValidTokensOfOddForms(t *testing.T) {
	for name, m := range map[string]mint{
		"two audiences and azp": func(c map[string]any, s func(map[string]any) string) string {
			c["aud"], c["azp"] = []string{"another-app", "secondgate-demo"}, "secondgate-demo"
			return s(c)
		},
		"times with fractions": func(c map[string]any, s func(map[string]any) string) string {
			c["iat"] = float64(c["iat"].(int64)) + 0.5
			return s(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
			r.tamper = m
			_, err := r.signIn("oidc", daveOIDC)
			require.NoError(t, err)
		})
	}
}

// Microsoft's issuer is its template filled with the token's tid, and nothing else.
func TestMicrosoft_IssuerMustFitTheTenant(t *testing.T) {
	for name, change := range map[string]func(c map[string]any){
		"tid of another": func(c map[string]any) { c["tid"] = fabrikam },
		"issuer of another": func(c map[string]any) {
			c["iss"] = strings.ReplaceAll(c["iss"].(string), contoso, fabrikam)
		},
		"no tid": func(c map[string]any) { delete(c, "tid") },
		"the template": func(c map[string]any) {
			c["iss"] = strings.ReplaceAll(c["iss"].(string), contoso, "{tenantid}")
		},
		"the template twice": func(c map[string]any) {
			c["iss"], c["tid"] = strings.ReplaceAll(c["iss"].(string), contoso, "{tenantid}"),
				"{tenantid}"
		},
		"tid that goes further": func(c map[string]any) {
			c["iss"], c["tid"] = strings.ReplaceAll(c["iss"].(string), contoso, contoso+"/x"),
				contoso+"/x"
		},
		"tid in capitals":     func(c map[string]any) { c["tid"] = strings.ToUpper(contoso) },
		"a tid beside it":     func(c map[string]any) { c["TID"], c["tid"] = contoso, fabrikam },
		"no oid":              func(c map[string]any) { delete(c, "oid") },
		"oid that is no GUID": func(c map[string]any) { c["oid"] = "kari@contoso.example" },
		"an oid beside it":    func(c map[string]any) { c["OID"] = kariOID; delete(c, "oid") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.activate(contoso, false)
			r.activate(fabrikam, false)
			require.NoError(t, r.link("kari", "", "microsoft", kariMS))
			r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
				change(c)
				return sign(c)
			}
			_, err := r.signIn("microsoft", kariMS)
			require.ErrorIs(t, err, sso.ErrIdentity)
		})
	}
}

// With the issuer of one organisation there is no template, and the token's tid is still the
// issuer's.
func TestMicrosoft_WithOneOrganisationsIssuer(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		one := sso.Microsoft("secondgate-demo", secret.New("ssotest-client-secret"))
		one.Issuer, one.Discovery, one.Open = idp.URL+"/microsoft/"+contoso+"/v2.0", idp.URL+
			"/microsoft/organizations/v2.0", true
		c.Providers = []sso.Provider{one}
		c.HTTPClient = &http.Client{Transport: transport(func(_ *http.Request,
			resp *http.Response) {
			replaceBody(resp, "{tenantid}", contoso)
		})}
	})
	require.NoError(t, r.link("kari", "", "microsoft", kariMS))
	require.ErrorIs(t, r.link("mallory", "", "microsoft", malloryMS), sso.ErrIdentity)
	r.tamper = with("tid", fabrikam)
	_, err := r.signIn("microsoft", kariMS)
	require.ErrorIs(t, err, sso.ErrIdentity)
}

// Another organisation is another user, whatever else is the same.
func TestMicrosoft_OtherOrganisationIsAnotherUser(t *testing.T) {
	r := newRig(t)
	r.activate(contoso, false)
	r.activate(fabrikam, false)
	require.NoError(t, r.link("kari", "", "microsoft", kariMS))
	require.NoError(t, r.link("mallory", "", "microsoft", malloryMS))
	in, err := r.signIn("microsoft", malloryMS)
	require.NoError(t, err)
	require.Equal(t, "mallory", in.SubjectID)
}

// A key set whose key is for one organisation: it signs for no other.
func TestMicrosoft_RefusesAnotherOrganisationsKey(t *testing.T) {
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
			resp *http.Response) {
			if strings.HasSuffix(req.URL.Path, "/microsoft/keys") {
				replaceBody(resp, "{tenantid}", fabrikam)
			}
		})}
	})
	r.activate(contoso, false)
	r.activate(fabrikam, false)
	require.NoError(t, r.link("mallory", "", "microsoft", malloryMS))
	require.ErrorIs(t, r.link("kari", "", "microsoft", kariMS), sso.ErrIdentity)
}

func TestCallback_RefusesAReplayedCode(t *testing.T) {
	for name, reuse := range map[string]bool{"good provider": false,
		"provider that takes it again": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(_ *sso.Config, c *ssotest.Config) { c.ReuseCodes = reuse })
			require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
			b := r.browser()
			at := b.begin("oidc", "sign-in")
			appURL, err := url.Parse(r.app.URL)
			require.NoError(t, err)
			cookies := b.Jar.Cookies(appURL)
			back := b.choose(at, daveOIDC)
			require.NoError(t, b.open(back))
			require.ErrorIs(t, b.open(back), sso.ErrFlow, "the browser's cookie is gone")
			b.Jar.SetCookies(appURL, cookies) // as if an attacker kept it
			require.ErrorIs(t, b.open(back), sso.ErrFlow)
			require.Len(t, r.in, 1)
		})
	}
}

func TestLink_RefusesAReplayedResponse(t *testing.T) {
	r := newRig(t, func(_ *sso.Config, c *ssotest.Config) { c.ReuseCodes = true })
	r.as("dave", "")
	b := r.browser()
	appURL, err := url.Parse(r.app.URL)
	require.NoError(t, err)
	at := b.begin("oidc", "link")
	cookies := b.Jar.Cookies(appURL)
	back := b.choose(at, daveOIDC)
	require.NoError(t, b.open(back))
	b.Jar.SetCookies(appURL, cookies)
	require.ErrorIs(t, b.open(back), sso.ErrFlow)
	require.Len(t, r.linked, 1)
	require.NoError(t, r.service.Unlink(t.Context(), r.session, r.grant, r.linked[0].ID))
}

func TestMaxAge_IsVerified(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		c.Providers = []sso.Provider{{ID: "oidc", Name: "X", Issuer: idp.URL + "/oidc",
			ClientID: "secondgate-demo", ClientSecret: secret.New("ssotest-client-secret"),
			Open: true, MaxAge: time.Hour}}
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.Equal(t, "3600", query(t, r.browser().begin("oidc", "sign-in"), "max_age"))
	for _, c := range []struct {
		mint   mint
		config bool // an administrator has to change something
	}{
		{without("auth_time"), true},
		{with("auth_time", []string{"today"}), true},
		{with("auth_time", r.clock.Now().Add(-2*time.Hour).Unix()), false},
		{with("auth_time", fmt.Sprint(r.clock.Now().Add(-2*time.Hour).Unix())), false},
	} {
		r.tamper = c.mint
		_, err := r.signIn("oidc", daveOIDC)
		require.ErrorIs(t, err, sso.ErrIdentity)
		require.Equal(t, c.config, errors.Is(err, sso.ErrConfig), "%v", err)
		require.Equal(t, c.config, strings.Contains(err.Error(), "auth_time"), "%v", err)
	}
	r.tamper = with("auth_time", fmt.Sprint(r.clock.Now().Unix()))
	_, err := r.signIn("oidc", daveOIDC)
	require.NoError(t, err, "a number in quotes")
}

// encoding/json takes "\u017fub" for "sub" in a struct; we do not.
func TestClaims_NamesAreExact(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["\u017fub"], c["sub"] = c["sub"], "another"
		return sign(c)
	}
	_, err := r.signIn("oidc", daveOIDC)
	require.ErrorIs(t, err, sso.ErrNotLinked)
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["i\u017fs"], c["iss"] = c["iss"], "https://evil.example"
		return sign(c)
	}
	_, err = r.signIn("oidc", daveOIDC)
	require.ErrorIs(t, err, sso.ErrIdentity)
}

// What is not this provider's response is not taken to its token endpoint (RFC 9207).
func TestCallback_RefusesAnotherIssuer(t *testing.T) {
	for name, c := range map[string]struct {
		promises bool // the provider says that it names itself
		iss      func(issuer string) string
		asked    int
	}{
		"another's":            {false, func(string) string { return "https://evil.example" }, 0},
		"its own":              {true, func(issuer string) string { return issuer }, 1},
		"nobody's, promised":   {true, func(string) string { return "" }, 0},
		"nobody's, unpromised": {false, func(string) string { return "" }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			r := newRig(t, func(cfg *sso.Config, _ *ssotest.Config) {
				cfg.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
					resp *http.Response) {
					if strings.HasSuffix(req.URL.Path, "/token") {
						asked++
					}
					if c.promises {
						replaceBody(resp, `{"authorization_endpoint"`,
							`{"authorization_response_iss_parameter_supported":true,"authorization_endpoint"`)
					}
				})}
			})
			b := r.browser()
			back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
			err := b.open(edit(t, back, func(q url.Values) {
				if iss := c.iss(r.idpHTTP.URL + "/oidc"); iss != "" {
					q.Set("iss", iss)
				}
			}))
			require.Equal(t, c.asked, asked)
			if c.asked == 0 {
				require.ErrorIs(t, err, sso.ErrIdentity)
			} else {
				require.ErrorIs(t, err, sso.ErrNotLinked)
			}
		})
	}
}
