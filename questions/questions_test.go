package questions_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	otptotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

func newFactor(t testing.TB) *questions.Factor {
	t.Helper()
	f, err := questions.New(questions.Config{})
	require.NoError(t, err)
	return f
}

var chosen = map[string]secret.Text{"question1": secret.New("What was the name of your first teacher?"), "answer1": secret.New("Ms. Øster-Dahl"), "question2": secret.New("Which book did you read most often?"), "answer2": secret.New("Der  Zauberberg"), "question3": secret.New("My own question, about  the lake"), "answer3": secret.New("ＡＢＣ café")}

func with(pairs ...string) map[string]secret.Text {
	p := maps.Clone(chosen)
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = secret.New(pairs[i+1])
	}
	return p
}

const right = "ms øster dahl\nDER ZAUBERBERG.\nabc cafe\u0301"

func verify(t testing.TB, f *questions.Factor, state []byte, response string) error {
	t.Helper()
	normal, err := f.Normalize(response)
	if err != nil {
		return err
	}
	_, err = f.Verify(t.Context(), factor.VerifyInput{State: state, Response: normal})
	return err
}

func TestAnswersAreNormalised(t *testing.T) {
	f := newFactor(t)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	require.Equal(t, []string{"What was the name of your first teacher?", "Which book did you read most often?", "My own question, about the lake"}, f.Describe(out.State).Questions)
	for _, plain := range []string{"dahl", "Zauber", "café", "cafe"} {
		require.NotContains(t, strings.ToLower(string(out.State)), plain, "answers are hashed")
	}
	for _, r := range []string{right, right + "\n", strings.ReplaceAll(right, "\n", "\r\n"), "  MS  ØSTER-DAHL \nder zauberberg\nABC CAFÉ"} {
		require.NoError(t, verify(t, f, out.State, r), "%q", r)
	}
}

// One wrong answer is as wrong as three, and nothing tells them apart.
func TestOneWrongAnswerIsAll(t *testing.T) {
	f := newFactor(t)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	answers := strings.Split(right, "\n")
	said := map[string]bool{}
	for wrong := 1; wrong < 8; wrong++ {
		given := make([]string, 3)
		for i := range given {
			given[i] = answers[i]
			if wrong>>i&1 == 1 {
				given[i] = "something else"
			}
		}
		err := verify(t, f, out.State, strings.Join(given, "\n"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
		said[err.Error()] = true
	}
	require.Len(t, said, 1)
	require.ErrorIs(t, verify(t, f, out.State, answers[1]+"\n"+answers[0]+"\n"+answers[2]), factor.ErrIncorrect, "in their order")
}

func TestEnrolRefuses(t *testing.T) {
	f := newFactor(t)
	for reason, p := range map[string]map[string]secret.Text{
		"question_form_1":      with("question1", "Short?"),
		"question_form_2":      with("question2", strings.Repeat("q", 161)),
		"question_form_3":      with("question3", "A question\x00 with a NUL"),
		"question_twice_3":     with("question3", "which BOOK did you  read, most often"),
		"answer_form_1":        with("answer1", ""),
		"answer_form_2":        with("answer2", " .,! "),
		"answer_form_3":        with("answer3", strings.Repeat("a", 129)),
		"answer_short_1":       with("answer1", "a b"),
		"answer_twice_2":       with("answer2", "MS ØSTER DAHL"),
		"answer_in_question_3": with("answer3", "The Lake"),
	} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: p})
		var problem *factor.Problem
		require.ErrorAs(t, err, &problem, reason)
		require.Equal(t, reason, problem.Reason)
	}
	for _, n := range []int{1, 33, -1} {
		_, err := questions.New(questions.Config{MinAnswer: n})
		require.ErrorContains(t, err, "MinAnswer")
	}
	_, err := questions.New(questions.Config{Memory: 1})
	require.Error(t, err)
}

