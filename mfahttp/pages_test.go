package mfahttp_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/stretchr/testify/require"
)

func (a *response) page(t *testing.T, status int, has ...string) *response {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %d to %q, want %d: %s", a.Request.Method, a.Request.URL, a.StatusCode,
			a.Header.Get("Location"), status, a.Text)
	}
	a.Text = html.UnescapeString(a.Text)
	for _, want := range has {
		if !strings.Contains(a.Text, want) {
			t.Fatalf("%s %s: no %q in %s", a.Request.Method, a.Request.URL, want, a.Text)
		}
	}
	return a
}

// follow gets where a redirect leads, through further redirects.
func (p *browser) follow(a *response) *response {
	p.s.t.Helper()
	for range 5 {
		if a.StatusCode != http.StatusSeeOther {
			return a
		}
		a = p.get(a.Header.Get("Location"))
	}
	p.s.t.Fatal("redirected in circles")
	return nil
}

func TestPages_SignInByEmail(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.get("/mfa/").goes(t, "/login")
	p.get("/mfa/verify").goes(t, "/login")
	p.login()
	p.get("/mfa/?return=%2Fhome").goes(t, "/mfa/verify?return=%2Fhome")
	p.get("/mfa/verify?return=%2Fhome").page(t, 200)
	p.do("HEAD", "/mfa/verify", "", asPage).page(t, 200)
	if s.mail.count() != 0 {
		t.Fatal("a GET sent something")
	}
	p.post("/mfa/send", url.Values{"kind": {"email"}, "return": {"/home"}}).goes(t,
		"/mfa/verify?kind=email&return=%2Fhome")
	if s.mail.count() != 1 {
		t.Fatal("nothing was sent")
	}
	p.get("/mfa/verify?kind=email&return=%2Fhome").page(t, 200, "masked")
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {"999999"}, "return": {"/home"}}).
		goes(t, "/mfa/verify?kind=email&return=%2Fhome")
	// shows nothing, so the notice waits
	p.do("HEAD", "/mfa/verify?kind=email", "", asPage).page(t, 200)
	p.get("/mfa/verify?kind=email").page(t, 200, `role="alert"`, `name="code"`)
	if a := p.get("/mfa/verify?kind=email").page(t, 200); strings.Contains(a.Text, `role="alert"`) {
		t.Fatal("an error was shown twice")
	}
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"return": {"/recent?x=1"}}).goes(t, "/recent?x=1")
	p.get("/recent?x=1").page(t, 200, "welcome")
	if len(s.verified) != 1 {
		t.Fatal(len(s.verified))
	}
	// The back button, and pressing "Continue" once more.
	p.get("/mfa/verify").goes(t, "/home")
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}}).goes(t,
		"/home")
	p.get("/mfa/").goes(t, "/mfa/factors")
	if len(s.verified) != 1 {
		t.Fatal(len(s.verified))
	}
}

func TestPages_ShowALock(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"email"}})
	for range 5 {
		p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {"999999"}}).goes(t,
			"/mfa/verify?kind=email")
	}
	if a := p.get("/mfa/verify?kind=email").page(t, 200, "180"); strings.Contains(a.Text,
		`name="code"`) {
		t.Fatal("asks for a code while locked")
	}
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}}).goes(t,
		"/mfa/verify?kind=email")
	if len(s.verified) != 0 {
		t.Fatal("let in while locked")
	}
}

// A response to a challenge that has expired is refused. A page that asks begins another one, as
// long as the application says that the user has passed the first factor.
func TestPages_ExpiredSignInBeginsAgain(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	s.clock.Advance(15 * time.Minute)
	p.follow(p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {"123456"}})).page(t, 200,
		"That code has expired.")
	p.get("/mfa/").goes(t, "/mfa/verify")
	p.get("/mfa/verify").page(t, 200, "Send code")
	p.post("/mfa/send", url.Values{"kind": {"email"}})
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}}).goes(t,
		"/home")
}

func TestPages_StepUpAndReturn(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(10 * time.Minute)
	a := p.get("/recent?x=1")
	a = p.get(a.Header.Get("Location"))
	a.goes(t, "/mfa/verify?purpose=step-up&return=%2Frecent%3Fx%3D1")
	p.post("/mfa/send", url.Values{"kind": {"email"}, "purpose": {"step-up"}})
	sent := s.mail.last().Code
	// Looking again does not spoil the code that is on its way.
	p.get("/mfa/step-up?purpose=step-up&return=%2Frecent")
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {sent}, "purpose": {"step-up"},
		"return": {"/recent?x=1"}}).goes(t, "/recent?x=1")
	p.get("/recent?x=1").page(t, 200, "welcome")
	if len(s.verified) != 2 || s.verified[1].Purpose != "step-up" {
		t.Fatal(s.verified)
	}
}

