package ui_test

import (
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

// asset returns the content of a static file.
func asset(t *testing.T, r *ui.Renderer, name string) string {
	t.Helper()
	file, ok := r.Static(name)
	require.True(t, ok, name)
	return string(file.Content)
}

// Only files of static/ are served, and no directory is listed.
func TestStatic_ServesItsFilesOnly(t *testing.T) {
	r := newUI(t)
	version, _, _ := strings.Cut(r.AssetPath("app.css"), "/")
	for _, name := range []string{"app.css", "app.js", "passkey.js", "steps.js", "wait.js",
		"ends.js", "session.js",
		"theme.css",
		"js/client.js",
		"js/codefield.js", "js/passkey.js"} {
		asset(t, r, name)
		require.Equal(t, version+"/"+name, r.AssetPath(name))
	}
	for _, name := range []string{".", "", "..", "../verify.html", "/app.css", "verify.html",
		"texts/en.json", ".hidden", "js", "js/", "js/js.go", "js/package.json", "static/app.css"} {
		for _, name := range []string{name, version + "/" + name} {
			_, ok := r.Static(name)
			require.False(t, ok, name)
		}
	}
	_, ok := r.Static(version)
	require.False(t, ok)
	require.Equal(t, "gone.svg", r.AssetPath("gone.svg"), "a template may name what is not there")
}

// A path with the version of the files has one content for ever. Every change of a file, of any
// of them, changes the version of all: scripts import each other.
func TestStatic_VersionNamesOneContent(t *testing.T) {
	r := newUI(t)
	at := r.AssetPath("app.js")
	file, ok := r.Static(at)
	require.True(t, ok)
	require.Equal(t, "app.js", file.Name)
	require.Equal(t, []bool{true, false}, []bool{file.Current, file.Stale})
	seen := map[string]bool{at: true}
	for _, overlay := range []fstest.MapFS{
		{"static/js/passkey.js": {Data: []byte("export const x = 1;")}},
		{"static/js/passkey.js": {Data: []byte("export const x = 2;")}},
		{"static/theme.css": {Data: []byte("a")}},
		{"static/a": {Data: []byte("a")}, "static/b": {Data: nil}},
		{"static/a": {Data: nil}, "static/b": {Data: []byte("a")}},
		{"static/b": {Data: []byte("a")}},
	} {
		other, err := ui.New(overlay)
		require.NoError(t, err)
		require.False(t, seen[other.AssetPath("app.js")], "%v", overlay)
		seen[other.AssetPath("app.js")] = true
		file, ok := other.Static(at)
		require.True(t, ok)
		require.Equal(t, []bool{false, true}, []bool{file.Current, file.Stale})
	}
	same, err := ui.New(fstest.MapFS{"brand.html": {Data: []byte("x")}})
	require.NoError(t, err)
	require.Equal(t, at, same.AssetPath("app.js"))
	file, _ = r.Static("app.js")
	require.Equal(t, []bool{false, false}, []bool{file.Current, file.Stale})
}

// Files are replaced one by one, and added; what is replaced has another URL.
func TestOverride_ReplacesFilesOneByOne(t *testing.T) {
	files := fstest.MapFS{
		"static/theme.css":    {Data: []byte(":root { --sg-accent: #7a1fa2 }")},
		"static/logo.svg":     {Data: []byte("<svg/>")},
		"static/img/a.svg":    {Data: []byte("<svg/>")},
		"static/.git/config":  {Data: []byte("a secret")},
		"static/img/.hidden":  {Data: []byte("a secret")},
		"static/js/client.js": {Data: []byte("// mine")},
		"brand.html": {Data: []byte(
			`<img src="{{.Base}}static/{{asset "logo.svg"}}" alt="{{.Product}}">{{template "mine.html"}}`)},
		"mine.html":      {Data: []byte("a part of my own")},
		"confirmed.html": {Data: []byte("Thanks, from {{.Product}}.")},
	}
	r, err := ui.New(files)
	require.NoError(t, err)
	require.Equal(t, "Thanks, from Acme.", render(t, r, ui.Link{Frame: frame("en")}))
	page := render(t, r, ui.Link{Frame: frame("en"), Token: "x"})
	require.Contains(t, page, `<img src="/mfa/static/`+r.AssetPath("logo.svg")+
		`" alt="Acme">a part of my own`)
	require.Contains(t, asset(t, r, "theme.css"), "#7a1fa2")
	require.Equal(t, "<svg/>", asset(t, r, "logo.svg"))
	require.Equal(t, "<svg/>", asset(t, r, r.AssetPath("img/a.svg")))
	require.Equal(t, "// mine", asset(t, r, r.AssetPath("js/client.js")))
	require.Contains(t, asset(t, r, "js/passkey.js"), "navigator.credentials")
	for _, name := range []string{"img", ".git/config", "img/.hidden"} {
		_, ok := r.Static(name)
		require.False(t, ok, name)
	}
	// What a version names does not change while the server runs.
	files["static/theme.css"].Data = []byte("another")
	require.Contains(t, asset(t, r, r.AssetPath("theme.css")), "#7a1fa2")
}

// What the script does is what pages promise: no request, no storage, no markup from text.
func TestScript_SendsAndStoresNothing(t *testing.T) {
	for _, name := range []string{"app.js", "js/codefield.js", "js/passkey.js"} {
		script := asset(t, newUI(t), name)
		if name == "app.js" { // the form that the page itself says is posted by itself
			one := "form.requestSubmit();"
			require.Equal(t, 1, strings.Count(script, one))
			script = strings.Replace(script, one, "", 1)
		}
		for _, word := range append(harmful, "fetch", ".submit(", "requestSubmit") {
			require.NotContains(t, script, word, name)
		}
	}
	css := asset(t, newUI(t), "app.css")
	for _, word := range []string{"@import", "url(", "http:", "https:"} {
		require.NotContains(t, css, word)
	}
	for _, word := range []string{"prefers-color-scheme: dark", "prefers-reduced-motion",
		":focus-visible", "@media print", "forced-colors"} {
		require.Contains(t, css, word)
	}
}

// harmful is what no script of the pages has.
var harmful = []string{"XMLHttp", "innerHTML", "outerHTML", "insertAdjacent", "document.write",
	"eval(", "Function(", "localStorage", "sessionStorage", "indexedDB", "document.cookie",
	"sendBeacon", "WebSocket", "console.", "http:", "https:", "import("}

// The script of passkeys asks our own server and the browser, and nobody else. It makes no request
// and no call of WebAuthn by itself: the modules do.
func TestScript_PasskeysAskThisServerOnly(t *testing.T) {
	r := newUI(t)
	for _, name := range []string{"passkey.js", "js/client.js"} {
		for _, word := range append(harmful, `credentials: "include"`) {
			require.NotContains(t, asset(t, r, name), word, name)
		}
	}
	for _, word := range []string{"fetch", "navigator.credentials", "PublicKeyCredential", "atob",
		"btoa", "Uint8Array"} {
		require.NotContains(t, asset(t, r, "passkey.js"), word)
	}
	require.Equal(t, 1, strings.Count(asset(t, r, "js/client.js"), "await send("))
}

// The script for more time makes one request, for a page of our own, when the user says so.
func TestScript_MoreTimeAsksForOnePage(t *testing.T) {
	script := asset(t, newUI(t), "ends.js")
	for _, word := range append(harmful, "submit(", "requestSubmit", "method:", "body:") {
		require.NotContains(t, script, word)
	}
	require.Equal(t, 1, strings.Count(script, "fetch("))
	before, _, _ := strings.Cut(script, "fetch(")
	require.Contains(t, before[strings.LastIndex(before, "addEventListener"):], `"click"`)
}

// A script imports what is served beside it, by relative URLs, so that the directory of the version
// has all of it.
func TestScript_ImportsByRelativeURLs(t *testing.T) {
	r := newUI(t)
	imports := regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*? from "([^"]*)";`)
	all := regexp.MustCompile(`\bfrom "|\bimport "`)
	found := 0
	for _, name := range []string{"app.js", "passkey.js", "js/client.js", "js/codefield.js",
		"js/passkey.js"} {
		script := asset(t, r, name)
		list := imports.FindAllStringSubmatch(script, -1)
		require.Len(t, all.FindAllString(script, -1), len(list), name)
		for _, m := range list {
			found++
			require.Regexp(t, `^\./`, m[1])
			asset(t, r, path.Join(path.Dir(name), m[1]))
		}
	}
	require.Equal(t, 3, found)
}

// A target is as wide as it is high at least (WCAG 2.2 SC 2.5.8), also where its text is one
// letter, such as the name of a user, or short in a language, such as that of the PIN in Hindi.
func TestStylesheet_TargetsAreWideEnough(t *testing.T) {
	css := asset(t, newUI(t), "app.css")
	targets := regexp.MustCompile(`[^{}]*{[^{}]*min-height: 1\.5rem;[^{}]*}`).FindAllString(css, -1)
	require.Greater(t, len(targets), 4)
	for _, rule := range targets {
		require.Contains(t, rule, "min-width: 1.5rem;")
	}
}

// Every pair of colours that carries text is legible (WCAG 2.2 SC 1.4.3: 4.5 to 1), and every
// edge of a field can be seen (SC 1.4.11: 3 to 1), in both themes.
func TestStylesheet_HasEnoughContrast(t *testing.T) {
	light, rest, ok := strings.Cut(asset(t, newUI(t), "app.css"),
		"@media (prefers-color-scheme: dark)")
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
