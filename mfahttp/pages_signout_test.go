package mfahttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfahttp"
)

func TestPages_SignOut(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.get("/mfa/sign-out").page(t, 405)
	p.get("/mfa/verify").page(t, 200)
	p.post("/mfa/sign-out", nil).goes(t, "/login")
	p.get("/mfa/verify").goes(t, "/login")
	p.post("/mfa/sign-out", nil).goes(t, "/login")
}

func TestPages_SignOutWithoutAHook(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.SignOut = nil })
	p := s.browser("ann")
	p.login()
	p.signIn()
	p.get("/home").page(t, 200, "welcome")
	p.post("/mfa/sign-out", nil).goes(t, "/login")
	p.get("/home").goes(t, "/mfa/?return=%2Fhome") // the application still says who it is
}

func TestPages_RefuseMalformedForms(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {"\xff"}}).page(t, 400)
	p.post("/mfa/verify", url.Values{"kind": {strings.Repeat("k", 99)}}).page(t, 400)
	p.post("/mfa/verify", url.Values{"code": {strings.Repeat("1", 1<<20)}}).page(t, 413)
	p.do("POST", "/mfa/verify", "kind=email&code=123456",
		map[string]string{"Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"}).page(t,
		415)
	p.do("POST", "/mfa/send", "kind=email",
		map[string]string{"Content-Type": "multipart/form-data; boundary=x",
			"Sec-Fetch-Site": "same-origin"}).page(t, 415)
	// The query of a form's URL is no part of the form.
	p.post("/mfa/send?kind=email", nil)
	if s.mail.count() != 0 {
		t.Fatal("sent by a query")
	}
}

// A user whose session ended in the middle of a form signs in, and returns to the page, or to the
// settings if the form is part of them. An address of another site is no page to return to.
func TestPages_ReturnAfterTheSessionEnded(t *testing.T) {
	s := newSite(t, nil)
	const settings = "/login?return=%2Fmfa%2Ffactors"
	pin := url.Values{"pin": {"739162"}, "pin2": {"739162"}}
	s.browser("").post("/mfa/enroll/pin", pin).goes(t, settings)
	s.browser("").post("/mfa/factors/f1/rename", url.Values{"name": {"Phone"}}).goes(t, settings)
	s.browser("").post("/mfa/recovery-codes", nil).goes(t, settings)
	s.browser("").post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100001"},
		"return": {"/links"}}).goes(t, "/mfa/verify?over=1&return=%2Flinks")
	s.browser("").get("/mfa/verify?over=1&return=%2Flinks").goes(t, "/login?return=%2Flinks")
	s.browser("").get("/mfa/?return=%2Flinks").goes(t, "/login?return=%2Flinks")
	s.browser("").get("/mfa/?return=https%3A%2F%2Fevil.example%2F").goes(t, "/login")
}
