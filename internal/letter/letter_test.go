package letter_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/letter"
)

// A mail shows each part that it has, as text, and none of the elements of the others.
func TestLetter_ShowsWhatItHas(t *testing.T) {
	full := letter.Letter{Lang: "he", Dir: "rtl", Service: "<Service>", Preview: "<Preview>",
		Code: "<Code>", Lead: "<Lead>", Facts: []string{"<Fact 1>", "<Fact 2>"},
		Link: "https://acme.example/?a=1&b=2", Or: "<Or>", Button: "<Button>", Colour: "#7a1fa2",
		Note: "<Note>", Ignore: "<Ignore>"}
	html, err := full.HTML()
	require.NoError(t, err)
	for _, want := range []string{"Service", "Preview", "Code", "Lead", "Fact 1", "Fact 2", "Or",
		"Button", "Note", "Ignore"} {
		require.Contains(t, html, ">&lt;"+want+"&gt;<")
	}
	require.Contains(t, html, `href="https://acme.example/?a=1&amp;b=2"`)
	require.Contains(t, html, "background:#7a1fa2")
	require.Contains(t, html, "text-align:right")
	require.NotContains(t, html, "ZgotmplZ")

	html, err = letter.Letter{Lang: "en", Dir: "ltr", Service: "Acme", Lead: "Lead",
		Ignore: "Ignore"}.HTML()
	require.NoError(t, err)
	require.NotContains(t, html, "<a ")
	require.NotContains(t, html, `class="code`)
	require.Equal(t, 3, strings.Count(html, "<p "))
	require.Contains(t, html, "text-align:left")
}

// A line of a mail in Korean ends between words, as one on a page does.
func TestLetter_KeepsKoreanWords(t *testing.T) {
	for lang, count := range map[string]int{"ko": 1, "ja": 0, "en": 0} {
		html, err := letter.Letter{Lang: lang, Dir: "ltr"}.HTML()
		require.NoError(t, err)
		require.Equal(t, count, strings.Count(html, `;word-break:keep-all"`), lang)
	}
}
