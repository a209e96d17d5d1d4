package browser_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// edges are the buttons, fields and cards that forced colours leave without an edge: these drop
// backgrounds and shadows, so that a control is a border or a text that is underlined.
const edges = `(() => {
	const bad = [];
	for (const e of document.querySelectorAll(".sg-button, .sg-card, .sg-small, input:not([type=hidden]), select, textarea")) {
		if (!e.checkVisibility({visibilityProperty: true})) continue;
		const s = getComputedStyle(e);
		if (e.type == "checkbox" || e.type == "radio") continue; // drawn by the browser
		if (s.borderTopStyle == "none" || !parseFloat(s.borderTopWidth) || s.borderTopColor == "rgba(0, 0, 0, 0)") bad.push("no edge: " + e.outerHTML.slice(0, 80));
	}
	if (!matchMedia("(forced-colors: active)").matches) bad.push("colours are not forced");
	return bad;
})()`

// moving are the animations and transitions of a page, which a user has asked to be spared.
const moving = `(() => {
	const bad = document.getAnimations().map((a) => "moves: " + a.effect.target.outerHTML.slice(0, 80));
	for (const e of document.querySelectorAll("*")) {
		const s = getComputedStyle(e);
		if (parseFloat(s.transitionDuration) || s.animationName != "none") bad.push("moves: " + e.outerHTML.slice(0, 80));
	}
	return bad;
})()`

// Every page keeps its controls in forced colours, moves nothing for a user who does not want it,
// and in the language with the longest labels is no wider than 320 pixels, as at 400 % in a window
// of 1280, with nothing cut off.
func TestPages_WithForcedColoursAndWithoutMotion(t *testing.T) {
	needChromium(t)
	dir := gallery(t)
	server := httptest.NewServer(samplesIn(dir))
	defer server.Close()
	pages, err := filepath.Glob(filepath.Join(dir, longest(t, dir), "*.html"))
	require.NoError(t, err)
	require.Greater(t, len(pages), 40)
	b := (&site{t, server.URL}).open(true)
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.run(chromedp.EmulateViewport(320, 800), emulation.SetEmulatedMedia().WithFeatures(
		[]*emulation.MediaFeature{{Name: "forced-colors", Value: "active"},
			{Name: "prefers-reduced-motion", Value: "reduce"}}))
	for _, page := range pages {
		name, err := filepath.Rel(dir, page)
		require.NoError(t, err)
		b.run(chromedp.Navigate(server.URL + "/" + filepath.ToSlash(name)))
		for _, look := range []string{edges, moving, geometry, cut} {
			var found []string
			b.eval(look, &found)
			if len(found) > 0 {
				t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
			}
		}
	}
}

// cut are the texts of controls and headings that are wider than what they stand in.
const cut = `[...document.querySelectorAll("h1, h2, label, button, a, summary, .sg-chip, .sg-name")]
	.filter((e) => e.checkVisibility({visibilityProperty: true}) && getComputedStyle(e).display != "inline" &&
		!e.classList.contains("sg-unseen") && !e.classList.contains("sg-who") && e.scrollWidth > e.clientWidth + 1)
	.map((e) => "cut off: " + e.outerHTML.slice(0, 120))`

// longest returns the language whose pages have the most letters.
func longest(t *testing.T, dir string) (tag string) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(dir, "*", "*.html"))
	require.NoError(t, err)
	letters := map[string]int{}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		require.NoError(t, err)
		name := filepath.Base(filepath.Dir(page))
		letters[name] += utf8.RuneCount(b)
		if letters[name] > letters[tag] {
			tag = name
		}
	}
	return tag
}
