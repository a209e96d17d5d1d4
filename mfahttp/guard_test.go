package mfahttp_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
)

func TestRequire_NeedsAVerifiedSession(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.get("/home").goes(t, "/login")
	a := p.do("GET", "/home", "", map[string]string{"Accept": "application/json"}).is(t, 401,
		"unauthorized")
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Fatal(a.Header)
	}
	p.login()
	p.get("/home").goes(t, "/mfa/?return=%2Fhome")
	p.do("GET", "/home", "", nil).is(t, 401, "unauthorized")
	p.signIn()
	if a := p.get("/home"); a.StatusCode != 200 || a.Text != "welcome" {
		t.Fatal(a.StatusCode, a.Text)
	}
}

func TestRequireRecent_NeedsAProofWithinTheAge(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(time.Minute)
	if a := p.get("/recent"); a.StatusCode != 200 {
		t.Fatal("exactly the age was refused", a.StatusCode)
	}
	s.clock.Advance(1)
	p.get("/recent?x=1").goes(t, "/mfa/step-up?purpose=step-up&return=%2Frecent%3Fx%3D1")
	p.get("/stripped/a").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fstripped%2Fa")
	a := p.do("GET", "/recent", "", map[string]string{"Accept": "*/*"}).is(t, 401, "step_up")
	if a.JSON["max_age"] != 60.0 {
		t.Fatal(a.Text)
	}
	// RFC 9470 section 3.
	want :=
		`Bearer error="insufficient_user_authentication", error_description="A more recent second factor is required", max_age="60"`
	if got := a.Header.Get("WWW-Authenticate"); got != want {
		t.Fatal(got)
	}
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	v := p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	if v.JSON["purpose"] != "step-up" || len(s.verified) != 2 {
		t.Fatal(v.Text)
	}
	if a := p.get("/recent"); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
	// A clock that was turned back does not make a verification recent for longer.
	s.clock.Advance(-time.Hour)
	if a := p.get("/recent"); a.StatusCode != 303 {
		t.Fatal(a.StatusCode)
	}
}

func TestRequireRecent_UsesTheAgeOfThePolicy(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(5 * time.Minute)
	if a := p.get("/recent-by-policy"); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
	s.policy.MaxAge = 2 * time.Minute
	if a := p.get("/recent-by-policy"); a.StatusCode != 303 {
		t.Fatal(a.StatusCode)
	}
}

// Who has nothing to verify with, and of whom nothing is asked, is not sent in circles.
func TestRequireRecent_WithoutAFactorEndsInNoLoop(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOff}
	p := s.browser("ann")
	p.login()
	if a := p.get("/recent"); a.StatusCode != 200 {
		t.Fatal(a.StatusCode, a.Text)
	}
	s.policy = policy.Policy{Mode: policy.ModeRequired}
	p.get("/recent").goes(t, "/mfa/step-up?purpose=step-up&return=%2Frecent")
	up := p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	if up.JSON["next"] != "enroll" {
		t.Fatal(up.Text)
	}
	p.enroll("100001")
}

// A form that was posted is not posted again: the user returns to its page.
func TestRequireRecent_ReturnsToThePageOfAForm(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(2 * time.Minute)
	post := func(referer string) *response {
		h := map[string]string{"Accept": "text/html", "Sec-Fetch-Mode": "navigate",
			"Referer": referer}
		return p.do("POST", "/recent", "", h)
	}
	post(s.srv.URL+"/transfer?to=bob").goes(t,
		"/mfa/step-up?purpose=step-up&return=%2Ftransfer%3Fto%3Dbob")
	post("https://evil.example/x").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
	post("").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
}

func TestHandler_RedirectsToNoOtherSite(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	for _, evil := range hostileReturns {
		s.clock.Advance(10 * time.Minute)
		p.api("POST", "step-up", m{"purpose": "step-up"})
		p.api("POST", "send", m{"kind": "email"})
		a := p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
			"purpose": {"step-up"}, "return": {evil}})
		a.goes(t, "/home")
	}
	for _, path := range []string{"//evil.example/x", "/\\evil.example"} {
		a := p.get(path)
		if l := a.Header.Get("Location"); strings.HasPrefix(l, "//") ||
			strings.Contains(l, "evil.example") && !strings.HasPrefix(l, "/") {
			t.Fatal(l)
		}
	}
}

