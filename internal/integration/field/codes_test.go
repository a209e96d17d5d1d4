package field_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// Hashes are cheap here; internal/kdf tests them at their real cost.
var _ = kdftest.Cheap()

// Each pasting is one way in which a code reached a form that then refused it.
var pastings = []struct {
	name, whom string
	paste      func(code string) string
}{
	{"a narrow no-break space", "a user in France copied a code from a mail, whose program groups " +
		"digits with it", middle("\u202f")},
	{"a no-break space", "a page in HTML kept the two halves of a code on one line",
		middle("\u00a0")},
	{"an ideographic space", "a user in Japan typed the space of the keyboard", middle("\u3000")},
	{"an en dash and a line break", "a word processor wrote a dash, and the line came with it",
		func(code string) string { return middle("–")(code) + "\r\n" }},
	{"a hyphen that does not break", "a knowledge base showed codes so", middle("\u2011")},
	{"a minus sign", "a spreadsheet took the code for a sum", middle("\u2212")},
	{"a mark of direction", "a messenger set to Hebrew put it before each number",
		func(code string) string { return "\u200f" + code }},
	{"an isolate", "a web page wrapped a code that stands in an Arabic sentence",
		func(code string) string { return "\u2066" + code + "\u2069" }},
	{"zero-width spaces", "a mail let a long code break between its characters",
		func(code string) string { return strings.Join(strings.Split(code, ""), "\u200b") }},
	{"a soft hyphen", "a page hyphenated a recovery code", middle("\u00ad")},
	{"a byte order mark", "a text file of recovery codes began with one",
		func(code string) string { return "\ufeff" + code }},
	{"full-width characters", "a user in Japan typed with the input method on",
		shift(map[rune]rune{'0': '０', 'A': 'Ａ', 'a': 'ａ'})},
	{"Arabic digits", "a phone set to Arabic typed its own digits", shift(map[rune]rune{'0': '٠'})},
	{"Persian digits", "a phone set to Persian typed its own digits",
		shift(map[rune]rune{'0': '۰'})},
	{"Devanagari digits", "a phone set to Hindi typed its own digits",
		shift(map[rune]rune{'0': '०'})},
	{"spaces around each character", "a screen reader's user typed what was spelled out",
		func(code string) string { return strings.Join(strings.Split(code, ""), " ") }},
}

// middle puts a separator into the middle of a code.
func middle(separator string) func(string) string {
	return func(code string) string { return code[:len(code)/2] + separator + code[len(code)/2:] }
}

// shift writes digits and letters by their distance from the first of their kind.
func shift(firsts map[rune]rune) func(string) string {
	return func(code string) string {
		return strings.Map(func(r rune) rune {
			base := rune(0)
			switch {
			case r >= '0' && r <= '9':
				base = '0'
			case r >= 'A' && r <= 'Z':
				base = 'A'
			}
			if to := firsts[base]; to != 0 {
				return to + r - base
			}
			return r
		}, code)
	}
}

var (
	ann  = mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}
	boss = mfa.System("the help desk")
)

const session = "session-1"

// person is a user with every kind of code.
type person struct {
	*testing.T
	m      *mfa.Manager
	s      mfa.Session
	clock  *mfatest.Clock
	mails  *mfatest.Outbox[email.Message]
	texts  *mfatest.Outbox[sms.Message]
	secret secret.Text // of the authenticator app
	codes  map[string]secret.Text
}

func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{T: t, clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)),
		mails: &mfatest.Outbox[email.Message]{}, texts: &mfatest.Outbox[sms.Message]{},
		codes: make(map[string]secret.Text)}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: p.mails, ServiceName: "Acme"})
	require.NoError(t, err)
	text, err := sms.New(sms.Config{Sender: p.texts, ServiceName: "Acme", Origin: "acme.example",
		Allow: []string{"+31"}})
	require.NoError(t, err)
	number, err := pin.New(pin.Config{})
	require.NoError(t, err)
	paper, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	temporary, err := access.New(access.Config{})
	require.NoError(t, err)
	p.m, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: p.clock,
		Factors:   []factor.Factor{app, mail, text, number, paper, temporary},
		Policies:  policy.Static(policy.Policy{Implicit: []string{"email"}, KeepImplicit: true}),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }})
	require.NoError(t, err)
	p.s = p.m.Session(ann, session)
	p.enrollAll()
	return p
}

