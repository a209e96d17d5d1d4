package mfahttp_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/totp"
)

// cookieSite is a site whose Handler keeps its values in cookies, in both runs of the tests.
func cookieSite(t *testing.T, change func(*mfahttp.Config)) *site {
	t.Helper()
	before := inCookies
	inCookies = true
	t.Cleanup(func() { inCookies = before })
	return newSite(t, change)
}

// cookies returns the cookies of the Handler that a browser has, by name.
func (p *browser) cookies() map[string]string {
	u, err := url.Parse(p.s.srv.URL + "/mfa/")
	must(p.s.t, err)
	list := map[string]string{}
	for _, c := range p.client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "secondgate-") {
			list[c.Name] = c.Value
		}
	}
	return list
}

func (p *browser) setCookie(name, value string) {
	u, err := url.Parse(p.s.srv.URL + "/mfa/")
	must(p.s.t, err)
	p.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// What a cookie says holds for one user, in one session, under one name, and as it was sealed.
func TestCookies_AreOfOneUserAndSession(t *testing.T) {
	s := cookieSite(t, nil)
	ann := s.browser("ann").signIn()
	ann.get("/home").page(t, 200, "welcome")
	proof := ann.cookies()["secondgate-proof"]
	require.NotEmpty(t, proof)

	for name, thief := range map[string]*browser{
		"another user":                s.browser("bob"),
		"another session of the user": s.browser("ann"),
	} {
		t.Run(name, func(t *testing.T) {
			thief.login()
			thief.setCookie("secondgate-proof", proof)
			thief.get("/home").goes(t, "/mfa/?return=%2Fhome")
			thief.api("GET", "factors", nil).is(t, 403, "forbidden")
		})
	}
	t.Run("another name", func(t *testing.T) {
		for name := range ann.cookies() {
			if name != "secondgate-proof" {
				ann.setCookie("secondgate-proof", ann.cookies()[name])
				ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
			}
		}
	})
	t.Run("a message", func(t *testing.T) {
		carl, dora := s.browser("carl"), s.browser("dora")
		for _, p := range []*browser{carl, dora} {
			p.login()
			p.post("/mfa/send", url.Values{"kind": {"email"}})
		}
		carl.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {"999999"}})
		dora.setCookie("secondgate-notice", carl.cookies()["secondgate-notice"])
		require.NotContains(t, dora.get("/mfa/verify").page(t, 200).Text, `role="alert"`)
		require.Contains(t, carl.get("/mfa/verify").page(t, 200).Text, `role="alert"`)
	})
	t.Run("altered", func(t *testing.T) {
		for i := range proof {
			if i%7 == 0 {
				other := proof[:i] + string("AB"[proof[i]&1]) + proof[i+1:]
				if other == proof {
					continue
				}
				ann.setCookie("secondgate-proof", other)
				ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
			}
		}
		ann.setCookie("secondgate-proof", proof+"A")
		ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
		ann.setCookie("secondgate-proof", strings.Repeat("A", 9000))
		ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
	})
	t.Run("as it was", func(t *testing.T) {
		ann.setCookie("secondgate-proof", proof)
		ann.get("/home").page(t, 200, "welcome")
	})
	t.Run("another installation", func(t *testing.T) {
		keys, err := seal.NewKeyring(seal.GenerateKey())
		require.NoError(t, err)
		s.cfg.Keys = keys
		h, err := mfahttp.New(s.cfg)
		require.NoError(t, err)
		s.srv.Config.Handler = s.withSession(h.Require(http.NotFoundHandler()))
		ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
	})
}

// A sign-in that the application begins anew has a new session ID, and needs a new proof.
func TestCookies_EndWithTheSession(t *testing.T) {
	s := cookieSite(t, nil)
	ann := s.browser("ann").signIn()
	ann.get("/home").page(t, 200, "welcome")
	ann.login()
	ann.get("/home").goes(t, "/mfa/?return=%2Fhome")
}

// Under https every cookie has the prefix that keeps other hosts from setting it.
func TestCookies_BelongToTheHost(t *testing.T) {
	s := cookieSite(t, func(c *mfahttp.Config) { c.SecureCookies = true })
	w := httptest.NewRecorder()
	_, err := s.h.Begin(w, newRequest(s), s.identity("ann"))
	require.NoError(t, err)
	require.NotEmpty(t, w.Result().Cookies())
	for _, c := range w.Result().Cookies() {
		require.True(t, strings.HasPrefix(c.Name, "__Host-secondgate-"), c.Name)
		require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "", c.Raw)
		require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	}
}

