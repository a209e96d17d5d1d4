package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
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
	require.Len(t, languages, 6)
	for language, w := range languages {
		require.Contains(t, texts.Tags(), language)
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
			for rule, broken := range rules {
				require.Empty(t, broken(text), "%s: %s: %s", language, rule, english)
			}
		}
	}
}

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

// A page of the three applications is in the language of the browser, or as a whole in English.
func TestPages_AreInOneLanguage(t *testing.T) {
	portalURL, mailURL, filesURL := begin(t)
	for accept, want := range map[string]struct{ html, login, mail string }{
		"ar":              {`<html lang="ar" dir="rtl"`, "تسجيل الدخول", "تم تسجيل الخروج"},
		"de-AT, en;q=0.5": {`<html lang="de" dir="ltr"`, "Anmelden", "Abgemeldet"},
		"nl":              {`<html lang="en" dir="ltr"`, "Sign in", "Signed out"},
		"":                {`<html lang="en" dir="ltr"`, "Sign in", "Signed out"},
	} {
		b := open(t)
		b.c.Transport = accepting{accept}
		for u, text := range map[string]string{portalURL + "/login": want.login,
			filesURL + "/login": want.login, mailURL + "/goodbye": want.mail,
			portalURL + "/outbox": ""} {
			require.Equal(t, 200, b.get(u))
			require.Contains(t, b.page, want.html, u)
			require.Contains(t, b.page, text, u)
			if strings.Contains(want.html, "en") {
				continue
			}
			for _, english := range []string{"Applications", "Outbox", "Sign in", "Start again"} {
				require.NotContains(t, b.page, english, u)
			}
		}
	}
	b := open(t)
	b.c.Transport = accepting{"tr"}
	b.get(mailURL + "/")
	b.password("ann")
	b.code()
	require.Contains(t, b.page, `Portala göre kullanıcınız <strong id="who" dir="auto">ann</strong>`)
}
