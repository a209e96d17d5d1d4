package mfahttp_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

func lostSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, func(c *mfahttp.Config) { c.SetupLinks, c.Support = true, true })
	s.policy.KeepImplicit = true
	return s
}

// stopped is a browser whose user's app was disabled by incorrect responses, and who has begun to
// sign in.
func (p *browser) disabled() *browser {
	p.s.t.Helper()
	p.signIn().enroll("100001")
	for range 20 {
		p.login()
		for range 5 {
			p.api("POST", "verify", m{"kind": "totp", "code": "000001"})
		}
		p.s.clock.Advance(3 * time.Minute)
	}
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(p.s.t, 403, "stopped")
	return p
}

// A lost device is replaced by a program as by a user: a link, a recovery, an enrolment, and
// no sign-in.
func TestAPI_ReplacesALostDevice(t *testing.T) {
	s := lostSite(t)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
	elsewhere := s.browser("ann").signIn()
	p.login()
	p.api("POST", "lost/link", nil).is(t, 200, "")
	link := s.mail.last().Link
	require.NotEmpty(t, link)

	// A session that is signed in, or another user's, leaves the link as it is.
	elsewhere.api("POST", "setup", m{"token": link}).is(t, 409, "not_available")
	stranger := s.browser("bob")
	stranger.login()
	stranger.api("POST", "setup", m{"token": link}).is(t, 403, "forbidden")

	fresh := s.browser("")
	fresh.api("GET", "state", nil).is(t, 401, "unauthorized")
	a := fresh.api("POST", "setup", m{"token": link}).is(t, 200, "")
	require.Equal(t, "verify", a.JSON["next"])
	require.Equal(t, "replace", a.JSON["purpose"])
	fresh.api("POST", "setup", m{"token": link}).is(t, 401, "expired")
	require.Equal(t, "replace", fresh.api("GET", "state", nil).is(t, 200, "").JSON["purpose"])

	// Nothing but the recovery is open, and the mailbox is none.
	fresh.api("GET", "factors", nil).is(t, 403, "forbidden")
	fresh.api("POST", "enroll", m{"kind": "totp"}).is(t, 401, "expired")
	fresh.api("POST", "verify", m{"kind": "email", "code": "200001"}).is(t, 409, "not_available")
	fresh.api("POST", "verify", m{"kind": "recovery", "code": "none"}).is(t, 401, "incorrect")
	fresh.api("POST", "lost/link", nil).is(t, 409, "not_available")
	verified := len(s.verified)
	a = fresh.api("POST", "verify", m{"kind": "recovery", "code": codes[0]}).is(t, 200, "")
	require.Equal(t, "enroll", a.JSON["next"])
	require.Equal(t, []any{"totp"}, a.JSON["kinds"], "what was lost, and no other kind")
	require.Equal(t, "enroll", fresh.api("GET", "state", nil).is(t, 200, "").JSON["next"])
	fresh.api("GET", "factors", nil).is(t, 403, "forbidden")
	fresh.api("POST", "recovery-codes", nil).is(t, 403, "forbidden")
	fresh.get("/home").goes(t, "/login")

	e := fresh.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	done := fresh.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100301"}).
		is(t, 200, "")
	require.Equal(t, false, done.JSON["signed_in"])
	require.Len(t, s.verified, verified, "it was no sign-in")
	fresh.api("GET", "state", nil).is(t, 401, "unauthorized")
	fresh.api("POST", "enroll", m{"kind": "totp"}).is(t, 401, "unauthorized")

	require.NotEmpty(t, done.JSON["factor"].(m)["held_until"])
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100302"}).is(t, 200, "")
	factors := func() []any {
		return p.api("GET", "factors", nil).is(t, 200, "").JSON["factors"].([]any)
	}
	require.Len(t, factors(), 4, "the old app stays until the hold ends")
	s.clock.Advance(24 * time.Hour)
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "103400"}).is(t, 200, "")
	require.Len(t, factors(), 3, "the old app is gone")
}

// A link that was opened, and not followed by a proof in time, opens nothing more.
func TestAPI_RecoveryExpires(t *testing.T) {
	s := lostSite(t)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.login()
	p.api("POST", "lost/link", nil).is(t, 200, "")
	fresh := s.browser("")
	a := fresh.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
	s.clock.Advance(time.Duration(a.JSON["expires_in"].(float64)) * time.Second)
	fresh.api("GET", "state", nil).is(t, 401, "expired")
	fresh.api("DELETE", "devices", nil).is(t, 403, "forbidden")
	fresh.api("POST", "enroll", m{"kind": "totp"}).is(t, 401, "expired")
	s.clock.Advance(30 * time.Minute)
	fresh.api("GET", "state", nil).is(t, 401, "unauthorized")
}

func TestAPI_RefusesRecoveryThatIsNotConfigured(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.login()
	p.api("POST", "lost/link", nil).is(t, 409, "not_available")
	p.api("POST", "lost/support", nil).is(t, 409, "not_available")
	require.Zero(t, s.mail.count()-1)
}

