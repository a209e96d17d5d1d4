package mfahttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// otherSystem signs a user in by another system, in the session of the browser, and returns the
// error. between happens after the application has noted the user.
func (p *browser) otherSystem(verifiedAt time.Time, between func()) (err error) {
	s := p.s
	s.t.Helper()
	pages := s.srv.Config.Handler
	defer func() { s.srv.Config.Handler = pages }()
	s.srv.Config.Handler = s.withSession(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			for key, value := range map[string]string{"user": p.user, "sid": "of " + p.user,
				"since": s.clock.Now().Format(time.RFC3339Nano)} {
				must(s.t, s.Put(r.Context(), key, []byte(value)))
			}
			between()
			err = s.h.CompleteSignIn(w, r, mfahttp.Identity{User: s.subject(p.user),
				SessionID: "of " + p.user}, verifiedAt)
		}))
	p.get("/sso")
	return err
}

// A verification by another system is as recent as that system says. Without a time it is never
// recent, and signs the user in all the same.
func TestCompleteSignIn_IsAsRecentAsTheOtherSystemSays(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	require.NoError(t, p.otherSystem(s.clock.Now().Add(-30*time.Second), func() {}))
	s.clock.Advance(30 * time.Second)
	p.get("/recent").page(t, 200, "welcome")
	s.clock.Advance(1)
	require.Equal(t, 303, p.get("/recent").StatusCode)

	require.NoError(t, p.otherSystem(time.Time{}, func() {}))
	require.Equal(t, 303, p.get("/recent").StatusCode)
	s.clock.Advance(time.Hour) // it is compared with the policy
	p.get("/home").page(t, 200, "welcome")
}

// A sign-in by another system keeps nothing of an earlier one, even in the same session.
func TestCompleteSignIn_KeepsNothingOfAnEarlierSignIn(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	require.NoError(t, p.otherSystem(time.Time{}, func() {}))
	s.mild = true
	p.api("POST", "step-up", nil).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	require.NoError(t, p.otherSystem(time.Time{}, func() {}))
	require.Equal(t, []string{"proof"}, p.kept())
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "step_up")
}

// A sign-in by another system that fails signs in no user: for no user or session, without the
// policy or the records, and where nothing can be kept.
func TestCompleteSignIn_FailsWithoutASignIn(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	for _, id := range []mfahttp.Identity{{}, {SessionID: "1"}, {User: s.subject("ann")}} {
		w := httptest.NewRecorder()
		require.ErrorIs(t, s.h.CompleteSignIn(w, newRequest(s), id, s.clock.Now()),
			factor.ErrMalformed)
		require.Empty(t, w.Result().Cookies())
	}
	s.policy.NoDowngrade = true
	tests := map[string]struct {
		between, after func()
		err            error
	}{
		"the policy": {func() { s.policyErr = errors.New("down") },
			func() { s.policyErr = nil }, mfa.ErrUnavailable},
		"the records": {s.storeDown, s.store.Heal, mfa.ErrUnavailable},
		"the session": {func() { s.writeErr = errors.New("down") },
			func() { s.writeErr = nil }, mfa.ErrUnavailable},
		"NoDowngrade": {func() {}, func() {}, nil}, // the passkey is still to come
	}
	if inCookies { // the browser keeps those, which does not fail
		delete(tests, "the session")
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := s.browser("ann")
			err := p.otherSystem(s.clock.Now(), test.between)
			test.after()
			if test.err == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, test.err)
			}
			p.get("/home").goes(t, "/mfa/?return=%2Fhome")
			require.NotContains(t, p.kept(), "proof")
		})
	}
}

// A user whom the application cannot name is not said to be signed in.
func TestHandlerSignedIn_IsFalseInAnOutage(t *testing.T) {
	s := newSite(t, nil)
	var signedIn bool
	var err error
	ask := func(_ http.ResponseWriter, r *http.Request) { signedIn, err = s.h.SignedIn(r) }
	p := s.browser("ann").signIn()
	p.handle(ask, "GET", "", nil)
	require.NoError(t, err)
	require.True(t, signedIn)
	s.identifyErr = errors.New("down")
	p.handle(ask, "GET", "", nil)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.False(t, signedIn)
}

// A session that a recovery has proven stays signed in under a policy that names kinds.
func TestTightenedPolicy_KeepsSessionsOfARecovery(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "recovery-codes", nil).is(t, 200, "")
	p.login()
	p.api("POST", "verify", m{"kind": "recovery", "code": "AAAA-1111"}).is(t, 200, "")
	s.policy = policy.Policy{Kinds: []string{"totp"}}
	s.clock.Advance(time.Minute)
	p.get("/home").page(t, 200, "welcome")
}
