package mfahttp_test

import (
	"net/http"
	"net/url"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
)

// phoneSite has a described kind that is approved on another device.
func phoneSite(t *testing.T) (*site, *phone) {
	t.Helper()
	f := &phone{decided: map[string]error{}}
	part := &fstest.MapFile{Data: []byte(
		`{{with .Data}}<p class="sg-number">{{t "text.number" "number" .number}}</p>{{end}}`)}
	s := newSite(t, func(c *mfahttp.Config) {
		c.Kinds = []mfahttp.Kind{{Kind: "phone", Files: fstest.MapFS{
			"verify.html": part, "enrollment.html": part,
			"texts/en.json": {Data: []byte(`{"name": "Phone", "text.number": "Type {number}",
				"notice.denied": "You said no on your phone."}`)},
		}}}
	}, f)
	return s, f
}

// enrolPhone enrols the phone and returns a browser that waits for the second factor.
func enrolPhone(t *testing.T, s *site, f *phone) *browser {
	t.Helper()
	p := s.browser("ann").signIn()
	at := p.post("/mfa/enroll/phone", url.Values{}).Header.Get("Location")
	p.get(at).page(t, 200, "Type 42", `data-wait="90"`, "wait.js")
	p.follow(p.post(at, url.Values{})).page(t, 200, "Not approved yet.")
	again := p.follow(p.post(at+"/resend", url.Values{})).page(t, 200, "We sent a new request.")
	require.NotContains(t, again.Text, "new code")
	f.decide(nil)
	p.post(at, url.Values{}).goes(t, "/mfa/recovery-codes")
	p = s.browser("ann")
	p.login()
	return p
}

// asks posts a form as the script of a page that waits does.
func (p *browser) asks(path string, form url.Values) (status int, body m) {
	r := p.do(http.MethodPost, path, form.Encode(), map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
		"Sec-Fetch-Site": "same-origin"})
	return r.StatusCode, r.JSON
}

// A page waits for the decision on another device: it shows the number, has no field, and its
// script learns of an approval where to go.
func TestPages_WaitAndGoOnAfterAnApproval(t *testing.T) {
	s, f := phoneSite(t)
	p := enrolPhone(t, s, f)
	p.post("/mfa/send", url.Values{"kind": {"phone"}, "return": {"/home?a=b"}})
	page := p.get("/mfa/verify?kind=phone").page(t, 200, "Type 42", "Waiting for your approval",
		`data-wait="90"`, "Send again").Text
	require.NotContains(t, page, `name="code"`)
	form := url.Values{"kind": {"phone"}, "return": {"/home?a=b"}}
	p.follow(p.post("/mfa/send", form)).page(t, 200, "We sent a new request.")
	for range 6 { // more than lock
		status, body := p.asks("/mfa/verify", form)
		require.Equal(t, 202, status)
		require.Equal(t, m{"error": "pending"}, body)
	}
	require.NotContains(t, p.get("/mfa/verify?kind=phone").page(t, 200, "Type 42").Text,
		"Not approved yet", "the script keeps no notice")
	f.down = true
	status, _ := p.asks("/mfa/verify", form)
	require.Equal(t, 503, status, "the script tries again")
	f.down = false
	f.decide(nil)
	status, body := p.asks("/mfa/verify", form)
	require.Equal(t, 200, status)
	require.Equal(t, m{"location": "/home?a=b"}, body)
	p.get("/home").page(t, 200)
}

// A denial and the end of a request are reported on the page, which then offers another request.
func TestPages_WaitAndReportADenial(t *testing.T) {
	for _, script := range []bool{true, false} {
		s, f := phoneSite(t)
		p := enrolPhone(t, s, f)
		decided := func() {
			form := url.Values{"kind": {"phone"}}
			if !script {
				p.post("/mfa/verify", form).goes(t, "/mfa/verify?kind=phone")
				return
			}
			status, body := p.asks("/mfa/verify", form)
			require.Equal(t, 200, status)
			require.Equal(t, "/mfa/verify?kind=phone", body["location"])
		}
		p.post("/mfa/send", url.Values{"kind": {"phone"}})
		f.decide(factor.ErrIncorrect)
		decided()
		page := p.get("/mfa/verify?kind=phone").page(t, 200,
			"You said no on your phone. You have 4 attempts left.").Text
		require.NotContains(t, page, "data-wait", "it would wait in vain")
		p.post("/mfa/send", url.Values{"kind": {"phone"}})
		p.get("/mfa/verify?kind=phone").page(t, 200, `data-wait="90"`)
		s.clock.Advance(91 * time.Second)
		decided()
		p.get("/mfa/verify?kind=phone").page(t, 200, "The request has expired. Send a new one.")
	}
}

// The enrolment of a device reports a denial too, and sends another request.
func TestPages_WaitForADeviceToBeEnrolled(t *testing.T) {
	s, f := phoneSite(t)
	p := s.browser("ann").signIn()
	at := p.post("/mfa/enroll/phone", url.Values{}).Header.Get("Location")
	status, body := p.asks(at, url.Values{})
	require.Equal(t, 202, status)
	require.Equal(t, m{"error": "pending"}, body)
	f.decide(factor.ErrIncorrect)
	_, body = p.asks(at, url.Values{})
	require.Equal(t, at, body["location"])
	page := p.get(at).page(t, 200, "You said no on your phone.").Text
	require.NotContains(t, page, "wait.js")
	p.post(at+"/resend", url.Values{})
	p.get(at).page(t, 200, `data-wait="90"`)
	f.decide(nil)
	_, body = p.asks(at, url.Values{})
	require.Equal(t, "/mfa/recovery-codes", body["location"])
}

// A page of another site cannot ask for a user whose device approves.
func TestPages_WaitRefusesOtherOrigins(t *testing.T) {
	s, f := phoneSite(t)
	p := enrolPhone(t, s, f)
	p.post("/mfa/send", url.Values{"kind": {"phone"}})
	f.decide(nil)
	before := len(s.verified)
	r := p.do(http.MethodPost, "/mfa/verify", "kind=phone", map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json",
		"Sec-Fetch-Site": "cross-site"})
	require.Equal(t, 403, r.StatusCode)
	require.Len(t, s.verified, before)
}
