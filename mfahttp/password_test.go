package mfahttp_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
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

// number enrols a phone number, and says what became of that.
func (p *browser) number(password string) *response {
	p.s.t.Helper()
	return p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678",
		"password": password})
}

// The first factor was given a moment ago for five minutes, and for so long in the future as clocks
// differ. A time that is not known is long ago.
func TestPassword_IsRecentForAsLongAsThePolicySays(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	now := s.clock.Now()
	for _, test := range []struct {
		since  time.Time
		recent bool
	}{
		{now, true}, {now.Add(-5 * time.Minute), true}, {now.Add(-5*time.Minute - 1), false},
		{now.Add(30 * time.Second), true}, {now.Add(30*time.Second + 1), false},
		{time.Time{}, false},
	} {
		p.sets("since", test.since.Format(time.RFC3339Nano))
		a := p.number("")
		if test.recent {
			a.is(t, 200, "")
		} else {
			a.is(t, 403, "password")
		}
	}
}

// Of the first factor and a password on a page, the one that was given last counts. It counts for
// its own user.
func TestPassword_TheLastOneCounts(t *testing.T) {
	s, p := oldSession(t, nil)
	p.number("").is(t, 403, "password")
	p.number("correct horse").is(t, 200, "")
	p.number("").is(t, 200, "")
	s.clock.Advance(4 * time.Minute)
	p.sets("since", s.clock.Now().Format(time.RFC3339Nano)) // Config.Reauthenticate asked again
	s.clock.Advance(2 * time.Minute)
	s.mild = true
	p.api("POST", "step-up", nil).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.number("").is(t, 200, "")

	p.sets("since", time.Time{}.Format(time.RFC3339Nano))
	p.number("correct horse").is(t, 200, "")
	s.swap("ann", "bob")
	p.get("/home").goes(t, "/mfa/?return=%2Fhome")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.sets("since", time.Time{}.Format(time.RFC3339Nano))
	p.number("").is(t, 403, "password")
}

// A user who enrols during the sign-in has just given the password, whenever that was by what the
// application says.
func TestPassword_IsNotAskedForDuringTheSignIn(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	p.sets("since", s.clock.Now().Add(-time.Hour).Format(time.RFC3339Nano))
	p.number("").is(t, 200, "")
}

// A check of passwords that takes an empty one, as a directory does that binds without one, is not
// asked about it.
func TestPassword_IsNotEmpty(t *testing.T) {
	s, p := oldSession(t, func(c *mfahttp.Config) {
		c.CheckPassword = func(_ *http.Request, password string) error {
			if password == "" {
				return nil
			}
			return mfahttp.ErrPassword
		}
	})
	p.number("").is(t, 403, "password")
	p.api("POST", "address", m{"address": "ann@new.example"}).is(t, 403, "password")
	require.Zero(t, s.text.count())
}

// Without the records nothing is enrolled that might require the password.
func TestPassword_IsRequiredInAnOutage(t *testing.T) {
	s, p := oldSession(t, nil)
	sent := s.mail.count()
	s.policyErr = errors.New("down")
	p.number("correct horse").is(t, 503, "unavailable")
	p.api("POST", "address", m{"address": "ann@new.example", "password": "correct horse"}).
		is(t, 503, "unavailable")
	s.policyErr = nil
	require.Zero(t, s.text.count())
	require.Equal(t, sent, s.mail.count())
}
