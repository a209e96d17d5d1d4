package mfahttp_test

import (
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var inputSet = regexp.MustCompile(`name="set" value="([A-Z0-9]*)"`)

// codesSet returns the ID of the set on a page of recovery codes.
func codesSet(page string) string {
	m := inputSet.FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return m[1]
}

// enrolsOnPages enrols an authenticator app on the pages, and returns where they lead.
func (p *browser) enrolsOnPages(t *testing.T, code string) *response {
	t.Helper()
	where := p.post("/mfa/enroll/totp", url.Values{"return": {"/home"}}).Header.Get("Location")
	return p.post(where, url.Values{"code": {code}, "return": {"/home"}})
}

const codesPage = "/mfa/recovery-codes?return=%2Fhome"

func codesSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, nil)
	s.codesAsked = true
	return s
}

func TestPages_RecoveryCodesArePartOfTheSetUp(t *testing.T) {
	for name, forced := range map[string]bool{"chosen": false, "forced by a sign-in": true} {
		t.Run(name, func(t *testing.T) {
			s := codesSite(t)
			p := s.browser("ann")
			if forced {
				s.policy.Implicit = nil
				p.login()
			} else {
				p.signIn()
			}
			p.enrolsOnPages(t, "100001").goes(t, codesPage)
			page := p.get(codesPage).page(t, 200, "AAAA-1111", "I have saved them").Text
			require.NotContains(t, page, "Skip for now")
			p.get("/home").goes(t, codesPage) // the application waits, and its API does not
			require.Equal(t, "welcome", p.do("GET", "/home", "",
				map[string]string{"Accept": "application/json"}).Text)

			set := codesSet(page)
			saved := url.Values{"set": {set}, "saved": {"yes"}, "return": {"/home"}}
			unticked := url.Values{"set": {set}, "return": {"/home"}}
			p.post("/mfa/recovery-codes/saved", unticked).goes(t, codesPage)
			p.get(codesPage).page(t, 200, "Tick the box once you have saved the codes.",
				"AAAA-1111") // nothing is lost
			skipped := url.Values{"set": {set}, "return": {"/home"}, "skip": {"yes"}}
			p.post("/mfa/recovery-codes/saved", skipped).goes(t, codesPage) // not permitted
			p.post("/mfa/recovery-codes/saved", saved).goes(t, "/home")
			require.Equal(t, "welcome", p.get("/home").Text)
			require.NotContains(t, p.get("/mfa/recovery-codes").Text, "AAAA-1111")
			p.get("/mfa/factors").page(t, 200, `data-advice="few"`) // of the test's three

			again := s.browser("ann")
			again.login()
			again.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"},
				"return": {"/home"}}).goes(t, "/home")
		})
	}
}

// A user who loses the page of the codes is not locked out: the codes are valid. The session and
// the next sign-in ask again, and offer new ones.
func TestPages_AskAgainForCodesThatWereNotSaved(t *testing.T) {
	s := codesSite(t)
	p := s.browser("ann").signIn()
	p.enrolsOnPages(t, "100001").goes(t, codesPage)
	set := codesSet(p.get(codesPage).Text)

	q := s.browser("ann")
	q.login()
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"},
		"return": {"/home"}}).goes(t, codesPage)
	page := q.get(codesPage).page(t, 200,
		"You have not confirmed that you saved your recovery codes.", "Make new codes").Text
	require.NotContains(t, page, "AAAA-1111")
	require.Equal(t, set, codesSet(page))
	q.get("/mfa/factors").page(t, 200, `data-advice="unsaved"`)
	q.get("/home").goes(t, codesPage)

	// In the first browser the page is open still, and its set is the present one until another
	// is made.
	q.post("/mfa/recovery-codes", url.Values{"return": {"/home"}}).goes(t, codesPage)
	fresh := codesSet(q.get(codesPage).page(t, 200, "AAAA-1111").Text)
	require.NotEqual(t, set, fresh)
	p.post("/mfa/recovery-codes/saved", url.Values{"set": {set}, "saved": {"yes"}}).goes(t,
		"/mfa/recovery-codes")
	stale := p.get("/mfa/recovery-codes").Text
	require.NotContains(t, stale, "AAAA-1111", "codes that are void are not shown")
	q.get("/home").goes(t, codesPage)

	q.post("/mfa/recovery-codes/saved", url.Values{"set": {fresh}, "saved": {"yes"},
		"return": {"/home"}}).goes(t, "/home")
	require.Equal(t, "welcome", q.get("/home").Text)
	// The first browser goes on as it asks: another one has saved them.
	p.get("/home").goes(t, codesPage)
	p.get(codesPage).goes(t, "/home")
	require.Equal(t, "welcome", p.get("/home").Text)
}

