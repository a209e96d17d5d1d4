package mfahttp_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/secret"
)

// badge is a factor that is not built in. It keeps the parameters of its last enrolment.
type badge struct{ params map[string]secret.Text }

func (b *badge) Kind() string { return "badge" }
func (b *badge) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "otp"}
}
func (b *badge) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	b.params = in.Params
	if serial := in.Params["serial"].Reveal(); !strings.HasPrefix(serial, "SN") {
		return nil, &factor.Problem{Reason: "serial_unknown", Detail: "English for developers"}
	}
	return &factor.EnrollOutput{State: []byte("badge"), MaskedDestination: "•••42"}, nil
}
func (b *badge) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Response.Reveal() != "424242" {
		return nil, factor.ErrIncorrect
	}
	return &factor.Verdict{}, nil
}
func (b *badge) Normalize(s string) (string, error) { return sixDigits(s) }

func badgeFiles() fstest.MapFS {
	return fstest.MapFS{
		"texts/en.json": {Data: []byte(`{"name": "Company badge", "field.serial": "Serial number",
			"field.key": "Key", "problem.serial_unknown": "No badge has this number.",
			"notice.incorrect": "Not what the badge shows."}`)},
		"texts/nl.json": {Data: []byte(`{"name": "Bedrijfspas", "field.serial": "Serienummer",
			"field.key": "Sleutel", "problem.serial_unknown": "Geen pas heeft dit nummer."}`)},
	}
}

func badgeSite(t *testing.T) (*site, *badge) {
	t.Helper()
	b := &badge{}
	s := newSite(t, func(c *mfahttp.Config) {
		c.Kinds = []mfahttp.Kind{{Kind: "badge", Files: badgeFiles(),
			Fields: []mfahttp.Field{{Name: "serial", MaxLength: 12},
				{Name: "key", Type: "password", Optional: true}}}}
	}, b)
	return s, b
}

// A user chooses a described kind, enrols it, reads what is wrong at its field, keeps what was
// typed, and signs in with it.
func TestPagesKind_EnrolsAndSignsIn(t *testing.T) {
	s, b := badgeSite(t)
	p := s.browser("ann").signIn()
	page := p.get("/mfa/enroll").page(t, 200, "Company badge").Text
	require.Contains(t, page, `href="/mfa/enroll/badge`, "a form comes first")
	p.get("/mfa/enroll/badge").page(t, 200, "Serial number")

	page = p.post("/mfa/enroll/badge", url.Values{"serial": {"X-17"}, "key": {"hunter2"}}).page(
		t, 422, "No badge has this number.").Text
	require.Contains(t, page, `value="X-17"`)
	require.Contains(t, page, `id="serial-error"`)
	require.NotContains(t, page, "hunter2", "a password is not shown again")
	require.NotContains(t, page, "English for developers")
	require.NotContains(t, page, "serial_unknown")

	at := p.post("/mfa/enroll/badge", url.Values{"serial": {"SN-42"}}).Header.Get("Location")
	p.get(at).page(t, 200, "<h1>Company badge</h1>")
	p.post(at, url.Values{"code": {"111111"}})
	p.get(at).page(t, 200, "Not what the badge shows. You have 4 attempts left.")
	p.post(at, url.Values{"code": {"424242"}, "name": {"My badge"}}).goes(t, "/mfa/recovery-codes")
	p.get("/mfa/factors").page(t, 200, "My badge", "Company badge\u00a0· ", "•••42")
	require.NotContains(t, b.params, "key", "an empty field is no parameter")

	p = s.browser("ann")
	p.login()
	p.get("/mfa/verify?kind=badge").page(t, 200, "Company badge")
}

// The factor receives the fields of its description, and nothing else that a browser sends.
func TestPagesKind_PassesNoOtherParameters(t *testing.T) {
	s, b := badgeSite(t)
	p := s.browser("ann").signIn()
	p.post("/mfa/enroll/badge", url.Values{"serial": {"SN-42"}, "key": {"k"}, "name": {"Mine"},
		"password": {"secret"}, "return": {"/home"}, "pin2": {"x"}, "code": {"1"},
		"region": {"NL"}, "admin": {"yes"}})
	require.Equal(t, map[string]secret.Text{"serial": secret.New("SN-42"), "key": secret.New("k")},
		b.params)
}