var hostileReturns = []string{
	"https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example",
	"\\\\evil.example", "/\t/evil.example",
	"/\n/evil.example", " //evil.example", "javascript:alert(1)", "/%5cevil.example/..\\",
	"http:evil.example", "evil.example",
	"//%65vil.example", "/%2f/evil.example\x00", "/" + strings.Repeat("a", 3000),
}

// A navigation is redirected; everything else is answered as a program.
func TestHandler_RedirectsNavigationsOnly(t *testing.T) {
	s := newSite(t, nil)
	for _, test := range []struct {
		header map[string]string
		page   bool
	}{
		{map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}, true},
		{map[string]string{"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, false},
		{map[string]string{"Sec-Fetch-Mode": "no-cors", "Accept": "image/*"}, false},
		{map[string]string{"Accept": "text/html,*/*"}, true}, // a browser on plain http
		{map[string]string{"Accept": "*/*"}, false},
		{map[string]string{"Accept": "text/html", "Authorization": "Bearer x"}, false},
		{map[string]string{"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, false},
		{map[string]string{"Accept": "text/html", "Content-Type": "application/json"}, false},
		{map[string]string{"Accept": "text/html", "Content-Type": "application/json; x"}, false},
		{map[string]string{"Accept": "text/html", "Content-Type": "text/plain"}, true},
		{nil, false},
	} {
		a := s.browser("").do("GET", "/home", "", test.header)
		if want := map[bool]int{true: 303, false: 401}[test.page]; a.StatusCode != want {
			t.Errorf("%v: %d", test.header, a.StatusCode)
		}
	}
}

// Freshness that cannot be found out is not freshness.
func TestRequireRecent_FailsWithTheStore(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(2 * time.Minute)
	s.store.Inject(mfatest.OpGet, 100, mfatest.Fault{Before: errors.New("secret detail")})
	p.do("GET", "/recent", "", nil).is(t, 503, "unavailable")
	if a := p.get("/recent"); a.StatusCode != 503 || strings.Contains(a.Text, "secret detail") {
		t.Fatal(a.StatusCode, a.Text)
	}
}

// What the owner tightens holds for sessions that are open, within a minute.
func TestTightenedPolicy_AppliesToSignedInSessions(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOff}
	p := s.browser("ann")
	p.login()
	p.get("/home").page(t, 200, "welcome")
	s.policy = policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"email"},
		KeepImplicit: true}
	s.clock.Advance(time.Minute - 1)
	p.get("/home").page(t, 200, "welcome")
	s.clock.Advance(1)
	p.get("/home?x=1").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome%3Fx%3D1")
	p.do("GET", "/home", "", map[string]string{"Accept": "*/*"}).is(t, 401, "step_up")
	p.follow(p.get("/home"))
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.get("/home").page(t, 200, "welcome")

	// Of another kind than what is allowed now: prove that, or enrol it.
	s.policy = policy.Policy{Mode: policy.ModeRequired, Kinds: []string{"totp"}}
	s.clock.Advance(time.Minute)
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
	p.follow(p.get("/home")).page(t, 200, "Authenticator app")

	// A policy that cannot be read lets nobody through.
	s.policyErr = errors.New("down")
	p.get("/home").page(t, 503)
	s.policyErr = nil
	s.policy = policy.Policy{Mode: policy.ModeOff}
	p.get("/home").page(t, 200, "welcome")
}

// A device that is remembered stays so when the session is looked at.
func TestTightenedPolicy_AppliesToRememberedDevices(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Remember = 24 * time.Hour
	p := s.browser("ann")
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"email"}})
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"remember": {"yes"}})
	p.login()
	for range 5 {
		p.get("/home").page(t, 200, "welcome")
		s.clock.Advance(2 * time.Minute)
	}
	s.policy.Remember = 0
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
}