// Limits are in characters, as pages say them, in any script.
func TestLimitsAreInCharacters(t *testing.T) {
	f := newFactor(t)
	long := with("question1", strings.Repeat("где ", 39)+"она?", "answer1", strings.Repeat("Ж", 128))
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: long})
	require.NoError(t, err)
	require.Len(t, f.Describe(out.State).Questions, 3)
	require.NoError(t, verify(t, f, out.State, strings.Repeat("ж", 128)+right[strings.IndexByte(right, '\n'):]))
	for reason, p := range map[string]map[string]secret.Text{
		"question_form_1": with("question1", strings.Repeat("ж", 161)),
		"answer_form_1":   with("answer1", strings.Repeat("ж", 129)),
		"answer_form_2":   with("answer2", strings.Repeat("👩", 129)),
		"answer_form_3":   with("answer3", strings.Repeat("\ufdfa", 40)), // NFKC makes 18 of each
	} {
		_, err := f.Enroll(t.Context(), factor.EnrollInput{Params: p})
		var problem *factor.Problem
		require.ErrorAs(t, err, &problem, reason)
		require.Equal(t, reason, problem.Reason)
	}
}

// Answers that were hashed with other parameters are hashed anew by the next right ones.
func TestRehash(t *testing.T) {
	old := newFactor(t)
	now, err := questions.New(questions.Config{Memory: 12288, Passes: 3, Threads: 1})
	require.NoError(t, err)
	out, err := old.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	normal, err := now.Normalize(right)
	require.NoError(t, err)
	v, err := now.Verify(t.Context(), factor.VerifyInput{State: out.State, Response: normal})
	require.NoError(t, err)
	require.Contains(t, string(v.State), "m=12288,t=3")
	require.Equal(t, old.Describe(out.State).Questions, now.Describe(v.State).Questions)
	require.NoError(t, verify(t, now, v.State, right))
	v, err = now.Verify(t.Context(), factor.VerifyInput{State: v.State, Response: normal})
	require.NoError(t, err)
	require.Nil(t, v.State)
}

func TestMalformedAnswers(t *testing.T) {
	f := newFactor(t)
	for _, r := range []string{"", "one", "one\ntwo", "one\ntwo\nthree\nfour", "one\n\nthree", "one\ntwo\n ... ", "one\ntwo\n" + strings.Repeat("x", 129)} {
		_, err := f.Normalize(r)
		require.ErrorIs(t, err, factor.ErrMalformed, "%q", r)
	}
	for _, state := range []string{"", "{}", `{"v":2}`, `{"v":1,"q":["a"],"h":""}`} {
		_, err := f.Verify(t.Context(), factor.VerifyInput{State: []byte(state), Response: "a\nb\nc"})
		require.Error(t, err)
		require.NotErrorIs(t, err, factor.ErrIncorrect)
		require.Nil(t, f.Describe([]byte(state)).Questions)
	}
}

func TestSuggestions(t *testing.T) {
	seen := map[string]bool{}
	for _, locale := range []string{"en", "nl", "nb", "de"} {
		list := questions.Suggestions(locale)
		require.GreaterOrEqual(t, len(list), 8)
		for _, q := range list {
			require.False(t, seen[q], q)
			seen[q] = true
		}
		_, err := newFactor(t).Enroll(t.Context(), factor.EnrollInput{Params: map[string]secret.Text{"question1": secret.New(list[0]), "question2": secret.New(list[1]), "question3": secret.New(list[2]), "answer1": secret.New("xylophone"), "answer2": secret.New("zeppelin"), "answer3": secret.New("quagga")}})
		require.NoError(t, err)
	}
	require.Equal(t, questions.Suggestions("nb"), questions.Suggestions("no-NO"))
	require.Equal(t, questions.Suggestions("en"), questions.Suggestions("fr"))
	questions.Suggestions("en")[0] = "changed"
	require.NotEqual(t, "changed", questions.Suggestions("en")[0])
}

