package mfahttp_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
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
// back, as an attacker does who has a copy of the cookies, or a store that lost its last writes.
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

// What has ended is used by no copy of an earlier state of the session, and ends nothing else.
func TestSession_EarlierStateIsWorthNothing(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Verified = nil })
	p := s.browser("ann").signIn()
	change := p.begunAddress("ann@new.example")
	restore := p.save()
	p.api("POST", "address/confirm", change).is(t, 200, "")
	require.NotContains(t, p.kept(), "enrollments")
	p.begunAddress("ann@other.example")
	restore()
	p.api("POST", "address/confirm", change).is(t, 401, "expired")
	require.NotContains(t, p.kept(), "enrollments", "it is not asked for again")
	require.Contains(t, p.kept(), "grant")

	e := p.enrolments(1)[0]
	restore = p.save()
	p.api("POST", "confirm", m{"enrollment": e, "code": "100001"}).is(t, 200, "")
	restore()
	p.api("POST", "confirm", m{"enrollment": e, "code": "100002"}).is(t, 401, "expired")
	require.NotContains(t, p.kept(), "enrollments")

	p.api("POST", "step-up", nil).is(t, 200, "")
	restore = p.save()
	p.api("POST", "verify", m{"kind": "totp", "code": "100003"}).is(t, 200, "")
	require.NotContains(t, p.kept(), "challenge.step.up")
	require.NotContains(t, p.kept(), "current")
	restore()
	p.api("POST", "verify", m{"kind": "totp", "code": "100004"}).is(t, 401, "expired")
}

// A value that the application's session has under another key, or damaged, is none.
func TestSession_TakesNoDamagedValue(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	s.mild = true
	p := s.browser("ann").signIn()
	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	p.sets("secondgate.challenge.manage", p.values()["challenge.step-up"])
	p.api("POST", "send", m{"kind": "email", "purpose": "manage"}).is(t, 401, "expired")

	e := p.enrolments(1)[0]
	for _, damage := range []struct{ from, to string }{{`"Kind":"`, `"Kind":1,"x":"`}, {`]`, ``}} {
		list := p.values()["enrollments"]
		p.sets("secondgate.enrollments", strings.Replace(list, damage.from, damage.to, 1))
		p.api("POST", "enroll/cancel", m{"enrollment": e}).is(t, 401, "expired")
		p.sets("secondgate.enrollments", list)
	}
	p.api("POST", "enroll/cancel", m{"enrollment": e}).is(t, 200, "")

	proof := p.values()["proof"]
	p.sets("secondgate.proof", strings.Replace(proof, `"Level":`, `"Level":"x","y":`, 1))
	p.get("/home").goes(t, "/mfa/?return=%2Fhome")
	p.sets("secondgate.proof", proof)
	p.get("/home").page(t, 200, "welcome")
}

// planted is a site whose sessions a test changes, and a user of whom nothing is asked.
func planted(t *testing.T) (*site, *browser) {
	t.Helper()
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	s.mild = true
	s.policy = policy.Policy{Mode: policy.ModeOptional}
	p := s.browser("ann")
	p.login()
	return s, p
}

// text returns the string that follows a text in a value of the session.
func (p *browser) text(key, after string) string {
	p.s.t.Helper()
	_, rest, ok := strings.Cut(p.values()[key], after)
	value, _, _ := strings.Cut(rest, `"`)
	require.True(p.s.t, ok)
	return value
}

// What a session has of an earlier version, or of other keys, is not used in place of what the user
// has under way, and costs the user no step-up.
func TestSession_TakesNothingThatWasPlanted(t *testing.T) {
	s, p := planted(t)
	p.enrolments(1)
	grant := p.text("grant", `"Grant":"`)
	p.sets("secondgate.grant", strings.Replace(p.values()["grant"], grant, "", 1))
	p.enrolments(1) // by another grant
	require.NotEqual(t, grant, p.text("grant", `"Grant":"`))
	require.NotEmpty(t, p.text("grant", `"Grant":"`))

	p.begunAddress("ann@new.example")
	other := newSite(t, nil).browser("ann").signIn()
	other.begunAddress("ann@new.example")
	change := p.begunAddress("ann@new.example")
	list := p.values()["enrollments"]
	mine := list[strings.LastIndex(list, `"Token":"`)+len(`"Token":"`):]
	mine, _, _ = strings.Cut(mine, `"`)
	p.sets("secondgate.enrollments", strings.Replace(list, mine,
		other.text("enrollments", `"Token":"`), 1))
	p.api("POST", "address/confirm", change).is(t, 401, "expired")
	p.enroll("100001")

	p.api("POST", "step-up", m{"purpose": "manage"}).is(t, 200, "")
	p.sets("secondgate.current", `"sign-in"`)
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")

	p.login()
	waits := p.values()["challenge.sign-in"]
	p.api("POST", "verify", m{"kind": "totp", "code": "100003"}).is(t, 200, "")
	p.sets("secondgate.challenge.sign-in", waits)
	s.storeDown()
	p.post("/mfa/sign-out", nil).goes(t, "/login")
	require.Empty(t, s.log.String(), "no sign-in was cancelled")
}

// A challenge that the Manager's keys no longer open is begun again, and not shown.
func TestSession_BeginsAgainWhatTheKeysDoNotOpen(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	other := newSite(t, nil)
	q := other.browser("ann")
	q.login()
	theirs := q.values()["challenge.sign-in"]
	ours := p.values()["challenge.sign-in"]
	_, token, _ := strings.Cut(theirs, `"Challenge":"`)
	token, _, _ = strings.Cut(token, `"`)
	_, own, _ := strings.Cut(ours, `"Challenge":"`)
	own, _, _ = strings.Cut(own, `"`)
	p.sets("secondgate.challenge.sign-in", strings.Replace(ours, own, token, 1))
	p.api("POST", "cancel", nil).is(t, 401, "expired")
	state := p.api("GET", "state", nil).is(t, 200, "")
	require.NotEmpty(t, state.JSON["options"])
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
}

// A sign-out during the sign-in ends the challenge, also if that fails, and whatever became of it.
func TestSignOut_EndsASignInThatWaits(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *site, p *browser)
		fails  bool
	}{
		"as it was":               {func(*site, *browser) {}, false},
		"the challenge has ended": {func(s *site, _ *browser) { s.clock.Advance(time.Hour) }, false},
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

// A user who has to enrol has no challenge that names its user. It is nothing to another user of
// the session, nor under another purpose.
func TestSession_AnEnrolmentThatIsDueBelongsToItsUser(t *testing.T) {
	before := inCookies
	inCookies = false
	t.Cleanup(func() { inCookies = before })
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	s.policy = policy.Policy{Kinds: []string{"sms"}, Implicit: []string{"email"}}
	p.login()
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"})
	require.Equal(t, "enroll", p.api("GET", "state", nil).is(t, 200, "").JSON["next"])
	s.swap("ann", "bob")
	p.api("POST", "cancel", m{"purpose": "sign-in"}).is(t, 401, "expired")
	s.swap("bob", "ann")
	due := p.values()["challenge.sign-in"]
	s.mild = true
	e := p.number("").is(t, 200, "").JSON["enrollment"]
	p.api("POST", "confirm", m{"enrollment": e, "code": s.text.last().Code}).is(t, 200, "")
	p.sets("secondgate.challenge.step-up", due)
	p.api("POST", "cancel", m{"purpose": "step-up"}).is(t, 401, "expired")
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
