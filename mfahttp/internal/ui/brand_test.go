package ui_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// A stylesheet has the colours in its name and nothing else that a visitor could put there.
func TestStylesheet_AcceptsItsOwnNamesAlone(t *testing.T) {
	r, err := ui.New(nil)
	require.NoError(t, err)
	require.Empty(t, r.Colours(brand.Colours{}))
	name := r.Colours(brand.Brand{Accent: "#7a1fa2", AccentDark: "#d9a6f0"}.Colours())
	css, ok := r.Static(name)
	require.True(t, ok)
	require.True(t, css.Current, "it may be cached for ever")
	require.Equal(t, ":root { --sg-accent: #7a1fa2 }\n@media (prefers-color-scheme: dark) { :root "+
		"{ --sg-a: #d9a6f0; --sg-a-panel: color-mix(in srgb, #d9a6f0 24%, #181b21) } }\n",
		string(css.Content))
	version, file, _ := strings.Cut(name, "/")
	css, ok = r.Static("0123456789abcdef/" + file)
	require.True(t, ok)
	require.True(t, css.Stale, "the stylesheet of another version is not cached under this one")
	for _, bad := range []string{"colours-7a1fa2.css", "colours-7a1fa2-d9a6f0",
		"colours-7a1fa2-d9a6f0.css/x", "colours-7a1fa2-d9a6f0;}a{.css", "colours-ff9900-d9a6f0.css",
		"colours-7a1fa2-111111.css", "../colours-7a1fa2-d9a6f0.css", file + "\n"} {
		for _, dir := range []string{"", version + "/"} {
			_, ok := r.Static(dir + bad)
			require.False(t, ok, bad)
		}
	}
}

// The colours that a Brand is checked against are those of the pages. Each background of the
// stylesheet is too near to a colour that is just legible elsewhere.
func TestBrandCheck_KnowsTheBackgroundsOfThePages(t *testing.T) {
	css := file(t, "static/app.css")
	var found []string
	for _, m := range regexp.MustCompile(`--sg-(?:page|panel|inset|on-a): (#[0-9a-f]{6});`).
		FindAllStringSubmatch(css, -1) {
		found = append(found, m[1])
	}
	require.Len(t, found, 8)
	for i, background := range found {
		b := brand.Brand{Accent: background}
		if i >= len(found)/2 {
			b = brand.Brand{Accent: "#7a1fa2", AccentDark: background}
		}
		require.ErrorContains(t, b.Check(), "has a contrast of", background)
	}
	require.Equal(t, []string{"#ffffff", "#f4f5f8", "#ffffff", "#f4f5f8", "#10131a", "#0f1115",
		"#181b21", "#20242c"}, found, "the backgrounds in mfa/brand")
}

// A brand replaces texts of its own pages and of no other's, and only texts that there are.
func TestWithTexts_ReplacesTextsOfOneBrand(t *testing.T) {
	r, err := ui.New(nil)
	require.NoError(t, err)
	show := func(r *ui.Renderer, lang string) string {
		var b bytes.Buffer
		require.NoError(t, r.Render(&b, ui.Link{Frame: frame(lang), Token: "T"}))
		return b.String()
	}
	plain := show(r, "en")
	texts := map[string]map[string]string{"en": {"link.title": "Is it <you>?"}}
	own, err := r.WithTexts(texts)
	require.NoError(t, err)
	require.Contains(t, show(own, "en"), "Is it &lt;you&gt;?")
	require.Equal(t, show(r, "nl"), show(own, "nl"))
	require.Equal(t, plain, show(r, "en"))
	again, err := r.WithTexts(map[string]map[string]string{"en": {"link.title": "Is it <you>?"}})
	require.NoError(t, err)
	require.Same(t, own, again, "it is parsed once")
	same, err := r.WithTexts(nil)
	require.NoError(t, err)
	require.Same(t, r, same)
	for i := range 300 { // more brands than are kept
		other, err := r.WithTexts(map[string]map[string]string{"en": {"link.title": fmt.Sprint(i)}})
		require.NoError(t, err)
		if i%100 == 0 {
			require.Contains(t, show(other, "en"), fmt.Sprint(i))
		}
	}
	sent := map[string]string{"sms.code": "{code} {service} {time}"}
	_, err = r.WithTexts(map[string]map[string]string{"en": sent})
	require.NoError(t, err, "the texts of mails and messages come with those of pages")
	for says, bad := range map[string]map[string]map[string]string{
		"no mail or text message":   {"en": {"mail.titel": "x"}},
		"sms.code: has the placeho": {"nl": {"sms.code": "x"}},
		"did you mean link.title?":  {"en": {"link.titel": "x"}},
		"there is no language":      {"xx": {"link.title": "x"}},
		"{secret}":                  {"nl": {"link.title": "{secret}"}},
		"date.months must be twelv": {"de": {"date.months": "Mai"}},
	} {
		_, err := r.WithTexts(bad)
		require.ErrorContains(t, err, says)
	}
}
