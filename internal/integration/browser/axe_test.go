package browser_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// gallery returns a directory with every page in every state, as the tests of the templates make
// them.
func gallery(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "test", "-count=1", "-run", "^TestSamples_AreWrittenForTheBrowser$",
		"github.com/secondgate/secondgate/mfahttp/internal/ui")
	cmd.Env = append(os.Environ(), "SECONDGATE_GALLERY="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// axe returns the script of axe-core. It is installed once, in .cache, which git ignores.
func axe(t *testing.T) string {
	t.Helper()
	lock, err := os.ReadFile("testdata/npm/package-lock.json")
	require.NoError(t, err)
	sum := sha256.Sum256(lock)
	cache, err := filepath.Abs("../../../.cache/npm")
	require.NoError(t, err)
	dir := filepath.Join(cache, hex.EncodeToString(sum[:8]))
	script := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if b, err := os.ReadFile(script); err == nil {
		return string(b)
	}
	require.NoError(t, os.MkdirAll(cache, 0o700))
	to, err := os.MkdirTemp(cache, "installing-")
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(to) }()
	require.NoError(t, os.CopyFS(to, os.DirFS("testdata/npm")))
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = to
	if out, err := cmd.CombinedOutput(); err != nil {
		if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
		t.Skipf("npm ci: %v\n%s", err, out)
	}
	_ = os.Rename(to, dir) // another process may have been faster
	b, err := os.ReadFile(script)
	require.NoError(t, err)
	return string(b)
}

// looks are the media that a page is looked at in. All rules run in the first; the others change
// colours and nothing else.
var looks = []struct {
	name     string
	features []*emulation.MediaFeature
	rules    string
}{
	{"light", []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}},
		`{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", ` +
			`"best-practice"]}`},
	{"dark", []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		`{type: "rule", values: ["color-contrast", "link-in-text-block"]}`},
}

// geometry returns the targets smaller than 24 by 24 CSS pixels (WCAG 2.2, 2.5.8; a link within a
// sentence is excepted) and what makes the page wider than the window (1.4.10).
const geometry = `(() => {
	const bad = [];
	const sentence = (e) => e.tagName == "A" && e.parentElement.textContent.trim() != e.textContent.trim();
	for (const e of document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, textarea")) {
		let r = e.getBoundingClientRect();
		if (!r.width || !e.checkVisibility({visibilityProperty: true}) || r.right < 0 || r.bottom < 0) continue;
		if ((e.type == "checkbox" || e.type == "radio") && e.labels.length) r = e.labels[0].getBoundingClientRect();
		if ((r.width < 24 || r.height < 24) && !sentence(e)) bad.push("target " + r.width + "x" + r.height + ": " + e.outerHTML.slice(0, 100));
	}
	if (document.documentElement.scrollWidth > innerWidth) bad.push("as wide as " + document.documentElement.scrollWidth);
	return bad;
})()`

// Nothing that axe-core finds is wrong with a page, in any state, in light and dark, 320 pixels
// wide, as at 400 % in a window of 1280 (WCAG 2.2, 1.4.10). make test-long looks at every language.
func TestPages_HaveNothingThatAxeFinds(t *testing.T) {
	if chromium == "" {
		t.Skip("no chromium is installed")
	}
	script, dir := axe(t), gallery(t)
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(dir))
	mux.HandleFunc("/home", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent) // the page that goes on by itself stays
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	pages, err := filepath.Glob(filepath.Join(dir, "en", "*.html"))
	require.NoError(t, err)
	if os.Getenv("SECONDGATE_LONG") != "" {
		pages, err = filepath.Glob(filepath.Join(dir, "*", "*.html"))
		require.NoError(t, err)
	}
	require.Greater(t, len(pages), 40)
	b := (&site{t, server.URL}).open(true)
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.run(chromedp.EmulateViewport(320, 800))
	for _, page := range pages {
		name, err := filepath.Rel(dir, page)
		require.NoError(t, err)
		b.run(emulation.SetEmulatedMedia().WithFeatures(looks[0].features),
			chromedp.Navigate(server.URL+"/"+filepath.ToSlash(name)),
			chromedp.Evaluate(script+";0", nil))
		for _, l := range looks {
			var found []string
			b.run(emulation.SetEmulatedMedia().WithFeatures(l.features),
				chromedp.Evaluate(fmt.Sprintf(`axe.run({runOnly: %s}).then((r) =>
					r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + v.help + ": " +
						n.target + " " + n.html.slice(0, 120))))`, l.rules), &found,
					func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
						return p.WithAwaitPromise(true)
					}))
			if len(found) > 0 {
				t.Errorf("%s, %s:\n%s", name, l.name, strings.Join(found, "\n"))
			}
		}
		var found []string
		b.eval(geometry, &found)
		if len(found) > 0 {
			t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
		}
	}
}

// samplesIn serves the files of dir. What a page goes on to by itself has no content, so that the
// page stays.
func samplesIn(dir string) http.Handler {
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(r.URL.Path))); err != nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		files.ServeHTTP(w, r)
	})
}
