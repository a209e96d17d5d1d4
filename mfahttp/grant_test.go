package mfahttp_test

import (
	"errors"
	"html/template"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

// granted is what Handler.Grant said to the last request.
type granted struct {
	session mfa.Session
	grant   mfa.Grant
	err     error
}

// guarded is a site with a page that RequireGrant guards, and one that asks Grant.
func guarded(t *testing.T) (*site, *granted) {
	t.Helper()
	s, got := newSite(t, nil), &granted{}
	mux := http.NewServeMux()
	mux.Handle("/", s.srv.Config.Handler)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	mux.Handle("/links", s.withSession(s.h.RequireGrant(ok)))
	mux.Handle("GET /grant", s.withSession(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		got.session, got.grant, got.err = s.h.Grant(r)
	})))
	s.srv.Config.Handler = mux
	return s, got
}

const provesFirst = "/mfa/step-up?purpose=manage&return=%2Flinks"

func TestGrant_ReturnsTheProofOfTheSession(t *testing.T) {
	s, got := guarded(t)
	p := s.browser("ann")
	p.get("/grant")
	require.NoError(t, got.err)
	require.Empty(t, got.grant)
	require.Empty(t, got.session.User())

	p.login()
	p.get("/grant")
	require.NoError(t, got.err)
	require.Empty(t, got.grant, "the first factor alone opens nothing")
	require.Empty(t, got.session.User(), "the user is not signed in yet")

	p.signIn()
	p.get("/grant")
	require.NoError(t, got.err)
	require.Equal(t, s.subject("ann"), got.session.User())
	one := got.session.SessionHash()
	p.signIn()
	p.get("/grant")
	require.NotEqual(t, one, got.session.SessionHash(), "a sign-in starts another session")
	require.NoError(t, got.session.Check(t.Context(), got.grant))
	require.ErrorIs(t, s.m.Session(s.subject("ann"), "another").Check(t.Context(), got.grant),
		mfa.ErrToken)

	s.clock.Advance(time.Hour)
	p.get("/grant")
	require.ErrorIs(t, got.err, mfahttp.ErrStepUp)
	require.Empty(t, got.grant)
	require.NotEmpty(t, got.session.SessionHash())

	s.identifyErr = errors.New("down")
	p.get("/grant")
	require.ErrorIs(t, got.err, mfa.ErrUnavailable)
	require.Empty(t, got.grant)
}

func TestRequireGrant_NeedsAFreshProof(t *testing.T) {
	s, _ := guarded(t)
	p := s.browser("ann")
	p.get("/links").goes(t, "/login?return=%2Flinks")
	p.login()
	p.get("/links").goes(t, "/mfa/?return=%2Flinks")
	p.signIn()
	require.Equal(t, "welcome", p.get("/links").Text)
	require.Equal(t, "welcome", p.post("/links", nil).Text)

	s.clock.Advance(time.Hour)
	p.get("/links").goes(t, provesFirst)
	p.do("GET", "/links", "", map[string]string{"Accept": "application/json"}).is(t, 403, "step_up")
	p.post("/links", nil).goes(t, "/mfa/step-up?purpose=manage&return=%2Fhome")
	p.get(provesFirst).goes(t, "/mfa/verify?purpose=manage&return=%2Flinks")
	p.api("POST", "send", m{"kind": "email", "purpose": "manage"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "purpose": "manage", "code": s.mail.last().Code}).is(
		t, 200, "")
	require.Equal(t, "welcome", p.get("/links").Text)
}

// A grant is not good because the session has one: another session may have added a factor
// that is stronger than what was proved for it.
func TestRequireGrant_NeedsTheStrongerFactorAddedSince(t *testing.T) {
	s, got := guarded(t)
	p, elsewhere := s.browser("ann").signIn(), s.browser("ann").signIn()
	require.Equal(t, "welcome", p.get("/links").Text)
	elsewhere.enroll("123456")
	p.get("/links").goes(t, provesFirst)
	p.get("/grant")
	require.ErrorIs(t, got.err, mfahttp.ErrStepUp)
}

