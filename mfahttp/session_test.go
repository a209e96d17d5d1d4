package mfahttp_test

import (
	"errors"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// kept returns the names of what the Handler keeps for the browser, in cookies or in the
// application's session, without the prefix.
func (p *browser) kept() (names []string) {
	p.s.t.Helper()
	if inCookies {
		for name := range p.cookies() {
			names = append(names, strings.ReplaceAll(
				strings.TrimPrefix(name, "secondgate-"), "-", "."))
		}
	} else {
		for name := range p.values() {
			names = append(names, strings.ReplaceAll(name, "-", "."))
		}
	}
	return names
}

// values returns what the Handler keeps for the browser in the application's session.
func (p *browser) values() map[string]string {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	list := map[string]string{}
	for key, value := range p.s.sessions[p.s.sessionOf(p)] {
		if name, ok := strings.CutPrefix(key, "secondgate."); ok {
			list[name] = value
		}
	}
	return list
}

// sets changes the application's session of the browser, behind the Handler's back.
func (p *browser) sets(key, value string) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.sessions[p.s.sessionOf(p)][key] = value
}

// save keeps all that the browser and its session have. The function that it returns puts that
// back, as an attacker with a copy of the cookies does, or a store that lost its last writes.
func (p *browser) save() (restore func()) {
	p.s.t.Helper()
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	id := p.s.sessionOf(p)
	copied, values := p.copy(), maps.Clone(p.s.sessions[id])
	return func() {
		p.s.mu.Lock()
		defer p.s.mu.Unlock()
		p.client.Jar = copied.client.Jar
		p.s.sessions[id] = maps.Clone(values)
	}
}

// storeDown lets every access to the records fail.
func (s *site) storeDown() {
	for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpSwap} {
		s.store.Inject(op, -1, mfatest.Fault{Before: errors.New("down")})
	}
}

// enrolments begins as many enrolments and returns their IDs.
func (p *browser) enrolments(n int) (ids []any) {
	p.s.t.Helper()
	for range n {
		ids = append(ids, p.api("POST", "enroll", m{"kind": "totp"}).is(p.s.t, 200, "").
			JSON["enrollment"])
	}
	return ids
}

// A session keeps the last four enrolments. One of them ends without the others.
func TestSession_KeepsTheLastFourEnrolments(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	for n := 4; n < 7; n++ {
		for i, id := range p.enrolments(n) {
			a := p.api("POST", "enroll/cancel", m{"enrollment": id})
			if i < n-4 {
				a.is(t, 401, "expired")
				continue
			}
			a.is(t, 200, "")
			p.api("POST", "enroll/cancel", m{"enrollment": id}).is(t, 401, "expired")
		}
		require.NotContains(t, p.kept(), "enrollments")
	}
}

// A code that is sent again belongs to its own enrolment.
func TestSession_KeepsEachEnrolmentByItself(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	first := p.enrolments(1)[0]
	e := p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678"}).is(t, 200, "").
		JSON["enrollment"]
	p.api("POST", "enroll/resend", m{"enrollment": e}).is(t, 200, "")
	p.api("POST", "confirm", m{"enrollment": e, "code": s.text.last().Code}).is(t, 200, "")
	p.api("POST", "enroll/cancel", m{"enrollment": first}).is(t, 200, "")
	require.NotContains(t, p.kept(), "enrollments")
}

// An enrolment ends at the second that the response to it names.
func TestSession_EnrolmentEndsAtItsTime(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	ids := p.enrolments(2)
	e := p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	s.clock.Advance(time.Duration(e.JSON["expires_in"].(float64))*time.Second - 1)
	p.api("POST", "enroll/cancel", m{"enrollment": ids[0]}).is(t, 200, "")
	s.clock.Advance(1)
	p.api("POST", "enroll/cancel", m{"enrollment": ids[1]}).is(t, 401, "expired")
}

// swap makes the application's sessions of one user those of another, without a sign-in.
func (s *site) swap(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, values := range s.sessions {
		if values["user"] == from {
			values["user"] = to
		}
	}
}

