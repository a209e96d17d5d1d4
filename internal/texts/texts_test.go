package texts_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
)

func entries(t *testing.T, tag string) []texts.Entry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("files", tag+".json"))
	require.NoError(t, err)
	list, err := texts.Parse(b)
	require.NoError(t, err)
	return list
}

// Every language has every text, with the placeholders of the English one and a form for each
// plural category: nothing is shown in English to a user of another language.
func TestTexts_AreCompleteInEveryLanguage(t *testing.T) {
	require.GreaterOrEqual(t, len(texts.Tags()), 4)
	for _, tag := range texts.Tags() {
		for _, fault := range texts.Check(tag, entries(t, tag), texts.Get(texts.English)) {
			t.Errorf("%s: %s", tag, fault)
		}
	}
}

// Each fault that Check looks for is found.
func TestCheck_FindsWhatIsWrong(t *testing.T) {
	change := func(tag string, with map[string]string) []texts.Entry {
		list := entries(t, tag)
		for key, text := range with {
			list = slices.DeleteFunc(list, func(e texts.Entry) bool { return e.Key == key })
			if text != "-" {
				list = append(list, texts.Entry{Key: key, Text: text})
			}
		}
		return list
	}
	for name, test := range map[string]struct {
		tag  string
		with map[string]string
		want string
	}{
		"missing": {"nl", map[string]string{"cancel": "-"},
			`cancel: missing; English: "Cancel"`},
		"unknown": {"nl", map[string]string{"cancle": "x"},
			"cancle: English has no such key"},
		"placeholder": {"nl", map[string]string{"send.to": "Naar {t}"},
			"send.to: has the placeholders [t], and English [to]"},
		"no placeholder": {"nl", map[string]string{"send.to": "Naar"},
			"send.to: has the placeholders []"},
		"empty": {"nl", map[string]string{"cancel": " "},
			"cancel: one of it and the English text is empty"},
		"category": {"nl", map[string]string{"admin.days.one": "-"},
			"admin.days.one: missing"},
		"strange one": {"nl", map[string]string{"admin.days.few": "{n}"},
			`admin.days.few: the plural rules of nl have no "few"`},
		"needed many": {"uk", map[string]string{"admin.days.many": "-"},
			"admin.days.many: missing"},
		"number left out": {"uk", map[string]string{"recovery.left.one": "одне"},
			"recovery.left.one: has the placeholders []"},
		"quotation": {"nl", map[string]string{
			"mail.named": "{name} {kind}"},
			"mail.named: {name} must stand between quotation marks"},
		"name":      {"nl", map[string]string{"language.name": "-"}, "language.name"},
		"direction": {"he", map[string]string{"language.direction": "ltr"}, `language.direction: must be "rtl"`},
		"review":    {"nl", map[string]string{"language.review": "yes"}, "language.review"},
		"months": {"nl", map[string]string{"date.months": "jan feb"},
			"date.months: must be twelve words, not 2"},
	} {
		all := strings.Join(texts.Check(test.tag, change(test.tag, test.with),
			texts.Get(texts.English)), "\n")
		require.Contains(t, all, test.want, name)
	}
}

// Files are sorted, one text a line, so that changes of two branches meet rarely.
func TestTexts_AreSorted(t *testing.T) {
	for _, tag := range texts.Tags() {
		list := entries(t, tag)
		require.True(t, slices.IsSortedFunc(list, func(a, b texts.Entry) int {
			return strings.Compare(a.Key, b.Key)
		}), "%s: sort the keys", tag)
		for i, e := range list {
			require.Equal(t, i+2, e.Line, "%s: %s: one text a line", tag, e.Key)
		}
	}
}

// counted are the keys of texts about a number.
func counted(t *testing.T) (keys []string) {
	english := texts.Get(texts.English)
	for _, key := range english.Keys() {
		if base, ok := english.Counted(key); ok && strings.HasSuffix(key, ".other") {
			keys = append(keys, base)
		}
	}
	require.Greater(t, len(keys), 10)
	return keys
}

