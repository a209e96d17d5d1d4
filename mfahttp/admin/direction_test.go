package admin_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// aligned are the elements that stand at the edge which their own direction begins at.
var aligned = regexp.MustCompile(`<(?:dd|h\d|td|th|p class="sg-name")(?: [^>]*)?\sdir="auto"`)

// A name in another direction than the page stands at the same edge as the others: the element
// inside of a cell or a line has the direction. Punctuation is that of the language.
func TestPages_PlaceNamesInAnotherDirection(t *testing.T) {
	files, err := filepath.Glob("files/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, aligned, string(b), file)
		require.NotRegexp(t, `}}[,:.] ?(\{\{|<|\n)`, string(b), "%s: use a text", file)
	}
}

// Sentences, lists and labels have the punctuation of the language of the page: what a space is in
// other languages is in the full stop, the comma and the colon of Chinese and Japanese.
func TestPages_PunctuateAsTheLanguageDoes(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	preview := url.Values{"type": {"employee"}, "preset": {"custom"}, "mode": {"required"},
		"kind": {"email", "totp"}, "implicit": {"email"}, "remember": {"14"}}
	mail := url.Values{"mail": {"enrollment"}, "reason": {"yearly"}, "text": {"anna"}}
	for lang, want := range map[string][]string{
		"ja": {"2段階目の確認：", "「anna」", "0%)"}, "zh-Hans": {"：", "“anna”"},
		"fr": {"\u00a0: ", "«\u00a0anna\u00a0»"}, "ar": {": ", "«\u2068anna\u2069»"},
		"en": {"Second step: ", "“anna”", "(0%)"}, "fi": {"”anna”", "(0\u00a0%)"}, "tr": {"(%0)"},
	} {
		pages := olivia.in(lang, "POST", "policies/preview", preview).Text +
			olivia.in(lang, "GET", "policies", nil).Text +
			olivia.in(lang, "POST", "mails/preview", mail).Text +
			olivia.in(lang, "GET", "report", nil).Text
		for _, text := range want {
			require.True(t, strings.Contains(pages, text), "%s: %s", lang, text)
		}
		if slices.Contains([]string{"ja", "zh-Hans"}, lang) {
			require.NotRegexp(t, `[。？！、：](?:</?span[^>]*>)* [^\s<]|\p{Han}[.:,](?:<| )`, pages,
				lang)
		}
	}
}

// A finding of the audit is in English, and reads from left to right on every page. How serious it
// is, is in the language of the page.
func TestPages_FindingsReadFromLeftToRight(t *testing.T) {
	olivia := newSite(t).administrator("acme", "olivia")
	page := olivia.in("ar", "GET", "audit?profile=asvs-l2", nil).Text
	require.Regexp(t, `<ul class="sg-list sg-section sg-findings" lang="en" dir="ltr">`, page)
	require.Regexp(t, `<span class="sg-chip[^"]*" lang="ar" dir="rtl">`, page)
}
