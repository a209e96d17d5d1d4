package texts_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/internal/texts/textstest"
)

// follow checks the texts of each language by one of its rules.
func follow(t *testing.T, rule string) {
	t.Helper()
	for _, tag := range texts.Tags() {
		broken := textstest.Rules(tag)[rule]
		for _, e := range entries(t, tag) {
			if rule == "punctuation" && strings.HasPrefix(e.Key, "sms.") {
				continue // the alphabet of text messages has one space
			}
			require.Empty(t, broken(e.Text), "%s: %s", tag, e.Key)
		}
	}
}

func TestTexts_InstructWithoutPlease(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "please")
}

func TestTexts_AddressUsersInOneForm(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "address")
}

// A language has one form of quotation marks, and an apostrophe is a ’.
func TestTexts_QuoteInOneForm(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "quotes")
}

// A text has one ending, as in "Sesja nadal trwa", and not "zalogowany(-a)": a screen reader reads
// both, and neither is a word.
func TestTexts_HaveOneEnding(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "endings")
}

// A browser ends a day in Ukrainian with "р.": a full stop after it would be the second.
func TestTexts_EndNoSentenceWithADayInUkrainian(t *testing.T) {
	for _, e := range entries(t, "uk") {
		require.NotContains(t, e.Text, "{day}.", e.Key)
	}
}

// In French a space that does not break goes before a colon, a question mark and the like, and in
// Chinese the punctuation is as wide as a character.
func TestTexts_PunctuateAsTheirLanguageDoes(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "punctuation")
}

// Each rule finds a text that breaks it, and passes another.
func TestRules_FindWhatIsNotPermitted(t *testing.T) {
	for rule, c := range map[string]struct{ tag, bad, good string }{
		"terms":       {"it", "Inserisca un indirizzo e-mail.", "Inserisca un indirizzo email."},
		"address":     {"es", "Introduce tu código.", "Introduzca su código."},
		"please":      {"fr", "Veuillez réessayer.", "Réessayez."},
		"quotes":      {"pl", "Link “tutaj”.", "Link „tutaj”."},
		"endings":     {"pl", "zalogowany(-a)", "Sesja nadal trwa"},
		"punctuation": {"fr", "Rien reçu ?", "Rien reçu\u00a0?"},
	} {
		broken := textstest.Rules(c.tag)[rule]
		require.NotEmpty(t, broken(c.bad), rule)
		require.Empty(t, broken(c.good), rule)
	}
	require.Len(t, textstest.Rules("en"), 6)
	require.NotEmpty(t, textstest.Rules("eo")["please"]("Provu denove."), "no word is listed")
}
