package mfahttp_test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// A user who must enrol chooses "Remind me later" as often as the policy lets, in whatever
// browser. The session goes on when it is compared with the policy again.
func TestLater_PostponesTheEnrolment(t *testing.T) {
	s := newSite(t, nil)
	s.whole()
	s.policy = policy.Policy{EnrollSkips: 2}
	login := func() *browser {
		p := s.browser("ann")
		p.post("/login", url.Values{"user": {"ann"}})
		return p
	}
	p := login()
	p.follow(p.get("/home")).page(t, 200, "Remind me later", "2 more times")
	require.Equal(t, "enroll", p.api("GET", "state", nil).JSON["next"])
	require.Equal(t, m{"times": 2.0}, p.api("GET", "state", nil).JSON["later"])
	p.post("/mfa/later", url.Values{"return": {"/home"}}).goes(t, "/home")
	p.get("/home").page(t, 200, "page /home")
	s.clock.Advance(2 * time.Minute)
	p.get("/home").page(t, 200, "page /home")
	p.api("POST", "later", nil).is(t, 401, "expired")

	q := login()
	q.follow(q.get("/home")).page(t, 200, "once more")
	require.Equal(t, "done", q.api("POST", "later", nil).is(t, 200, "").JSON["next"])
	s.clock.Advance(2 * time.Minute)
	q.get("/home").page(t, 200, "page /home")

	r := login()
	a := r.follow(r.get("/home"))
	a.page(t, 200, "Authenticator app")
	require.NotContains(t, a.Text, "Remind me later")
	require.NotContains(t, r.api("GET", "state", nil).JSON, "later")
	r.api("POST", "later", nil).is(t, 409, "not_available")
	r.post("/mfa/later", url.Values{"return": {"/home"}}).goes(t, "/mfa/enroll?return=%2Fhome")

	// An owner who ends the time, ends it for open sessions too.
	s.policy = policy.Policy{}
	s.clock.Advance(2 * time.Minute)
	q.get("/home").goes(t, "/mfa/step-up?purpose=step-up&return=%2Fhome")
}

// A session in which the user has postponed ends with the days of the policy.
func TestLater_EndsWithTheDays(t *testing.T) {
	s := newSite(t, nil)
	s.whole()
	s.policy = policy.Policy{EnrollWithin: time.Hour}
	p := s.browser("ann")
	p.post("/login", url.Values{"user": {"ann"}})
	p.follow(p.get("/home")).page(t, 200, "You have to do this before", "Remind me later")
	require.Equal(t, m{"until": "2026-03-01T13:00:00Z"}, p.api("GET", "state", nil).JSON["later"])
	p.api("POST", "later", "[]").is(t, 400, "malformed")
	s.browser("").api("POST", "later", nil).is(t, 401, "unauthorized")
	p.post("/mfa/later", url.Values{"return": {"/home"}}).goes(t, "/home")
	s.clock.Advance(59 * time.Minute)
	p.get("/home").page(t, 200, "page /home")
	s.clock.Advance(2 * time.Minute)
	p.get("/home").page(t, 403, "Sign out and sign in again")
}

// The application learns that a user is signed in who has put off the enrolment, and may give the
// session a new ID. If it fails, nobody is signed in.
func TestLater_TellsTheApplication(t *testing.T) {
	var calls int
	var fails error
	var s *site
	s = newSite(t, func(cfg *mfahttp.Config) {
		cfg.Postponed = func(_ http.ResponseWriter, r *http.Request) (string, error) {
			calls++
			if fails != nil {
				return "", fails
			}
			sid := rand.Text()
			return sid, s.Put(r.Context(), "sid", []byte(sid))
		}
	})
	s.whole()
	s.policy = policy.Policy{EnrollSkips: 3}
	p := s.browser("ann")
	p.post("/login", url.Values{"user": {"ann"}})
	p.api("POST", "later", nil).is(t, 401, "expired") // no sign-in waits yet
	require.Zero(t, calls)

	fails = errors.New("the sessions are down")
	p.follow(p.get("/home")).page(t, 200, "Remind me later")
	p.api("POST", "later", nil).is(t, 503, "unavailable")
	p.follow(p.get("/home")).page(t, 200, "Remind me later")

	fails = nil
	p.post("/mfa/later", url.Values{"return": {"/home"}}).goes(t, "/home")
	p.get("/home").page(t, 200, "page /home") // the sign-in belongs to the new session ID
	require.Equal(t, 2, calls)
}