// person is somebody with an app and questions, whose mail is read here.
type person struct {
	*mfa.Manager
	t       *testing.T
	clock   *mfatest.Clock
	mail    *mfatest.Outbox[email.Message]
	secret  string
	subject mfa.User
	grant   mfa.Grant
}

const session = "session"

func newPerson(t *testing.T) *person {
	t.Helper()
	p := &person{t: t, clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), mail: &mfatest.Outbox[email.Message]{},
		subject: mfa.User{ID: "ann", Email: "ann@example.com", EmailVerified: true}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: p.mail, ServiceName: "Acme", SetupURL: func(token string) string { return "https://acme.example/?" + token }})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	p.Manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: p.clock, Factors: []factor.Factor{app, mail, newFactor(t), codes}})
	require.NoError(t, err)
	ch := p.begin()
	e, err := p.session().Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	p.secret = e.Prompt.Secret.Reveal()
	c, err := p.session().Confirm(t.Context(), e, p.shown())
	require.NoError(t, err)
	p.grant = c.Grant
	done, err := p.session().Enroll(t.Context(), p.grant, mfa.EnrollRequest{Kind: "questions", Params: chosen})
	require.NoError(t, err)
	require.NotNil(t, done.Confirmed)
	return p
}

func (p *person) shown() secret.Text {
	code, err := otptotp.GenerateCode(p.secret, p.clock.Now())
	require.NoError(p.t, err)
	return secret.New(code)
}

func (p *person) session() mfa.Session { return p.Session(p.subject, session) }

func (p *person) begin() *mfa.Challenge {
	p.t.Helper()
	ch, err := p.session().Begin(context.Background())
	require.NoError(p.t, err)
	return ch
}

// setup opens a set-up link.
func (p *person) setup() *mfa.Challenge {
	p.t.Helper()
	_, err := p.session().SendRecoveryLink(p.t.Context(), p.begin())
	require.NoError(p.t, err)
	m, _ := p.mail.Last()
	_, link, _ := strings.Cut(m.Text.Reveal(), "https://acme.example/?")
	token, _, _ := strings.Cut(link, "\n")
	ch, err := p.session().Recovery().OpenRecoveryLink(p.t.Context(), secret.New(token))
	require.NoError(p.t, err)
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

func (p *person) answer(ch *mfa.Challenge, purpose string, text string) (*mfa.Verification, error) {
	return withPurpose(p.session(), purpose).Verify(p.t.Context(), ch, "questions", secret.New(text))
}

// They replace a lost device by a set-up link, and do nothing else.
func TestQuestionsReplaceOnly(t *testing.T) {
	p := newPerson(t)
	signIn := p.begin()
	for _, o := range signIn.Options {
		require.NotEqual(t, "questions", o.Kind)
	}
	_, err := p.answer(signIn, "sign-in", right)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)

	ch := p.setup()
	require.Len(t, ch.Options, 1)
	require.Equal(t, "questions", ch.Options[0].Kind)
	require.Len(t, ch.Options[0].Questions, 3)
	_, err = p.answer(ch, "replace", "wrong\n"+right[strings.IndexByte(right, '\n')+1:])
	require.ErrorIs(t, err, factor.ErrIncorrect)
	v, err := p.answer(ch, "replace", right)
	require.NoError(t, err)
	o, err := p.Overview(t.Context(), p.subject)
	require.NoError(t, err)
	require.ErrorIs(t, p.session().Remove(t.Context(), v.Grant, o.Factors[0].ID), mfa.ErrForbidden)
	_, err = p.session().Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "questions", Params: chosen})
	require.ErrorIs(t, err, mfa.ErrForbidden, "nor do they change themselves")
	_, err = p.session().Enroll(t.Context(), v.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
}

