package mfahttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// under puts a proxy in front of the site that serves it under a prefix, which it removes.
func (s *site) under(prefix string, change func(r *http.Request)) {
	target, err := url.Parse(s.srv.URL)
	must(s.t, err)
	proxy := httptest.NewServer(http.StripPrefix(prefix, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			change(r.Out)
		}}))
	s.t.Cleanup(proxy.Close)
	s.srv.URL = proxy.URL
}

func TestMount_ProxyRemovesAPrefix(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.ProxyPrefix, c.Public, c.Reauthenticate = "/app", []string{"/static/"}, "/again"
	})
	s.whole()
	s.under("/app", func(r *http.Request) { r.Header.Set("X-Forwarded-Prefix", "/app/") })
	require.Equal(t, "/app/mfa/", s.h.URL())
	p := s.browser("ann")
	p.get("/app/static/x").page(t, 200, "page /static/x")
	p.get("/app/home").goes(t, "/app/login")
	p.get("/app/mfa/").goes(t, "/app/login")
	p.form("/app/login", url.Values{"user": {"ann"}})
	p.get("/app/home").goes(t, "/app/mfa/?return=%2Fapp%2Fhome")
	page := p.follow(p.get("/app/mfa/?return=%2Fapp%2Fhome")).page(t, 200, "Send code",
		`action="/app/mfa/send"`)
	sheet := regexp.MustCompile(`/app/mfa/static/\w+/app\.css`).FindString(page.Text)
	p.get(sheet).page(t, 200, "--sg-accent")
	back := url.Values{"kind": {"email"}, "return": {"/app/home"}}
	p.form("/app/mfa/send", back).goes(t,
		"/app/mfa/verify?kind=email&return=%2Fapp%2Fhome")
	back.Set("code", s.mail.last().Code)
	p.form("/app/mfa/verify", back).goes(t, "/app/mfa/continue?to=%2Fapp%2Fhome")
	p.get("/app/mfa/continue?to=%2Fapp%2Fhome").page(t, 200, "0;url=/app/home")
	p.get("/app/home").page(t, 200, "page /home")
	page = p.get("/app/mfa/factors").page(t, 200, `href="/app/home"`)
	require.NotRegexp(t, `"/(mfa|home|login)`, page.Text)
	for path, guard := range map[string]http.Handler{
		"/app/pay?a=1": s.h.RequireRecent(time.Minute)(http.NotFoundHandler()),
		"/app/email":   s.h.RequireGrant(http.NotFoundHandler()),
	} {
		was := s.srv.Config.Handler
		s.srv.Config.Handler = s.withSession(guard)
		s.clock.Advance(time.Hour)
		u, err := url.Parse(p.get(path).Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, "/app/mfa/step-up", u.Path)
		require.Equal(t, path, u.Query().Get("return"))
		s.srv.Config.Handler = was
	}
	p.form("/app/mfa/sign-out", nil).goes(t, "/app/mfa/continue?to=%2Fapp%2Flogin")
	require.Empty(t, s.log.String())
}

// A path that does not fit is logged once, with what to configure.
func TestMount_SaysWhatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*mfahttp.Config)
		serve  func(s *site)
		hint   string
	}{
		"a prefix is removed, and not configured": {func(*mfahttp.Config) {}, func(s *site) {
			s.under("/app", func(r *http.Request) { r.Header.Set("X-Forwarded-Prefix", "/app") })
		}, "set ProxyPrefix to it"},
		"a prefix is configured, and not removed": {
			func(c *mfahttp.Config) { c.ProxyPrefix = "/app" }, func(*site) {},
			"leave ProxyPrefix empty"},
		"a prefix is removed in front of Require": {func(*mfahttp.Config) {}, func(s *site) {
			s.srv.Config.Handler = s.withSession(http.StripPrefix("/app",
				s.h.Require(http.NotFoundHandler())))
		}, "put Require around"},
		"a prefix is removed in front of the pages": {func(*mfahttp.Config) {}, func(s *site) {
			s.srv.Config.Handler = s.withSession(http.StripPrefix("/app", s.h))
		}, "put Require around"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.change)
			s.whole()
			c.serve(s)
			p := s.browser("")
			p.get("/app/home")
			p.get("/app/mfa/factors")
			require.Contains(t, s.log.String(), c.hint)
			require.Equal(t, 1, strings.Count(s.log.String(), c.hint))
		})
	}
}

func TestMount_RefusesAPrefixThatIsNone(t *testing.T) {
	good := newSite(t, nil)
	for _, prefix := range []string{"app", "/app/", "/", "//app",
		"https://example.com/app", "/a b"} {
		c := good.cfg
		c.ProxyPrefix = prefix
		_, err := mfahttp.New(c)
		require.ErrorContains(t, err, "Config.ProxyPrefix", prefix)
	}
}

// Paths that fit are not logged: with and without a prefix, where the proxy does not say what it
// has removed, and where a client names the whole URL. Without a logger nothing is looked at.
func TestMount_SaysNothingOfWhatFits(t *testing.T) {
	for name, c := range map[string]struct {
		prefix, uri string
		header      string
	}{
		"no prefix":            {"", "/mfa/factors", ""},
		"a root":               {"", "/mfa/factors", "/"},
		"a prefix":             {"/app", "/mfa/factors", "/app/"},
		"a prefix, not named":  {"/app", "/mfa/factors", ""},
		"the URL of a request": {"", "http://example.com/mfa/factors", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, logs := range []bool{true, false} {
				s := newSite(t, func(cfg *mfahttp.Config) {
					if cfg.ProxyPrefix = c.prefix; !logs {
						cfg.Logger = nil
					}
				})
				r := newRequest(s)
				r.Method, r.URL.Path, r.RequestURI = "GET", "/mfa/factors", c.uri
				r.Header.Set("X-Forwarded-Prefix", c.header)
				w := httptest.NewRecorder()
				s.h.ServeHTTP(w, r)
				require.Equal(t, 303, w.Code)
				require.Empty(t, s.log.String())
				r.Header.Set("X-Forwarded-Prefix", "/else")
				s.h.ServeHTTP(httptest.NewRecorder(), r)
				require.Equal(t, logs, strings.Contains(s.log.String(), "set ProxyPrefix to it"))
				require.Equal(t, logs, strings.Count(s.log.String(), "level=WARN") == 1)
			}
		})
	}
}

// Without a page that asks for the first factor again, a prefix makes none.
func TestMount_MakesNoPageOfAPrefix(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.ProxyPrefix = "/app" })
	s.under("/app", func(*http.Request) {})
	s.policy.Mode, s.policy.Implicit = "optional", nil
	p := s.browser("ann")
	p.form("/app/login", url.Values{"user": {"ann"}})
	s.clock.Advance(time.Hour)
	p.get("/app/mfa/enroll/totp").page(t, 403, "Sign in again")
}
