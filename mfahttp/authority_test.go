package mfahttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// A policy that no longer allows what a user has opens nothing to an attacker who knows the
// password: the user proves what they have, which signs nobody in, and enrols an allowed kind.
func TestTightenedPolicy_PasswordAloneNeverSignsIn(t *testing.T) {
	for _, mode := range []policy.Mode{policy.ModeRequired, policy.ModeOptional} {
		t.Run(string(mode), func(t *testing.T) {
			s := newSite(t, nil)
			s.policy = policy.Policy{Mode: policy.ModeOptional}
			owner := s.browser("ann")
			owner.login()
			owner.enrollSMS()
			s.policy = policy.Policy{Mode: mode, Kinds: []string{"totp"}}

			attacker := s.browser("ann")
			require.Contains(t, attacker.login().Text, `"Next":"verify"`)
			attacker.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "forbidden")
			attacker.get("/home").goes(t, "/mfa/?return=%2Fhome")
			attacker.get("/mfa/enroll").goes(t, "/mfa/verify")

			p := s.browser("ann")
			p.login()
			p.api("POST", "send", m{"kind": "sms"}).is(t, 200, "")
			verified := len(s.verified)
			a := p.api("POST", "verify", m{"kind": "sms", "code": s.text.last().Code}).is(t,
				200, "")
			require.Equal(t, "enroll", a.JSON["next"])
			require.Equal(t, []any{"totp"}, a.JSON["kinds"])
			require.Len(t, s.verified, verified, "no user is signed in")
			p.get("/home").goes(t, "/mfa/?return=%2Fhome")
			p.api("GET", "factors", nil).is(t, 403, "forbidden")
			require.Equal(t, "enroll", p.api("GET", "state", nil).is(t, 200, "").JSON["next"],
				"looking leaves it so")
			p.api("POST", "enroll", m{"kind": "pin", "pin": "739162"}).is(t, 409, "not_available")
			e := p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
			done := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
				"code": "100001"}).is(t, 200, "")
			require.Equal(t, true, done.JSON["signed_in"])
			p.get("/home").page(t, 200, "welcome")
		})
	}
}

// The pages lead the same way, and say why.
func TestTightenedPolicy_Pages(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	p.enrollSMS()
	s.policy = policy.Policy{Kinds: []string{"totp", "pin"}}
	p.login()
	p.follow(p.get("/mfa/")).page(t, 200, `name="kind" value="sms"`)
	p.post("/mfa/send", url.Values{"kind": {"sms"}})
	a := p.post("/mfa/verify", url.Values{"kind": {"sms"}, "code": {s.text.last().Code},
		"return": {"/home"}})
	a.goes(t, "/mfa/enroll?return=%2Fhome")
	p.follow(a).page(t, 200, "no longer accepts this sign-in method", "Authenticator app", "PIN")
	p.get("/mfa/").goes(t, "/mfa/enroll")
	p.post("/mfa/enroll/pin", url.Values{"pin": {"739162"}, "pin2": {"739162"},
		"return": {"/home"}}).goes(t, "/home")
	p.get("/home").page(t, 200, "welcome")
}

// A process that does not have the user's kind says so, and invites nobody to enrol.
func TestKindNotConfigured_IsNoInvitation(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	p.enrollSMS()
	var err error
	s.cfg.Manager, err = mfa.New(mfa.Config{Store: s.store, Keys: s.keys, Clock: s.clock,
		Policies: s,
		Factors:  []factor.Factor{app{}, s.mail, pin{}, codes{}}})
	require.NoError(t, err)
	other, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	for _, policy := range []policy.Policy{{Mode: policy.ModeRequired},
		{Mode: policy.ModeRequired, Kinds: []string{"totp"}}, {Mode: policy.ModeOptional}} {
		s.policy = policy
		_, err = other.Begin(nil, newRequest(s), s.identity("ann"))
		require.ErrorIs(t, err, mfa.ErrKindNotConfigured)
	}
	s.srv.Config.Handler = s.withSession(other)
	s.clock.Advance(time.Hour)
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 409, "kind_not_configured")
	p.api("POST", "step-up", nil).is(t, 409, "kind_not_configured")
	p.get("/mfa/enroll").page(t, 409, "does not work at this address")
}

