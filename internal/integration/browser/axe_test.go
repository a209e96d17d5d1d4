package browser_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
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

// look is a colour scheme that a page is looked at in, and the rules of axe-core that run there:
// all but those about colours, or the named ones.
type look struct {
	scheme string
	rules  []string
}

var (
	looks = []look{{"light", nil}, {"light", colourRules}, {"dark", colourRules}}
	// asAWhole is the look at a page whose elements are all known.
	asAWhole = look{"light", pageRules}
)

// standards are the tags of the rules of axe-core, colourRules those of them about colours, and
// pageRules those about a page as a whole.
var (
	standards = []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
		"best-practice"}
	colourRules = []string{"color-contrast", "link-in-text-block"}
	pageRules   = []string{"bypass", "document-title", "duplicate-id-aria", "heading-order",
		"html-has-lang", "landmark-banner-is-top-level", "landmark-contentinfo-is-top-level",
		"landmark-main-is-top-level", "landmark-no-duplicate-banner",
		"landmark-no-duplicate-contentinfo", "landmark-no-duplicate-main", "landmark-one-main",
		"landmark-unique", "page-has-heading-one", "region"}
)

// options are those of axe.run. They leave out what no test reads: selectors, what passes, and the
// style sheets for a rule that does not run.
func (l look) options() map[string]any {
	options := map[string]any{"resultTypes": []string{"violations"}, "selectors": false,
		"preload": false}
	if l.rules != nil {
		options["runOnly"] = map[string]any{"type": "rule", "values": l.rules}
		return options
	}
	off := map[string]any{}
	for _, rule := range colourRules {
		off[rule] = map[string]any{"enabled": false}
	}
	options["runOnly"] = map[string]any{"type": "tag", "values": standards}
	options["rules"] = off
	return options
}

func (l look) features() []*emulation.MediaFeature {
	return []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}
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
	b.run(viewport(320, 800))
	hebrew := func(path string) bool { return strings.HasPrefix(path, "/he/") }
	paths := samplesOf(t, dir, "en/*", "he/verify-*")
	others := slices.DeleteFunc(slices.Clone(paths), hebrew)
	paths = slices.DeleteFunc(paths, func(path string) bool { return !hebrew(path) })
	seen := known{}
	for _, path := range append(others, covering(t, dir, paths)...) {
		b.run(emulation.SetEmulatedMedia().WithFeatures(looks[0].features()),
			navigate(b.base+path), chromedp.Evaluate(loadAxe, nil, awaited))
		if found := b.axeFinds(seen); len(found) > 0 {
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
	if atLength() {
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

// axeFindsNothing reports what axe-core and the geometry find about the page that is shown, as
// axeFinds does.
func (b *tab) axeFindsNothing(script, name string, seen known) {
	b.t.Helper()
	b.run(emulation.SetEmulatedMedia().WithFeatures(looks[0].features()),
		chromedp.Evaluate(script+";0", nil))
	if found := b.axeFinds(seen); len(found) > 0 {
		b.t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
	}
}

// places are what the colours of the texts and the fields of a page depend on: the elements that
// each is in, with their classes and attributes. The script returns them, and marks the elements
// that have them.
const places = `(() => {
	const list = new Map();
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility({visibilityProperty: true})) continue;
		if (!e.matches("input, select, textarea") &&
			![...e.childNodes].some((n) => n.nodeType == Node.TEXT_NODE && n.data.trim())) continue;
		let place = "";
		for (let at = e; at; at = at.parentElement) {
			const names = at.getAttributeNames().filter((name) => name != "class");
			place += at.localName + [...at.classList, ...names].sort().map((name) => "." + name).join("") + " ";
		}
		list.set(place, [...(list.get(place) || []), e]);
	}
	window.places = list;
	return [...list.keys()];
})()`

// known is what a test has looked at: kinds of elements, and places whose colours it knows.
type known map[string]bool

// news returns those of a list that are new, and remembers them. In a long run all of them are.
func (k known) news(list []string) (fresh []string) {
	for _, one := range list {
		if !k[one] || atLength() {
			fresh = append(fresh, one)
		}
		k[one] = true
	}
	return fresh
}

// newKinds reports whether the page has a kind of element that is new.
func (k known) newKinds(b *tab) bool {
	b.t.Helper()
	var page string
	b.eval(`document.documentElement.outerHTML`, &page)
	return len(k.news(slices.Collect(maps.Keys(kindsOf(page))))) > 0
}

// axeFinds returns what axe-core, whose script the page has, and the geometry find wrong with the
// page, and with its colours in light and dark. A test looks at a kind of element once, and at the
// colours of a place once, and at each page as a whole.
func (b *tab) axeFinds(seen known) (all []string) {
	b.t.Helper()
	var list []string
	b.eval(places, &list)
	fresh, err := json.Marshal(seen.news(list))
	require.NoError(b.t, err)
	first := looks[0]
	if !seen.newKinds(b) {
		first = asAWhole
	}
	for i, l := range []look{first, looks[1], looks[2]} {
		context := "document"
		if i > 0 {
			if string(fresh) == "null" {
				break
			}
			context = fmt.Sprintf(`{include: %s.flatMap((place) => places.get(place))}`, fresh)
		}
		options, err := json.Marshal(l.options())
		require.NoError(b.t, err)
		var found []string
		b.run(emulation.SetEmulatedMedia().WithFeatures(l.features()),
			chromedp.Evaluate(fmt.Sprintf(`axe.run(%s, %s).then((r) => r.violations.flatMap((v) =>
				v.nodes.map((n) => %q + v.id + ": " + v.help + ": " + n.html.slice(0, 120))))`,
				context, options, l.scheme+": "), &found, awaited))
		all = append(all, found...)
	}
	var found []string
	b.eval(geometry+".concat("+broken+")", &found)
	return append(all, found...)
}

// What is wrong with a page as a whole is found where each of its elements is known, and a text
// that is hard to read where it is new.
func TestAxeFinds_WhatIsNewOnAKnownPage(t *testing.T) {
	b := openSamples(t)
	defer b.run(usual.apply())
	seen := known{}
	b.run(viewport(320, 800), navigate(b.base+"/en/confirmed.html"),
		chromedp.Evaluate(loadAxe, nil, awaited))
	require.Empty(t, b.axeFinds(seen))
	b.eval(`document.querySelector("main").after(document.querySelector("main").cloneNode(true))`,
		nil)
	require.False(t, seen.newKinds(b) && !atLength(), "each element is known")
	require.Contains(t, strings.Join(b.axeFinds(seen), "\n"), "landmark-no-duplicate-main")
	b.eval(`document.querySelector("main").remove()`, nil)
	require.Empty(t, b.axeFinds(seen))
	b.eval(`(() => {
		const p = document.createElement("p");
		[p.className, p.textContent] = ["probe", "Hard to read"];
		[p.style.color, p.style.background] = ["#ccc", "#fff"];
		document.querySelector("main").append(p);
	})()`, nil)
	require.Contains(t, strings.Join(b.axeFinds(seen), "\n"), "light: color-contrast")
}

// samplesIn serves the files of dir. What a page goes on to by itself has no content, so that the
// page stays. To a page that waits for another device it says to wait on. The browser keeps
// stylesheets and scripts, as it does those of an application.
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
		if strings.HasPrefix(r.URL.Path, "/mfa/static/") {
			w.Header().Set("Cache-Control", "max-age=3600, immutable")
		}
		files.ServeHTTP(w, r)
	})
}
