package exporting_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/exporting"
	"github.com/secondgate/secondgate/importing"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/pin"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sms"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

var _ = kdftest.Cheap()

// installation has a store and a key of its own.
type installation struct {
	*mfa.Manager
	t      *testing.T
	clock  *mfatest.Clock
	store  storage.Store
	keys   *seal.Keyring
	mail   mfatest.Outbox[email.Message]
	texts  mfatest.Outbox[sms.Message]
	events []mfa.Event
}

func install(t *testing.T, changes ...func(*mfa.Config)) *installation {
	t.Helper()
	in := &installation{t: t, clock: mfatest.NewClock(time.Unix(1_800_000_000, 0)),
		store: memory.New()}
	var err error
	in.keys, err = seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: &in.mail, ServiceName: "Acme",
		SetupURL: func(token string) string { return "https://acme.example/?" + token }})
	require.NoError(t, err)
	phone, err := sms.New(sms.Config{Sender: &in.texts, ServiceName: "Acme", Origin: sms.NoOrigin,
		Allow: []string{sms.AnyCountry}})
	require.NoError(t, err)
	number, err := pin.New(pin.Config{})
	require.NoError(t, err)
	asked, err := questions.New(questions.Config{})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	cfg := mfa.Config{Store: in.store, Keys: in.keys, Clock: in.clock,
		Factors:   []factor.Factor{app, mail, phone, number, asked, codes},
		Events:    func(_ context.Context, e mfa.Event) { in.events = append(in.events, e) },
		Authorize: func(context.Context, mfa.AdminAction) error { return nil }}
	for _, change := range changes {
		change(&cfg)
	}
	in.Manager, err = mfa.New(cfg)
	require.NoError(t, err)
	return in
}

func user(id string) mfa.User {
	return mfa.User{ID: id, Tenant: "acme/eu", UserType: "staff", Email: id + "@example.com",
		EmailVerified: true}
}

func (in *installation) begin(u mfa.User) *mfa.Challenge {
	in.t.Helper()
	ch, err := in.Session(u, "session").Begin(in.t.Context())
	require.NoError(in.t, err)
	return ch
}

func (in *installation) verify(id, kind, response string) error {
	in.t.Helper()
	u := user(id)
	u.Enrolled = true
	_, err := in.Session(u, "session").Verify(in.t.Context(), in.begin(u), kind,
		secret.New(response))
	return err
}

// enroll enrols a factor, which respond confirms, and returns what it showed.
func (in *installation) enroll(
	u mfa.User, g mfa.Grant, r mfa.EnrollRequest, respond func(*mfa.Enrollment) string,
) (*mfa.Enrollment, mfa.Grant) {
	in.t.Helper()
	s := in.Session(u, "session")
	e, err := s.Enroll(in.t.Context(), g, r)
	require.NoError(in.t, err)
	if e.Confirmed != nil {
		return e, g
	}
	c, err := s.Confirm(in.t.Context(), e, secret.New(respond(e)))
	require.NoError(in.t, err)
	return e, c.Grant
}

func params(pairs ...string) map[string]secret.Text {
	m := make(map[string]secret.Text)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = secret.New(pairs[i+1])
	}
	return m
}

var digits = regexp.MustCompile(`\b\d{6}\b`)

const (
	annsPIN  = "739158"
	annsCell = "+31612345678"
	answers  = "lost\nwaffle\ncandle"
)

// population are the users of an installation, and what they have outside it.
type population struct {
	app   string   // the key of ann's app
	codes []string // ann's recovery codes
}

// populate enrols ann with an app, a PIN, a number, an address and recovery codes, of which she
// has used one, and bob with an app and security questions.
func (in *installation) populate() population {
	in.t.Helper()
	var p population
	ann, bob := user("ann"), user("bob")
	shown := func(e *mfa.Enrollment) string { return in.code(e.Prompt.Secret.Reveal()) }
	e, g := in.enroll(ann, in.begin(ann).Grant, mfa.EnrollRequest{Kind: "totp", Name: "Phone"},
		shown)
	p.app = e.Prompt.Secret.Reveal()
	_, g = in.enroll(ann, g, mfa.EnrollRequest{Kind: "pin", Params: params("pin", annsPIN)},
		func(*mfa.Enrollment) string { return annsPIN })
	_, g = in.enroll(ann, g, mfa.EnrollRequest{Kind: "sms", Params: params("number", annsCell)},
		func(*mfa.Enrollment) string { return in.texted() })
	_, g = in.enroll(ann, g, mfa.EnrollRequest{Kind: "email",
		Params: params("address", "private@example.org")},
		func(*mfa.Enrollment) string {
			m, _ := in.mail.Last()
			return digits.FindString(m.Text.Reveal())
		})
	paper, err := in.Session(ann, "session").NewRecoveryCodes(in.t.Context(), g)
	require.NoError(in.t, err)
	for _, code := range paper.Prompt.Codes {
		p.codes = append(p.codes, code.Reveal())
	}
	require.NoError(in.t, in.verify("ann", "recovery", p.codes[0]))

	_, g = in.enroll(bob, in.begin(bob).Grant, mfa.EnrollRequest{Kind: "totp"}, shown)
	in.enroll(bob, g, mfa.EnrollRequest{Kind: "questions", Params: params(
		"question1", "What did you lose?", "answer1", "lost",
		"question2", "What is for breakfast?", "answer2", "Waffle",
		"question3", "What gives light?", "answer3", "candle")}, nil)
	return p
}

