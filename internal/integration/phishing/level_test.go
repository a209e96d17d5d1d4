package phishing_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/secret"
)

// levels are pages, with what they want.
var levels = map[string]mfahttp.Level{
	"/any": {}, "/aal2": {Assurance: 2}, "/resistant": {PhishingResistant: true},
	"/app": {Kinds: []string{"totp"}}, "/minute": {Assurance: 1, MaxAge: time.Minute},
}

// verifiedBy is the browser of a user who has signed in by a kind.
func verifiedBy(t *testing.T, s *site, r *relay, kind string) (*browser, *attack) {
	t.Helper()
	b := r.visit(t, realOrigin, nil)
	a := &attack{T: t, s: s, r: r, v: s.enrolled(t, "by-"+kind), there: b}
	a.login()
	b.get("/mfa/api/state")
	a.prove(kind)
	require.Equal(t, "signed in as by-"+kind, b.get("/home"))
	return b, a
}

// prove verifies by a kind.
func (a *attack) prove(kind string) {
	a.Helper()
	if kind == "passkey" {
		data, err := json.Marshal(a.there.api("send", "kind", kind)["data"])
		require.NoError(a, err)
		signed, err := a.v.key.Get(data)
		require.NoError(a, err)
		a.there.api("verify", "kind", kind, "code", signed)
		return
	}
	if kind == "email" {
		a.there.api("send", "kind", kind)
	}
	a.there.api("verify", "kind", kind, "code", a.response(kind))
}

// Each level serves the users who verified by what it wants, and no others.
func TestRequireLevel_ServesWhoMeetsTheLevel(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}, KeepImplicit: true})
	r := newRelay(t, server)
	for kind, want := range map[string]map[string]bool{
		"email":    {"/any": true, "/minute": true},
		"recovery": {"/any": true, "/minute": true},
		"totp":     {"/any": true, "/minute": true, "/aal2": true, "/app": true},
		"passkey":  {"/any": true, "/minute": true, "/aal2": true, "/resistant": true},
	} {
		b, _ := verifiedBy(t, s, r, kind)
		for path := range levels {
			got := b.get(path) == "signed in as by-"+kind
			require.Equal(t, want[path], got, "%s %s", kind, path)
		}
		s.clock.Advance(2 * time.Minute)
		require.NotEqual(t, "signed in as by-"+kind, b.get("/minute"), kind)
	}
}

// A client reads in the challenge of RFC 9470 section 3 what is wanted, verifies by that, and gets
// the page. A verification by less does not suffice.
func TestRequireLevel_ChallengesAsRFC9470(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}, KeepImplicit: true})
	b, a := verifiedBy(t, s, newRelay(t, server), "totp")
	ask := func(path string) (challenge string, body map[string]any) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realOrigin+path, nil)
		require.NoError(t, err)
		resp, err := b.client.Do(req)
		require.NoError(t, err)
		defer func() { require.NoError(t, resp.Body.Close()) }()
		require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
		return resp.Header.Get("WWW-Authenticate"), body
	}
	challenge, body := ask("/resistant")
	require.Equal(t, `Bearer error="insufficient_user_authentication", error_description="A `+
		`stronger or more recent second factor is required", acr_values="phr", max_age="300"`,
		challenge)
	require.Equal(t, map[string]any{"error": "step_up", "max_age": 300.0, "acr_values": "phr",
		"kinds": []any{"passkey"}}, body)
	s.clock.Advance(2 * time.Minute)
	challenge, body = ask("/minute")
	require.Contains(t, challenge, `acr_values="aal1", max_age="60"`)
	require.ElementsMatch(t, []any{"passkey", "totp", "email"}, body["kinds"])

	b.api("step-up", "purpose", "step-up")
	a.prove("email")
	_, body = ask("/resistant")
	require.Equal(t, "phr", body["acr_values"])
	b.api("step-up", "purpose", "step-up")
	a.prove("passkey")
	require.Equal(t, "signed in as by-totp", b.get("/resistant"))
}

// A browser is sent to a step-up that offers what is wanted first, and back.
func TestRequireLevel_SendsABrowserToTheKind(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}, KeepImplicit: true,
		Default: "totp"})
	b, _ := verifiedBy(t, s, newRelay(t, server), "totp")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, realOrigin+"/resistant",
		nil)
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "/mfa/verify", resp.Request.URL.Path)
	require.Equal(t, url.Values{"purpose": {"step-up"}, "kind": {"passkey"},
		"return": {"/resistant"}}, resp.Request.URL.Query())
}

// A user who has nothing that meets a level sees that, and is not asked in vain.
func TestRequireLevel_AsksForNothingThatTheUserDoesNotHave(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}})
	b := newRelay(t, server).visit(t, realOrigin, nil)
	a := &attack{T: t, s: s, v: &victim{name: "bob", password: "bob's"}, there: b}
	s.passwords["bob"] = a.v.password
	a.login()
	b.get("/mfa/api/state")
	a.prove("email")
	require.Equal(t, "signed in as bob", b.get("/home"))
	status, body := b.do(http.MethodGet, "/resistant", "", "")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "You have not set up this sign\u2011in method")
}

// A factor that a session enrols has not been verified, so it raises no level.
func TestRequireLevel_EnrolmentRaisesNoLevel(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}})
	b := newRelay(t, server).visit(t, realOrigin, nil)
	a := &attack{T: t, s: s, v: &victim{name: "eve", password: "eve's"}, there: b}
	s.passwords["eve"] = a.v.password
	a.login()
	b.get("/mfa/api/state")
	a.prove("email")
	e := b.api("enroll", "kind", "totp")
	seed, _ := e["secret"].(string)
	id, _ := e["enrollment"].(string)
	a.v.seed = secret.New(seed)
	require.Contains(t, b.api("confirm", "enrollment", id, "code", s.appCode(t, a.v)), "factor")
	require.NotEqual(t, "signed in as eve", b.get("/aal2"))
	require.NotEqual(t, "signed in as eve", b.get("/app"))
}

func TestRequireLevel_PanicsForAnImpossibleLevel(t *testing.T) {
	for _, l := range []mfahttp.Level{{Assurance: 3}, {Assurance: -1}, {MaxAge: -1}} {
		require.Panics(t, func() { new(mfahttp.Handler).RequireLevel(l) })
	}
}
