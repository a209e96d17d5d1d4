package mfahttp_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// unasked is what the script of the page posts.
var unasked = url.Values{"kind": {"email"}, "factor": {""}, "purpose": {""}, "unasked": {"yes"}}

const sendsNow = "data-send-now"

func TestPages_SendTheFirstCodeWithoutAClick(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	for range 3 { // a prefetch, a crawler, a reload: a GET sends nothing
		p.get("/mfa/verify").page(t, 200, sendsNow, "Send code")
	}
	require.Zero(t, s.mail.count())
	for range 3 { // two tabs, and a form that is posted again
		p.post("/mfa/send", unasked).goes(t, "/mfa/verify?kind=email")
	}
	require.Equal(t, 1, s.mail.count())
	for range 2 { // a reload, and back
		require.NotContains(t, p.get("/mfa/verify").page(t, 200, `name="code"`).Text, sendsNow)
	}
	s.clock.Advance(2 * time.Minute)
	require.NotContains(t, p.get("/mfa/verify").page(t, 200, "Send code").Text, sendsNow)
	p.post("/mfa/send", unasked).goes(t, "/mfa/verify?kind=email")
	require.Equal(t, 1, s.mail.count(), "a code that has expired is sent by request alone")
	p.post("/mfa/send", url.Values{"kind": {"email"}}).goes(t, "/mfa/verify?kind=email")
	require.Equal(t, 2, s.mail.count())
}

// Two tabs that post at once hold the same cookies, neither with what was sent.
func TestPages_SendOneCodeFromTwoTabs(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	p.login()
	p.get("/mfa/verify").page(t, 200, sendsNow)
	q := p.copy()
	p.post("/mfa/send", unasked).goes(t, "/mfa/verify?kind=email")
	q.post("/mfa/send", unasked).goes(t, "/mfa/verify?kind=email")
	require.Equal(t, 1, s.mail.count())
	q.get("/mfa/verify").page(t, 200, `name="code"`)
	q.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code}}).goes(t,
		"/home")
}

func TestPages_SendNothingUnasked(t *testing.T) {
	t.Run("where the policy asks the user", func(t *testing.T) {
		s := newSite(t, nil)
		s.policy.AskBeforeSending = true
		p := s.browser("ann")
		p.login()
		require.NotContains(t, p.get("/mfa/verify").page(t, 200, "Send code").Text, sendsNow)
		require.NotContains(t, p.api("GET", "state", nil).is(t, 200, "").JSON, "send_first")
	})
	t.Run("for a kind that the user chooses", func(t *testing.T) {
		s := newSite(t, nil)
		s.policy.KeepImplicit = true
		s.browser("ann").signIn().enroll("100001")
		p := s.browser("ann")
		p.login()
		require.NotContains(t, p.get("/mfa/verify").page(t, 200).Text, sendsNow, "an app")
		require.NotContains(t, p.get("/mfa/verify?kind=email").page(t, 200, "Send code").Text,
			sendsNow)
		require.NotContains(t, p.api("GET", "state", nil).is(t, 200, "").JSON, "send_first")
	})
	t.Run("for a step-up", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann").signIn()
		s.clock.Advance(time.Hour)
		require.NotContains(t, p.follow(p.get("/mfa/step-up?purpose=step-up")).page(t, 200,
			"Send code").Text, sendsNow)
	})
	t.Run("again after a refusal", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann")
		for range 40 { // the user's own limit
			p.login()
			if p.api("POST", "send", m{"kind": "email"}).StatusCode == 429 {
				break
			}
		}
		n := s.mail.count()
		p.get("/mfa/verify").page(t, 200, sendsNow)
		p.post("/mfa/send", unasked).goes(t, "/mfa/verify?kind=email")
		p.get("/mfa/verify").page(t, 200, "Too many codes sent")
		require.NotContains(t, p.get("/mfa/verify").page(t, 200).Text, sendsNow)
		require.Equal(t, n, s.mail.count())
	})
	t.Run("from another origin", func(t *testing.T) {
		s := newSite(t, nil)
		p := s.browser("ann")
		p.login()
		a := p.do("POST", "/mfa/send", unasked.Encode(), map[string]string{
			"Content-Type":   "application/x-www-form-urlencoded",
			"Sec-Fetch-Site": "cross-site"})
		require.Equal(t, 403, a.StatusCode)
		require.Zero(t, s.mail.count())
	})
}

func TestAPI_SendsTheFirstCodeOnce(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	require.Equal(t, true, p.api("GET", "state", nil).is(t, 200, "").JSON["send_first"])
	p.api("POST", "send", m{"kind": "email", "first": "yes"}).is(t, 400, "malformed")
	first := p.api("POST", "send", m{"kind": "email", "first": true}).is(t, 200, "")
	again := p.api("POST", "send", m{"kind": "email", "first": true}).is(t, 200, "")
	require.Equal(t, first.JSON["hint"], again.JSON["hint"])
	require.Equal(t, first.JSON["expires"], again.JSON["expires"])
	require.Equal(t, 1, s.mail.count())
	require.NotContains(t, p.api("GET", "state", nil).is(t, 200, "").JSON, "send_first")
}
