package ui_test

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// Only files of static/ are served, and no directory is listed.
func TestStatic_ServesItsFilesOnly(t *testing.T) {
	files := newUI(t).Static()
	for _, name := range []string{"app.css", "app.js", "passkey.js", "theme.css"} {
		_, err := fs.ReadFile(files, name)
		require.NoError(t, err)
	}
	for _, name := range []string{".", "", "..", "../verify.html", "/app.css", "verify.html",
		"texts/en.json", ".hidden"} {
		_, err := files.Open(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// Files are replaced one by one, and added; what is replaced has another URL.
func TestOverride_ReplacesFilesOneByOne(t *testing.T) {
	r, err := ui.New(fstest.MapFS{
		"static/theme.css": {Data: []byte(":root { --sg-accent: #7a1fa2 }")},
		"static/logo.svg":  {Data: []byte("<svg/>")},
		"static/img/a.svg": {Data: []byte("<svg/>")},
		"brand.html": {Data: []byte(
			`<img src="{{.Base}}static/{{asset "logo.svg"}}" alt="{{.Product}}">{{template "mine.html"}}`)},
		"mine.html":      {Data: []byte("a part of my own")},
		"confirmed.html": {Data: []byte("Thanks, from {{.Product}}.")},
	})
	require.NoError(t, err)
	require.Equal(t, "Thanks, from Acme.", render(t, r, ui.Link{Frame: frame("en")}))
	page := render(t, r, ui.Link{Frame: frame("en"), Token: "x"})
	require.Contains(t, page, `<img src="/mfa/static/logo.svg" alt="Acme">a part of my own`)
	before := render(t, newUI(t), ui.Link{Frame: frame("en"), Token: "x"})
	hash := func(page, name string) string {
		return regexp.MustCompile(name + `\?v=\w+`).FindString(page)
	}
	require.NotEqual(t, hash(before, "theme.css"), hash(page, "theme.css"))
	require.Equal(t, hash(before, "app.css"), hash(page, "app.css"))
	b, err := fs.ReadFile(r.Static(), "theme.css")
	require.NoError(t, err)
	require.Contains(t, string(b), "#7a1fa2")
	_, err = fs.Stat(r.Static(), "logo.svg")
	require.NoError(t, err)
	_, err = fs.Stat(r.Static(), "img/a.svg")
	require.NoError(t, err)
	_, err = r.Static().Open("img")
	require.ErrorIs(t, err, fs.ErrNotExist, "a directory")
}

// What the script does is what pages promise: no request, no storage, no markup from text.
func TestScript_SendsAndStoresNothing(t *testing.T) {
	b, err := fs.ReadFile(newUI(t).Static(), "app.js")
	require.NoError(t, err)
	for _, word := range []string{"fetch(", "XMLHttp", "innerHTML", "outerHTML", "insertAdjacent",
		"document.write", "eval(", "Function(",
		"localStorage", "sessionStorage", "document.cookie", ".submit(", "requestSubmit",
		"sendBeacon", "http:", "https:"} {
		require.NotContains(t, string(b), word)
	}
	css, err := fs.ReadFile(newUI(t).Static(), "app.css")
	require.NoError(t, err)
	for _, word := range []string{"@import", "url(", "http:", "https:"} {
		require.NotContains(t, string(css), word)
	}
	for _, word := range []string{"prefers-color-scheme: dark", "prefers-reduced-motion",
		":focus-visible", "@media print", "forced-colors"} {
		require.Contains(t, string(css), word)
	}
}

// The script of passkeys asks our own server and the browser, and nobody else.
func TestScript_PasskeysAskThisServerOnly(t *testing.T) {
	b, err := fs.ReadFile(newUI(t).Static(), "passkey.js")
	require.NoError(t, err)
	for _, word := range []string{"XMLHttp", "innerHTML", "outerHTML", "insertAdjacent",
		"document.write", "eval(", "Function(",
		"localStorage", "sessionStorage", "document.cookie", "sendBeacon", "http:", "https:",
		"credentials: \"include\""} {
		require.NotContains(t, string(b), word)
	}
	require.Equal(t, 1, strings.Count(string(b), "fetch("))
}

// Every pair of colours that carries text is legible (WCAG 2.2 SC 1.4.3: 4.5 to 1), and every
// edge of a field can be seen (SC 1.4.11: 3 to 1), in both themes.
func TestStylesheet_HasEnoughContrast(t *testing.T) {
	b, err := fs.ReadFile(newUI(t).Static(), "app.css")
	require.NoError(t, err)
	light, rest, ok := strings.Cut(string(b), "@media (prefers-color-scheme: dark)")
	require.True(t, ok)
	dark, _, _ := strings.Cut(rest, "*, ::before")
	for theme, css := range map[string]string{"light": light, "dark": light + dark} {
		vars := map[string]string{}
		for _, m := range regexp.MustCompile(`(--sg-[a-z-]+): ([^;]+);`).FindAllStringSubmatch(css,
			-1) {
			vars[m[1]] = m[2] // the dark theme's come later
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"text", "panel", 4.5}, {"text", "page", 4.5}, {"text", "inset", 4.5},
			{"muted", "panel", 4.5}, {"muted", "page", 4.5}, {"muted", "inset", 4.5},
			{"a", "panel", 4.5}, {"a", "page", 4.5}, {"a", "a-panel", 3}, {"on-a", "a", 4.5},
			{"bad", "panel", 4.5}, {"bad", "bad-panel", 4.5}, {"good", "good-panel", 4.5},
			{"warn", "warn-panel", 4.5},
			{"edge", "panel", 3},
		} {
			front, back := colour(t, vars, "--sg-"+pair.front), colour(t, vars, "--sg-"+pair.back)
			if got := contrast(front, back); got < pair.least {
				t.Errorf("%s: %s on %s: %.2f, at least %.1f", theme, pair.front, pair.back, got,
					pair.least)
			}
		}
	}
}

var mix = regexp.MustCompile(`^color-mix\(in srgb, (.+) (\d+)%, (.+)\)$`)

func colour(t *testing.T, vars map[string]string, s string) (c [3]float64) {
	t.Helper()
	if name, ok := strings.CutPrefix(s, "var("); ok {
		s = strings.TrimSuffix(name, ")")
	}
	if strings.HasPrefix(s, "--") {
		require.Contains(t, vars, s)
		return colour(t, vars, vars[s])
	}
	if m := mix.FindStringSubmatch(s); m != nil {
		one, other := colour(t, vars, m[1]), colour(t, vars, m[3])
		share, err := strconv.ParseFloat(m[2], 64)
		require.NoError(t, err)
		for i := range c {
			c[i] = one[i]*share/100 + other[i]*(1-share/100)
		}
		return c
	}
	require.Regexp(t, `^#[0-9a-f]{6}$`, s)
	for i := range c {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		require.NoError(t, err)
		c[i] = float64(n) / 255
	}
	return c
}

func contrast(a, b [3]float64) float64 {
	luminance := func(c [3]float64) float64 {
		for i := range c {
			if c[i] <= 0.04045 {
				c[i] /= 12.92
			} else {
				c[i] = math.Pow((c[i]+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
	}
	one, other := luminance(a), luminance(b)
	return (max(one, other) + 0.05) / (min(one, other) + 0.05)
}
