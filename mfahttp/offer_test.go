package mfahttp_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

const quarter = 90 * 24 * time.Hour

func newOfferSite(t *testing.T) *site {
	t.Helper()
	return newKeySite(t, func(c *mfahttp.Config) { c.OfferPasskeys = quarter })
}

// byMail signs in by a code on the pages, and returns where that leads.
func (p *browser) byMail(t *testing.T) string {
	t.Helper()
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"email"}, "return": {"/recent"}})
	return p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {p.s.mail.last().Code},
		"return": {"/recent"}}).Header.Get("Location")
}

// A passkey is offered after a sign-in by password and code. A user who declines is not asked again
// for the configured time, in any browser.
func TestOffer_ComesBackSeldom(t *testing.T) {
	s := newOfferSite(t)
	p := s.browser("ann")
	require.Equal(t, "/mfa/offer?passkey=first&return=%2Frecent", p.byMail(t))
	page := p.get("/mfa/offer?passkey=first&return=%2Frecent").Text
	require.Contains(t, page, "Sign in faster with a passkey")
	require.Contains(t, page, `action="/mfa/enroll/passkey"`)
	require.Contains(t, page, `<noscript><meta http-equiv="refresh" content="0;url=/recent">`,
		"nothing is in the way of a browser without passkeys")
	p.post("/mfa/offer", url.Values{"return": {"/recent"}}).goes(t, "/recent")

	require.Equal(t, "/mfa/continue?to=%2Frecent", s.browser("ann").byMail(t))
	s.clock.Advance(quarter - time.Hour)
	require.Equal(t, "/mfa/continue?to=%2Frecent", s.browser("ann").byMail(t))
	s.clock.Advance(2 * time.Hour)
	require.Contains(t, s.browser("ann").byMail(t), "/mfa/offer")
}

func TestOffer_IsForUsersWithoutAPasskey(t *testing.T) {
	s := newOfferSite(t)
	s.browser("ann").withPasskey("k1")
	require.NotContains(t, s.browser("ann").byMail(t), "/mfa/offer")
	s.policy.Kinds = []string{"email"}
	require.NotContains(t, s.browser("ben").byMail(t), "/mfa/offer", "the policy has none")
	s.policy.Kinds = nil
	s.policy.DeviceBound = true
	require.NotContains(t, s.browser("ben").byMail(t), "/mfa/offer", "it may be refused")
	require.NotContains(t, newKeySite(t).browser("ann").byMail(t), "/mfa/offer", "not configured")
}

// A user who signs in by a passkey on a phone is offered one on the device in front of them.
func TestOffer_FollowsTheUseOfAPhone(t *testing.T) {
	s := newOfferSite(t)
	s.browser("ann").withPasskey("k1")
	for attachment, want := range map[string]any{"cross-platform": "here", "platform": nil,
		"": nil} {
		p := s.browser("ann")
		ch := p.open(t)
		response, err := json.Marshal(m{"authenticatorAttachment": attachment,
			"signed": "k1 " + ch.JSON["data"].(string)})
		require.NoError(t, err)
		done := p.api("POST", "passwordless/verify", m{"challenge": ch.JSON["challenge"],
			"code": string(response)}).is(t, 200, "")
		require.Equal(t, want, done.JSON["offer_passkey"], attachment)
		page := p.get("/mfa/offer?passkey=here&return=%2Frecent").Text
		require.Contains(t, page, `name="attachment" value="platform"`)
		require.Contains(t, page, "data-passkeys=")
	}
}

func TestAPI_DeclinesAnOffer(t *testing.T) {
	s := newOfferSite(t)
	s.browser("").api("POST", "decline", m{"kind": "passkey"}).is(t, 401, "unauthorized")
	p := s.browser("ann")
	p.login()
	p.api("POST", "decline", m{"kind": "passkey"}).is(t, 403, "forbidden")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	done := p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	require.Equal(t, "first", done.JSON["offer_passkey"])
	p.api("POST", "decline", m{"kind": "passkey"}).is(t, 200, "")
	p.api("POST", "decline", m{"kind": "pigeon"}).is(t, 409, "not_available")
	o, err := s.m.Overview(t.Context(), s.subject("ann"))
	require.NoError(t, err)
	require.Equal(t, s.clock.Now().UTC(), o.Declined["passkey"].UTC())
}
