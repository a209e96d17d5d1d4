package mfahttp_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// oldSession returns a session that was signed in an hour ago, whose second factor was verified
// just now: an attacker who has taken it over can do what its user can.
func oldSession(t *testing.T, change func(*mfahttp.Config)) (*site, *browser) {
	t.Helper()
	s := newSite(t, change)
	p := s.browser("ann").signIn()
	s.clock.Advance(time.Hour)
	p.follow(p.get("/mfa/step-up?purpose=manage"))
	p.post("/mfa/send", url.Values{"kind": {"email"}, "purpose": {"manage"}})
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"purpose": {"manage"}})
	return s, p
}

func TestPages_RequireThePasswordForAFirstNumber(t *testing.T) {
	s, p := oldSession(t, nil)
	number := url.Values{"number": {"+31612345678"}, "name": {"Work"}}
	p.get("/mfa/enroll/sms").page(t, 200, `name="password"`)
	for _, given := range []string{"", "guess"} {
		number.Set("password", given)
		p.post("/mfa/enroll/sms", number).page(t, 422, "Wrong password.", `value="+31612345678"`)
	}
	require.Zero(t, s.text.count())
	number.Set("password", "correct horse")
	where := p.post("/mfa/enroll/sms", number).Header.Get("Location")
	require.Equal(t, 1, s.text.count())
	p.post(where, url.Values{"code": {"000000"}}) // another number, then

	// It was given just now, so that another first one needs it no second time.
	require.NotContains(t, p.get("/mfa/enroll/sms").page(t, 200).Text, `name="password"`)
	s.clock.Advance(4 * time.Minute)
	number.Del("password")
	require.NotEqual(t, "/mfa/enroll/sms", p.post("/mfa/enroll/sms", number).leadsTo())
	require.Equal(t, 2, s.text.count())
	p.post(where, url.Values{"code": {s.text.last().Code}})
	s.clock.Advance(2 * time.Minute)
	p.get("/mfa/enroll/sms").leadsTo()
}

// The page did not ask for the password when it was shown, and minutes pass: what was typed stays.
func TestPages_AskForThePasswordThatIsNotRecentAnyMore(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(4*time.Minute + 50*time.Second)
	require.NotContains(t, p.get("/mfa/enroll/sms").page(t, 200).Text, `name="password"`)
	s.clock.Advance(9 * time.Second)
	p.post("/mfa/enroll/sms", url.Values{"number": {"+31612345678"}})
	require.Equal(t, 1, s.text.count(), "within five minutes")
}

func TestAPI_RequiresThePasswordForAFirstNumber(t *testing.T) {
	s, p := oldSession(t, nil)
	number := m{"kind": "sms", "number": "+31612345678"}
	p.api("POST", "enroll", number).is(t, 403, "password")
	number["password"] = "guess"
	p.api("POST", "enroll", number).is(t, 403, "password")
	require.Zero(t, s.text.count())
	number["password"] = "correct horse"
	p.api("POST", "enroll", number).is(t, 200, "")
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "") // no kind of PasswordFor
}

// Recovery codes are a way in like a number, so that the first ones are protected like it.
func TestRecoveryCodes_RequireThePasswordWhereConfigured(t *testing.T) {
	s, p := oldSession(t, func(c *mfahttp.Config) {
		c.PasswordFor = append(c.PasswordFor, "recovery", "totp")
	})
	s.codesAsked = true
	p.get("/mfa/enroll").page(t, 200, `href="/mfa/enroll/totp`) // asked first, so no button posts
	p.post("/mfa/enroll/totp", url.Values{}).page(t, 422, `name="password"`)
	where := p.post("/mfa/enroll/totp", url.Values{"password": {"correct horse"}}).leadsTo()
	p.post(where, url.Values{"code": {"100001"}}).goes(t, "/mfa/recovery-codes")
	p.get("/mfa/recovery-codes").page(t, 200, "AAAA-1111") // given just now

	p.api("POST", "recovery-codes", nil).is(t, 403, "password")
	p.post("/mfa/recovery-codes", url.Values{}).goes(t, "/mfa/recovery-codes")
	p.post("/mfa/recovery-codes", url.Values{"password": {"correct horse"}}).goes(t,
		"/mfa/recovery-codes")
	p.api("POST", "recovery-codes", m{"password": "correct horse"}).is(t, 200, "")
}