// A value that the form does not take is reported at its field, in the user's language, and the
// factor is not asked.
func TestPagesKind_ChecksItsFields(t *testing.T) {
	s, b := badgeSite(t)
	p := s.browser("ann").signIn()
	for serial, says := range map[string]string{"": "Fill in this field.",
		"SN-4000000042": "This is too long."} {
		page := p.post("/mfa/enroll/badge", url.Values{"serial": {serial}}).page(t, 422, says).Text
		require.Contains(t, page, `aria-describedby="serial-error"`)
	}
	require.Nil(t, b.params)
}

func TestNew_RefusesKindsThatAreNotValid(t *testing.T) {
	s, _ := badgeSite(t)
	for says, k := range map[string]mfahttp.Kind{
		`"pigeon", which the Manager does not have`:   {Kind: "pigeon", Files: badgeFiles()},
		"Config.Kinds: badge: the field Files is nil": {Kind: "badge"},
		"Config.Kinds: badge: texts/en.json":          {Kind: "badge", Files: badgeFiles()},
		"Config.Kinds: totp is built in":              {Kind: "totp", Files: badgeFiles()},
	} {
		cfg := s.cfg
		cfg.Kinds = []mfahttp.Kind{k}
		_, err := mfahttp.New(cfg)
		require.ErrorContains(t, err, "mfahttp: Config.Kinds")
		require.ErrorContains(t, err, says)
	}
}

// push shows a number on the page, which the user types on a device.
type push struct {
	badge
	data string
}

func (p *push) Kind() string { return "push" }
func (p *push) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	return &factor.Issue{Keep: []byte("issued"), Expires: in.Now.Add(90 * time.Second),
		Payload: secret.New("to the device"),
		Prompt:  factor.Prompt{Data: []byte(p.data)}}, nil
}
func (p *push) Deliver(context.Context, factor.Message) error { return nil }

func pushSite(t *testing.T) (*site, *push) {
	t.Helper()
	p := &push{data: `{"number":"07"}`}
	s := newSite(t, func(c *mfahttp.Config) {
		c.Kinds = []mfahttp.Kind{{Kind: "push", Fields: []mfahttp.Field{{Name: "serial"}},
			Files: fstest.MapFS{
				"texts/en.json": {Data: []byte(`{"name": "Push", "field.serial": "Serial",
					"send.button": "Ask my phone", "text.number": "Type {number} on it"}`)},
				"verify.html": {Data: []byte(
					`{{with .Data}}<p>{{t "text.number" "number" .number}}</p>{{end}}`)},
				"enrollment.html": {Data: []byte(
					`{{with .Data}}<p>{{t "text.number" "number" .number}}</p>{{end}}`)},
				"script.js": {Data: []byte(`"use strict";`)},
			}}}
	}, p)
	return s, p
}

// enrolPush enrols the kind and returns a browser that waits for the second factor.
func enrolPush(t *testing.T, s *site, kind *push) *browser {
	t.Helper()
	p := s.browser("ann").signIn()
	at := p.post("/mfa/enroll/push", url.Values{"serial": {"SN1"}}).Header.Get("Location")
	p.get(at).page(t, 200, "Type 07 on it", `/kinds/push.js" defer`)
	kind.data = `{"number":"08"}`
	p.post(at+"/resend", url.Values{})
	p.get(at).page(t, 200, "Type 08 on it")
	p.post(at, url.Values{"code": {"424242"}}).goes(t, "/mfa/recovery-codes")
	p = s.browser("ann")
	p.login()
	return p
}

// What was sent for a response is shown on its page as long as it can be responded to.
func TestPagesKind_ShowsTheDataOfWhatWasSent(t *testing.T) {
	s, kind := pushSite(t)
	p := enrolPush(t, s, kind)
	p.get("/mfa/verify?kind=push").page(t, 200, "Ask my phone")
	kind.data = `{"number":"09"}`
	p.post("/mfa/send", url.Values{"kind": {"push"}})
	for range 2 { // a reload shows it again
		p.get("/mfa/verify?kind=push").page(t, 200, "Type 09 on it")
	}
	s.clock.Advance(91 * time.Second)
	require.NotContains(t, p.get("/mfa/verify?kind=push").page(t, 200, "Ask my phone").Text, "Type")
	p.follow(p.get("/mfa/static/kinds/push.js")).page(t, 200, `"use strict";`)

	for _, data := range []string{`{`, `"` + strings.Repeat("x", 1024) + `"`} {
		kind.data = data
		p.post("/mfa/send", url.Values{"kind": {"push"}})
		p.get("/mfa/verify?kind=push").page(t, 200, "There is a problem with the service.")
	}
}
