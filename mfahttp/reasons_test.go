package mfahttp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	pins "github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sms"
	numbers "github.com/secondgate/secondgate/sms/phone"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// realFactors are the factors of this module, and where their messages go.
type realFactors struct {
	mail mfatest.Outbox[email.Message]
	text mfatest.Outbox[sms.Message]
	link string // the token of the last recovery link
}

func (f *realFactors) all(t *testing.T) (list []factor.Factor) {
	t.Helper()
	add := func(one factor.Factor, err error) {
		must(t, err)
		list = append(list, one)
	}
	add(totp.New(totp.Config{Issuer: "Acme"}))
	add(email.New(email.Config{Sender: &f.mail, ServiceName: "Acme",
		SetupURL: func(token string) string {
			f.link = token
			return "https://app.example/setup"
		}}))
	add(sms.New(sms.Config{Sender: &f.text, ServiceName: "Acme", Origin: sms.NoOrigin,
		Allow: []string{"+31", "+1"},
		Parse: numbers.Parser{Valid: true, Regions: []string{"NL", "US"}}.Parse}))
	add(pins.New(pins.Config{}))
	add(questions.New(questions.Config{}))
	add(recovery.New(recovery.Config{}))
	add(access.New(access.Config{}))
	return list
}

// realSite is a site with those factors.
func realSite(t *testing.T) (*site, *realFactors) {
	t.Helper()
	f := &realFactors{}
	s := newSite(t, func(c *mfahttp.Config) {
		c.SetupLinks, c.PasswordFor, c.CheckPassword = true, nil, nil
		keys, err := seal.NewKeyring(seal.GenerateKey())
		must(t, err)
		c.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
			Clock: c.Clock,
			Policies: policy.Static(policy.Policy{Implicit: []string{"email"},
				KeepImplicit: true}),
			Authorize: func(context.Context, mfa.AdminAction) error { return nil },
			Factors:   f.all(t)})
		must(t, err)
	})
	s.m = s.cfg.Manager
	return s, f
}

// malformedInputs are enrolments that the factors refuse, by reason.
var malformedInputs = map[string]m{
	"name_form":   {"kind": "totp", "name": "a\x00b"},
	"secret_form": {"kind": "totp", "secret": "not base32"},

	"address_form":        {"kind": "email", "address": "ann"},
	"address_unsupported": {"kind": "email", "address": "ann@[127.0.0.1]"},

	"number_missing":       {"kind": "sms"},
	"number_form":          {"kind": "sms", "number": "1-800-FLOWERS", "region": "US"},
	"number_extension":     {"kind": "sms", "number": "+31 20 123 4567 ext. 5"},
	"number_international": {"kind": "sms", "number": "0612345678"},
	"number_region":        {"kind": "sms", "number": "0612345678", "region": "XX"},
	"number_length":        {"kind": "sms", "number": "+31612"},
	"number_invalid":       {"kind": "sms", "number": "+31000000000"},
	"number_premium":       {"kind": "sms", "number": "+31 900 1234567"},
	"number_country":       {"kind": "sms", "number": "+47 406 12 345"},

	"pin_too_short":  {"kind": "pin", "pin": "1"},
	"pin_too_long":   {"kind": "pin", "pin": strings.Repeat("73", 60)},
	"pin_characters": {"kind": "pin", "pin": "73x9162"},
	"pin_repeated":   {"kind": "pin", "pin": "737373"},
	"pin_common":     {"kind": "pin", "pin": "123456"},
	"pin_personal":   {"kind": "pin", "pin": "583920"},

	"question_form_1":      asked("x", "y", "", "", "", ""),
	"answer_form_1":        asked("Which book?", "", "", "", "", ""),
	"answer_short_2":       asked("Which book?", "Zauberberg", "Which street?", "x", "", ""),
	"answer_in_question_1": asked("Which book is Zauberberg?", "Zauberberg", "", "", "", ""),
	"question_twice_2": asked("Which book?", "Zauberberg", "Which book?", "Buddenbrooks",
		"", ""),
	"answer_twice_3": asked("Which book?", "Zauberberg", "Which street?", "Langestraat",
		"Which town?", "Zauberberg"),
}

func asked(texts ...string) m {
	body := m{"kind": "questions"}
	for i, name := range []string{"question1", "answer1", "question2", "answer2", "question3",
		"answer3"} {
		body[name] = texts[i]
	}
	return body
}