// An address that no message can be sent to is a sentence on the page, and no enrolment.
func TestUndeliverableAddress_IsNoInvitation(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(time.Hour)
	s.mail.undeliverable = true
	_, err := s.h.Begin(nil, newRequest(s), s.identity("ann"))
	require.ErrorIs(t, err, factor.ErrUndeliverable)
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 409, "undeliverable")
	p.get("/mfa/enroll").page(t, 409, "Ask support")
}

// An old session enrols no first factor, by whichever way it asks, and neither does one of which
// the application does not know when it began.
func TestOldSession_EnrolsNoFirstFactor(t *testing.T) {
	for name, known := range map[string]bool{"hours old": true, "of unknown age": false} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *mfahttp.Config) {
				identify := c.Identify
				c.Identify = func(r *http.Request) (mfahttp.Identity, error) {
					id, err := identify(r)
					if !known {
						id.SignedInAt = time.Time{}
					}
					return id, err
				}
			})
			s.policy = policy.Policy{Mode: policy.ModeOff}
			p := s.browser("ann")
			p.login()
			if known {
				s.clock.Advance(5 * time.Hour)
			}
			for _, policy := range []policy.Policy{{Mode: policy.ModeOff},
				{Mode: policy.ModeOptional}, {Mode: policy.ModeRequired},
				{Mode: policy.ModeRequired, EnrollBy: s.clock.Now().Add(time.Hour)}} {
				s.policy = policy
				s.clock.Advance(2 * time.Minute) // sessions are looked at once a minute
				before := s.records()
				for _, path := range []string{"/home", "/recent", "/mfa/", "/mfa/verify",
					"/mfa/verify?kind=totp", "/mfa/verify?purpose=sign-in",
					"/mfa/step-up?purpose=step-up", "/mfa/step-up?purpose=manage", "/mfa/enroll",
					"/mfa/enroll/totp"} {
					p.get(path)
					p.do("GET", path, "", map[string]string{"Accept": "application/json"})
				}
				p.api("GET", "state", nil)
				p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 403, "reauthenticate")
				p.api("POST", "step-up", m{"purpose": "manage"}).is(t, 403, "reauthenticate")
				p.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "reauthenticate")
				p.api("POST", "recovery-codes", nil).is(t, 403, "reauthenticate")
				require.Equal(t, before, s.records())
			}
			s.policy = policy.Policy{Mode: policy.ModeRequired}
			s.clock.Advance(2 * time.Minute)
			p.get("/home").page(t, 403, "Sign in again", `action="/mfa/sign-out"`)
			if known {
				p.login()
				p.enroll("100001")
			}
		})
	}
}

// The application's own page asks for the first factor again, and returns.
func TestReauthenticate_AsksForTheFirstFactorAgain(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Reauthenticate = "/again?lang=en" })
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	s.clock.Advance(time.Hour)
	p.get("/mfa/enroll/totp").goes(t, "/again?lang=en&return=%2Fmfa%2Fenroll%2Ftotp")
	p.post("/mfa/enroll/totp", nil).goes(t, "/again?lang=en&return=%2Fhome")
	s.policy = policy.Policy{Mode: policy.ModeRequired}
	p.get("/home?x=1").goes(t, "/again?lang=en&return=%2Fhome%3Fx%3D1")

	c := s.cfg
	c.Reauthenticate = "https://elsewhere.example/"
	_, err := mfahttp.New(c)
	require.ErrorContains(t, err, "Reauthenticate")
}

