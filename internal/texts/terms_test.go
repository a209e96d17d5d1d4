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

// otherTerms are the beginnings of words that the texts of a language do not use, with the one to
// use. Most are a second word for one thing, which
// docs/ui-words.md forbids; some are a second spelling, or would be read as something else, such as
// "in 3 minutes" in Hindi with the word for "within".
var otherTerms = []struct{ tag, words, instead string }{
	{"ar", `اً`, "ً before the alif"},
	{"ar", `اسأل ال`, "تواصل مع"},
	{"cs", `pravidl`, "zásady"},
	{"cs", `nastavení zabezpečení`, "bezpečnostní nastavení"},
	{"de", `fehlgeschlagen`, "Fehlversuche"},
	{"de", `gespeicherte[ns]? geräte?`, "gemerkte Geräte"},
	{"de", `benutzerart`, "Typ"},
	{"es", `métodos? eliminados?`, "quitado"},
	{"fi", `menetelm`, "kirjautumistapa"},
	{"fi", `hanki`, "pyydä"},
	{"he", `דוא`, "אימייל"},
	{"he", `העמוד`, "הדף"},
	{"hi", `संदेश` + end, "एसएमएस, ईमेल"},
	{"hi", `उपयोग` + end, "इस्तेमाल"},
	{"hi", `दूसरा मेल` + end, "दूसरा ईमेल"},
	{"hi", `\{time\} में|सेकंड में (फिर|\{n\}|और)` + end, "बाद"},
	{"it", `e-mail` + end, "email"},
	{"it", `criteri`, "regole"},
	{"ja", `交換`, "置き換え"},
	{"ja", `使用(して|でき)`, "使って, 使え"},
	{"ko", `(^|[^용] )중지된 방법`, "사용 중지된 방법"},
	{"nb", `steg(et|ene)?`, "trinn"},
	{"nb", `pålogging|logg(e|er|et)? på( |[.]|$)`, "innlogging, logge inn"},
	{"nb", `konfigurer`, "sette opp"},
	{"nb", `tapt (enhet|metode|innlogging)`, "mistet"},
	{"nb", `sms`, "tekstmelding"},
	{"nb", `skilletegn`, "spesialtegn"},
	{"nl", `\pL*methodes` + end, "methoden"},
	{"nl", `wachtwoordbeheerder`, "wachtwoordmanager"},
	{"nl", `toepassing`, "app"},
	{"nl", `stopgezet`, "uitgeschakeld"},
	{"nl", `foute` + end, "verkeerde"},
	{"nl", `voer` + end, "vul in"},
	{"pl", `poprawn`, "prawidłowy"},
	{"pt-BR", `aplicativo autenticador`, "app autenticador"},
	{"pt-BR", `sem sucesso` + end, "malsucedida"},
	{"sv", `återställ alla inloggningsmetoder`, "nollställ, for an administrator"},
	{"tr", `[iİ]leti` + end, "SMS"},
	{"tr", `kurun` + end + `|kurmak` + end, "ekleyin, eklemek"},
	{"uk", `крок`, "етап"},
	{"uk", `вилучено` + end, "видалено"},
	{"uk", `правило` + end, "політика"},
	{"zh-Hans", `方法`, "方式"},
	{"zh-Hans", `暂缓`, "等待期"},
	{"zh-Hans", `面孔`, "面容"},
	{"zh-Hant", `方法`, "方式"},
	{"zh-Hant", `暫緩`, "等待期"},
	{"zh-Hant", `安全(設定|金鑰|問題)`, "安全性"},
	{"zh-Hant", `重新新增`, "再次新增"},
}

// end is the end of a word.
const end = `($|[^\pL\pM])`

// One thing has one name, in the pages, the administration and the mails.
func TestTexts_UseOneTermForOneThing(t *testing.T) {
	for _, other := range otherTerms {
		begin := `(?i)(^|[^\pL\pM])`
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