// Handlers at two paths of a host do not share cookies.
func TestCookies_OfTwoHandlersDiffer(t *testing.T) {
	s := cookieSite(t, nil)
	s.cfg.BasePath = "/shop/mfa/"
	h, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, h := range []*mfahttp.Handler{s.h, h} {
		w := httptest.NewRecorder()
		_, err := h.Begin(w, newRequest(s), s.identity("ann"))
		require.NoError(t, err)
		for _, c := range w.Result().Cookies() {
			require.False(t, names[c.Name], c.Name)
			names[c.Name] = true
		}
	}
}

// All cookies of a user are less than 4 KB together, with factors that fill a page, names as long
// as they may be, two challenges and several enrolments under way, and a form that was refused.
func TestCookies_FitIn4KB(t *testing.T) {
	before := inCookies
	inCookies = true
	t.Cleanup(func() { inCookies = before })
	real, err := totp.New(totp.Config{Issuer: strings.Repeat("Acme", 16)})
	require.NoError(t, err)
	asked, err := questions.New(questions.Config{})
	require.NoError(t, err)
	s := newSite(t, nil, asked, renamed{app{}, "other-app"}, renamed{app{}, "third-app"},
		renamed{real, "real-app"})
	p := s.browser(strings.Repeat("ann", 20)).signIn()
	fits := func(what string) {
		t.Helper()
		total := 0
		for _, value := range p.cookies() {
			total += len(value)
		}
		require.LessOrEqual(t, total, 4096, what)
	}
	name := strings.Repeat("ü", 32)
	factors := 0
	for _, kind := range []string{"totp", "other-app", "third-app"} {
		for ; ; factors++ {
			e := p.api("POST", "enroll", m{"kind": kind, "name": fmt.Sprint(factors%10) + name[2:]})
			if e.StatusCode == http.StatusConflict { // there may be no more
				break
			}
			p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
				"code": "100001"}).is(t, 200, "")
			fits("a factor")
		}
	}
	require.Greater(t, factors, 12)
	for i := range 6 {
		a := p.post("/mfa/enroll/real-app", url.Values{"name": {fmt.Sprint(i) + name[2:]}})
		fits("enrolment")
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		p.get(a.Header.Get("Location")).page(t, 200, "data:image/png;base64,", "otpauth://totp/")
	}
	long := strings.Repeat("Which ", 40)
	p.post("/mfa/enroll/questions", url.Values{"question1": {long}, "question2": {long},
		"question3": {long}, "answer1": {"x"}, "answer2": {"x"}, "answer3": {"x"}})
	fits("a refused form")
	s.clock.Advance(20 * time.Minute)
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	fits("a step-up")
	p.api("POST", "step-up", m{"purpose": "manage"}).is(t, 200, "")
	fits("two challenges")
	p.api("POST", "verify", m{"kind": "totp", "code": "200001", "purpose": "manage"}).is(t, 200, "")
	fits("a grant")
	p.post("/mfa/recovery-codes", nil)
	fits("recovery codes")
	p.get("/mfa/recovery-codes").page(t, 200, "<ol")
}

// renamed is a factor under a kind of its own.
type renamed struct {
	factor.Factor
	kind string
}

func (r renamed) Kind() string { return r.kind }

// A value is read again in either form, by servers before and after an upgrade, and nothing else
// is read as one.
func TestCookies_ReadEitherForm(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 4096, 16 << 10} {
		value := []byte(strings.Repeat("{\"a\":1}", n))[:n]
		require.Equal(t, value, mfahttp.Unpack(mfahttp.Stored(value)))
		require.Equal(t, value, mfahttp.Unpack(mfahttp.Pack(value)))
		require.Nil(t, mfahttp.Unpack(mfahttp.Stored(value)[:4]))
	}
	long := make([]byte, 1<<16)
	require.Equal(t, mfahttp.Pack(long), mfahttp.Stored(long), "no block is as long")
	require.Nil(t, mfahttp.Unpack([]byte("plain")))
}