// reasonTest notes the reasons of responses.
type reasonTest struct {
	t    *testing.T
	d    *document
	seen map[string]bool
}

func (r *reasonTest) malformed(p *browser, path string, body m, reason string) {
	r.t.Helper()
	a := p.api("POST", path, body).is(r.t, 400, "malformed")
	require.Equal(r.t, reason, a.JSON["reason"], "%v: %s", body, a.Text)
	r.d.check(r.t, a, "/api/"+path)
	r.seen[reason] = true
}

// Each reason of the table occurs in a response of the API, with the real factors. Those of a
// passkey, which is in another module, occur in internal/integration/clients and passkey.
func TestReasons_OccurInResponses(t *testing.T) {
	s, f := realSite(t)
	mailed := func() string {
		last, _ := f.mail.Last()
		return mfatest.Code(t, last.Text)
	}
	// The user signs in by the mail of record, and may then enrol.
	signIn := func(user string) *browser {
		t.Helper()
		p := s.browser(user)
		p.login()
		p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
		p.api("POST", "verify", m{"kind": "email", "code": mailed()}).is(t, 200, "")
		return p
	}
	p := signIn("583920")
	r := &reasonTest{t, readDocument(t), map[string]bool{"passkey_form": true,
		"passkey_changed": true, "key_compromised": true, "key_not_allowed": true}}
	inputs := func(questions bool) {
		for reason, body := range malformedInputs {
			if questions == (body["kind"] == "questions") {
				r.malformed(p, "enroll", body, reason)
			}
		}
	}
	inputs(false)

	enroll := func(p *browser, body m, code func() string) {
		t.Helper()
		e := p.api("POST", "enroll", body).is(t, 200, "").JSON["enrollment"]
		if code != nil {
			r.malformed(p, "confirm", m{"enrollment": e, "code": "x"}, "code_form")
			p.api("POST", "confirm", m{"enrollment": e, "code": code()}).is(t, 200, "")
		}
	}
	secret := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	app := func() string { return mfatest.AppCode(t, secret, s.clock.Now()) }
	texted := func() string {
		last, _ := f.text.Last()
		return mfatest.Code(t, last.Text)
	}
	address := m{"kind": "email", "address": "ann@other.example"}
	number := m{"kind": "sms", "number": "+31612345678"}
	imported := m{"kind": "totp", "secret": secret}
	enroll(p, address, mailed)
	enroll(p, number, texted)
	enroll(p, imported, app)
	inputs(true) // they are for a user with a factor
	r.malformed(p, "enroll", address, "address_duplicate")
	r.malformed(p, "enroll", number, "number_duplicate")
	r.malformed(p, "enroll", imported, "secret_duplicate")

	p.api("POST", "recovery-codes", nil).is(t, 200, "")
	_, err := s.m.Admin(mfa.System("test"), "").Enroll(t.Context(), s.subject(p.user),
		mfa.EnrollRequest{Kind: "access"})
	must(t, err)
	p.login()
	for kind, reason := range map[string]string{"recovery": "recovery_form",
		"access": "access_form"} {
		p.api("GET", "state?kind="+kind, nil).is(t, 200, "")
		r.malformed(p, "verify", m{"kind": kind, "code": "!"}, reason)
	}
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	s.clock.Advance(3 * time.Minute)
	late := p.api("POST", "verify", m{"kind": "email", "code": mailed()}).is(t, 401, "expired")
	require.Equal(t, "response_expired", late.JSON["reason"])
	r.seen["response_expired"] = true

	// Security questions come after a recovery link, for a user with no other recovery.
	q := signIn("bob")
	enroll(q, imported, app)
	enroll(q, asked("Which book?", "Zauberberg", "Which street?", "Langestraat", "Which town?",
		"Haarlem"), nil)
	q.login()
	q.api("POST", "lost/link", nil).is(t, 200, "")
	q = s.browser("")
	q.api("POST", "setup", m{"token": f.link}).is(t, 200, "")
	r.malformed(q, "verify", m{"kind": "questions", "code": "Zauberberg"}, "answers_form")

	for _, row := range mfahttp.ReasonRows() {
		seen := r.seen[row.Reason]
		for _, n := range []string{"_1", "_2", "_3"} {
			seen = seen || row.Numbered && r.seen[row.Reason+n]
		}
		require.True(t, seen || !row.API, "%s occurs in no response", row.Reason)
	}
}
