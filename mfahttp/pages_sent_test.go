package mfahttp_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// newCode is what the pages say of a code that replaces another.
const newCode = "We sent you a new code."

// The first code of a challenge is not called a new one: the user would look for another code, or
// suspect an attacker. Each code after it is.
func TestPagesSend_CallOnlyALaterCodeNew(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enrollSMS()
	// saysNew sends a code, and reports whether the page that follows calls it new.
	saysNew := func(p *browser, kind, purpose string) bool {
		t.Helper()
		before := s.mail.count() + s.text.count()
		a := p.post("/mfa/send", url.Values{"kind": {kind}, "purpose": {purpose}})
		require.Equal(t, before+1, s.mail.count()+s.text.count(), "one code is sent")
		return strings.Contains(p.follow(a).page(t, 200, "We sent a code to").Text, newCode)
	}

	p = s.browser("ann")
	p.login()
	require.False(t, saysNew(p, "sms", ""), "the first code of a sign-in")
	require.True(t, saysNew(p, "sms", ""), "the second")
	require.NotContains(t, p.get("/mfa/verify?kind=sms").page(t, 200).Text, newCode, "said once")
	s.clock.Advance(2 * time.Minute)
	require.True(t, saysNew(p, "sms", ""), "one after a code that has expired")

	p = s.browser("ann")
	p.login()
	require.False(t, saysNew(p, "sms", ""), "the first code of the next sign-in")
	p.post("/mfa/verify", url.Values{"kind": {"sms"}, "code": {s.text.last().Code}})
	s.clock.Advance(10 * time.Minute)
	p.follow(p.get("/recent")).page(t, 200)
	require.False(t, saysNew(p, "sms", "step-up"), "the first code of a step-up")
	require.True(t, saysNew(p, "sms", "step-up"))
}

// A code that was not sent is no first one, and a page does not call it new.
func TestPagesSend_CallNoCodeNewThatWasNotSent(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	send := func() string {
		return p.follow(p.post("/mfa/send", url.Values{"kind": {"email"}})).page(t, 200).Text
	}
	s.mail.fail = errors.New("the mail server is down")
	text := send()
	require.Contains(t, text, `role="alert"`)
	require.NotContains(t, text, newCode)
	s.mail.fail = nil
	require.NotContains(t, send(), newCode, "the first code that arrives")
	require.Contains(t, send(), newCode)
	s.mail.fail = errors.New("the mail server is down again")
	require.NotContains(t, send(), newCode)
}

// The page of an enrolment says where the first code was sent, and calls only a later one new.
func TestPagesEnroll_CallOnlyALaterCodeNew(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	a := p.post("/mfa/enroll/sms", url.Values{"number": {"+31612345678"},
		"password": {"correct horse"}})
	require.Equal(t, 1, s.text.count())
	at := a.Header.Get("Location")
	require.NotContains(t, p.get(at).page(t, 200, `name="code"`).Text, newCode)
	path, _, _ := strings.Cut(at, "?")
	p.follow(p.post(path+"/resend", nil)).page(t, 200, newCode)
	require.Equal(t, 2, s.text.count())
}