// Who has nothing to prove enrols something first: what an application keeps in the same way
// is worth no less than the next factor.
func TestRequireGrant_EnrolsAFirstFactor(t *testing.T) {
	s, _ := guarded(t)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	p.get("/links").goes(t, provesFirst)
	p.get(provesFirst).goes(t, "/mfa/enroll?return=%2Flinks")
	p.enroll("123456")
	require.Equal(t, "welcome", p.get("/links").Text)
}

func TestRequireGrant_FailsWithTheStore(t *testing.T) {
	s, _ := guarded(t)
	p := s.browser("ann").signIn()
	s.store.Inject(mfatest.OpGet, 100, mfatest.Fault{Before: errors.New("down")})
	a := p.get("/links")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.NotContains(t, a.Text, "welcome")
}

// What a guard finds out is kept before the application acts on it. A session that cannot be
// written permits nothing.
func TestGrant_PermitsNothingThatIsNotKept(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s, got := guarded(t)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login() // the first grant is still to be kept
	s.writeErr = errors.New("down")
	p.get("/grant")
	require.ErrorIs(t, got.err, mfa.ErrUnavailable)
	require.Empty(t, got.grant)
	require.Empty(t, got.session.User())
	require.NotContains(t, p.get("/links").page(t, 503).Text, "welcome")

	var actor mfa.Actor
	var err error
	ask := func(_ http.ResponseWriter, r *http.Request) { actor, err = s.h.Actor(r) }
	p.handle(ask, "GET", "", nil)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Empty(t, actor.Name())
	s.writeErr = nil
	p.handle(ask, "GET", "", nil)
	require.NoError(t, err)
	s.identifyErr = errors.New("down")
	p.handle(ask, "GET", "", nil)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.Empty(t, actor.Name())
}

// A session that is too old for a first factor is asked for the password, and not for a step-up
// that has nothing to verify.
func TestGrant_AsksForTheFirstFactorAgain(t *testing.T) {
	s, got := guarded(t)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	s.clock.Advance(time.Hour)
	p.get("/grant")
	require.ErrorIs(t, got.err, mfa.ErrFirstFactorRequired)
	require.Empty(t, got.grant)
}

// A user whose replacement is on hold is not sent to a step-up, which would lead back here. Any
// other redirect is kept by no cache.
func TestRequireGrant_EndsInNoLoopDuringAHold(t *testing.T) {
	s, _ := guarded(t)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "recovery-codes", nil).is(t, 200, "")
	p.login()
	p.api("POST", "verify", m{"kind": "recovery", "code": "AAAA-1111"}).is(t, 200, "")
	a := p.get("/links").goes(t, provesFirst)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	p.enroll("100001")
	p.get("/links").page(t, 403)
	p.do("GET", "/links", "", nil).is(t, 403, "on_hold")
}

// A section of the application's own stands on the page of security settings.
func TestSettings_ShowTheApplicationsSections(t *testing.T) {
	var fails error
	s := newSite(t, func(c *mfahttp.Config) {
		c.Settings = func(*http.Request) (above, below template.HTML, err error) {
			return `<p>A question</p>`, `<section class="sg-section"><h2>Sign-on</h2></section>`,
				fails
		}
	})
	p := s.browser("ann").signIn()
	a := p.get("/mfa/factors")
	require.Equal(t, 200, a.StatusCode)
	require.Equal(t, 1, strings.Count(a.Text, "<h2>Sign-on</h2>"))
	require.Less(t, strings.Index(a.Text, "<p>A question</p>"),
		strings.Index(a.Text, "Sign-in methods"))
	require.Less(t, strings.Index(a.Text, "Sign-in methods"),
		strings.Index(a.Text, "<h2>Sign-on</h2>"))
	fails = errors.New("down")
	a = p.get("/mfa/factors")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.NotContains(t, a.Text, "Sign-on")
}
