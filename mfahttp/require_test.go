package mfahttp_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
)

// whole makes the site an application that Require guards as a whole, and that knows nothing of a
// second factor beyond Identify.
func (s *site) whole() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		for key, value := range map[string]string{"user": r.FormValue("user"),
			"sid": rand.Text(), "since": s.clock.Now().Format(time.RFC3339Nano)} {
			must(s.t, s.Put(r.Context(), key, []byte(value)))
		}
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "page "+r.URL.Path)
	})
	s.srv.Config.Handler = s.withSession(s.h.Require(mux))
}

// The application calls nothing after its password check.
func TestRequire_BeginsByItself(t *testing.T) {
	s := newSite(t, nil)
	s.whole()
	p := s.browser("ann")
	p.get("/home").goes(t, "/login")
	p.get("/login").page(t, 200, "page /login")
	p.post("/login", url.Values{"user": {"ann"}}).goes(t, "/home")
	p.follow(p.get("/home")).page(t, 200, "Send code")
	p.do("GET", "/home", "", asJSON).is(t, 401, "unauthorized")
	p.post("/mfa/send", url.Values{"kind": {"email"}, "return": {"/home"}})
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"return": {"/home"}}).goes(t, "/home")
	p.get("/home").page(t, 200, "page /home")

	// A program signs in over the API alone.
	q := s.browser("bob")
	q.post("/login", url.Values{"user": {"bob"}})
	a := q.api("GET", "state", nil).is(t, 200, "")
	require.Equal(t, "verify", a.JSON["next"])
	q.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	q.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	q.do("GET", "/home", "", asJSON)
	q.get("/home").page(t, 200, "page /home")
}

// A user whose account has no name can sign in with another one, too.
func TestPages_OfferAnotherAccount(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		identify := c.Identify
		c.Identify = func(r *http.Request) (mfahttp.Identity, error) {
			id, err := identify(r)
			id.User.Email, id.User.EmailVerified = "", false
			return id, err
		}
	})
	s.whole()
	p := s.browser("ann")
	require.NotContains(t, p.get("/mfa/confirmed").page(t, 200).Text, "/mfa/sign-out")
	p.post("/login", url.Values{"user": {"ann"}})
	p.follow(p.get("/home")).page(t, 200, `action="/mfa/sign-out"`, "Use another account")
	p.post("/mfa/sign-out", nil).goes(t, "/login")
	p.get("/home").goes(t, "/login")
}

// A user of whom nothing is required is served at once, and a stricter policy reaches them.
func TestRequire_AsksNothingWherePolicyDoesNot(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Mode = "off"
	s.whole()
	p := s.browser("ann")
	p.post("/login", url.Values{"user": {"ann"}})
	p.get("/home").page(t, 200, "page /home")
	require.Equal(t, true, p.api("GET", "state", nil).is(t, 200, "").JSON["signed_in"])
	s.policy.Mode = "required"
	s.clock.Advance(2 * time.Minute)
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
}

// Public paths are served to visitors, and no spelling of another path is one of them.
func TestRequire_PublicPaths(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Public = []string{"/logout", "/static/"} })
	s.whole()
	half := s.browser("ann")
	half.post("/login", url.Values{"user": {"ann"}})
	for _, p := range []*browser{s.browser(""), half} {
		for _, open := range []string{"/logout", "/static/app.css", "/static/a/b", "/login",
			"/logout?x=1", "/mfa/confirmed"} {
			p.get(open).page(t, 200)
		}
		for _, path := range []string{"/home", "/", "/logout/", "/logout/x", "/static", "/logoutx",
			"/static/../home", "/static/%2e%2e/home", "/static/..%2fhome", "/static/..;/home",
			"/static/x/../../home", "/static//../home", "//static/home", "/static/%5c../home",
			"/home?/static/", "/home/static/", "/Static/home", "/mfa/../home", "/mfa/%2e%2e/home",
			"/static/%252e%252e/home"} {
			a := p.get(path)
			require.NotEqual(t, 200, a.StatusCode, "%s: %s", path, a.Text)
		}
	}
}

// A sign-in page that is the home page too is not public: visitors see it, and a user who has
// passed the first factor does not.
func TestRequire_SignInOnTheHomePage(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.LoginURL, c.HomeURL, c.Public = "", "", []string{"/login"}
	})
	s.whole()
	p := s.browser("ann")
	p.get("/").page(t, 200, "page /")
	p.get("/home").goes(t, "/?return=%2Fhome")
	p.post("/login", url.Values{"user": {"ann"}})
	p.get("/").goes(t, "/mfa/?return=%2F")
}

// A middleware that rewrites the path does not make it public.
func TestRequire_RewrittenPathIsNotPublic(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Public = []string{"/static/"} })
	served := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "served "+r.URL.Path)
	})
	s.srv.Config.Handler = s.withSession(http.StripPrefix("/admin", s.h.Require(served)))
	p := s.browser("")
	p.get("/admin/static/users").goes(t, "/login?return=%2Fadmin%2Fstatic%2Fusers")
	s.srv.Config.Handler = s.withSession(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = "/home"
			s.h.Require(served).ServeHTTP(w, r)
		}))
	p.get("/static/x").goes(t, "/login?return=%2Fstatic%2Fx")
}

