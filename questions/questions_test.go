package questions_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/kdf/kdftest"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/questions"
	"github.com/secondgate/secondgate/secret"
)

// The cost of argon2id is tested in internal/kdf.
var _ = kdftest.Cheap()

func newFactor(t testing.TB) *questions.Factor {
	t.Helper()
	f, err := questions.New(questions.Config{})
	require.NoError(t, err)
	return f
}

var chosen = map[string]secret.Text{"question1": secret.New("What was the name of your first " +
	"teacher?"), "answer1": secret.New("Ms. Øster-Dahl"),
	"question2": secret.New("Which book did you read most often?"),
	"answer2":   secret.New("Der  Zauberberg"), "question3": secret.New(
		"My own question, about  the lake"), "answer3": secret.New("ＡＢＣ café")}

func with(pairs ...string) map[string]secret.Text {
	p := maps.Clone(chosen)
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i]] = secret.New(pairs[i+1])
	}
	return p
}

const correct = "ms øster dahl\nDER ZAUBERBERG.\nabc cafe\u0301"

func verify(t testing.TB, f *questions.Factor, state []byte, response string) error {
	t.Helper()
	normal, err := f.Normalize(response)
	if err != nil {
		return err
	}
	_, err = f.Verify(t.Context(), factor.VerifyInput{State: state, Response: secret.New(normal)})
	return err
}

func TestNormalize_ForgivesFormAlone(t *testing.T) {
	f := newFactor(t)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	require.Equal(t, []string{"What was the name of your first teacher?",
		"Which book did you read most often?", "My own question, about the lake"},
		f.Describe(out.State).Questions)
	for _, plain := range []string{"dahl", "Zauber", "café", "cafe"} {
		require.NotContains(t, strings.ToLower(string(out.State)), plain, "answers are hashed")
	}
	for _, r := range []string{correct, correct + "\n", strings.ReplaceAll(correct, "\n", "\r\n"),
		"  MS  ØSTER-DAHL \nder zauberberg\nABC CAFÉ"} {
		require.NoError(t, verify(t, f, out.State, r), "%q", r)
	}
}

// One incorrect line fails like three, and no error says which it was.
func TestVerify_WantsAllThree(t *testing.T) {
	f := newFactor(t)
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	answers := strings.Split(correct, "\n")
	said := map[string]bool{}
	for incorrect := 1; incorrect < 8; incorrect++ {
		given := make([]string, 3)
		for i := range given {
			given[i] = answers[i]
			if incorrect>>i&1 == 1 {
				given[i] = "something else"
			}
		}
		err := verify(t, f, out.State, strings.Join(given, "\n"))
		require.ErrorIs(t, err, factor.ErrIncorrect)
		said[err.Error()] = true
	}
	require.Len(t, said, 1)
	require.ErrorIs(t, verify(t, f, out.State, answers[1]+"\n"+answers[0]+"\n"+answers[2]),
		factor.ErrIncorrect, "in their order")
}

func TestEnroll_Refuses(t *testing.T) {
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
func TestEnroll_LimitsAreInCharacters(t *testing.T) {
	f := newFactor(t)
	long := with("question1", strings.Repeat("где ", 39)+"она?", "answer1",
		strings.Repeat("Ж", 128))
	out, err := f.Enroll(t.Context(), factor.EnrollInput{Params: long})
	require.NoError(t, err)
	require.Len(t, f.Describe(out.State).Questions, 3)
	require.NoError(t, verify(t, f, out.State, strings.Repeat("ж", 128)+
		correct[strings.IndexByte(correct, '\n'):]))
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

// Answers that were hashed with other parameters are hashed anew by the next correct ones.
func TestVerify_Rehashes(t *testing.T) {
	old := newFactor(t)
	now, err := questions.New(questions.Config{Memory: 12288, Passes: 3, Threads: 1})
	require.NoError(t, err)
	out, err := old.Enroll(t.Context(), factor.EnrollInput{Params: chosen})
	require.NoError(t, err)
	normal, err := now.Normalize(correct)
	require.NoError(t, err)
	v, err := now.Verify(t.Context(), factor.VerifyInput{State: out.State,
		Response: secret.New(normal)})
	require.NoError(t, err)
	require.Contains(t, string(v.State), "m=12288,t=3")
	require.Equal(t, old.Describe(out.State).Questions, now.Describe(v.State).Questions)
	require.NoError(t, verify(t, now, v.State, correct))
	v, err = now.Verify(t.Context(), factor.VerifyInput{State: v.State,
		Response: secret.New(normal)})
	require.NoError(t, err)
	require.Nil(t, v.State)
}

func TestNormalize_RefusesMalformedResponses(t *testing.T) {
	f := newFactor(t)
	for _, r := range []string{"", "one", "one\ntwo", "one\ntwo\nthree\nfour", "one\n\nthree",
		"one\ntwo\n ... ", "one\ntwo\n" + strings.Repeat("x", 129)} {
		_, err := f.Normalize(r)
		require.ErrorIs(t, err, factor.ErrMalformed, "%q", r)
	}
	for _, state := range []string{"", "{}", `{"v":2}`, `{"v":1,"q":["a"],"h":""}`} {
		_, err := f.Verify(t.Context(), factor.VerifyInput{State: []byte(state),
			Response: secret.New("a\nb\nc")})
		require.Error(t, err)
		require.NotErrorIs(t, err, factor.ErrIncorrect)
		require.Nil(t, f.Describe([]byte(state)).Questions)
	}
}

func TestSuggestions_AreCopies(t *testing.T) {
	seen := map[string]bool{}
	for _, locale := range []string{"en", "nl", "nb", "de"} {
		list := questions.Suggestions(locale)
		require.GreaterOrEqual(t, len(list), 8)
		for _, q := range list {
			require.False(t, seen[q], q)
			seen[q] = true
		}
		_, err := newFactor(t).Enroll(t.Context(),
			factor.EnrollInput{Params: map[string]secret.Text{"question1": secret.New(list[0]),
				"question2": secret.New(list[1]), "question3": secret.New(list[2]),
				"answer1": secret.New("xylophone"), "answer2": secret.New("zeppelin"),
				"answer3": secret.New("quagga")}})
		require.NoError(t, err)
	}
	require.Equal(t, questions.Suggestions("nb"), questions.Suggestions("no-NO"))
	require.Equal(t, questions.Suggestions("en"), questions.Suggestions("is"))
	questions.Suggestions("en")[0] = "changed"
	require.NotEqual(t, "changed", questions.Suggestions("en")[0])
}

func FuzzNormalize(f *testing.F) {
	q := newFactor(f)
	for _, s := range []string{correct, "a\nb\nc", "ß\nSS\nẞ", "\u212a\nk\nﬁ", "\xff\n\n",
		strings.Repeat("\ufdfa", 40) + "\nb\nc"} {
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
	out, err := f.Enroll(context.Background(), factor.EnrollInput{
		Params: map[string]secret.Text{"question1": secret.New(questions.Suggestions("en")[0]),
			"answer1": secret.New("Ms. Miller"), "question2": secret.New(
				questions.Suggestions("en")[1]), "answer2": secret.New("Momo"),
			"question3": secret.New("Which song did your uncle hum?"),
			"answer3":   secret.New("None at all")}})
	if err != nil {
		panic(err)
	}
	response, _ := f.Normalize("ms miller\nMOMO\nnone  at all!")
	_, err = f.Verify(context.Background(), factor.VerifyInput{State: out.State,
		Response: secret.New(response)})
	fmt.Println(err)
	// Output: <nil>
}