func TestPages_EnrolAnAuthenticatorApp(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.get("/mfa/enroll").page(t, 200, "totp", "sms")
	p.get("/mfa/enroll/totp").page(t, 200)
	p.get("/mfa/enroll/nonsense").page(t, 404)
	a := p.post("/mfa/enroll/totp", url.Values{})
	where := a.Header.Get("Location")
	if !strings.HasPrefix(where, "/mfa/enrollments/") {
		t.Fatal(a.StatusCode, where)
	}
	p.get(where).page(t, 200, "path d=")
	p.get(where).page(t, 200, "path d=") // reloading shows it again
	p.post(where, url.Values{"code": {"000001"}}).goes(t, where)
	p.post(where, url.Values{"code": {"100001"}, "name": {"My phone"}}).goes(t,
		"/mfa/recovery-codes")
	p.get("/mfa/factors").page(t, 200, "My phone")
	p.get(where).goes(t, "/mfa/recovery-codes")
	if f := p.api("GET", "factors", nil).JSON["factors"].([]any)[0].(m); f["name"] != "My phone" {
		t.Fatal(f)
	}
	if len(s.verified) != 1 {
		t.Fatal(len(s.verified))
	}
}

// What a page shows once is not in the session for others to read.
func TestShown_IsSealedInTheSession(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.post("/mfa/enroll/totp", url.Values{"secret": {"IMPORTEDSECRET23"}})
	s.mu.Lock()
	for _, values := range s.sessions {
		for key, v := range values {
			if strings.Contains(v, "IMPORTEDSECRET23") || strings.Contains(v, "path d=") {
				t.Errorf("%s holds the secret", key)
			}
		}
	}
	s.mu.Unlock()
	// Without the cookie there is nothing to see.
	u, _ := url.Parse(s.srv.URL + "/mfa/")
	var where string
	for _, e := range p.client.Jar.Cookies(u) {
		if e.Name == "secondgate_shown" {
			where = e.Value
		}
	}
	if where == "" {
		t.Fatal("no cookie")
	}
}

func TestPages_EnrolAPIN(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	pin := func(one, two string) *response {
		return p.post("/mfa/enroll/pin", url.Values{"pin": {one}, "pin2": {two}})
	}
	for range 10 { // a slip in the second field costs no attempt
		pin("728391", "728392").page(t, 422, "The PINs do not match.")
	}
	p.get("/mfa/enroll/pin").page(t, 200)
	pin("1", "1").page(t, 422, "This PIN is too short.")
	pin("728391", "728391").goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, "PIN")
}

func TestPages_SignInByARequiredEnrolment(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	p.get("/mfa/?return=%2Fhome").goes(t, "/mfa/enroll?return=%2Fhome")
	p.get("/mfa/factors").goes(t, "/mfa/?return=%2Fmfa%2Ffactors")
	p.get("/mfa/recovery-codes").goes(t, "/mfa/")
	a := p.post("/mfa/enroll/sms", url.Values{"number": {"612345678"}, "region": {"31"},
		"return": {"/home"}})
	where, _, _ := strings.Cut(a.Header.Get("Location"), "?")
	p.get(where).page(t, 200, "+•••78")
	p.post(where+"/resend", url.Values{}).goes(t, where)
	if s.text.count() != 2 {
		t.Fatal(s.text.count())
	}
	p.post(where, url.Values{"code": {s.text.last().Code}, "name": {"Work phone"},
		"return": {"/home"}}).goes(t,
		"/mfa/recovery-codes?return=%2Fhome")
	p.get("/home").page(t, 200, "welcome")
	if len(s.verified) != 1 {
		t.Fatal(len(s.verified))
	}
}

func TestPages_ManageFactors(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	p.post("/mfa/factors/"+id+"/rename", url.Values{"name": {"Old phone"}}).goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, "Old phone")
	s.clock.Advance(10 * time.Minute)
	remove := "/mfa/factors/" + id + "/remove"
	p.get(remove).goes(t, "/mfa/step-up?purpose=manage&return="+url.QueryEscape(remove))
	p.post(remove, nil).goes(t, "/mfa/step-up?purpose=manage&return="+url.QueryEscape(remove))
	p.post("/mfa/enroll/totp", nil).goes(t,
		"/mfa/step-up?purpose=manage&return=%2Fmfa%2Fenroll%2Ftotp")
	p.follow(p.get(remove)).page(t, 200)
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"}, "purpose": {"manage"},
		"return": {remove}}).goes(t, remove)
	p.get(remove).page(t, 200, "Old phone")
	p.post("/mfa/recovery-codes", nil).goes(t, "/mfa/recovery-codes")
	p.get("/mfa/recovery-codes").page(t, 200, "AAAA-1111")
	p.get("/mfa/recovery-codes").page(t, 200, "AAAA-1111")
	set := codesSet(p.get("/mfa/recovery-codes").Text)
	p.post("/mfa/recovery-codes/saved", url.Values{"set": {set}, "saved": {"yes"}}).goes(t,
		"/mfa/factors")
	if a := p.get("/mfa/recovery-codes").page(t, 200); strings.Contains(a.Text, "AAAA-1111") {
		t.Fatal("shown after they were saved")
	}
	p.post(remove, nil).goes(t, "/mfa/factors")
	p.post(remove, nil).goes(t, "/mfa/factors")
	if f := p.api("GET", "factors", nil); strings.Contains(f.Text, "Old phone") {
		t.Fatal(f.Text)
	}
}

