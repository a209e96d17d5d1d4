package mfahttp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

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

// What a session has of an earlier version, or of other keys, is not used in place of what the
// user has under way, and the user needs no step-up for it.
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
