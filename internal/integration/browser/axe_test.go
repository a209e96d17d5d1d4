package browser_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/stretchr/testify/require"
)

// gallery returns a directory with every page in every state, as the tests of the templates make
// them. It is made once.
func gallery(t *testing.T) string {
	t.Helper()
	dir, err := madeGallery()
	require.NoError(t, err)
	return dir
}

var madeGallery = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "gallery")
	cmd := exec.Command("go", "test", "-count=1", "-run", "^TestSamples_AreWrittenForTheBrowser$",
		"github.com/secondgate/secondgate/mfahttp/internal/ui")
	cmd.Env = append(os.Environ(), "SECONDGATE_GALLERY="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// axe returns the script of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(npm.Install(t, "testdata/npm"), "axe-core", "axe.min.js"))
	require.NoError(t, err)
	return string(b)
}

// look is what a page is looked at in, and the rules of axe-core that run there.
type look struct {
	name, by string // by is the kind of the rules: of a tag, or by their names
	rules    []string
}

// looks are the colour schemes. All rules run in the first; the other changes colours and nothing
// else.
var looks = []look{
	{"light", "tag", []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
		"best-practice"}},
	{"dark", "rule", []string{"color-contrast", "link-in-text-block"}},
}

// options are those of axe.run. They leave out what no test reads: selectors, what passes, and the
// style sheets for a rule that does not run.
func (l look) options() map[string]any {
	return map[string]any{"runOnly": map[string]any{"type": l.by, "values": l.rules},
		"resultTypes": []string{"violations"}, "selectors": false, "preload": false}
}

func (l look) features() []*emulation.MediaFeature {
	return []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.name}}
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
// wide, as at 400 % in a window of 1280 (WCAG 2.2, 1.4.10). In a language that is written from the
// right it looks at some pages; make test-long looks at every page in every language.
func TestPages_HaveNothingThatAxeFinds(t *testing.T) {
	b, dir := openSamples(t), gallery(t)
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.run(chromedp.EmulateViewport(320, 800))
	hebrew := func(path string) bool { return strings.HasPrefix(path, "/he/") }
	paths := samplesOf(t, dir, "en/*", "he/verify-*")
	others := slices.DeleteFunc(slices.Clone(paths), hebrew)
	paths = slices.DeleteFunc(paths, func(path string) bool { return !hebrew(path) })
	for _, path := range append(others, covering(t, dir, paths)...) {
		b.run(emulation.SetEmulatedMedia().WithFeatures(looks[0].features()),
			chromedp.Navigate(b.base+path), chromedp.Evaluate(loadAxe, nil, awaited))
		if found := b.axeFinds(); len(found) > 0 {
			t.Errorf("%s:\n%s", path, strings.Join(found, "\n"))
		}
	}
}

// loadAxe loads axe-core from the server of the samples. A browser compiles a script with an
// address once, and one that a test sends for each page.
const loadAxe = `new Promise((done, failed) => {
	const axe = document.createElement("script");
	[axe.src, axe.onload, axe.onerror] = ["/axe.js", () => done(true), () => failed("no axe.js")];
	document.head.append(axe);
})`

// awaited has an evaluation wait for a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// serveAxe serves the script of axe-core, which does not change.
func serveAxe(t *testing.T, mux *http.ServeMux) {
	t.Helper()
	mux.HandleFunc("/axe.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "max-age=3600")
		_, _ = io.WriteString(w, axe(t))
	})
}

// samplesOf returns the paths of the pages of the gallery that match the patterns; make test-long
// has every page in every language.
func samplesOf(t *testing.T, dir string, patterns ...string) (paths []string) {
	t.Helper()
	if os.Getenv("SECONDGATE_LONG") != "" {
		patterns = []string{"*/*"}
	}
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(dir, pattern+".html"))
		require.NoError(t, err)
		for _, file := range files {
			name, err := filepath.Rel(dir, file)
			require.NoError(t, err)
			paths = append(paths, "/"+filepath.ToSlash(name))
		}
	}
	require.Greater(t, len(paths), 40)
	return paths
}

// axeFindsNothing reports what axe-core and the geometry find about the page that is shown.
func (b *tab) axeFindsNothing(script, name string) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithFeatures(looks[0].features()),
		chromedp.Evaluate(script+";0", nil))
	if found := b.axeFinds(); len(found) > 0 {
		b.t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
	}
}

// axeFinds returns what axe-core, whose script the page has, and the geometry find wrong with the
// page, in light and dark.
func (b *tab) axeFinds() (all []string) {
	b.t.Helper()
	for _, l := range looks {
		options, err := json.Marshal(l.options())
		require.NoError(b.t, err)
		var found []string
		b.run(emulation.SetEmulatedMedia().WithFeatures(l.features()),
			chromedp.Evaluate(fmt.Sprintf(`axe.run(%s).then((r) => r.violations.flatMap((v) =>
				v.nodes.map((n) => %q + v.id + ": " + v.help + ": " + n.html.slice(0, 120))))`,
				options, l.name+": "), &found, awaited))
		all = append(all, found...)
	}
	var found []string
	b.eval(geometry+".concat("+broken+")", &found)
	return append(all, found...)
}

// samplesIn serves the files of dir. What a page goes on to by itself has no content, so that the
// page stays. To a page that waits for another device it says to wait on.
func samplesIn(dir string) http.Handler {
	files := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.Header.Get("Accept") == "application/json" {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(r.URL.Path))); err != nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		files.ServeHTTP(w, r)
	})
}
