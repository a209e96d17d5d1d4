package texts_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
)

// One thing has one name, in the pages, the administration and the mails.
func TestTexts_UseOneTermForOneThing(t *testing.T) {
	brief.SkipOneGoroutine(t)
	follow(t, "terms")
}

// In Japanese there is no space between a word and a number, a Latin word or a value.
func TestTexts_SpaceInJapanese(t *testing.T) {
	word := `[\p{Hiragana}\p{Katakana}\p{Han}ー]`
	space := regexp.MustCompile(word + ` [A-Za-z0-9{]|[A-Za-z0-9}] ` + word)
	for _, e := range entries(t, "ja") {
		require.NotRegexp(t, space, e.Text, e.Key)
	}
}

// A phone number in a sentence from right to left is isolated: its plus sign and its groups of
// digits would change places.
func TestTexts_IsolatePhoneNumbers(t *testing.T) {
	bare := regexp.MustCompile(`(?:^|[^\x{2066}])\+\d`)
	for _, tag := range []string{"ar", "he"} {
		for _, e := range entries(t, tag) {
			require.NotRegexp(t, bare, e.Text, "%s: %s", tag, e.Key)
		}
	}
}

// A number stays in the line of its unit where that is one letter or a few, and a day that ends
// with a full stop in that of its month: neither means anything alone. A word such as "at" stays in
// the line of the time.
func TestTexts_KeepANumberAndItsUnitTogether(t *testing.T) {
	short := regexp.MustCompile(`^(\{n\}|1) \pL{1,3}$|` +
		`\{day\}[^{}]* [^{}]*\{month\}|\{month\}[^{}]* [^{}]*\{day\}|\pL\.? \{time\}$`)
	for _, tag := range texts.Tags() {
		for _, e := range entries(t, tag) {
			if strings.HasPrefix(e.Key, "time.") || strings.HasPrefix(e.Key, "date.") {
				require.NotRegexp(t, short, e.Text, "%s: %s: use U+00A0", tag, e.Key)
			}
		}
	}
}

// A text message has no space that does not break, although the texts in it have.
func TestMessage_HasSpacesThatBreak(t *testing.T) {
	l := texts.Get("fi")
	require.Contains(t, l.Lifetime(10*time.Minute), "\u00a0")
	said := l.Message("sms.code", "code", "012345", "service", "Acme",
		"time", l.Lifetime(10*time.Minute))
	require.Contains(t, said, "voimassa 10 min.")
	require.NotContains(t, said, "\u00a0")
}

// "All" agrees with the noun that it stands for, so each noun has a text of its own.
func TestTexts_AgreeWithTheirNoun(t *testing.T) {
	all := func(tag string) (list []string) {
		words := texts.For(tag)
		for _, noun := range []string{"types", "statuses", "methods"} {
			list = append(list, words.Bare("admin.all-"+noun))
		}
		return list
	}
	for tag, want := range map[string]string{"cs": "Všechny Všechny Všechny",
		"de": "Alle Alle Alle", "es": "Todos Todos Todos", "fr": "Tous Tous Toutes",
		"it": "Tutti Tutti Tutti", "pl": "Wszystkie Wszystkie Wszystkie",
		"pt-BR": "Todos Todos Todos", "uk": "Усі Усі Усі"} {
		require.Equal(t, want, strings.Join(all(tag), " "), tag)
	}
	require.Equal(t, "Aucune", texts.For("fr").Bare("admin.none"), "of the methods")
}
