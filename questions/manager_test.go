package questions_test

import (
	"context"
	"strings"
	"testing"
	"time"

	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// user is a user with an app and questions, whose mail the test reads.
type user struct {
	*mfa.Manager
	t       *testing.T
	clock   *mfatest.Clock
	mail    *mfatest.Outbox[email.Message]
	secret  string
	account mfa.User
	grant   mfa.Grant
}

const session = "session"

func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{t: t, clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		mail:    &mfatest.Outbox[email.Message]{},
		account: mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: u.mail, ServiceName: "Acme",
		SetupURL: func(token string) string {
			return "https://acme.example/?" + token
		}})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	u.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: u.clock,
		Factors: []factor.Factor{app, mail, newFactor(t), codes}})
	require.NoError(t, err)
	ch := u.begin()
	e, err := u.session().Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	u.secret = e.Prompt.Secret.Reveal()
	c, err := u.session().Confirm(t.Context(), e, u.shown())
	require.NoError(t, err)
	u.grant = c.Grant
	done, err := u.session().Enroll(t.Context(), u.grant, mfa.EnrollRequest{Kind: "questions",
		Params: chosen})
	require.NoError(t, err)
	require.NotNil(t, done.Confirmed)
	return u
}

func (u *user) shown() secret.Text {
	code, err := otptotp.GenerateCode(u.secret, u.clock.Now())
	require.NoError(u.t, err)
	return secret.New(code)
}

func (u *user) session() mfa.Session { return u.Session(u.account, session) }

func (u *user) begin() *mfa.Challenge {
	u.t.Helper()
	ch, err := u.session().Begin(context.Background())
	require.NoError(u.t, err)
	return ch
}

// recovery opens a recovery link.
func (u *user) recovery() *mfa.Challenge {
	u.t.Helper()
	_, err := u.session().SendRecoveryLink(u.t.Context(), u.begin())
	require.NoError(u.t, err)
	m, _ := u.mail.Last()
	_, link, _ := strings.Cut(m.Text.Reveal(), "https://acme.example/?")
	token, _, _ := strings.Cut(link, "\n")
	ch, err := u.session().Recovery().OpenRecoveryLink(u.t.Context(), secret.New(token))
	require.NoError(u.t, err)
	return ch
}

// withPurpose returns the handle for a purpose that a test varies.
func withPurpose(s mfa.Session, purpose string) mfa.Session {
	switch purpose {
	case "step-up":
		return s.StepUp()
	case "manage":
		return s.ManageFactors()
	case "replace":
		return s.Recovery()
	}
	return s
}

func (u *user) respond(ch *mfa.Challenge, purpose string, text string) (*mfa.Verification, error) {
	return withPurpose(u.session(), purpose).Verify(u.t.Context(), ch, "questions",
		secret.New(text))
}

// Questions replace a lost device after a recovery link, and do nothing else.
func TestQuestions_ReplaceOnly(t *testing.T) {
	u := newUser(t)
	signIn := u.begin()
	for _, o := range signIn.Options {
		require.NotEqual(t, "questions", o.Kind)
	}
	_, err := u.respond(signIn, "sign-in", correct)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	ch := u.recovery()
	require.Len(t, ch.Options, 1)
	require.Equal(t, "questions", ch.Options[0].Kind)
	require.Len(t, ch.Options[0].Questions, 3)
	_, err = u.respond(ch, "replace", "other\n"+correct[strings.IndexByte(correct, '\n')+1:])
	require.ErrorIs(t, err, factor.ErrIncorrect)
	v, err := u.respond(ch, "replace", correct)
	require.NoError(t, err)
	o, err := u.Overview(t.Context(), u.account)
	require.NoError(t, err)
	require.ErrorIs(t, u.session().Remove(t.Context(), v.Grant, o.Factors[0].ID), mfa.ErrForbidden)
	_, err = u.session().Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "questions",
		Params: chosen})
	require.ErrorIs(t, err, mfa.ErrForbidden, "nor do they change themselves")
	_, err = u.session().Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
}

// A challenge that no mailed link began accepts no questions, whatever its purpose.
func TestQuestions_WantTheMailedLink(t *testing.T) {
	u := newUser(t)
	for _, purpose := range []string{"sign-in", "step-up", "manage", "replace"} {
		ch, err := withPurpose(u.session(), purpose).FirstFactorAt(u.clock.Now()).Begin(t.Context())
		if purpose == "replace" {
			require.ErrorIs(t, err, mfa.ErrNotAvailable, "there is nothing to recover with")
			ch = u.begin()
		} else {
			require.NoError(t, err)
		}
		for _, o := range ch.Options {
			require.NotEqual(t, "questions", o.Kind)
		}
		for _, as := range []string{purpose, "replace"} {
			_, err = u.respond(ch, as, correct)
			require.Error(t, err, "%s as %s", purpose, as)
		}
	}
	// With recovery codes there is a challenge, and still no questions.
	_, err := u.session().NewRecoveryCodes(t.Context(), u.grant)
	require.NoError(t, err)
	ch, err := u.session().Recovery().Begin(t.Context())
	require.NoError(t, err)
	_, err = u.respond(ch, "replace", correct)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

// A user with recovery codes is not asked what others could find out.
func TestQuestions_AreTheLastResort(t *testing.T) {
	u := newUser(t)
	_, err := u.session().NewRecoveryCodes(t.Context(), u.grant)
	require.NoError(t, err)
	ch := u.recovery()
	require.Len(t, ch.Options, 1)
	require.Equal(t, "recovery", ch.Options[0].Kind)
	_, err = u.respond(ch, "replace", correct)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestQuestions_FailedAttemptsLock(t *testing.T) {
	u := newUser(t)
	ch := u.recovery()
	for range 5 {
		_, err := u.respond(ch, "replace", "one\ntwo\nthree")
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := u.respond(ch, "replace", correct)
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked)
}

// A user edits the questions by enrolling again, with a grant. The earlier answers end.
func TestQuestions_AreEditedByEnrolling(t *testing.T) {
	u := newUser(t)
	_, err := u.session().Enroll(t.Context(), u.grant, mfa.EnrollRequest{Kind: "questions",
		Params: with("answer1", "Another one")})
	require.NoError(t, err)
	ch := u.recovery()
	_, err = u.respond(ch, "replace", correct)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	var forged mfa.Grant
	require.NoError(t, forged.UnmarshalText([]byte("x")))
	_, err = u.session().Enroll(t.Context(), forged, mfa.EnrollRequest{Kind: "questions",
		Params: chosen})
	require.ErrorIs(t, err, mfa.ErrToken)
}