func (p *person) enrollAll() {
	p.Helper()
	ch := p.begin()
	p.send(ch, "email")
	v, err := p.s.Verify(p.Context(), ch, "email", p.sent("email"))
	require.NoError(p, err)
	confirm := func(kind string, params map[string]secret.Text,
		response func(e *mfa.Enrollment) secret.Text) {
		e, err := p.s.Enroll(p.Context(), v.Grant, mfa.EnrollRequest{Kind: kind, Params: params})
		require.NoError(p, err, kind)
		c, err := p.s.Confirm(p.Context(), e, response(e))
		require.NoError(p, err, kind)
		v.Grant = c.Grant
	}
	p.codes["pin"] = secret.New("739162")
	confirm("pin", map[string]secret.Text{"pin": p.codes["pin"]},
		func(*mfa.Enrollment) secret.Text { return p.codes["pin"] })
	confirm("sms", map[string]secret.Text{"number": secret.New("+31612345678")},
		func(*mfa.Enrollment) secret.Text { return p.sent("sms") })
	confirm("totp", nil, func(e *mfa.Enrollment) secret.Text {
		p.secret = e.Prompt.Secret
		return secret.New(mfatest.AppCode(p, p.secret, p.clock.Now()))
	})
	e, err := p.s.NewRecoveryCodes(p.Context(), v.Grant)
	require.NoError(p, err)
	p.codes["recovery"] = e.Prompt.Codes[0]
	e, err = p.m.Admin(boss, "lost phone").Enroll(p.Context(), ann,
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(p, err)
	p.codes["access"] = e.Prompt.Codes[0]
	p.clock.Advance(time.Minute)
}

func (p *person) begin() *mfa.Challenge {
	p.Helper()
	ch, err := p.s.Begin(p.Context())
	require.NoError(p, err)
	return ch
}

func (p *person) send(ch *mfa.Challenge, kind string) {
	p.Helper()
	_, err := p.s.Send(p.Context(), ch, kind)
	require.NoError(p, err)
}

// sent returns the code that was sent last.
func (p *person) sent(kind string) secret.Text {
	p.Helper()
	if kind == "email" {
		m, ok := p.mails.Last()
		require.True(p, ok)
		return secret.New(mfatest.Code(p, m.Text))
	}
	m, ok := p.texts.Last()
	require.True(p, ok)
	return secret.New(mfatest.Code(p, m.Text))
}

// correct returns the correct response to a challenge.
func (p *person) correct(ch *mfa.Challenge, kind string) secret.Text {
	p.Helper()
	switch kind {
	case "totp":
		return secret.New(mfatest.AppCode(p, p.secret, p.clock.Now()))
	case "email", "sms":
		p.send(ch, kind)
		return p.sent(kind)
	}
	return p.codes[kind]
}

var kinds = []string{"totp", "email", "sms", "pin", "recovery", "access"}

// Every kind of code accepts what users paste.
func TestCode_IsAcceptedAsPasted(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			for _, c := range pastings {
				p := newPerson(t)
				ch := p.begin()
				pasted := c.paste(p.correct(ch, kind).Reveal())
				_, err := p.s.Verify(t.Context(), ch, kind, secret.New(pasted))
				require.NoError(t, err, "%s: %s (%q)", c.name, c.whom, pasted)
			}
		})
	}
}

// An incorrect code stays incorrect however it is pasted, and counts as one failed attempt.
func TestCode_IncorrectAsPastedIsOneFailedAttempt(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			p := newPerson(t)
			ch := p.begin()
			correct := []byte(p.correct(ch, kind).Reveal())
			last := &correct[len(correct)-1]
			if *last++; *last > '9' {
				*last = '0'
			}
			for n, c := range pastings[:3] {
				_, err := p.s.Verify(t.Context(), ch, kind, secret.New(c.paste(string(correct))))
				require.ErrorIs(t, err, factor.ErrIncorrect, c.name)
				attempt, ok := errors.AsType[*mfa.AttemptError](err)
				require.True(t, ok)
				require.Equal(t, 4-n, attempt.Remaining, c.name)
			}
		})
	}
}

// What is no code is refused without a count, for every kind.
func TestCode_WithOtherCharactersIsNoAttempt(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			p := newPerson(t)
			ch := p.begin()
			correct := p.correct(ch, kind).Reveal()
			for _, other := range []string{"²", "é", "\x1b", "①", "u", "。", "\u0301", "€"} {
				_, err := p.s.Verify(t.Context(), ch, kind, secret.New(correct+other))
				require.ErrorIs(t, err, factor.ErrMalformed, "%q", other)
			}
			_, err := p.s.Verify(t.Context(), ch, kind, secret.New(correct))
			require.NoError(t, err, "the challenge is as it was")
		})
	}
}

// A user in Japan enrolled a PIN with the input method on, and could not sign in without it.
func TestPIN_IsTheSameWithAndWithoutTheInputMethod(t *testing.T) {
	p := newPerson(t)
	ch := p.begin()
	v, err := p.s.Verify(t.Context(), ch, "totp", p.correct(ch, "totp"))
	require.NoError(t, err)
	e, err := p.s.Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "pin",
		Params: map[string]secret.Text{"pin": secret.New("８５０３９４")}})
	require.NoError(t, err)
	_, err = p.s.Confirm(t.Context(), e, secret.New("850394"))
	require.NoError(t, err)
	_, err = p.s.Verify(t.Context(), p.begin(), "pin", secret.New("850 394"))
	require.NoError(t, err)
}

// A code that was used stays used, however it is pasted, and the response does not say that it was
// correct once. A vault accepted it again with a space in front of it.
func TestCode_UsedIsRefusedHoweverItIsPasted(t *testing.T) {
	for _, kind := range []string{"totp", "email", "sms", "recovery", "access"} {
		t.Run(kind, func(t *testing.T) {
			p := newPerson(t)
			ch := p.begin()
			used := p.correct(ch, kind)
			_, err := p.s.Verify(t.Context(), ch, kind, used)
			require.NoError(t, err)
			for _, c := range pastings[:4] {
				ch = p.begin()
				if kind == "email" || kind == "sms" {
					p.clock.Advance(time.Minute)
					p.send(ch, kind)
				}
				_, err := p.s.Verify(t.Context(), ch, kind, secret.New(c.paste(used.Reveal())))
				require.Error(t, err, c.name)
			}
		})
	}
}
