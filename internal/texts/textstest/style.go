package textstest

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Rules are the rules of style that the texts of a language follow, by name: "terms", "address",
// "please", "quotes", "endings" and "punctuation". Each returns what a text has that it does not
// permit, or "". docs/ui-words.md has the reasons.
func Rules(tag string) map[string]func(text string) string {
	return map[string]func(string) string{
		"terms":       firstOf(termsOf(tag)),
		"address":     firstOf(addressOf(tag)),
		"please":      pleaOf(tag),
		"quotes":      quotesOf(tag),
		"endings":     firstOf([]pattern{{endings, "one ending"}}),
		"punctuation": firstOf(punctuationOf(tag)),
	}
}

// pattern is what a text does not have, and what to write instead.
type pattern struct {
	words   *regexp.Regexp
	instead string
}

// firstOf returns a rule that no text matches one of the patterns.
func firstOf(list []pattern) func(string) string {
	return func(text string) string {
		for _, p := range list {
			if found := p.words.FindString(text); found != "" {
				return found + ": write " + p.instead
			}
		}
		return ""
	}
}

// unspaced are the languages whose words have no space between them, or endings without one.
var unspaced = []string{"ja", "ko", "zh-Hans", "zh-Hant"}

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
	{"he", `דוא["״”]?ל|דואר אלקטרוני`, "אימייל"},
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

// termsOf returns the second words for one thing in a language.
func termsOf(tag string) (list []pattern) {
	begin := `(?i)(^|[^\pL\pM])`
	if slices.Contains(unspaced, tag) || tag == "ar" || tag == "fi" {
		begin = `(?i)`
	}
	for _, other := range otherTerms {
		if other.tag == tag {
			list = append(list, pattern{regexp.MustCompile(begin + "(" + other.words + ")"),
				other.instead})
		}
	}
	return list
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

// addressOf returns the words of the form of address that a language does not use.
func addressOf(tag string) []pattern {
	words, ok := otherForms[tag]
	if !ok {
		return nil
	}
	begin, end := `(?:^|[^\pL\pM])`, `(?:$|[^\pL\pM])`
	if slices.Contains(unspaced, tag) {
		begin, end = "", ""
	}
	return []pattern{{regexp.MustCompile("(?i)" + begin + "(?:" + words + ")" + end),
		"the other form of address"}}
}

// pleas are the words for "please". docs/ui-words.md wants the instruction alone. In Chinese,
// Japanese and Korean an instruction is rude without them.
var pleas = map[string]string{"ar": "من فضلك", "cs": "prosím", "da": "venligst",
	"de": "bitte", "en": "please", "es": "por favor", "fi": "ole hyvä", "fr": "veuillez",
	"he": "בבקשה", "hi": "कृपया", "it": "per favore", "nb": "vennligst", "nl": "alsjeblieft",
	"pl": "proszę", "pt-BR": "por favor", "sv": "vänligen", "tr": "lütfen",
	"uk": "будь ласка", "ja": "", "ko": "", "zh-Hans": "", "zh-Hant": ""}

// pleaOf returns a rule that a text does not say "please".
func pleaOf(tag string) func(string) string {
	please, listed := pleas[tag]
	return func(text string) string {
		if !listed {
			return "no word for please is listed"
		}
		words := strings.FieldsFunc(strings.ToLower(text), unicode.IsSpace)
		if please == "" || !strings.Contains(" "+strings.Join(words, " ")+" ", " "+please+" ") {
			return ""
		}
		return please
	}
}

// quotes are the quotation marks of each language.
var quotes = map[string]string{"ar": "«»", "cs": "„“", "da": "”", "de": "„“", "en": "“”",
	"es": "«»", "fi": "”", "fr": "«»", "he": "”", "hi": "“”", "it": "«»", "ja": "「」", "ko": "“”",
	"nb": "«»", "nl": "‘’", "pl": "„”", "pt-BR": "“”", "sv": "”", "tr": "“”", "uk": "«»",
	"zh-Hans": "“”", "zh-Hant": "「」"}

// quotesOf returns a rule that a text has the quotation marks of its language alone, and ’ as its
// apostrophe.
func quotesOf(tag string) func(string) string {
	return func(text string) string {
		for _, mark := range text {
			if strings.ContainsRune("\"'‘’‚‛“”„‟«»‹›「」『』", mark) &&
				!strings.ContainsRune(quotes[tag]+"’", mark) {
				return string(mark)
			}
		}
		return ""
	}
}

// endings are two endings for one word, as in "zalogowany(-a)".
var endings = regexp.MustCompile(
	`[\p{Latin}\p{Cyrillic}][(/]-?[\p{Latin}\p{Cyrillic}]`)

// punctuationOf returns the punctuation that a language does not have: in French a colon, a
// question mark and the like without a space that does not break, and in Chinese and Japanese
// punctuation that is narrower than a character.
func punctuationOf(tag string) []pattern {
	switch tag {
	case "fr":
		return []pattern{{regexp.MustCompile(`[^\d\x{a0}\x{202f}][:;?!»]( |$)`), "U+00A0 before"}}
	case "ja", "zh-Hans", "zh-Hant":
		wide := `[\p{Han}\p{Hiragana}\p{Katakana}ー」』）}]`
		return []pattern{{regexp.MustCompile(wide + `[,;:?!]|[,;:?!)]` + wide + `|` + wide + ` ?\(`),
			"，；：？！（）"}}
	}
	return nil
}
