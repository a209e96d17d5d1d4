package mfahttp_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// tallied is a session that counts how often a value is read and written.
type tallied struct {
	mfahttp.Session
	gets, puts map[string]int
	fails      string // the key that cannot be read
}

func (c *tallied) Get(ctx context.Context, key string) ([]byte, error) {
	if c.gets[key]++; c.fails == key {
		return nil, errors.New("down")
	}
	return c.Session.Get(ctx, key)
}

func (c *tallied) Put(ctx context.Context, key string, value []byte) error {
	c.puts[key]++
	return c.Session.Put(ctx, key, value)
}

func (c *tallied) Remove(ctx context.Context, key string) error {
	c.puts[key]++
	return c.Session.Remove(ctx, key)
}

func (c *tallied) reset() { c.gets, c.puts = map[string]int{}, map[string]int{} }

func newTallied(t *testing.T) (*site, *tallied) {
	t.Helper()
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	c := &tallied{}
	c.reset()
	s := newSite(t, func(cfg *mfahttp.Config) {
		c.Session = cfg.Session
		cfg.Session = c
	})
	return s, c
}

// A request reads each value of the application's session once, and writes each that it changes
// once, so that it decides by one state of the session.
func TestSession_IsReadAndWrittenOnce(t *testing.T) {
	s, c := newTallied(t)
	p := s.browser("ann").signIn()
	s.clock.Advance(time.Hour)
	for _, path := range []string{"/home +", "/mfa/factors", "/mfa/step-up?purpose=manage +",
		"/mfa/verify?purpose=manage", "/mfa/enroll/totp +"} {
		path, write := strings.CutSuffix(path, " +")
		c.reset()
		p.get(path)
		require.NotEmpty(t, c.gets, path)
		for key, n := range c.gets {
			require.Equal(t, 1, n, "%s reads %s", path, key)
		}
		require.Equal(t, write, len(c.puts) > 0, path)
		for key, n := range c.puts {
			require.Equal(t, 1, n, "%s writes %s", path, key)
		}
	}
}

// A verification reads once what the session was proven by.
func TestSession_IsReadOnceForAVerification(t *testing.T) {
	s, c := newTallied(t)
	s.mild = true
	p := s.browser("ann").signIn()
	p.api("POST", "step-up", nil).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	c.reset()
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	require.Equal(t, 1, c.gets["secondgate.proof"])
}

// headers counts how often a status is written.
type headers struct {
	*httptest.ResponseRecorder
	written int
}

func (h *headers) WriteHeader(status int) {
	h.written++
	h.ResponseRecorder.WriteHeader(status)
}

// A response whose state could not be kept is one response, and has nothing of the other one.
func TestSession_AFailedWriteIsOneResponse(t *testing.T) {
	s, _ := newTallied(t)
	for path, want := range map[string]string{"api/state": `{"error":"unavailable"}`,
		"verify": "Something went wrong"} {
		r := newRequest(s)
		maps.Copy(s.of(r.Context()), map[string]string{"user": "ann", "sid": "1",
			"since": s.clock.Now().Format(time.RFC3339Nano)})
		r.Method, r.URL.Path, r.RequestURI = "GET", "/mfa/"+path, "/mfa/"+path
		s.writeErr = errors.New("down")
		w := &headers{ResponseRecorder: httptest.NewRecorder()}
		s.h.ServeHTTP(w, r)
		require.Equal(t, 503, w.Code)
		require.Equal(t, 1, w.written)
		require.Contains(t, w.Body.String(), want)
		require.NotContains(t, w.Body.String(), "Send code")
		require.NotContains(t, w.Body.String(), "options")
	}
}

// What follows from a session that cannot be read is not written to it.
func TestSession_IsNotWrittenAfterAFailedRead(t *testing.T) {
	s, c := newTallied(t)
	p := s.browser("ann").signIn()
	c.reset()
	for _, key := range []string{"secondgate.proof", "secondgate.session"} {
		c.fails = key
		p.api("POST", "step-up", nil).is(t, 503, "unavailable")
	}
	require.Empty(t, c.puts)
	c.fails = ""
	p.get("/home").page(t, 200, "welcome")
}

// A response sets a cookie once, whatever writes its parts.
func TestCookies_AreSetOnce(t *testing.T) {
	s := cookieSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"})
	s.policy.Remember = 24 * time.Hour
	list := []*response{
		p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code, "remember": "x"}),
		p.post("/mfa/enroll/totp", nil), p.get("/mfa/step-up?purpose=manage"), p.get("/home"),
	}
	s.clock.Advance(time.Hour)
	guarded := s.h.RequireGrant(http.NotFoundHandler())
	list = append(list, p.handle(guarded.ServeHTTP, "GET", "", nil).is(t, 403, "step_up"))
	require.NotEmpty(t, list[4].Cookies(), "the challenge is kept")
	for _, a := range list {
		names := map[string]bool{}
		for _, c := range a.Cookies() {
			require.False(t, names[c.Name], "%s sets %s again", a.Request.URL, c.Name)
			names[c.Name] = true
		}
	}
}

