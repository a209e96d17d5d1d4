package mfahttp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/questions"
)

// A user who cannot get a code reads what to do for the kind, and is offered their other ways,
// another number of the same kind among them, and then a recovery.
func TestPages_HelpWithEachKind(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.SetupLinks, c.Support = true, true })
	s.policy.KeepImplicit = true
	p := s.browser("ann").signIn()
	p.enroll("100001")
	for _, number := range []string{"+31612345678", "+31612345679"} {
		a := p.post("/mfa/enroll/sms", url.Values{"number": {number},
			"password": {"correct horse"}})
		p.post(a.Header.Get("Location"), url.Values{"code": {s.text.last().Code}}).goes(t,
			"/mfa/recovery-codes")
	}
	p.post("/mfa/enroll/pin", url.Values{"pin": {"728391"}, "pin2": {"728391"}}).goes(t,
		"/mfa/factors")
	p.post("/mfa/recovery-codes", nil)

	q := s.browser("ann")
	q.login()
	for kind, says := range map[string][2]string{
		"email": {"Can’t get a code?", "spam or junk folder"},
		"sms":   {"Can’t get a code?", "has a signal"},
		"totp":  {"Can’t get a code?", "clock of your phone"},
		"pin":   {"Forgot your PIN?", "choose a new PIN"},
	} {
		q.get("/mfa/verify?kind="+kind).page(t, 200, `href="/mfa/lost?kind=`+kind+`">`+says[0])
		page := q.get("/mfa/lost?kind="+kind).page(t, 200, says[0], says[1], "Use another way",
			`href="/mfa/verify?kind=recovery"`, `action="/mfa/lost/link"`,
			"Open the link, set up a new sign-in method").Text
		for _, other := range []string{"email", "totp", "pin"} {
			here := strings.Contains(page, `class="sg-card" href="/mfa/verify?kind=`+other) ||
				strings.Contains(page, `name="kind" value="`+other+`"`)
			require.Equal(t, other != kind, here, "%s on the page for %s", other, kind)
		}
		numbers := strings.Count(page, `name="kind" value="sms"`)
		require.Equal(t, map[bool]int{true: 1, false: 2}[kind == "sms"], numbers, kind)
	}
	// After a code to one number, the other one is offered.
	q.post("/mfa/send", url.Values{"kind": {"sms"}}).goes(t, "/mfa/verify?kind=sms")
	first := s.text.last().To
	page := q.get("/mfa/lost?kind=sms").page(t, 200).Text
	_, form, _ := strings.Cut(page, `name="kind" value="sms"><input type="hidden" name="factor" value="`)
	id, _, _ := strings.Cut(form, `"`)
	require.NotEmpty(t, id)
	q.post("/mfa/send", url.Values{"kind": {"sms"}, "factor": {id}}).goes(t, "/mfa/verify?kind=sms")
	require.NotEqual(t, first, s.text.last().To)
	q.get("/mfa/lost?kind=pigeon").page(t, 200, "Can’t get a code?")
}

// Without a recovery the page still helps; it says so if nothing remains.
func TestPages_HelpWithoutARecovery(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	page := p.get("/mfa/lost?kind=email").page(t, 200, "spam or junk folder",
		"You have no other sign-in method. Ask your administrator.").Text
	require.NotContains(t, page, "recover your account")
	require.NotContains(t, page, "lost/")
}

// A user who will respond to security questions reads it before the link is sent.
func TestPages_SayThatQuestionsComeNext(t *testing.T) {
	f, err := questions.New(questions.Config{})
	must(t, err)
	s := newSite(t, func(c *mfahttp.Config) { c.SetupLinks = true }, f)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.post("/mfa/enroll/questions", url.Values{
		"question1": {"Which sea was it?"}, "answer1": {"North"},
		"question2": {"Which bicycle was it?"}, "answer2": {"Pegasus"},
		"question3": {"Which song was first?"}, "answer3": {"Yesterday"},
	}).goes(t, "/mfa/factors")
	q := s.browser("ann")
	q.login()
	q.get("/mfa/lost?kind=totp").page(t, 200, "Open the link, answer your security questions")
}

// A PIN is changed under its own name; the present one works until then.
func TestPages_ChangeThePIN(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	set := func(pin string) *response {
		return p.post("/mfa/enroll/pin", url.Values{"pin": {pin}, "pin2": {pin}})
	}
	require.NotContains(t, p.get("/mfa/factors").Text, "Change PIN")
	p.get("/mfa/enroll/pin").page(t, 200, "Choose a PIN", "Set PIN")
	set("728391").goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, `href="/mfa/enroll/pin">Change PIN</a>`)
	p.get("/mfa/enroll/pin").page(t, 200, "<h1>Change your PIN</h1>", "Your present PIN works",
		`>Change PIN</button>`)
	set("1").page(t, 422, "<h1>Change your PIN</h1>")
	set("918273").goes(t, "/mfa/factors")
	q := s.browser("ann")
	q.login()
	q.post("/mfa/verify", url.Values{"kind": {"pin"}, "code": {"728391"}}).goes(t,
		"/mfa/verify?kind=pin")
	q.post("/mfa/verify", url.Values{"kind": {"pin"}, "code": {"918273"}}).goes(t, "/home")
}