func TestPages_SkipRecoveryCodesWherePermitted(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enrolsOnPages(t, "100001").goes(t, codesPage)
	page := p.get(codesPage).page(t, 200, "AAAA-1111", "Skip for now").Text
	require.Equal(t, "welcome", p.get("/home").Text, "nothing waits for them")
	p.post("/mfa/recovery-codes/saved", url.Values{"set": {codesSet(page)}, "skip": {"yes"},
		"return": {"/home"}}).goes(t, "/home")
	p.get("/mfa/factors").page(t, 200, `data-advice="unsaved"`)
	q := s.browser("ann")
	q.login()
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"},
		"return": {"/home"}}).goes(t, "/home")
}

func TestPages_OfferNoRecoveryCodesForWhatIsKnown(t *testing.T) {
	s := codesSite(t)
	p := s.browser("ann").signIn()
	p.post("/mfa/enroll/pin", url.Values{"pin": {"739162"}, "pin2": {"739162"},
		"return": {"/home"}}).goes(t, "/home")
	require.Equal(t, "welcome", p.get("/home").Text)
}

// A link that verifies an address may be opened elsewhere, so that the codes come after the next
// sign-in.
func TestPages_AskForCodesAfterALink(t *testing.T) {
	s := codesSite(t)
	link := s.enrollmentLink("ada")
	s.browser("").api("POST", "confirm-link", m{"token": link}).is(t, 200, "")
	p := s.browser("ada")
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"email"}})
	p.post("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
		"return": {"/home"}}).goes(t, codesPage)
	p.get(codesPage).page(t, 200, "You have no recovery codes.", "Make recovery codes")
}

func TestAPI_SaysThatRecoveryCodesAreDue(t *testing.T) {
	s := codesSite(t)
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	confirmed := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
		"code": "100001"}).is(t, 200, "")
	require.Equal(t, true, confirmed.JSON["recovery_due"])
	made := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON
	due := func(p *browser) any {
		t.Helper()
		return p.api("GET", "factors", nil).is(t, 200, "").JSON["recovery_due"]
	}
	require.Equal(t, true, due(p))
	require.Equal(t, "welcome", p.get("/home").Text, "the client asks its user itself")

	s.clock.Advance(time.Minute)
	q := s.browser("ann")
	q.login()
	require.Equal(t, true, q.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200,
		"").JSON["recovery_due"])
	stranger := s.browser("max").signIn()
	stranger.api("POST", "recovery-codes/saved", m{"factor": made["factor"]}).is(t, 404,
		"not_available")
	require.Equal(t, true, due(p))
	p.api("POST", "recovery-codes/saved", m{"factor": made["factor"]}).is(t, 200, "")
	require.Equal(t, false, due(p))
	waiting := s.browser("ann")
	waiting.login()
	waiting.api("POST", "recovery-codes/saved", m{"factor": made["factor"]}).is(t, 403, "forbidden")
	require.NotContains(t, waiting.api("POST", "verify", m{"kind": "totp",
		"code": "100003"}).is(t, 200, "").JSON, "recovery_due")
}
