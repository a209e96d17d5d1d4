package mfahttp_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// behind puts a reverse proxy in front of the site. It rewrites Host to the site's, as proxies do
// by default, and does what change does. The tests' browsers then see its origin.
func (s *site) behind(change func(r *http.Request)) {
	target, err := url.Parse(s.srv.URL)
	must(s.t, err)
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		change(r.Out)
	}})
	s.t.Cleanup(proxy.Close)
	s.srv.URL = proxy.URL
}

// form posts a form as a browser does that sends Sec-Fetch-Site and Origin.
func (p *browser) form(path string, form url.Values) *response {
	p.s.t.Helper()
	return p.do("POST", path, form.Encode(), map[string]string{"Accept": "text/html",
		"Content-Type": "application/x-www-form-urlencoded", "Origin": p.s.srv.URL,
		"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"})
}

// throughPages signs a user in over the pages under base, and returns where that leads.
func (p *browser) throughPages(base, login string) *response {
	p.s.t.Helper()
	p.form(login, url.Values{"user": {p.user}})
	p.follow(p.get("/home")).page(p.s.t, 200, "Send code")
	p.form(base+"send", url.Values{"kind": {"email"}})
	a := p.form(base+"verify", url.Values{"kind": {"email"}, "return": {"/home"},
		"code": {p.s.mail.last().Code}})
	require.Equal(p.s.t, http.StatusSeeOther, a.StatusCode, a.Text)
	return a
}

func TestSurroundings_AnotherBasePath(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.BasePath = "/account/security/" })
	s.whole()
	p := s.browser("ann")
	p.get("/home").goes(t, "/login")
	p.form("/login", url.Values{"user": {"ann"}})
	p.get("/home").goes(t, "/account/security/?return=%2Fhome")
	p.get("/account/security/?return=%2Fhome").goes(t, "/account/security/verify?return=%2Fhome")
	p.form("/account/security/send", url.Values{"kind": {"email"}}).goes(t,
		"/account/security/verify?kind=email")
	a := p.form("/account/security/verify", url.Values{"kind": {"email"},
		"code": {s.mail.last().Code}, "return": {"/home"}})
	require.Equal(t, "/account/security/continue?to=%2Fhome", a.Header.Get("Location"))
	p.get("/home").page(t, 200, "page /home")
	page := p.get("/account/security/factors").page(t, 200, `action="/account/security/`)
	require.NotContains(t, page.Text, "/mfa/")
	p.get("/mfa/factors").page(t, 200, "page /mfa/factors") // the application's
}

// A proxy that rewrites Host and passes Sec-Fetch-Site on needs no configuration.
func TestSurroundings_HostIsRewritten(t *testing.T) {
	s := newSite(t, nil)
	s.whole()
	s.behind(func(*http.Request) {})
	p := s.browser("ann")
	require.Equal(t, "/home", p.throughPages("/mfa/", "/login").leadsTo())
	p.get("/home").page(t, 200, "page /home")

	// A form whose page has grown too old for RequireRecent leads back to that page.
	s.srv.Config.Handler = s.withSession(s.h.RequireRecent(1)(http.NotFoundHandler()))
	s.clock.Advance(1000)
	a := p.do("POST", "/pay", "", map[string]string{"Accept": "text/html",
		"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate",
		"Referer": s.srv.URL + "/pay?step=2"})
	a.goes(t, "/mfa/step-up?purpose=step-up&return=%2Fpay%3Fstep%3D2")
}

// Without Sec-Fetch-Site a form looks as if it came from another site. The log says what to
// configure, and with that it works.
func TestSurroundings_HostIsRewrittenAndNoSecFetchSite(t *testing.T) {
	bare := func(r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Sec-Fetch-") {
				r.Header.Del(name)
			}
		}
	}
	s := newSite(t, nil)
	s.whole()
	s.behind(bare)
	p := s.browser("ann")
	p.form("/login", url.Values{"user": {"ann"}})
	p.form("/mfa/send", url.Values{"kind": {"email"}, "secret": {"in the form"}}).page(t, 403)
	require.Zero(t, s.mail.count())
	log := s.log.String()
	require.Contains(t, log, "level=WARN")
	require.Contains(t, log, "origin="+s.srv.URL)
	require.Contains(t, log, "a proxy has changed Host")
	require.Contains(t, log, "Config.AllowedOrigins")
	require.NotContains(t, log, "in the form")
	require.NotContains(t, log, "/mfa/")
	public := s.srv.URL

	s = newSite(t, func(c *mfahttp.Config) { c.AllowedOrigins = []string{public} })
	s.whole()
	s.behind(bare)
	at := s.srv.URL
	s.srv.URL = public // the browser's origin is the one that is allowed
	p = s.browser("ann")
	p.client.Transport = via(at)
	require.Equal(t, "/home", p.throughPages("/mfa/", "/login").leadsTo())
	p.get("/home").page(t, 200, "page /home")
	require.Empty(t, s.log.String())
}

// via sends all requests to one server, whatever their URL says.
func via(server string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		to, err := url.Parse(server)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.URL.Host = to.Host
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A refused request is logged with what its browser said, and nothing of it is believed.
func TestSurroundings_RefusedRequestsAreLogged(t *testing.T) {
	for name, c := range map[string]struct{ site, origin, hint string }{
		"another site": {"cross-site", "https://evil.example", "another site made the request"},
		"a sister":     {"same-site", "https://app.example.com", "another site made the request"},
		"hidden":       {"", "null", "hides the origin"},
		"Host":         {"", "https://acme.example", "a proxy has changed Host"},
		"long":         {"", "https://" + strings.Repeat("a", 5000), "a proxy has changed Host"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			header := map[string]string{"Content-Type": "application/json", "Origin": c.origin}
			if c.site != "" {
				header["Sec-Fetch-Site"] = c.site
			}
			p := s.browser("ann")
			p.do("POST", "/mfa/api/send", `{"kind":"email"}`, header).is(t, 403, "forbidden")
			require.Contains(t, s.log.String(), c.hint)
			require.Less(t, s.log.Len(), 1000)
		})
	}
	s := newSite(t, func(c *mfahttp.Config) { c.Logger = nil })
	s.browser("ann").do("POST", "/mfa/api/send", "{}", map[string]string{"Origin": "null",
		"Content-Type": "application/json"}).is(t, 403, "forbidden")
}

// Over TLS, with HTTP/2, only this host can have set the cookies.
func TestSurroundings_HTTP2(t *testing.T) {
	s := newSite(t, nil)
	s.whole()
	srv := httptest.NewUnstartedServer(s.srv.Config.Handler)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s.srv.URL = srv.URL
	p := s.browser("ann")
	p.client.Transport = srv.Client().Transport
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p.client.Jar = jar
	a := p.throughPages("/mfa/", "/login")
	require.Equal(t, "/home", a.leadsTo())
	require.Equal(t, "HTTP/2.0", a.Proto)
	p.get("/home").page(t, 200, "page /home")
	if !inCookies {
		return
	}
	require.NotEmpty(t, a.Cookies())
	for _, c := range a.Cookies() {
		if strings.Contains(c.Name, "secondgate") {
			require.True(t, strings.HasPrefix(c.Name, "__Host-") && c.Secure && c.HttpOnly &&
				c.Path == "/" && c.Domain == "", fmt.Sprint(c))
		}
	}
}