// A text says a number in the form that the language has for it: never "1 codes".
func TestTexts_CountInEveryLanguage(t *testing.T) {
	for _, tag := range texts.Tags() {
		l := texts.Get(tag)
		for _, key := range counted(t) {
			for _, n := range []int{0, 1, 2, 3, 5, 11, 21, 100, 1_000_000} {
				args := []any{"n", n, "service", "Acme", "name", "Ann", "time", "x"}
				got, err := l.Text(key, args...)
				require.NoError(t, err, "%s %s %d", tag, key, n)
				require.NotContains(t, got, "{", "%s %s %d", tag, key, n)
			}
		}
	}
	for tag, forms := range map[string]map[int]string{
		"en": {0: "You have 0 recovery codes left.", 1: "You have one recovery code left.",
			2: "You have 2 recovery codes left.", 21: "You have 21 recovery codes left.",
			1_000_000: "You have 1,000,000 recovery codes left."},
		"nl": {1: "Je hebt nog één herstelcode.", 1_000_000: "Je hebt nog 1.000.000 herstelcodes."},
	} {
		for n, want := range forms {
			require.Equal(t, want, texts.Get(tag).Say("recovery.left", "n", n))
		}
	}
}

// The categories are those of Unicode CLDR for whole numbers.
func TestCategories_FollowTheRulesOfTheLanguage(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "one other", "fr": "one other", "ja": "other", "zh-Hant": "other",
		"cs": "few one other", "pl": "few many one", "uk": "few many one",
		"ar": "few many one other two zero", "he": "many one other two",
	} {
		var have []string
		for category := range texts.Categories(tag) {
			have = append(have, category)
		}
		slices.Sort(have)
		if tag == "pl" || tag == "uk" {
			have = slices.DeleteFunc(have, func(c string) bool { return c == "other" })
		}
		require.Equal(t, want, strings.Join(have, " "), tag)
	}
	l := texts.New("uk", []texts.Entry{{Key: "codes.one", Text: "{n} код"},
		{Key: "codes.few", Text: "{n} коди"}, {Key: "codes.many", Text: "{n} кодів"}}, nil)
	for n, want := range map[int]string{0: "0 кодів", 1: "1 код", 2: "2 коди", 5: "5 кодів",
		11: "11 кодів", 21: "21 код", 22: "22 коди", 100: "100 кодів", -1: "-1 код"} {
		require.Equal(t, want, l.Say("codes", "n", n))
	}
}

func TestNumber_UsesEuropeanDigits(t *testing.T) {
	for tag, want := range map[string]string{"en": "1,234,567", "de": "1.234.567",
		"hi": "12,34,567", "ar": "1,234,567", "ja": "1,234,567"} {
		require.Equal(t, want, texts.New(tag, nil, nil).Number(1234567), tag)
	}
}

// A text that an application's language lacks is in English, and counts as English does.
func TestText_FallsBackWithTheRulesOfItsLanguage(t *testing.T) {
	ours := texts.Get(texts.English)
	l := texts.New("cs", []texts.Entry{{Key: "admin.days.few", Text: "{n} dny"}}, ours)
	require.Equal(t, "3 dny", l.Say("admin.days", "n", 3))
	require.Equal(t, "1 day", l.Say("admin.days", "n", 1))
	require.Equal(t, "7 days", l.Say("admin.days", "n", 7))
	require.Equal(t, "You have 3 attempts left.", l.Say("attempts", "n", 3))
	require.Equal(t, "no.such", l.Say("no.such"))
	_, err := l.Text("no.such")
	require.ErrorContains(t, err, `texts/cs.json has no "no.such"`)
	_, err = l.Text("cancel", "odd")
	require.Error(t, err)
}

func TestOver_ChangesACopy(t *testing.T) {
	before := texts.Get("nl").Say("cancel")
	l := texts.Get("nl").Over([]texts.Entry{{Key: "cancel", Text: "Nee"}}, nil)
	require.Equal(t, "Nee", l.Say("cancel"))
	require.Equal(t, before, texts.Get("nl").Say("cancel"))
	require.Equal(t, texts.Get("nl").Say("copy"), l.Say("copy"))
}

