package mfahttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// neighbour is a browser's way to the site, over https, after a neighbouring subdomain has set
// cookies for the domain: one of each name that the site sets, which the browser sends first. It
// cannot set one that begins with __Host-.
type neighbour struct {
	http.RoundTripper
	value func(name string) string
	set   map[string]*http.Cookie // by the site
}

// RoundTrip implements http.RoundTripper.
func (n neighbour) RoundTrip(r *http.Request) (*http.Response, error) {
	tossed := ""
	for name := range n.set {
		name = strings.TrimPrefix(name, "__Host-")
		if strings.HasPrefix(name, "secondgate") {
			tossed += name + "=" + n.value(name) + "; "
		}
	}
	r = r.Clone(r.Context())
	r.Header.Set("Cookie", tossed+r.Header.Get("Cookie"))
	resp, err := n.RoundTripper.RoundTrip(r)
	if err == nil {
		for _, c := range resp.Cookies() {
			n.set[c.Name] = c
		}
	}
	return resp, err
}

// overTLS serves the site over https, and returns the cookies that it sets, by name.
func (s *site) overTLS(value func(name string) string) (
	set map[string]*http.Cookie, visit func(user string) *browser,
) {
	s.srv = httptest.NewTLSServer(s.srv.Config.Handler)
	s.t.Cleanup(s.srv.Close)
	set = map[string]*http.Cookie{}
	return set, func(user string) *browser {
		p := s.browser(user)
		p.client.Transport = neighbour{s.srv.Client().Transport, value, set}
		return p
	}
}

// A neighbouring subdomain chooses no cookie of ours, and so neither hides what a page shows once,
// nor breaks off a recovery or a sign-in by passkey, nor has a device forgotten. What it would set
// has the right form, so that the name alone keeps it out.
func TestBrowserCookies_AreNoNeighbours(t *testing.T) {
	s := newKeySite(t, func(c *mfahttp.Config) { c.SetupLinks = true })
	s.policy.Remember, s.policy.KeepImplicit = 24*time.Hour, true
	set, visit := s.overTLS(func(name string) string {
		if strings.HasSuffix(name, "_shown") {
			return strings.Repeat("A", 43)
		}
		return strings.Repeat("A", 26)
	})
	ann := visit("ann").signIn()
	at := ann.post("/mfa/enroll/totp", url.Values{"secret": {"IMPORTEDSECRET23"}}).Header.Get(
		"Location")
	for range 2 {
		ann.get(at).page(t, 200, "IMPORTEDSECRET23")
	}
	ann.post(at, url.Values{"code": {"100001"}})

	visit("carl").withPasskey("k1")
	visitor := visit("")
	visitor.respond(visitor.open(t), "k1").is(t, 200, "")

	bob := visit("bob").signIn()
	bob.login()
	bob.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	bob.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code,
		"remember": "Laptop"}).is(t, 200, "")
	require.Contains(t, bob.login().Text, `"Next":"done"`)

	visit("dora").signIn().enroll("100001")
	lost := visit("dora")
	lost.login()
	lost.api("POST", "lost/link", nil).is(t, 200, "")
	stranger := visit("")
	stranger.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
	require.Equal(t, "replace", stranger.api("GET", "state", nil).is(t, 200, "").JSON["purpose"])

	names := ""
	for name, c := range set {
		if name == "session" {
			continue // the application's
		}
		names += name + " "
		require.True(t, strings.HasPrefix(name, "__Host-secondgate"), name)
		require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "", c.Raw)
	}
	for _, want := range []string{"_shown", "_recovery", "_browser", "_device_"} {
		require.Contains(t, names, want)
	}
}

// Handlers at two paths of a host keep their cookies apart, though all have the path of the site.
func TestBrowserCookies_OfTwoHandlersDiffer(t *testing.T) {
	s := newKeySite(t)
	s.cfg.BasePath = "/shop/mfa/"
	other, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/shop/mfa/", s.withSession(other))
	mux.Handle("/", s.srv.Config.Handler)
	s.srv.Config.Handler = mux
	s.browser("ann").withPasskey("k1")
	visitor := s.browser("")
	one := visitor.open(t)
	require.Equal(t, 200, visitor.do("POST", "/shop/mfa/api/passwordless", "{}",
		map[string]string{"Content-Type": "application/json"}).StatusCode)
	visitor.respond(one, "k1").is(t, 200, "")
	u, err := url.Parse(s.srv.URL)
	require.NoError(t, err)
	names := ""
	for _, c := range visitor.client.Jar.Cookies(u) {
		names += c.Name + " "
	}
	require.Regexp(t, `secondgate-[0-9a-f]{8}_browser`, names)
}
