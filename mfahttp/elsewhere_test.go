package mfahttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A user on a remote desktop has a link mailed, enrols on the phone, and goes on at the desktop.
func TestPages_MailALinkForAnotherDevice(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	where := p.post("/mfa/enroll/totp", nil).Header.Get("Location")
	page := p.get(where).page(t, 200, "E-mail me a link").Text
	at := strings.TrimSuffix(where, "?return=") + "/elsewhere"
	require.Contains(t, page, `action="`+at+`"`)
	before := s.mail.count()
	p.post(at, url.Values{}).goes(t, where)
	p.get(where).page(t, 200, "We sent a link to the e-mail address of your account.")
	require.Equal(t, before+1, s.mail.count())
	require.Equal(t, "ann@example.com", s.mail.last().To)

	phone := s.browser("ann").signIn()
	phone.enroll("100001")
	p.get("/mfa/factors").page(t, 200, "Authenticator app")
}

// A program mails the link too: for its own enrolment, and to a verified address alone.
func TestAPI_MailsALinkForAnotherDevice(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	e := m{"enrollment": p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "").
		JSON["enrollment"]}
	a := p.api("POST", "enroll/elsewhere", e).is(t, 200, "")
	require.Equal(t, m{"kind": "email", "hint": "masked"}, m(a.JSON))
	other := s.browser("ann").signIn()
	other.api("POST", "enroll/elsewhere", e).is(t, 401, "expired")
	p.api("POST", "enroll/elsewhere", m{}).is(t, 400, "malformed")
}

// A sign-in that waits for the enrolment goes on with a code of the app, once that is set up on
// the other device.
func TestPages_GoOnAfterAnEnrolmentElsewhere(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Implicit = nil
	p, phone := s.browser("ann"), s.browser("ann")
	p.login()
	where := p.post("/mfa/enroll/totp", nil).Header.Get("Location")
	p.post(where+"/elsewhere", url.Values{}).goes(t, where)
	phone.login()
	phone.enroll("100001")
	p.get("/mfa/").goes(t, "/mfa/verify")
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"},
		"return": {"/home"}}).goes(t, "/home")
}

// Nothing is mailed to an address that is not verified, nor for an enrolment of another session.
func TestPages_MailNoLinkWithoutAVerifiedAddress(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	where := p.post("/mfa/enroll/totp", nil).Header.Get("Location")
	other := s.browser("ann").signIn()
	other.post(where+"/elsewhere", url.Values{}).goes(t, "/mfa/factors")
	require.NotContains(t, other.get("/mfa/factors").Text, "We sent a link")
}