// A line ends at a hyphen only where a word has more than three letters on both sides of it.
func TestOver_KeepsShortPartsOfWordsInTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"Check your e-mail.":                 "Check your e_mail.",
		"the next sign-in":                   "the next sign_in",
		"Ihre E-Mail-Adressen":               "Ihre E_Mail-Adressen",
		"(Authenticator-App)":                "(Authenticator_App)",
		"d’e-mail, l'e-mail":                 "d’e_mail, l'e_mail",
		"साइन-इन करें":                       "साइन_इन करें",
		"verify-{is-on} {sign-in} e-mail":    "verify-{is-on} {sign-in} e_mail",
		"a-b@example.com and /log-in":        "a-b@example.com and /log-in",
		"codigos-de-recuperacion":            "codigos-de-recuperacion",
		"4-8, -5 or 2-3 - well-known":        "4-8, -5 or 2-3 - well-known",
		"e\u00a0-\u00a0mail and rendez-vous": "e\u00a0-\u00a0mail and rendez-vous",
	} {
		l := texts.New("x", nil, nil).Over([]texts.Entry{{Key: "k", Text: text}}, nil)
		got, _ := l.Lookup("k")
		require.Equal(t, strings.ReplaceAll(want, "_", "\u2011"), got)
	}
}

// "_" is a space that does not break, and "|" a place where a line can end.
func TestOver_EndsLinesAsTheLanguageDoes(t *testing.T) {
	for _, c := range []struct{ tag, text, want string }{
		{"pl", "Skontaktuj się z pomocą", "Skontaktuj się z_pomocą"},
		{"pl", "co 30 sekund (i w nocy)", "co 30_sekund (i_w_nocy)"},
		{"cs", "Zbývá vám {n} kódů.", "Zbývá vám {n}_kódů."},
		{"cs", "A po 90. dni, „v {day}“ ", "A_po 90. dni, „v_{day}“ "},
		{"uk", "у вас є 1_код у {service}", "у_вас є_1_код у_{service}"},
		{"en", "a code in {n} days", "a code in {n} days"},
		{"pt-BR", "por 14 dias a {to}", "por 14_dias a {to}"},
		{"zh-Hans", "每 30 秒", "每 30 秒"},
		{"ko", "{to}(으)로 코드", "{to}|(으)로 코드"},
	} {
		marks := strings.NewReplacer("_", "\u00a0", "|", "\u200b")
		l := texts.New(c.tag, nil, nil).Over([]texts.Entry{
			{Key: "k", Text: marks.Replace(c.text)}}, nil)
		got, _ := l.Lookup("k")
		require.Equal(t, marks.Replace(c.want), got)
	}
}

func TestMatcher_KnowsWhichTagsMeanTheSame(t *testing.T) {
	match := texts.Matcher([]string{"en", "nb", "pt-BR", "zh-Hans", "zh-Hant", "he", "es", "nl",
		"sr-Latn", "fil", "uk", "ar"})
	for asked, want := range map[string]string{
		"en-GB": "en", "EN_us": "en", "no": "nb", "nn-NO": "nb", "nb-SJ": "nb",
		"pt": "pt-BR", "pt-PT": "pt-BR", "pt_BR": "pt-BR",
		"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans", "zh-TW": "zh-Hant",
		"zh-HK": "zh-Hant", "zh-MO": "zh-Hant", "zh-Hant-HK": "zh-Hant", "zh-Hans-HK": "zh-Hans",
		"iw": "he", "es-419": "es", "es-MX": "es", "ar-EG": "ar", "tl": "fil",
		"sr-Latn-RS": "sr-Latn", "sr": "", "sr-Cyrl": "",
		// related is not the same
		"af": "", "gl": "", "ru": "", "be": "", "ur": "", "is": "", "da": "", "fr": "",
		// and what is no language is none
		"": "", "*": "", "x": "", "und": "", "-": "", "\xff\xff": "", "xx": "",
		strings.Repeat("en-", 30): "",
	} {
		got, ok := match(asked)
		require.Equal(t, want, got, asked)
		require.Equal(t, want != "", ok, asked)
	}
}

func TestFor_IsEnglishForOthers(t *testing.T) {
	for locale, want := range map[string]string{"": "en", "tlh": "en", "nl-BE": "nl", "no": "nb",
		"de_CH": "de", "\xff": "en"} {
		require.Equal(t, want, texts.For(locale).Tag(), locale)
	}
}

func TestWait_RoundsUp(t *testing.T) {
	l := texts.Get(texts.English)
	for secs, want := range map[int]string{-1: "0 seconds", 0: "0 seconds", 1: "1 second",
		59: "59 seconds", 60: "1 minute", 90: "1 minute 30 seconds", 599: "9 minutes 59 seconds",
		601: "11 minutes", 3600: "1 hour", 3661: "1 hour 2 minutes", 36001: "11 hours"} {
		require.Equal(t, want, l.Wait(secs))
	}
}