// A session whose user has enrolled a factor elsewhere proves it, also where the policy only asks
// those who have one.
func TestOptionalPolicy_AsksForAFactorEnrolledElsewhere(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p, elsewhere := s.browser("ann"), s.browser("ann")
	p.login()
	p.get("/home").page(t, 200, "welcome")
	elsewhere.login()
	elsewhere.enroll("100001")
	s.clock.Advance(time.Minute)
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
	elsewhere.get("/home").page(t, 200, "welcome")
	p.follow(p.get("/home"))
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
	p.get("/home").page(t, 200, "welcome")

	// A kind that the policy bans, with and without a grace.
	s.policy = policy.Policy{Mode: policy.ModeOptional, Kinds: []string{"pin"},
		EnrollBy: s.clock.Now().Add(time.Hour)}
	s.clock.Advance(time.Minute)
	p.get("/home").page(t, 200, "welcome")
	s.clock.Advance(time.Hour)
	p.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
	p.follow(p.get("/home"))
	a := p.api("POST", "verify", m{"kind": "totp", "code": "100003"}).is(t, 200, "")
	require.Equal(t, "enroll", a.JSON["next"])
	e := p.api("POST", "enroll", m{"kind": "pin", "pin": "739162"}).is(t, 200, "")
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "739162"}).is(t, 200, "")
	p.get("/home").page(t, 200, "welcome")
}

// The last factor that the policy requires stays, and the page says why.
func TestRemove_KeepsTheLastRequiredFactor(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeRequired}
	p := s.browser("ann")
	p.login()
	id := p.enroll("100001")
	p.api("DELETE", "factors/"+id, nil).is(t, 409, "last_factor")
	p.follow(p.post("/mfa/factors/"+id+"/remove", nil)).page(t, 200, "this is your only one")
}

// A sign-in by a recovery code ends remembered devices, and one by a factor ends recovery links.
func TestRecovery_EndsWhatItPutsInDoubt(t *testing.T) {
	s := lostSite(t)
	s.policy.Remember = 24 * time.Hour
	p := s.browser("ann").signIn()
	p.enroll("100001")
	codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002", "remember": "Phone"}).is(t, 200, "")
	require.Contains(t, p.login().Text, `"Next":"done"`)
	thief := s.browser("ann")
	thief.login()
	thief.api("POST", "verify", m{"kind": "recovery", "code": codes[0]}).is(t, 200, "")
	require.Contains(t, p.login().Text, `"Next":"verify"`)

	p.api("POST", "lost/link", nil).is(t, 200, "")
	link := s.mail.last().Link
	p.api("POST", "verify", m{"kind": "totp", "code": "100003"}).is(t, 200, "")
	s.browser("").api("POST", "setup", m{"token": link}).is(t, 401, "expired")
}

// An attacker who has planted the ID of the session in which a recovery link is opened, and even
// knows the password, goes on with nothing of it; and the application renews the ID.
func TestRecoveryLink_SessionFixation(t *testing.T) {
	for name, renews := range map[string]bool{"the cookie alone": false, "a new session ID": true} {
		t.Run(name, func(t *testing.T) {
			renewed := 0
			var s *site
			s = newSite(t, func(c *mfahttp.Config) {
				c.SetupLinks = true
				if renews {
					c.Renew = func(w http.ResponseWriter, r *http.Request) error {
						renewed++
						s.renew(w, r)
						return nil
					}
				}
			})
			s.policy.KeepImplicit = true
			p := s.browser("ann").signIn()
			p.enroll("100001")
			codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
			attacker := s.browser("ann")
			attacker.login()
			attacker.api("POST", "lost/link", nil).is(t, 200, "")

			victim := s.browser("ann")
			u, err := url.Parse(s.srv.URL)
			require.NoError(t, err)
			victim.client.Jar.SetCookies(u, attacker.client.Jar.Cookies(u)) // the planted session
			victim.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
			victim.api("POST", "verify", m{"kind": "recovery", "code": codes[0]}).is(t, 200, "")
			victim.get("/mfa/enroll").page(t, 200, "Replace what you lost")
			before := s.records()
			for _, path := range []string{"enroll", "recovery-codes"} {
				a := attacker.api("POST", path, m{"kind": "totp"})
				require.Contains(t, []int{401, 403}, a.StatusCode, a.Text)
			}
			require.NotEqual(t, "replace", attacker.api("GET", "state", nil).JSON["purpose"])
			attacker.client.Jar.SetCookies(u, []*http.Cookie{{Name: "secondgate_recovery",
				Path: "/", Value: strings.Repeat("A", 26)}})
			require.NotEqual(t, "replace", attacker.api("GET", "state", nil).JSON["purpose"],
				"a cookie of their own")
			require.Equal(t, before, s.records())
			e := victim.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
			victim.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100301"}).
				is(t, 200, "")
			if renews {
				require.Equal(t, 2, renewed, "when the link is opened, and when the recovery is "+
					"proven")
			}
		})
	}
}

