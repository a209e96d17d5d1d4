package texts_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
)

// pleas are the words for "please". docs/ui-words.md wants the instruction alone. In Chinese,
// Japanese and Korean an instruction is rude without them.
var pleas = map[string]string{"ar": "من فضلك", "cs": "prosím", "da": "venligst",
	"de": "bitte", "en": "please", "es": "por favor", "fi": "ole hyvä", "fr": "veuillez",
	"he": "בבקשה", "hi": "कृपया", "it": "per favore", "nb": "vennligst", "nl": "alsjeblieft",
	"pl": "proszę", "pt-BR": "por favor", "sv": "vänligen", "tr": "lütfen",
	"uk": "будь ласка"}

func TestTexts_InstructWithoutPlease(t *testing.T) {
	spoken := []string{"ja", "ko", "zh-Hans", "zh-Hant"}
	require.Len(t, texts.Tags(), len(pleas)+len(spoken))
	for tag, please := range pleas {
		for _, e := range entries(t, tag) {
			words := strings.FieldsFunc(strings.ToLower(e.Text), unicode.IsSpace)
			require.NotContains(t, " "+strings.Join(words, " ")+" ", " "+please+" ",
				"%s: %s", tag, e.Key)
		}
	}
}

// otherForms are pronouns and verbs of the form of address that the texts of a language do not use:
// the familiar one, in Dutch the polite one, in Arabic and Hebrew the commands to a group or to one
// man, and in Korean the informal endings.
var otherForms = map[string]string{"cs": "tvůj|tvoje|máš|můžeš|tě",
	"de": "du|deine?|deinen|dir|dich",
	"es": "tus?|te|ti|has|puedes", "fr": "tu|ton|tes|toi", "hi": "तुम|तू|तुम्हारा|तुम्हें",
	"it": "tuo|tua|tuoi|tue|ti|hai|puoi|aggiungilo", "nl": "u|uw|uzelf",
	"tr": "sen|senin|seni|sana", "uk": "ти|твій|твоя|твої|тебе|тобі", "zh-Hans": "你", "zh-Hant": "你",
	"ar": "أنتم|لديكم|حسابكم|هاتفكم|بريدكم|يمكنكم|عليكم|أدخلوا|اختاروا|حاولوا|استخدموا",
	"da": `(?-i:[\pL,]+ (?:De|Dem|Deres))`,
	"fi": "te|teidän|teitä|teille|teiltä|tilinne|koodinne|salasananne|osoitteenne|antakaa|valitkaa",
	"he": "אתה|אתם|הזן|הזיני|בחר|בחרי|נסה|נסי|לחץ|היכנס|פנה|אנא",
	"ja": "お客様|貴方|君|である。|だ。",
	"ko": `당신|여러분|[가나해돼봐줘어아예]요(?:[.?!”]|$)`,
	"nb": `(?-i:[\pL,]+ (?:De|Dem|Deres))`,
	"sv": "ni|er|ert|era"}

// unspaced are the languages whose words have no space between them, or endings without one.
var unspaced = []string{"ja", "ko", "zh-Hans", "zh-Hant"}

func TestTexts_AddressUsersInOneForm(t *testing.T) {
	for tag, words := range otherForms {
		begin, end := `(?:^|[^\pL\pM])`, `(?:$|[^\pL\pM])`
		if slices.Contains(unspaced, tag) {
			begin, end = "", ""
		}
		other := regexp.MustCompile("(?i)" + begin + "(?:" + words + ")" + end)
		for _, e := range entries(t, tag) {
			require.NotRegexp(t, other, e.Text, "%s: %s", tag, e.Key)
		}
	}
}

// quotes are the quotation marks of each language.
var quotes = map[string]string{"ar": "«»", "cs": "„“", "da": "”", "de": "„“", "en": "“”",
	"es": "«»", "fi": "”", "fr": "«»", "he": "”", "hi": "“”", "it": "«»", "ja": "「」", "ko": "“”",
	"nb": "«»", "nl": "‘’", "pl": "„”", "pt-BR": "“”", "sv": "”", "tr": "“”", "uk": "«»",
	"zh-Hans": "“”", "zh-Hant": "「」"}

// A language has one form of quotation marks, and an apostrophe is a ’.
func TestTexts_QuoteInOneForm(t *testing.T) {
	for _, tag := range texts.Tags() {
		require.Contains(t, quotes, tag)
		for _, e := range entries(t, tag) {
			for _, mark := range e.Text {
				if strings.ContainsRune("\"'‘’‚‛“”„‟«»‹›「」『』", mark) {
					require.Contains(t, quotes[tag]+"’", string(mark), "%s: %s", tag, e.Key)
				}
			}
		}
	}
}

// A text has one ending, as in "Sesja nadal trwa", and not "zalogowany(-a)": a screen reader reads
// both, and neither is a word.
func TestTexts_HaveOneEnding(t *testing.T) {
	endings := regexp.MustCompile(`[\p{Latin}\p{Cyrillic}][(/]-?[\p{Latin}\p{Cyrillic}]`)
	for _, tag := range texts.Tags() {
		for _, e := range entries(t, tag) {
			require.NotRegexp(t, endings, e.Text, "%s: %s", tag, e.Key)
		}
	}
}

// A browser ends a day in Ukrainian with "р.": a full stop after it would be the second.
func TestTexts_EndNoSentenceWithADayInUkrainian(t *testing.T) {
	for _, e := range entries(t, "uk") {
		require.NotContains(t, e.Text, "{day}.", e.Key)
	}
}

// In French a space that does not break goes before a colon, a question mark and the like. A text
// message has no such space in its alphabet.
func TestTexts_PunctuateInFrench(t *testing.T) {
	tight := regexp.MustCompile(`[^\d\x{a0}\x{202f}][:;?!»]( |$)`)
	for _, e := range entries(t, "fr") {
		if !strings.HasPrefix(e.Key, "sms.") {
			require.NotRegexp(t, tight, e.Text, e.Key)
		}
	}
}

// In Chinese the punctuation is as wide as a character.
func TestTexts_PunctuateInChinese(t *testing.T) {
	narrow := regexp.MustCompile(`\p{Han}[,;:?!]|[,;:?!]\p{Han}`)
	for _, tag := range []string{"zh-Hans", "zh-Hant"} {
		for _, e := range entries(t, tag) {
			require.NotRegexp(t, narrow, e.Text, "%s: %s", tag, e.Key)
		}
	}
}