// During an outage a page that visitors see is one for a visitor.
func TestHandlerDeny_KnowsNoUserInAnOutage(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	var lang string
	deny := func(w http.ResponseWriter, r *http.Request) {
		lang = s.h.Language(r)
		s.h.Deny(w, r, mfa.ErrForbidden)
	}
	german := map[string]string{"Accept": "text/html", "Accept-Language": "de"}
	require.Contains(t, p.handle(deny, "GET", "", german).page(t, 403).Text, `lang="en"`)
	require.Equal(t, "en", lang)
	s.identifyErr = errors.New("down")
	require.Contains(t, p.handle(deny, "GET", "", german).page(t, 403).Text, `lang="de"`)
	require.Equal(t, "de", lang)
	s.identifyErr = nil
	if !inCookies {
		s.sessionErr = errors.New("down")
		require.Contains(t, p.handle(deny, "GET", "", german).page(t, 403).Text, `lang="de"`)
	}
}

// placed is an app that notes from where a request comes.
type placed struct {
	app
	from *client.Client
}

func (placed) Kind() string { return "placed" }
func (p placed) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	*p.from = client.Of(ctx)
	return p.app.Verify(ctx, in)
}

// Mails about a request say from where the application knows it to come, and from which browser.
func TestPlace_IsThatOfTheRequest(t *testing.T) {
	for want, place := range map[string]func(*http.Request) string{
		"": nil, "Utrecht": func(r *http.Request) string { return r.Header.Get("X-Place") },
	} {
		var from client.Client
		s := newSite(t, func(c *mfahttp.Config) { c.Place = place }, placed{from: &from})
		p := s.browser("ann").signIn()
		e := p.api("POST", "enroll", m{"kind": "placed"}).is(t, 200, "")
		p.do("POST", "/mfa/api/confirm", `{"enrollment":"`+e.JSON["enrollment"].(string)+
			`","code":"100001"}`, map[string]string{"Content-Type": "application/json",
			"X-Place": "Utrecht", "User-Agent": "Firefox", "Accept-Language": "de"}).is(t, 200, "")
		require.Equal(t, client.Client{Browser: "Firefox", Place: want, Language: "de"}, from)
	}
}

// A visitor of a tenant sees the pages of that tenant.
func TestIdentify_NamesTheTenantOfAVisitor(t *testing.T) {
	s := newSite(t, nil)
	branded, err := mfa.New(mfa.Config{Store: s.store, Keys: s.keys, Clock: s.clock,
		Factors: []factor.Factor{app{}}, Policies: s,
		Brand: func(_ context.Context, of policy.Scope) (brand.Brand, error) {
			return brand.Brand{Product: "Pages of " + of.Tenant}, nil
		}})
	require.NoError(t, err)
	s.cfg.Manager = branded
	s.cfg.Identify = func(*http.Request) (mfahttp.Identity, error) {
		return mfahttp.Identity{User: mfa.User{Tenant: "Initech"}}, nil
	}
	h, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	s.srv.Config.Handler = s.withSession(h)
	s.browser("").get("/mfa/confirmed").page(t, 200, "Pages of Initech")
}

// A mail to a user whose language the application does not know is in the language of the pages,
// once both factors are proven. An attacker with the password alone does not choose it.
func TestIdentify_TheLanguageOfMailsIsTheUsers(t *testing.T) {
	german := map[string]string{"Accept-Language": "de"}
	maps.Copy(german, asJSON)
	for known, want := range map[string][2]string{"": {"en", "de"}, "en": {"en", "en"}} {
		s := newSite(t, func(c *mfahttp.Config) {
			c.SetupLinks = true
			identify := c.Identify
			c.Identify = func(r *http.Request) (mfahttp.Identity, error) {
				id, err := identify(r)
				id.User.Locale = known
				return id, err
			}
		})
		p := s.browser("ann").signIn()
		e := p.enrolments(1)[0]
		p.do("POST", "/mfa/api/enroll/elsewhere", `{"enrollment":"`+e.(string)+`"}`, german).
			is(t, 200, "")
		require.Equal(t, want[1], s.mail.last().Locale)
		p.enroll("100001") // in English, which is kept for a user without a language
		p.login()
		p.do("POST", "/mfa/api/lost/link", "", german).is(t, 200, "")
		require.NotEmpty(t, s.mail.last().Link)
		require.Equal(t, want[0], s.mail.last().Locale)
	}
}