func TestPages_RequireThePasswordForAReplacement(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	number := func(password string) *response {
		return p.post("/mfa/enroll/sms", url.Values{"number": {"+31612345678"},
			"password": {password}})
	}
	p.post(number("").Header.Get("Location"), url.Values{"code": {s.text.last().Code}}).goes(t,
		"/mfa/recovery-codes")
	number("").page(t, 422, "Current password")
	number("wrong").page(t, 422, "+31612345678") // typed before, and no secret
	number("one of thousands").page(t, 429, "+31612345678")
	number("database down").page(t, 503, "+31612345678")
	if a := number("correct horse"); !strings.HasPrefix(a.Header.Get("Location"),
		"/mfa/enrollments/") {
		t.Fatal(a.Header)
	}
}

// A link that is opened on another device confirms by its button only, and then the
// sign-in that waited goes on by asking for the factor.
func TestPages_ConfirmALinkByItsButton(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	where := p.post("/mfa/enroll/email", url.Values{"address": {"ann@example.com"}}).Header.Get(
		"Location")
	link := s.mail.last().Link
	if link == "" {
		t.Fatal("no link")
	}
	phone := s.browser("")
	for _, method := range []string{"GET", "HEAD", "GET"} {
		phone.do(method, "/mfa/confirm?token="+url.QueryEscape(link), "", asPage).page(t, 200)
	}
	p.get("/mfa/").goes(t, "/mfa/enroll")
	phone.do("POST", "/mfa/confirm", "token="+url.QueryEscape(link),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded",
			"Sec-Fetch-Site": "cross-site"}).page(t, 403)
	phone.post("/mfa/confirm", url.Values{"token": {link}}).goes(t,
		"/mfa/confirmed?token="+url.QueryEscape(link))
	phone.get("/mfa/confirmed?token="+url.QueryEscape(link)).page(t, 200)
	phone.get("/mfa/confirmed?token=nonsense").page(t, 200)
	phone.get("/mfa/confirmed").page(t, 200)
	phone.post("/mfa/confirm", url.Values{"token": {link}}).page(t, 401)
	phone.post("/mfa/confirm", url.Values{"token": {"nonsense"}}).page(t, 401)
	phone.get("/mfa/confirm").page(t, 401)
	if len(s.verified) != 0 || phone.get("/home").StatusCode == 200 {
		t.Fatal("a link signed somebody in")
	}
	p.get(where).page(t, 200)
	p.post(where, url.Values{"code": {s.mail.last().Code}}).goes(t, where)
	p.get(where).goes(t, "/mfa/")
	p.follow(p.get("/mfa/")).page(t, 200)
	p.post("/mfa/send", url.Values{"kind": {"email"}}).goes(t, "/mfa/verify?kind=email")
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}}).goes(t,
		"/home")
	if len(s.verified) != 1 {
		t.Fatal(len(s.verified))
	}
}

func TestPages_RecoveryLeadsToTheFactors(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "recovery-codes", nil)
	q := s.browser("ann")
	q.login()
	q.post("/mfa/verify", url.Values{"kind": {"recovery"}, "code": {"AAAA-1111"},
		"return": {"/home"}}).goes(t, "/mfa/factors")
	q.get("/mfa/factors").page(t, 200)
}

// After a form, what lies outside of the pages is reached by a page that goes on to it, because
// browsers follow no redirect of a form to another site. It goes to no other site itself.
func TestPages_GoOnByAPage(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"email"}})
	a := p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"return": {"/oauth/authorize?client_id=1&redirect_uri=https%3A%2F%2Fother.example"}})
	at := a.Header.Get("Location")
	require.True(t, strings.HasPrefix(at, "/mfa/continue?to="), at)
	const to = "/oauth/authorize?client_id=1&redirect_uri=https%3A%2F%2Fother.example"
	p.get(at).page(t, 200, `<meta http-equiv="refresh" content="0;url=`+to+`">`,
		`href="`+to+`"`)
	for _, evil := range []string{"https://evil.example", "//evil.example", "/\\evil.example",
		"javascript:alert(1)", "", "/\t/evil.example", "/home\" onload=\"x"} {
		page := p.get("/mfa/continue?"+url.Values{"to": {evil}}.Encode()).page(t, 200).Text
		require.Contains(t, page, `content="0;url=/home"`, evil)
		require.NotContains(t, page, "evil")
	}
	p.post("/mfa/continue?to=%2Fhome", nil).page(t, 405)
}