// Whoever has recovery codes left is not asked what others could find out.
// A challenge that no mailed link began takes no answers, whatever its purpose.
func TestQuestions_WantTheMailedLink(t *testing.T) {
	p := newPerson(t)
	for _, purpose := range []string{"sign-in", "step-up", "manage", "replace"} {
		ch, err := withPurpose(p.session(), purpose).FirstFactorAt(p.clock.Now()).Begin(t.Context())
		if purpose == "replace" {
			require.ErrorIs(t, err, mfa.ErrNotAvailable, "there is nothing to recover with")
			ch = p.begin()
		} else {
			require.NoError(t, err)
		}
		for _, o := range ch.Options {
			require.NotEqual(t, "questions", o.Kind)
		}
		for _, as := range []string{purpose, "replace"} {
			_, err = p.answer(ch, as, right)
			require.Error(t, err, "%s as %s", purpose, as)
		}
	}
	// With recovery codes there is a challenge to answer, and still not by questions.
	_, err := p.session().NewRecoveryCodes(t.Context(), p.grant)
	require.NoError(t, err)
	ch, err := p.session().Recovery().Begin(t.Context())
	require.NoError(t, err)
	_, err = p.answer(ch, "replace", right)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestQuestionsAreTheLastResort(t *testing.T) {
	p := newPerson(t)
	_, err := p.session().NewRecoveryCodes(t.Context(), p.grant)
	require.NoError(t, err)
	ch := p.setup()
	require.Len(t, ch.Options, 1)
	require.Equal(t, "recovery", ch.Options[0].Kind)
	_, err = p.answer(ch, "replace", right)
	require.ErrorIs(t, err, mfa.ErrNotAvailable)
}

func TestWrongAnswersLock(t *testing.T) {
	p := newPerson(t)
	ch := p.setup()
	for range 5 {
		_, err := p.answer(ch, "replace", "one\ntwo\nthree")
		require.ErrorIs(t, err, factor.ErrIncorrect)
	}
	_, err := p.answer(ch, "replace", right)
	var locked *mfa.LockedError
	require.ErrorAs(t, err, &locked)
}

// Editing is enrolling again, with a grant; the answers before end.
func TestEditing(t *testing.T) {
	p := newPerson(t)
	_, err := p.session().Enroll(t.Context(), p.grant, mfa.EnrollRequest{Kind: "questions", Params: with("answer1", "Somebody else")})
	require.NoError(t, err)
	ch := p.setup()
	_, err = p.answer(ch, "replace", right)
	require.ErrorIs(t, err, factor.ErrIncorrect)
	var forged mfa.Grant
	require.NoError(t, forged.UnmarshalText([]byte("x")))
	_, err = p.session().Enroll(t.Context(), forged, mfa.EnrollRequest{Kind: "questions", Params: chosen})
	require.ErrorIs(t, err, mfa.ErrToken)
}

func FuzzNormalize(f *testing.F) {
	q := newFactor(f)
	for _, s := range []string{right, "a\nb\nc", "ß\nSS\nẞ", "\u212a\nk\nﬁ", "\xff\n\n", strings.Repeat("\ufdfa", 40) + "\nb\nc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := q.Normalize(s)
		if err != nil {
			return
		}
		again, err := q.Normalize(got)
		if err != nil || again != got {
			t.Fatalf("%q becomes %q, which becomes %q (%v)", s, got, again, err)
		}
	})
}

func Example() {
	f, err := questions.New(questions.Config{})
	if err != nil {
		panic(err)
	}
	out, err := f.Enroll(context.Background(), factor.EnrollInput{Params: map[string]secret.Text{"question1": secret.New(questions.Suggestions("en")[0]), "answer1": secret.New("Ms. Miller"), "question2": secret.New(questions.Suggestions("en")[1]), "answer2": secret.New("Momo"), "question3": secret.New("Which song did your uncle hum?"), "answer3": secret.New("None at all")}})
	if err != nil {
		panic(err)
	}
	response, _ := f.Normalize("ms miller\nMOMO\nnone  at all!")
	_, err = f.Verify(context.Background(), factor.VerifyInput{State: out.State, Response: response})
	fmt.Println(err)
	// Output: <nil>
}
