package mfahttp_test

import (
	"context"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
)

// A form that was refused shows again what the user typed, however long it is and whatever else a
// session keeps, except PINs and passwords. Nothing of it is kept.
func TestPages_KeepWhatWasTyped(t *testing.T) {
	long := strings.Repeat("日本語の質問", 26) // 468 bytes, 156 characters
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, func(c *mfahttp.Config) {
		c.Questions = func(string) []string {
			return []string{"Which book?", "Which sea?", "Which dish?"}
		}
	}, f)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	a := p.post("/mfa/enroll/sms", url.Values{"number": {"+31612345678"}})
	p.post(a.Header.Get("Location"), url.Values{"code": {s.text.last().Code}})
	for range 4 { // as much as a session keeps of them
		p.post("/mfa/enroll/totp", nil)
	}
	for name, test := range map[string]struct {
		path        string
		form        url.Values
		kept, never []string
		error       string
	}{
		"a number": {"enroll/sms", url.Values{"region": {"NL"}, "number": {"06 12"},
			"password": {"hunter2"}}, []string{`value="06 12"`, `<option value="NL" selected>`},
			[]string{"hunter2"}, "password-error"},
		"a PIN": {"enroll/pin", url.Values{"pin": {"728391"}, "pin2": {"728392"}}, nil,
			[]string{"728391", "728392"}, "pin2-error"},
		"questions": {"enroll/questions", url.Values{
			"question1": {"Which sea?"}, "answer1": {"The Wadden Sea"},
			"question2": {"own"}, "own2": {long}, "answer2": {"x"},
			"question3": {"own"}, "own3": {long + "?"}, "answer3": {"Bapao with beans"}},
			[]string{`<option value="Which sea?" selected>`, `value="The Wadden Sea"`,
				`<option value="own" selected>`, `value="` + long + `"`, `value="` + long + `?"`,
				`value="Bapao with beans"`}, nil, "answer2-error"},
		"a question of one's own": {"enroll/questions", url.Values{
			"question1": {"own"}, "own1": {"Why?"}, "answer1": {"Because"}},
			[]string{`value="Why?"`, `value="Because"`}, nil, "own1-error"},
		"no question": {"enroll/questions", url.Values{"answer1": {"Because"}},
			[]string{`value="Because"`}, nil, "question1-error"},
	} {
		t.Run(name, func(t *testing.T) {
			p.get("/mfa/" + test.path) // the notice of what was before
			before := p.get("/mfa/" + test.path)
			a := p.post("/mfa/"+test.path, test.form).page(t, 422, `id="`+test.error+`"`)
			text := html.UnescapeString(a.Text)
			for _, want := range test.kept {
				require.Contains(t, text, want)
			}
			for _, secret := range test.never {
				require.NotContains(t, text, secret)
			}
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			require.Equal(t, before.Text, p.get("/mfa/"+test.path).Text, "nothing was kept")
			require.Equal(t, 1, strings.Count(text, "autofocus"), "one place to go on")
		})
	}
}

// A user chooses questions from the list, or writes one.
func TestPages_SetQuestionsChosenAndWritten(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	seen := &seenQuestions{Factor: f}
	s := newSite(t, func(c *mfahttp.Config) {
		c.Questions = func(string) []string { return []string{"Which book?", "Which sea?"} }
	}, seen)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	require.NotContains(t, p.get("/mfa/enroll/questions").page(t, 200).Text, "(optional)",
		"a user who writes a question has to write it")
	p.post("/mfa/enroll/questions", url.Values{
		"question1": {"Which sea?"}, "own1": {"Left behind, not chosen?"}, "answer1": {"North"},
		"question2": {"own"}, "own2": {"What did I call my bicycle?"}, "answer2": {"Pegasus"},
		// of a page that an application has replaced
		"question3": {"Which song was first?"}, "answer3": {"Yesterday"},
	}).goes(t, "/mfa/factors")
	require.Equal(t, []string{"Which sea?", "What did I call my bicycle?",
		"Which song was first?"}, seen.list)
}

// seenQuestions is the factor, and remembers the questions that it was given.
type seenQuestions struct {
	*questions.Factor
	list []string
}

func (f *seenQuestions) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	for _, n := range []string{"1", "2", "3"} {
		f.list = append(f.list, in.Params["question"+n].Reveal())
	}
	return f.Factor.Enroll(ctx, in)
}

// A message to support, a new name and the box that remembers the device are not lost either.
func TestPages_KeepMessagesNamesAndTicks(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.Support = true })
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	name := "See https://example.com"
	a := p.post("/mfa/factors/"+id+"/rename", url.Values{"name": {name}})
	a.page(t, 422, `value="`+name+`"`, `id="name-`+id+`-error"`, "<details class=\"sg-rename\" open>")
	require.NotContains(t, p.get("/mfa/factors").Text, name)

	s.policy.Remember = 1 << 50
	q := s.browser("ann")
	q.login()
	message := strings.Repeat("My phone fell into the sea. ", 20)
	q.post("/mfa/lost/support", url.Values{"message": {message}}).page(t, 422, message)
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"000000"}, "remember": {"yes"}})
	require.Contains(t, q.get("/mfa/verify").Text, `value="yes" autocomplete="off" checked`)
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"000000"}})
	require.NotContains(t, q.get("/mfa/verify").Text, "checked")
}

// A kind that the policy does not allow, or that the user cannot have, leads to those that are.
func TestPages_DisallowedKindOffersWhatIsLeft(t *testing.T) {
	s := newSite(t, nil)
	s.policy.Kinds = []string{"totp", "email"}
	p := s.browser("ann").signIn()
	for _, ask := range []func() *response{
		func() *response { return p.get("/mfa/enroll/pin") },
		func() *response {
			return p.post("/mfa/enroll/pin", url.Values{"pin": {"728391"}, "pin2": {"728391"}})
		}} {
		ask().goes(t, "/mfa/enroll")
		p.get("/mfa/enroll").page(t, 200, "This sign-in method is not available.",
			`action="/mfa/enroll/totp"`)
	}
	p.get("/mfa/enroll/pigeon").page(t, 404)
}

// Questions take long to write. A user who has to verify again meanwhile finds them afterwards.
func TestPages_KeepQuestionsOverAStepUp(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, func(c *mfahttp.Config) {
		c.Questions = func(string) []string { return []string{"Which book?"} }
	}, f)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	s.clock.Advance(time.Hour)
	const here = "/mfa/enroll/questions"
	a := p.post(here, url.Values{"question1": {"own"},
		"own1": {"Which sea did I fall into?"}, "answer1": {"The Wadden Sea"}})
	a.goes(t, "/mfa/step-up?purpose=manage&return=%2Fmfa%2Fenroll%2Fquestions")
	p.follow(a).page(t, 200)
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100123"}, "purpose": {"manage"},
		"return": {here}}).goes(t, here)
	page := p.get(here).page(t, 200, `value="Which sea did I fall into?"`).Text
	require.NotContains(t, page, "Wadden", "answers are kept nowhere")
	require.NotContains(t, page, "sg-bad")
	require.NotContains(t, page, "Error:")
	require.NotContains(t, p.get(here).Text, "Which sea", "shown once")
}