func (in *installation) code(key string) string {
	in.t.Helper()
	code, err := oldtotp.GenerateCode(key, in.clock.Now())
	require.NoError(in.t, err)
	return code
}

func (in *installation) texted() string {
	in.t.Helper()
	m, _ := in.texts.Last()
	return digits.FindString(m.Text)
}

func (in *installation) mover() mfa.Admin { return in.Admin(mfa.System("move"), "ticket 4711") }

func (in *installation) export(o exporting.Options) (string, exporting.Done) {
	in.t.Helper()
	var file bytes.Buffer
	done, err := exporting.Write(in.t.Context(), in.mover(), &file, o)
	require.NoError(in.t, err)
	return file.String(), done
}

// imports imports a file, and returns what happened to each user.
func (in *installation) imports(file io.Reader) (outcomes map[string]string, err error) {
	outcomes = make(map[string]string)
	for r := range importing.Run(in.t.Context(), in.mover(), importing.JSONLines(file),
		importing.Options{}) {
		outcomes[r.User.ID] = r.Outcome()
		if r.User.ID == "" {
			err = errors.Join(err, r.Err)
		}
	}
	return outcomes, err
}

// Every factor works in another installation as it did before: the app with the code that it shows,
// once; the PIN; the number; the address; each recovery code that remained, once; and the questions
// after a recovery link.
func TestWrite_MovesEachKindOfFactor(t *testing.T) {
	from, to := install(t), install(t)
	p := from.populate()
	file, done := from.export(exporting.Options{})
	require.Equal(t, exporting.Done{Users: 2, Factors: 7}, done)
	outcomes, err := to.imports(strings.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ann": "imported totp, pin, sms, email, recovery",
		"bob": "imported totp, questions"}, outcomes)
	_, sent := to.mail.Last()
	require.False(t, sent)

	shown := to.code(p.app)
	require.NoError(t, to.verify("ann", "totp", shown), "the import burns no time step")
	require.ErrorIs(t, to.verify("ann", "totp", shown), factor.ErrReplayed)
	require.NoError(t, to.verify("ann", "pin", annsPIN))
	require.ErrorIs(t, to.verify("ann", "pin", "739159"), factor.ErrIncorrect)
	require.ErrorIs(t, to.verify("ann", "recovery", p.codes[0]), factor.ErrIncorrect, "used there")
	for _, code := range p.codes[1:] {
		typed := strings.NewReplacer("-", " ", "0", "o", "1", "l").Replace(strings.ToLower(code))
		require.NoError(t, to.verify("ann", "recovery", typed))
		require.ErrorIs(t, to.verify("ann", "recovery", code), factor.ErrReplayed)
	}
	to.receives(t, "sms", func() string { return to.texted() })
	to.receives(t, "email", func() string {
		m, _ := to.mail.Last()
		require.Equal(t, "private@example.org", m.To)
		return digits.FindString(m.Text.Reveal())
	})
	to.recovers(t)
	o, err := to.Overview(t.Context(), user("ann"))
	require.NoError(t, err)
	require.Equal(t, "Phone", o.Factors[0].Name)
}

// receives signs ann in by a code that is sent.
func (in *installation) receives(t *testing.T, kind string, code func() string) {
	t.Helper()
	u := user("ann")
	u.Enrolled = true
	ch := in.begin(u)
	_, err := in.Session(u, "session").Send(t.Context(), ch, kind)
	require.NoError(t, err)
	_, err = in.Session(u, "session").Verify(t.Context(), ch, kind, secret.New(code()))
	require.NoError(t, err)
}

// recovers responds to bob's security questions.
func (in *installation) recovers(t *testing.T) {
	t.Helper()
	bob := user("bob")
	s := in.Session(bob, "session")
	_, err := s.SendRecoveryLink(t.Context(), in.begin(bob))
	require.NoError(t, err)
	m, _ := in.mail.Last()
	_, link, _ := strings.Cut(m.Text.Reveal(), "https://acme.example/?")
	token, _, _ := strings.Cut(link, "\n")
	ch, err := s.Recovery().OpenRecoveryLink(t.Context(), secret.New(token))
	require.NoError(t, err)
	require.Equal(t, "What did you lose?", ch.Options[0].Questions[0])
	_, err = s.Recovery().Verify(t.Context(), ch, "questions", secret.New("x\nwaffle\ncandle"))
	require.ErrorIs(t, err, factor.ErrIncorrect)
	_, err = s.Recovery().Verify(t.Context(), ch, "questions", secret.New(answers))
	require.NoError(t, err)
}
