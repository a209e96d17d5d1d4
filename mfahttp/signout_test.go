package mfahttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// A sign-out during the sign-in ends the challenge, also if that fails, and whatever became of it.
func TestSignOut_EndsASignInThatWaits(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *site, p *browser)
		fails  bool
	}{
		"as it was": {func(*site, *browser) {}, false},
		"the challenge has ended": {func(s *site, _ *browser) {
			s.clock.Advance(time.Hour)
		}, false},
		"the user has been removed": {func(s *site, _ *browser) {
			must(s.t, s.m.Admin(mfa.System("root"), "").Delete(s.t.Context(), s.subject("ann")))
		}, false},
		"the challenge was cancelled": {func(_ *site, p *browser) {
			restore := p.save()
			p.api("POST", "cancel", nil).is(p.s.t, 200, "")
			restore()
		}, false},
		"the store is down": {func(s *site, _ *browser) { s.storeDown() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.browser("ann").signIn().enroll("100001")
			p := s.browser("ann")
			p.login()
			p.api("POST", "verify", m{"kind": "totp", "code": "000001"}).is(t, 401, "incorrect")
			test.change(s, p)
			p.post("/mfa/sign-out", nil).goes(t, "/login")
			s.store.Heal()
			require.Equal(t, test.fails, s.log.Len() > 0, s.log.String())
			p.get("/home").goes(t, "/login")
			require.Empty(t, p.kept())
		})
	}
}

// A user who signs out leaves nothing that a page would show, and a visitor has no session to end.
func TestSignOut_LeavesNothing(t *testing.T) {
	outs := 0
	s := newSite(t, func(c *mfahttp.Config) {
		out := c.SignOut
		c.SignOut = func(w http.ResponseWriter, r *http.Request) error {
			outs++
			return out(w, r)
		}
	})
	s.browser("").post("/mfa/sign-out", nil).goes(t, "/login")
	require.Zero(t, outs)
	p := s.browser("ann").signIn()
	p.post("/mfa/enroll/totp", url.Values{"secret": {"IMPORTEDSECRET23"}})
	a := p.post("/mfa/sign-out", nil).goes(t, "/login")
	require.Equal(t, 1, outs)
	ended := ""
	for _, c := range a.Cookies() {
		if c.MaxAge < 0 {
			ended += c.Name + " "
		}
	}
	require.Contains(t, ended, "secondgate_shown")
	require.Empty(t, p.kept())
	require.Empty(t, s.log.String())
}

// Ended cancels what a session waited for, and returns no error for what has ended by itself.
func TestHandlerEnded_TakesWhatHasEnded(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	for name, change := range map[string]func(s *site, p *browser, kept map[string]string){
		"nothing has": func(*site, *browser, map[string]string) {},
		"completed": func(_ *site, p *browser, _ map[string]string) {
			p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
		},
		"expired": func(s *site, _ *browser, _ map[string]string) { s.clock.Advance(time.Hour) },
		"the user was removed": func(s *site, _ *browser, _ map[string]string) {
			must(t, s.m.Admin(mfa.System("root"), "").Delete(t.Context(), s.subject("ann")))
		},
		"the record is lost": func(s *site, _ *browser, _ map[string]string) { s.lose("ann") },
		"of another session": func(_ *site, _ *browser, kept map[string]string) {
			kept["challenge.sign-in"] = strings.Replace(kept["challenge.sign-in"],
				`"SessionID":"`, `"SessionID":"x`, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.browser("ann").signIn().enroll("100001")
			p := s.browser("ann")
			p.login()
			kept := p.values()
			change(s, p, kept)
			require.NoError(t, s.h.Ended(t.Context(), func(key string) []byte {
				return []byte(kept[strings.TrimPrefix(key, "secondgate.")])
			}))
		})
	}
}

// lose removes a user's record behind the Manager's back.
func (s *site) lose(user string) {
	s.t.Helper()
	list, _, err := s.store.List(s.t.Context(), "p/", "", 100)
	must(s.t, err)
	for _, e := range list {
		if strings.HasSuffix(e.Key, "/"+user) {
			must(s.t, s.store.Delete(s.t.Context(), e.Key, e.Record.Revision))
		}
	}
}

// A user who must enrol another kind has no challenge to cancel, and signs out as any other does.
func TestSignOut_WithoutAChallenge(t *testing.T) {
	s := newSite(t, nil)
	s.browser("ann").signIn().enroll("100001")
	s.policy = policy.Policy{Kinds: []string{"sms"}}
	p := s.browser("ann")
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"})
	require.Equal(t, "enroll", p.api("GET", "state", nil).is(t, 200, "").JSON["next"])
	p.post("/mfa/sign-out", nil).goes(t, "/login")
	require.Empty(t, s.log.String())
}

// A challenge that could not be cancelled is still there.
func TestCancel_IsRepeatedAfterAnOutage(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	s.storeDown()
	p.api("POST", "cancel", nil).is(t, 503, "unavailable")
	s.store.Heal()
	p.api("POST", "cancel", nil).is(t, 200, "")
	require.NotContains(t, p.kept(), "current")
	require.NotContains(t, p.kept(), "challenge.step.up")
}

// A challenge that a copy of the session still has, and that was completed since, is cancelled.
func TestCancel_TakesWhatHasEnded(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Verified = nil })
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	restore := p.save()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
	restore()
	p.api("POST", "cancel", nil).is(t, 200, "")
}

// An enrolment that is cancelled is shown on no page.
func TestCancel_HidesTheEnrolment(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	at := p.post("/mfa/enroll/totp", url.Values{"secret": {"IMPORTEDSECRET23"}}).leadsTo()
	p.get(at).page(t, 200, "IMPORTEDSECRET23")
	require.Contains(t, p.kept(), "shown")
	id := strings.TrimPrefix(strings.SplitN(at, "?", 2)[0], "/mfa/enrollments/")
	p.api("POST", "enroll/cancel", m{"enrollment": id}).is(t, 200, "")
	require.NotContains(t, p.kept(), "shown")
}