// An application that hands a session to another user, without a sign-in that the Handler sees,
// hands over nothing of what the Handler keeps in it.
func TestSession_HandsNothingToTheNextUser(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	e := p.enrolments(1)[0]
	s.swap("ann", "bob")
	p.get("/home").page(t, 200, "welcome") // bob, of whom nothing is asked
	p.api("POST", "enroll/cancel", m{"enrollment": e}).is(t, 401, "expired")
	p.enroll("100001") // the grant of the user before is not in the way
}

// The session ID of the tokens stays as it was when a verification renews the session, and belongs
// to its user alone.
func TestSession_TokensKeepTheirSessionID(t *testing.T) {
	s, got := guarded(t)
	p := s.browser("ann").signIn()
	p.get("/grant")
	ann := got.session.SessionHash()
	p.api("POST", "step-up", nil).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.get("/grant")
	require.Equal(t, ann, got.session.SessionHash())
	require.Contains(t, p.kept(), "session")

	s.swap("ann", "bob")
	s.mild = true
	p.get("/home").goes(t, "/mfa/?return=%2Fhome")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	p.get("/grant")
	require.NoError(t, got.err)
	require.Equal(t, "bob", got.session.User().ID)
	require.NotEqual(t, ann, got.session.SessionHash())
	if !inCookies { // a cookie of ann's is nothing to bob
		require.NotContains(t, p.kept(), "session")
	}
}

// A recovery lets the user enrol a kind in place of one that is lost, and make no recovery codes.
func TestSession_OffersWhatARecoveryPermits(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	kinds := func() (list []any) {
		for _, c := range p.api("GET", "enroll", nil).is(t, 200, "").JSON["choices"].([]any) {
			list = append(list, c.(m)["kind"])
		}
		return list
	}
	p.enroll("100001")
	p.api("POST", "recovery-codes", nil).is(t, 200, "")
	require.Subset(t, kinds(), []any{"totp", "sms", "pin", "recovery"})
	p.login()
	p.api("POST", "verify", m{"kind": "recovery", "code": "AAAA-1111"}).is(t, 200, "")
	require.Equal(t, []any{"totp"}, kinds())
}

// disable has an attacker in another session try 100 codes of a user's app.
func (s *site) disable(user string) {
	s.t.Helper()
	attacker := s.m.Session(s.subject(user), "of an attacker")
	for range 100 {
		ch, err := attacker.Begin(s.t.Context())
		must(s.t, err)
		if _, err = attacker.Verify(s.t.Context(), ch, "totp", secret.New("000001")); err == nil {
			s.t.Fatal("the code is incorrect")
		}
		s.clock.Advance(time.Hour)
	}
}

// A challenge says that a kind is disabled until the user has enabled it again.
func TestSession_ChallengeSaysWhatIsDisabled(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	s.disable("ann")
	p.login()
	stopped := func() any {
		return p.api("GET", "state", nil).is(t, 200, "").JSON["options"].([]any)[0].(m)["stopped"]
	}
	require.Equal(t, true, stopped())
	p.post("/mfa/unlock", url.Values{"kind": {"totp"}, "code": {"100400"}, "return": {"/home"}}).
		goes(t, "/mfa/verify?kind=totp&return=%2Fhome")
	s.clock.Advance(time.Minute)
	for i := range 2 {
		require.Equal(t, true, stopped())
		p.api("POST", "unlock", m{"kind": "totp", "code": strconv.Itoa(100500 + i)}).is(t, 200, "")
		s.clock.Advance(time.Minute)
	}
	require.NotEqual(t, true, stopped())
	p.api("POST", "verify", m{"kind": "totp", "code": "100700"}).is(t, 200, "")
}

// A response without a purpose is one to the challenge that was begun last, and after that has
// ended, to the one for a change of factors.
func TestSession_ResponseWithoutAPurpose(t *testing.T) {
	s := newSite(t, nil)
	s.mild = true
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.api("POST", "step-up", m{"purpose": "manage"}).is(t, 200, "")
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	for i, purpose := range []string{"step-up", "manage"} {
		a := p.api("POST", "verify", m{"kind": "totp", "code": strconv.Itoa(100002 + i)})
		require.Equal(t, purpose, a.is(t, 200, "").JSON["purpose"])
	}
	p.api("POST", "verify", m{"kind": "totp", "code": "100004"}).is(t, 401, "expired")
}