// Handler.Actor is who acts on others, with a proof of their own that is minutes old.
func TestHandlerActor_NeedsAFreshProof(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	var actor mfa.Actor
	var err error
	mux := http.NewServeMux()
	mux.Handle("/", s.srv.Config.Handler)
	mux.Handle("GET /actor", s.withSession(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		actor, err = s.h.Actor(r)
	})))
	mux.Handle("/act", s.withSession(s.h.RequireActor(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		_, _ = w.Write([]byte("acted"))
	}))))
	s.srv.Config.Handler = mux
	reset := func(who string) error {
		return s.m.Admin(actor, "").Reset(t.Context(), s.subject(who))
	}
	p := s.browser("ann")
	p.get("/actor")
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.ErrorIs(t, reset("bob"), factor.ErrMalformed, "the Actor of an error may do nothing")

	// Without a second factor, by a first one that was given minutes ago.
	p.login()
	p.get("/actor")
	require.NoError(t, err)
	require.Equal(t, "ann", actor.Name())
	require.NoError(t, reset("bob"))
	require.ErrorIs(t, reset("ann"), mfa.ErrForbidden, "administrators do not act on themselves")
	require.Equal(t, "acted", p.get("/act").Text)
	s.clock.Advance(time.Hour)
	require.ErrorIs(t, reset("bob"), mfa.ErrTokenExpired)
	p.get("/actor")
	require.ErrorIs(t, err, mfa.ErrFirstFactorRequired)
	p.get("/act").page(t, 403, "Sign in again")
	p.do("POST", "/act", "", asJSON).is(t, 403, "reauthenticate")

	// With one, by that one.
	p.login()
	p.enroll("100001")
	p.get("/actor")
	require.NoError(t, err)
	s.clock.Advance(time.Hour)
	p.get("/actor")
	require.ErrorIs(t, err, mfahttp.ErrStepUp)
	require.ErrorIs(t, reset("bob"), factor.ErrMalformed)
	p.do("POST", "/act", "", asJSON).is(t, 403, "step_up")
	to := "/mfa/step-up?purpose=manage&return=%2Fact"
	p.follow(p.get("/act").goes(t, to))
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
	require.Equal(t, "acted", p.get("/act").Text)
	p.get("/actor")
	require.NoError(t, err)
	require.NoError(t, reset("bob"))

	// A recovery signs in, and administers nobody.
	codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
	p.login()
	p.api("POST", "verify", m{"kind": "recovery", "code": codes[0]}).is(t, 200, "")
	p.get("/actor")
	require.ErrorIs(t, err, mfahttp.ErrStepUp)
	p.do("POST", "/act", "", asJSON).is(t, 403, "step_up")
}

// An access code that support has made since is offered by the challenge that is there, and the
// code that was sent for it stays valid.
func TestVerifyPage_OffersWhatWasMadeSince(t *testing.T) {
	codes := &issued{}
	s := newSite(t, nil, codes)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	mailed := s.mail.last().Code
	p.get("/mfa/verify?kind=access").page(t, 200, `name="kind" value="email"`)
	_, err := s.m.Admin(mfa.System("support"), "").Enroll(t.Context(), s.subject("ann"),
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	p.get("/mfa/verify?kind=access").page(t, 200, `name="kind" value="access"`)
	require.True(t, strings.Contains(p.api("GET", "state", nil).Text, `"access"`))
	p.api("POST", "verify", m{"kind": "access", "code": "wrong"}).is(t, 401, "incorrect")
	p.api("POST", "verify", m{"kind": "email", "code": mailed}).is(t, 200, "")
	p.login()
	p.get("/mfa/verify?kind=access")
	p.api("POST", "verify", m{"kind": "access", "code": "let me in"}).is(t, 200, "")
	p.get("/home").page(t, 200, "welcome")
}
