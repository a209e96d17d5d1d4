package mfahttp_test

import (
	"strings"
	"testing"

	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/questions"
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
