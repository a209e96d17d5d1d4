package texts_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
)

// otherTerms are words that the texts of a language do not use, with the one to use. Most are a
// second word for one thing, which docs/ui-words.md forbids; some are a second spelling.
var otherTerms = []struct{ tag, words, instead string }{
	{"ar", `اً`, "ً before the alif"},
	{"ar", `اسأل ال`, "تواصل مع"},
	{"fi", `menetelm`, "kirjautumistapa"},
	{"fi", `hanki`, "pyydä"},
	{"he", `דוא`, "אימייל"},
	{"he", `העמוד`, "הדף"},
	{"ja", `交換`, "置き換え"},
	{"ja", `使用(して|でき)`, "使って, 使え"},
	{"ko", `(^|[^용] )중지된 방법`, "사용 중지된 방법"},
	{"nb", `steg(et|ene)?`, "trinn"},
	{"nb", `pålogging|logg(e|er|et)? på( |[.]|$)`, "innlogging, logge inn"},
	{"nb", `konfigurer`, "sette opp"},
	{"nb", `tapt (enhet|metode|innlogging)`, "mistet"},
	{"nb", `sms`, "tekstmelding"},
	{"nb", `skilletegn`, "spesialtegn"},
	{"sv", `återställ alla inloggningsmetoder`, "nollställ, for an administrator"},
	{"zh-Hans", `方法`, "方式"},
	{"zh-Hans", `暂缓`, "等待期"},
	{"zh-Hans", `面孔`, "面容"},
	{"zh-Hant", `方法`, "方式"},
	{"zh-Hant", `暫緩`, "等待期"},
	{"zh-Hant", `安全(設定|金鑰|問題)`, "安全性"},
	{"zh-Hant", `重新新增`, "再次新增"},
}

func TestTexts_UseOneTermForOneThing(t *testing.T) {
	for _, other := range otherTerms {
		begin := `(?i)(^|[^\pL])`
		if slices.Contains(unspaced, other.tag) || other.tag == "ar" || other.tag == "fi" {
			begin = `(?i)`
		}
		words := regexp.MustCompile(begin + "(" + other.words + ")")
		for _, e := range entries(t, other.tag) {
			require.NotRegexp(t, words, e.Text, "%s: %s: write %s", other.tag, e.Key, other.instead)
		}
	}
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
// with a full stop in that of its month: neither means anything alone.
func TestTexts_KeepANumberAndItsUnitTogether(t *testing.T) {
	short := regexp.MustCompile(`^(\{n\}|1) \pL{1,3}$|^\{day\}\. `)
	for _, tag := range []string{"da", "fi", "nb"} {
		for _, e := range entries(t, tag) {
			if strings.HasPrefix(e.Key, "time.") || e.Key == "date.format" {
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