func TestTimes_AreInTheLanguage(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 5, 0, 0, time.UTC)
	for tag, want := range map[string]string{"en": "1\u00a0March 2026, 09:05\u00a0UTC",
		"nl": "1\u00a0maart 2026, 09:05\u00a0UTC", "nb": "1.\u00a0mars 2026, 09:05\u00a0UTC",
		"de": "1.\u00a0März 2026, 09:05\u00a0UTC", "fr": "1er\u00a0mars 2026, 09:05\u00a0UTC",
		"it":    "1º\u00a0marzo 2026, 09:05\u00a0UTC",
		"pt-BR": "1º\u00a0de\u00a0março de 2026, 09:05\u00a0UTC",
		"es":    "1\u00a0de\u00a0marzo de 2026, 09:05\u00a0UTC"} {
		require.Equal(t, want, texts.Get(tag).Time(at))
		require.NotContains(t, texts.Get(tag).Date(at.AddDate(0, 0, 1)), "1")
	}
	l := texts.Get(texts.English)
	for d, want := range map[time.Duration]string{30 * time.Second: "30 seconds",
		time.Minute: "1 minute", 90 * time.Second: "90 seconds", 10 * time.Minute: "10 minutes",
		time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 24 * time.Hour: "24 hours"} {
		require.Equal(t, want, l.Lifetime(d))
	}
	require.Equal(t, "1 2026", texts.New("x", []texts.Entry{{Key: "date.format",
		Text: "{month} {year}"}, {Key: "date.months", Text: "a {b"}}, nil).Date(
		time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestLanguage_KnowsItsDirection(t *testing.T) {
	for tag, want := range map[string]string{"en": "ltr", "ar": "rtl", "he": "rtl", "fa": "rtl",
		"uk": "ltr", "ja": "ltr"} {
		require.Equal(t, want, texts.New(tag, nil, nil).Direction(), tag)
	}
	said := []texts.Entry{{Key: "language.direction", Text: "rtl"}}
	require.Equal(t, "rtl", texts.New("az-Arab-x", said, nil).Direction())
}

func TestParse_RefusesWhatIsNoObjectOfStrings(t *testing.T) {
	for text, want := range map[string]string{
		`{`: "1: must be one JSON object of strings", `null`: "something else",
		"{\"a\": \"b\",\n\"c\": 1}":      "2: must be one JSON object of strings: the value",
		`{"a": "b", "a": "c"}`:           "twice",
		`{"a": "b"} {`:                   "something follows",
		"{\"a\": \"b\",\n\n\"c\" \"d\"}": "3: must be",
	} {
		_, err := texts.Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
	list, err := texts.Parse([]byte("{\"a\": \"b\",\n\n \"c\": \"{d} é\"}"))
	require.NoError(t, err)
	require.Equal(t, []texts.Entry{{Key: "a", Text: "b", Line: 1},
		{Key: "c", Text: "{d} é", Line: 3}}, list)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a": "b"}`))
	f.Add([]byte(`{"a": "{n}", "a.one": ""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := texts.Parse(b)
		if err != nil {
			return
		}
		var m map[string]string
		require.NoError(t, json.Unmarshal(b, &m))
		require.Len(t, list, len(m))
		for _, e := range list {
			require.Equal(t, m[e.Key], e.Text)
		}
		texts.Check("ar", list, texts.Get(texts.English))
	})
}

// A name that no user chose is in the language of the page.
func TestNamed_TranslatesWhatNoUserChose(t *testing.T) {
	l := texts.Get("nl")
	for name, want := range map[string]string{"": "Passkey", "Passkey": "Passkey",
		"Passkey 2": "Passkey 2", "Passkey two": "Passkey two", "Passkeys": "Passkeys",
		"Mijn sleutel": "Mijn sleutel"} {
		require.Equal(t, want, l.Named("passkey", name))
	}
	require.Equal(t, "Authenticator-app", l.Named("totp", "Authenticator app"))
	require.Equal(t, "Herstelcodes", l.Named("recovery", "Recovery codes"))
	require.Equal(t, "Authenticator app", l.Named("pigeon", "Authenticator app"))
	require.Equal(t, "pigeon", l.Named("pigeon", ""))
}
