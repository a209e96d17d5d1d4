package main

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/internal/texts/textstest"
)

// Every text of the example's pages is in each of its languages, with the same values, and follows
// the rules of the language. No language has a text that no page has.
func TestTexts_AreCompleteInEachLanguage(t *testing.T) {
	var source strings.Builder
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		source.WriteString(regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(string(b), ""))
	}
	verbs := regexp.MustCompile(`%[sd]`)
	found := regexp.MustCompile(`{{t "([^"]+)"`).FindAllStringSubmatch(source.String(), -1)
	require.Greater(t, len(found), 15)
	require.ElementsMatch(t, texts.Tags(), slices.Collect(maps.Keys(languages)))
	for language, w := range languages {
		require.Equal(t, texts.Get(language).Direction(), direction(language), language)
		if language == inEnglish {
			continue
		}
		for _, m := range found {
			require.Contains(t, w, m[1], language)
		}
		require.Len(t, w, len(languages["de"]), language)
		rules := textstest.Rules(language)
		for english, text := range w {
			require.Contains(t, source.String(), `"`+english+`"`, language)
			require.Equal(t, verbs.FindAllString(english, -1), verbs.FindAllString(text, -1), text)
			require.True(t, text != english || slices.Contains(alike, language+" "+english),
				"%s: %q is in English", language, english)
			for rule, broken := range rules {
				require.Empty(t, broken(text), "%s: %s: %s", language, rule, english)
			}
		}
	}
}

// alike are the texts that are the same in a language and in English.
var alike = []string{"fr Applications", "it Password"}

// The link to the outbox is a text of every language of mfahttp, whose pages have it.
func TestTexts_OfTheOverlayAreInEveryLanguage(t *testing.T) {
	for _, tag := range texts.Tags() {
		_, err := files.ReadFile("overlay/texts/" + tag + ".json")
		require.NoError(t, err)
	}
}

// accepting is a browser of a language.
type accepting struct{ lang string }

func (a accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Language", a.lang)
	return navigating{}.RoundTrip(r)
}

// A page of the three applications is in the language of the browser as a whole, before and after a
// sign-in.
func TestPages_AreInOneLanguage(t *testing.T) {
	portalURL, mailURL, filesURL := begin(t)
	visitor, user := open(t), open(t)
	user.get(mailURL + "/")
	user.password("ann")
	user.code()
	user.get(filesURL + "/")
	user.password("ann")
	user.code()
	for _, lang := range append(texts.Tags(), "") {
		visitor.c.Transport, user.c.Transport = accepting{lang}, accepting{lang}
		isIn := inLanguage(t, cmp.Or(lang, inEnglish))
		check := func(b *browser, status int, addresses ...string) {
			t.Helper()
			for _, u := range addresses {
				require.Equal(t, status, b.get(u), u)
				isIn(b)
			}
		}
		check(visitor, 200, portalURL+"/login", filesURL+"/login", mailURL+"/goodbye")
		check(visitor, 403, mailURL+"/callback?assertion=x&state=y")
		check(user, 200, portalURL+"/", filesURL+"/", portalURL+"/outbox", filesURL+"/outbox",
			mailURL+"/", mailURL+"/delicate")
	}
	form := url.Values{"username": {"ann"}, "password": {"incorrect"}}
	visitor.c.Transport = accepting{"pl"}
	visitor.get(portalURL + "/login")
	require.Equal(t, 401, visitor.post("/login", form))
	inLanguage(t, "pl")(visitor)
}

// inLanguage returns a function that requires that a page has nothing but texts in a language,
// names, and the mails.
func inLanguage(t *testing.T, lang string) func(b *browser) {
	t.Helper()
	known := append([]string{"Portal", "Mail", "Files", "ann", "ben", "ann-demo-password",
		"ben-demo-password", "ann@portal.example", "pwd", "otp", "mfa"}, overlaid(t, lang))
	for english := range languages["de"] {
		known = append(known, regexp.MustCompile(`%[sd]`).Split(languages[lang].text(english), -1)...)
	}
	strange, seen := textstest.Strange(lang, known...), map[string]bool{}
	return func(b *browser) {
		t.Helper()
		require.Contains(t, b.page, `<html lang="`+lang+`" dir="`+texts.Get(lang).Direction()+`"`)
		for _, s := range textstest.Visible(mailed.ReplaceAllString(b.page, "")) {
			if len(s.Text) > 1 && !seen[s.Text] { // not the initial of an application
				seen[s.Text] = true
				require.Empty(t, strange(s.Text), "%s %s: %s: %s", lang, b.at, s.Where, s.Text)
			}
		}
	}
}

// mailed matches a mail in an outbox, which is in the language of its user.
var mailed = regexp.MustCompile(`(?s)<h2 dir="auto">.*?</h2>|<p class="portal-mail".*?</p>`)

// overlaid returns the text that the application adds to the pages of mfahttp.
func overlaid(t *testing.T, lang string) string {
	t.Helper()
	b, err := files.ReadFile("overlay/texts/" + lang + ".json")
	require.NoError(t, err)
	var w words
	require.NoError(t, json.Unmarshal(b, &w))
	return w["demonstration.outbox"]
}

// A page is in English as a whole in a language that the library alone has, such as one that an
// application adds.
func TestOwn_IsEnglishWithoutAFile(t *testing.T) {
	require.Equal(t, "nl", own("nl"))
	require.Equal(t, inEnglish, own("fa"))
}
