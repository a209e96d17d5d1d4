package mfahttp_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A page says when it expires, and gets more time in its last two minutes. More time is worth what
// a visit after the end is: the first factor must still be there, and a code that was sent before
// is none for the new challenge.
func TestPages_GetMoreTimeBeforeTheyExpire(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")

	q := s.browser("ann")
	q.login()
	q.get("/mfa/verify").page(t, 200, `data-ends="900"`)
	s.clock.Advance(12 * time.Minute)
	q.follow(q.get("/mfa/verify?kind=totp&more=1")).page(t, 200, `data-ends="180"`)
	s.clock.Advance(2 * time.Minute)
	q.get("/mfa/verify").page(t, 200, `data-ends="60"`, "more=1")
	q.get("/mfa/verify?kind=totp&return=%2Fhome&more=1").goes(t,
		"/mfa/verify?kind=totp&return=%2Fhome")
	q.get("/mfa/verify?kind=totp").page(t, 200, `data-ends="900"`)
	s.clock.Advance(10 * time.Minute) // after the end of the first
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"},
		"return": {"/home"}}).goes(t, "/home")

	// The same for a user who is signed in.
	s.clock.Advance(6 * time.Minute)
	q.follow(q.get("/mfa/enroll"))
	q.get("/mfa/verify?purpose=manage").page(t, 200, `data-ends="900"`)
	s.clock.Advance(14 * time.Minute)
	q.get("/mfa/verify?purpose=manage&kind=totp&more=1").goes(t,
		"/mfa/verify?kind=totp&purpose=manage")
	q.get("/mfa/verify?purpose=manage").page(t, 200, `data-ends="900"`)
}

// Nothing but the code is lost when the user asks for another: the name and the box that remembers
// the device are as they were.
func TestPages_KeepWhatWasTypedWhenACodeIsSentAgain(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	a := p.post("/mfa/enroll/sms", url.Values{"number": {"+31612345678"},
		"password": {"correct horse"}})
	at, _, _ := strings.Cut(a.Header.Get("Location"), "?")
	again := p.follow(p.post(at+"/resend", url.Values{"name": {"Work phone"},
		"code": {"735182"}})).page(t, 200, `value="Work phone"`)
	require.NotContains(t, again.Text, "735182")
	s.text.fail = errors.New("down")
	p.follow(p.post(at+"/resend", url.Values{"name": {"Work phone"}})).page(t, 200,
		`value="Work phone"`)
	s.text.fail = nil
	p.post(at, url.Values{"code": {s.text.last().Code}})

	s.policy.Remember = 1 << 50
	q := s.browser("ann")
	q.login()
	send := url.Values{"kind": {"sms"}, "remember": {"yes"}, "code": {"735182"}}
	q.post("/mfa/send", send)
	require.NotContains(t, q.follow(q.post("/mfa/send", send)).page(t, 200,
		`value="yes" autocomplete="off" checked`).Text, "735182")
}