// Some routers take a path apart before they decode it. To them "/static%2Fx/dashboard" is the
// dashboard of another tenant than "static", and no page below "/static/".
func TestRequire_EncodedPathIsNotPublic(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.LoginURL, c.Public = "/login", []string{"/logout", "/static/", "/für/"}
	})
	s.srv.Config.Handler = s.withSession(s.h.Require(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "served "+r.URL.EscapedPath())
		})))
	p := s.browser("")
	for _, path := range []string{"/static%2Fx/dashboard", "/static%2fx/dashboard", "/static%2F",
		"/stati%63/x", "/%6cogout", "/logou%74", "/%6cogin", "/%2Flogout", "/f%75%CC%88r/",
		"/f%c3%bc%72/x"} {
		want := "/login?" + url.Values{"return": {path}}.Encode()
		if strings.HasPrefix(path, "/%2F") {
			want = "/login" // which could be another site's address
		}
		p.get(path).goes(t, want)
	}
	for _, path := range []string{"/static/x", "/static/x%2Fy", "/static/a%20b", "/static/a(1).js",
		"/static/[slug].js", "/static/%5Bslug%5D.js", "/static/%C3%BC.css", "/f%C3%BCr/x",
		"/logout", "/login", "/login?a=%2F"} {
		p.get(path).page(t, 200, "served")
	}
}

// A user without a session ID is a fault of the application, which its log says.
func TestIdentify_NeedsASessionID(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		identify := c.Identify
		c.Identify = func(r *http.Request) (mfahttp.Identity, error) {
			id, err := identify(r)
			id.SessionID = ""
			return id, err
		}
	})
	s.whole()
	p := s.browser("ann")
	p.post("/login", url.Values{"user": {"ann"}})
	p.get("/home").page(t, 503)
	p.api("GET", "state", nil).is(t, 503, "unavailable")
	require.Contains(t, s.log.String(), "session ID")
	_, err := s.h.Begin(nil, newRequest(s), mfahttp.Identity{User: s.subject("ann")})
	require.ErrorContains(t, err, "session ID")
}

// An outage of the application's sessions lets nobody in, is said to be one, and loses no code:
// whatever happened to the session is not promised to the user.
func TestSession_OutageLetsNobodyIn(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.get("/home").page(t, 200, "welcome")
	q := s.browser("bob")
	q.login()
	q.api("POST", "send", m{"kind": "email"}).is(t, 200, "")

	s.sessionErr = errors.New("redis://:hunter2@sessions: connection refused")
	for _, a := range []*response{p.get("/home"), p.get("/recent"), p.get("/mfa/factors"),
		q.get("/mfa/"), q.post("/mfa/send", url.Values{"kind": {"email"}})} {
		a.page(t, 503)
		require.NotContains(t, a.Text, "hunter2")
		require.Empty(t, a.Header.Get("Location"))
	}
	p.api("GET", "factors", nil).is(t, 503, "unavailable")
	q.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 503,
		"unavailable")
	require.Empty(t, s.verified[1:])
	r := newRequest(s)
	for key, value := range map[string]string{"user": "ann", "sid": "1"} {
		s.of(r.Context())[key] = value
	}
	_, err := s.h.SignedIn(r)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotContains(t, s.log.String(), "hunter2")
	require.Contains(t, s.log.String(), "Config.Session")

	s.sessionErr = nil
	p.get("/home").page(t, 200, "welcome")
	q.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
}

// A session that cannot be written after a correct response does not promise a sign-in.
func TestSession_FailedWriteReplacesTheResponse(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, func(c *mfahttp.Config) { c.Verified = nil })
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	s.writeErr = errors.New("down")
	a := p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}})
	a.page(t, 503)
	require.Empty(t, a.Header.Get("Location"))
	s.writeErr = nil
	p.get("/home").goes(t, "/mfa/?return=%2Fhome")
}

// Cookies outlive a rotation of keys as long as the keyring has the old key, and are sealed with
// the new one as they are written.
func TestCookies_SurviveKeyRotation(t *testing.T) {
	old, fresh := seal.GenerateKey(), seal.GenerateKey()
	s := cookieSite(t, func(c *mfahttp.Config) {
		var err error
		c.Keys, err = seal.NewKeyring(old)
		must(t, err)
	})
	p := s.browser("ann").signIn()
	for i, keys := range [][][]byte{{fresh, old}, {fresh}, {seal.GenerateKey()}} {
		var err error
		s.cfg.Keys, err = seal.NewKeyring(keys[0], keys[1:]...)
		require.NoError(t, err)
		h, err := mfahttp.New(s.cfg)
		require.NoError(t, err)
		s.srv.Config.Handler = s.withSession(h.Require(http.NotFoundHandler()))
		require.Equal(t, []int{404, 404, 303}[i], p.get("/home").StatusCode, fmt.Sprint(i))
	}
}

// An identity is not printed with its session ID.
func TestIdentity_PrintsNoSessionID(t *testing.T) {
	id := mfahttp.Identity{SessionID: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.False(t, strings.Contains(fmt.Sprintf(verb, id), "hunter2"), verb)
	}
	require.NotContains(t, id.LogValue().String(), "hunter2")
}

// A user who works for two tenants, with one set of factors, has a type in each. The policy of the
// second one applies to the first request there.
func TestRequire_AnotherTypeIsCheckedAtOnce(t *testing.T) {
	userType := "relaxed"
	s := newSite(t, func(c *mfahttp.Config) {
		identify := c.Identify
		c.Identify = func(r *http.Request) (mfahttp.Identity, error) {
			id, err := identify(r)
			id.User.UserType = userType
			return id, err
		}
	})
	p := s.browser("ann").signIn()
	p.get("/home").page(t, 200, "welcome")
	relaxed, strict := s.policy, policy.Policy{Kinds: []string{"totp"}}
	userType, s.policy = "strict", strict
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
	userType, s.policy = "relaxed", relaxed
	p.get("/home").page(t, 200, "welcome")
	userType, s.policy = "strict", strict
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
}
