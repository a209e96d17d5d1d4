package ui_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ruledOut are words that the English texts do not use, by the word that they use instead.
// docs/ui-words.md describes the vocabulary.
var ruledOut = []struct{ word, instead string }{
	{`please`, "the instruction alone"},
	{`(wrong|right) answers?`, "failed attempts, correct"},
	{`(is|are|was|were|not) right`, "correct, wrong"},
	{`incorrect`, "wrong"},
	{`stopped`, "disabled"},
	{`good for`, "valid for"},
	{`on its way`, "sent"},
	{`(is|time is) over`, "expired, up"},
	{`begin`, "start"},
	{`go on`, "continue"},
	{`confirm(ed)? (this|your|the) (e-mail )?address`, "verify"},
	{`address (is|was) confirmed`, "verified"},
	{`email`, "e-mail"},
	{`(log|logged|logging) (in|out)|login`, "sign in, sign out"},
	{`person|people|somebody|someone|whoever`, "you, support, others"},
	{`trusted (device|browser)s?`, "remembered device"},
	{`backup codes?`, "recovery code"},
	{`(authentication|authenticating|authentication's) app|2fa|two-factor|one-time (code|password)|otp`, "authenticator app, code"},
	{`security keys? or passkeys?`, "passkey"},
	{`(set-?up|setup) link`, "recovery link"},
	{`void|judge|budget|binding`, "a word for users"},
}

// allowed are texts that may use a word which is ruled out elsewhere: none so far.
var allowed []string

func TestWords_KeepToTheVocabulary(t *testing.T) {
	english := textsOf(t, "en")
	for _, r := range ruledOut {
		pattern := wordPattern(r.word)
		for key, text := range english {
			if found := pattern.FindString(text); found != "" && !slices.Contains(allowed, key) {
				t.Errorf("%s: %q in %q: write %s", key, found, text, r.instead)
			}
		}
	}
}

// An answer is what the user gives to a security question, and nothing else.
func TestWords_OnlySecurityQuestionsHaveAnswers(t *testing.T) {
	pattern := wordPattern(`answer(s|ed)?`)
	for key, text := range textsOf(t, "en") {
		about := strings.Contains(key, "question") || strings.Contains(key, "problem.answer")
		if !about && pattern.MatchString(text) {
			t.Errorf("%s: %q: only security questions have answers", key, text)
		}
	}
}

// Only a code that follows another is a new one.
func TestWords_FirstCodeIsNotANewOne(t *testing.T) {
	pattern := wordPattern(`new code|another code`)
	for key, text := range textsOf(t, "en") {
		first := strings.HasPrefix(key, "send.") || strings.HasPrefix(key, "verify.") ||
			strings.HasPrefix(key, "enroll.") || strings.HasPrefix(key, "enrollment.")
		if first && pattern.MatchString(text) {
			t.Errorf("%s: %q may be about the first code", key, text)
		}
	}
}

func TestWords_FindWhatIsRuledOut(t *testing.T) {
	for _, text := range []string{
		"Please wait.", "Too many wrong answers.", "That code is not right.",
		"The method is stopped.",
		"It is good for an hour.", "Confirm your e-mail address", "Your email", "Log in again",
	} {
		require.True(t, slices.ContainsFunc(ruledOut, func(r struct{ word, instead string }) bool {
			return wordPattern(r.word).MatchString(text)
		}), text)
	}
}

// The document names each kind as the pages do.
func TestWords_AreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/ui-words.md")
	require.NoError(t, err)
	for key, text := range textsOf(t, "en") {
		if strings.HasPrefix(key, "kind.") {
			require.Contains(t, strings.ToLower(string(doc)), strings.ToLower(text), key)
		}
	}
}

func wordPattern(word string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(` + word + `)\b`)
}
