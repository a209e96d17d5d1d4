package mfahttp_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

const stepUpForHome = "/mfa/step-up?purpose=step-up&return=%2Fhome"

// completed signs a user in by another system, on a page of its own.
func (p *browser) completed(verifiedAt time.Time) *browser {
	s := p.s
	s.t.Helper()
	all := s.srv.Config.Handler
	s.srv.Config.Handler = s.withSession(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			for key, value := range map[string]string{"user": p.user, "sid": "of " + p.user,
				"since": s.clock.Now().Format(time.RFC3339Nano)} {
				must(s.t, s.Put(r.Context(), key, []byte(value)))
			}
			must(s.t, s.h.CompleteSignIn(w, r, mfahttp.Identity{User: s.subject(p.user),
				SessionID: "of " + p.user}, verifiedAt))
		}))
	p.get("/sso").page(s.t, 200)
	s.srv.Config.Handler = all
	return p
}

// Where the owner asks for phishing-resistant factors, a session that was proven by less is asked
// for the user's passkey. A user who has none goes on.
func TestRequire_AsksForThePasskeyWithNoDowngrade(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	ann, bob := s.browser("ann").completed(s.clock.Now()), s.browser("bob").signIn()
	bob.enroll("100001")
	home := func(p *browser, want string) {
		t.Helper()
		s.clock.Advance(time.Minute)
		if want == "" {
			p.get("/home").page(t, 200, "welcome")
			return
		}
		p.get("/home").goes(t, want)
	}
	home(ann, "")
	s.policy.NoDowngrade = true
	home(ann, stepUpForHome)
	home(bob, "")
	home(s.browser("bob").completed(s.clock.Now()), "") // by no kind, and bob has no passkey
	s.store.Inject(mfatest.OpGet, 100, mfatest.Fault{Before: errors.New("down")})
	ann.get("/home").page(t, 503)
	s.store.Heal()
	ann.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	ann.signed("k1").is(t, 200, "")
	home(ann, "")
	home(ann, "")

	s.policy.Implicit, s.policy.Mode = nil, policy.ModeOptional
	carl := s.browser("carl")
	carl.login()
	home(carl, "") // there is nothing to verify
	dora := s.browser("dora").completed(s.clock.Now())
	s.policy.Mode = policy.ModeRequired
	home(dora, "") // nor is there, though an enrolment is due
}

// A session that a recovery or another system has proven is proven by a kind of every policy.
func TestTightenedPolicy_KeepsSessionsWithoutAKind(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").completed(s.clock.Now())
	s.policy.Kinds = []string{"totp"}
	p.get("/home").page(t, 200, "welcome")
}

// A kind that the policy no longer has is enough until the user must have enrolled another one, and
// where the policy asks for nothing.
func TestTightenedPolicy_WaitsForTheTimeToEnrol(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	by := s.clock.Now().Add(time.Hour)
	s.policy = policy.Policy{Kinds: []string{"totp"}, EnrollBy: by}
	p.get("/home").page(t, 200, "welcome")
	s.clock.Advance(time.Hour - 1)
	p.get("/home").page(t, 200, "welcome")
	s.clock.Advance(time.Minute)
	p.get("/home").goes(t, stepUpForHome)
	s.policy.Mode = policy.ModeOff
	p.get("/home").page(t, 200, "welcome")
}

// A session by the password alone is compared with the policy once a minute, and at once if the
// clock was turned back meanwhile.
func TestTightenedPolicy_IsComparedOnceAMinute(t *testing.T) {
	s := newSite(t, nil)
	mild := policy.Policy{Mode: policy.ModeOptional}
	s.policy = mild
	p := s.browser("ann")
	p.login()
	p.get("/home").page(t, 200, "welcome")
	strict := policy.Policy{Mode: policy.ModeRequired, Implicit: []string{"email"}}
	s.policy = strict
	s.clock.Advance(time.Minute - 1)
	p.get("/home").page(t, 200, "welcome")
	s.policy = mild
	s.clock.Advance(time.Hour)
	p.get("/home").page(t, 200, "welcome")
	s.policy = strict
	s.clock.Advance(-time.Second)
	p.get("/home").goes(t, stepUpForHome)
}

// A verification whose time is ahead is recent by so much as clocks differ, and no session without
// one is, however old it may be.
func TestRequireRecent_TakesNoOtherTimeForAVerification(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	s.clock.Advance(-30 * time.Second)
	p.get("/recent").page(t, 200, "welcome")
	s.clock.Advance(-1)
	p.get("/recent").goes(t, "/mfa/step-up?purpose=step-up&return=%2Frecent")

	s.policy = policy.Policy{Mode: policy.ModeOptional}
	q := s.browser("bob")
	q.login()
	q.get("/home").page(t, 200, "welcome")
	s.policy.Implicit = []string{"email"}
	s.srv.Config.Handler = s.withSession(s.h.RequireRecent(math.MaxInt64)(http.NotFoundHandler()))
	q.get("/home").goes(t, stepUpForHome)
}

// A factor of a kind that this process does not know, as during an upgrade, is one that was not
// verified. The user is not served as one who has none.
func TestRequireRecent_AsksForAFactorThatItDoesNotKnow(t *testing.T) {
	s := newSite(t, nil, renamed{app{}, "other-app"})
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "other-app"}).is(t, 200, "")
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100001"}).is(t, 200, "")
	old, err := mfa.New(mfa.Config{Store: s.store, Keys: s.keys, Clock: s.clock, Policies: s,
		Factors: []factor.Factor{app{}, s.mail, s.text, pin{}, codes{}}})
	require.NoError(t, err)
	s.cfg.Manager = old
	h, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	s.srv.Config.Handler = s.withSession(h.RequireRecent(time.Minute)(http.NotFoundHandler()))
	p.get("/home").page(t, 404)
	s.clock.Advance(2 * time.Minute)
	p.get("/home").page(t, 409)
}

// An outage of the policies is not said to be a verification that is missing.
func TestGuards_SayThatThePolicyIsMissing(t *testing.T) {
	s := codesSite(t)
	p := s.browser("ann").signIn()
	p.enrolsOnPages(t, "100001").goes(t, codesPage)
	a := p.get("/home").goes(t, codesPage)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	s.clock.Advance(time.Hour)
	a = p.get("/recent")
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	s.policyErr = errors.New("the policies are down")
	p.get("/home").page(t, 503)
	p.get("/recent-by-policy").page(t, 503)
	require.Contains(t, s.log.String(), "Config.Policies failed")
}

// A guard that begins the sign-in keeps what it has found before it serves the page.
func TestRequireRecent_ServesNothingThatIsNotKept(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOff}
	r := newRequest(s)
	s.of(r.Context())["user"], s.of(r.Context())["sid"] = "ann", "1"
	for _, s.writeErr = range []error{errors.New("down"), nil} {
		w := httptest.NewRecorder()
		s.h.RequireRecent(time.Minute)(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, s.writeErr == nil, w.Code == http.StatusNotFound)
		require.Equal(t, s.writeErr == nil, s.of(r.Context())["secondgate.proof"] != "")
	}
}

// Nobody is served while the application does not know who asks, on the page of the sign-in either.
func TestRequire_ServesNobodyIfIdentifyFails(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.LoginURL = c.HomeURL })
	s.whole()
	p := s.browser("ann")
	p.get("/home").page(t, 200, "page /home")
	s.identifyErr = errors.New("down")
	p.get("/home").page(t, 503)
}
