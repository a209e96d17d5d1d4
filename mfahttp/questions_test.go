package mfahttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

// A program sets up security questions as a page does; the answers are in no response of ours,
// and they are no way to sign in.
func TestAPI_EnrolsSecurityQuestions(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, nil, f)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	set := m{"kind": "questions",
		"question1": "Which book did you read more often?", "answer1": "Zauberberg",
		"question2": "Which street was it?", "answer2": "x",
		"question3": "Which dish did you cook?", "answer3": "Pannenkoeken"}
	if a := p.api("POST", "enroll", set).is(t, 400, "malformed"); !strings.Contains(a.Text,
		"answer_short_2") {
		t.Fatal(a.Text)
	}
	set["answer2"] = "Lange Straße"
	a := p.api("POST", "enroll", set).is(t, 200, "")
	if a.JSON["factor"] == nil || a.JSON["enrollment"] != nil {
		t.Fatal("they need no confirmation", a.Text)
	}
	for _, a := range []*response{a, p.api("GET", "factors", nil).is(t, 200, ""),
		p.get("/mfa/factors")} {
		for _, secret := range []string{"Zauberberg", "Lange", "Pannenkoeken"} {
			if strings.Contains(a.Text, secret) {
				t.Fatal(a.Text)
			}
		}
	}
	q := s.browser("ann")
	if a := q.login(); strings.Contains(a.Text, `"questions"`) {
		t.Fatal("offered for a sign-in", a.Text)
	}
	q.api("POST", "verify", m{"kind": "questions",
		"code": "zauberberg\nlange strasse\npannenkoeken"}).is(t, 409, "not_available")
}

// Security questions are offered once in a set-up, after the recovery codes, and the user may skip
// them.
func TestPages_OfferSecurityQuestionsInTheSetUp(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, nil, f)
	s.codesAsked = true
	s.policy.Implicit = nil
	p := s.browser("ann")
	p.login()
	p.enrolsOnPages(t, "100001").goes(t, codesPage)
	saved := url.Values{"set": {codesSet(p.get(codesPage).Text)}, "saved": {"yes"},
		"return": {"/home"}}
	const offer = "/mfa/enroll/questions?return=%2Fhome&setup=yes"
	p.post("/mfa/recovery-codes/saved", saved).goes(t, offer)
	require.Equal(t, "welcome", p.get("/home").Text, "the set-up is complete without them")
	p.get(offer).page(t, 200, "Skip for now", `href="/mfa/?return=%2fhome"`)
	p.get("/mfa/?return=%2Fhome").goes(t, "/home")

	// An error keeps the offer, and what was typed.
	form := url.Values{"return": {"/home"}, "setup": {"yes"}, "question1": {"Which book was it?"},
		"answer1": {"Zauberberg"}, "question2": {"Which street was it?"}, "answer2": {"x"},
		"question3": {"Which dish did you cook?"}, "answer3": {"Pannenkoeken"}}
	a := p.post("/mfa/enroll/questions", form)
	require.Contains(t, a.Text, "Skip for now")
	require.Contains(t, a.Text, "Which street was it?")
	form.Set("answer2", "Lange Straße")
	p.post("/mfa/enroll/questions", form).goes(t, "/home")

	// Other codes later are no set-up.
	p.post("/mfa/recovery-codes", url.Values{"return": {"/home"}}).goes(t, codesPage)
	saved.Set("set", codesSet(p.get(codesPage).Text))
	p.post("/mfa/recovery-codes/saved", saved).goes(t, "/home")
}

// Without recovery codes they are offered after the first factor, and after no other.
func TestPages_OfferSecurityQuestionsWithoutRecoveryCodes(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	must(t, err)
	s := newSite(t, func(cfg *mfahttp.Config) {
		cfg.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
			Clock: cfg.Clock, Factors: []factor.Factor{app{}, pin{}, f}})
		must(t, err)
	})
	p := s.browser("ann")
	p.login()
	const offer = "/mfa/enroll/questions?return=%2Fhome&setup=yes"
	p.enrolsOnPages(t, "100001").goes(t, offer)
	require.Equal(t, "welcome", p.get("/home").Text, "the set-up is complete without them")
	p.get(offer).page(t, 200, "Skip for now")
	p.post("/mfa/enroll/pin", url.Values{"return": {"/home"}, "pin": {"830512"},
		"pin2": {"830512"}}).goes(t, "/home")
}