func TestAPI_AsksSupport(t *testing.T) {
	s := lostSite(t)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "step-up", nil).is(t, 200, "")
	// who is signed in needs none
	p.api("POST", "lost/support", m{"message": "x"}).is(t, 401, "expired")
	p.api("POST", "lost/link", nil).is(t, 401, "expired")
	p.login()
	p.api("POST", "lost/support", m{"message": 1}).is(t, 400, "malformed")
	p.api("POST", "lost/support", m{"message": "My phone is gone."}).is(t, 200, "")
}

func TestAPI_UnlocksADisabledKind(t *testing.T) {
	s := lostSite(t)
	p := s.browser("ann").disabled()
	p.api("POST", "unlock", m{"kind": "totp"}).is(t, 400, "malformed")
	p.api("POST", "unlock", m{"kind": "email", "code": "1"}).is(t, 409, "not_available")
	for i := range 3 {
		a := p.api("POST", "unlock", m{"kind": "totp", "code": strconv.Itoa(100500 + i)}).is(t,
			200, "")
		require.EqualValues(t, 2-i, a.JSON["answers_left"])
		require.Equal(t, i == 2, a.JSON["unlocked"])
		if i < 2 {
			// at once
			p.api("POST", "unlock", m{"kind": "totp", "code": "100600"}).is(t, 429, "locked")
		}
		s.clock.Advance(time.Minute)
	}
	for _, o := range p.api("GET", "state", nil).is(t, 200, "").JSON["options"].([]any) {
		require.NotEqual(t, true, o.(m)["stopped"], fmt.Sprint(o))
	}
	p.api("POST", "verify", m{"kind": "totp", "code": "100700"}).is(t, 200, "")
	s.browser("").api("POST", "unlock", m{"kind": "totp", "code": "100700"}).is(t, 401,
		"unauthorized")
}

func TestAPI_ListsAndForgetsDevices(t *testing.T) {
	s := lostSite(t)
	s.policy.Remember = 24 * time.Hour
	p, other := s.browser("ann").signIn(), s.browser("bob")
	for _, who := range []*browser{p, other} {
		who.login()
		who.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
		who.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code,
			"remember": "Laptop"}).is(t, 200, "")
	}
	list := p.api("GET", "devices", nil).is(t, 200, "").JSON["devices"].([]any)
	require.Len(t, list, 1)
	require.Equal(t, "Laptop", list[0].(m)["name"])
	foreign := other.api("GET", "devices", nil).JSON["devices"].([]any)[0].(m)["id"].(string)
	p.api("DELETE", "devices/"+foreign, nil).is(t, 404, "not_available")
	p.api("DELETE", "devices/"+list[0].(m)["id"].(string), nil).is(t, 200, "")
	require.Empty(t, p.api("GET", "devices", nil).JSON["devices"])
	s.clock.Advance(time.Hour)
	other.api("DELETE", "devices", nil).is(t, 403, "step_up")
	require.Len(t, other.api("GET", "devices", nil).JSON["devices"], 1)
	p.login()
	p.api("DELETE", "devices", nil).is(t, 403, "forbidden")
}

// An access code that support has made while the user is on the pages of a recovery is offered
// there, and is a proof for what the recovery link began: it enrols a replacement, and signs in
// nobody. There may have been nothing to recover with before.
func TestVerifyPage_OffersWhatWasMadeDuringARecovery(t *testing.T) {
	for name, withCodes := range map[string]bool{"nothing": false, "recovery codes": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *mfahttp.Config) { c.SetupLinks, c.Support = true, true },
				&issued{})
			s.policy.KeepImplicit = true
			p := s.browser("ann").signIn()
			p.enroll("100001")
			if withCodes {
				p.api("POST", "recovery-codes", nil).is(t, 200, "")
			}
			p.login()
			p.api("POST", "lost/link", nil).is(t, 200, "")
			fresh := s.browser("")
			fresh.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
			page := fresh.get("/mfa/verify?kind=access")
			require.NotContains(t, page.Text, `name="kind" value="access"`)

			_, err := s.m.Admin(mfa.System("support"), "").Enroll(t.Context(), s.subject("ann"),
				mfa.EnrollRequest{Kind: "access"})
			require.NoError(t, err)
			fresh.get("/mfa/lost").page(t, 200, "kind=access")
			fresh.get("/mfa/verify?kind=access").page(t, 200, `name="kind" value="access"`)
			state := fresh.api("GET", "state", nil).is(t, 200, "")
			require.Equal(t, "replace", state.JSON["purpose"])
			require.NotContains(t, state.Text, `"email"`, "the mailbox is no recovery")
			verified := len(s.verified)
			a := fresh.api("POST", "verify", m{"kind": "access", "code": "let me in"})
			require.Equal(t, "enroll", a.is(t, 200, "").JSON["next"])
			require.Equal(t, []any{"totp"}, a.JSON["kinds"])
			require.Len(t, s.verified, verified, "it was no sign-in")
		})
	}
}
