package browser_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// edges are the buttons, fields, cards, marks and notices that forced colours leave without an
// edge: these drop backgrounds and shadows, so that a control is a border or a text that is
// underlined. Of the places of a navigation, the current one alone has a line below it.
const edges = `(() => {
	const bad = [];
	for (const e of document.querySelectorAll("nav a")) {
		const line = getComputedStyle(e).borderBottomColor != getComputedStyle(document.body).backgroundColor;
		if (line != e.hasAttribute("aria-current")) bad.push("current or not: " + e.outerHTML);
	}
	for (const e of document.querySelectorAll(".sg-button, .sg-card, .sg-chip, .sg-notice, .sg-show, .sg-small, input:not([type=hidden]), select, textarea")) {
		if (!e.checkVisibility({visibilityProperty: true})) continue;
		const s = getComputedStyle(e);
		if (e.type == "checkbox" || e.type == "radio") continue; // drawn by the browser
		if (s.borderTopStyle == "none" || !parseFloat(s.borderTopWidth) || s.borderTopColor == "rgba(0, 0, 0, 0)") bad.push("no edge: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll(".sg-spin")) {
		const s = getComputedStyle(e);
		if (s.borderTopColor == s.borderBottomColor) bad.push("a ring that does not seem to turn");
	}
	const probe = document.createElement("p");
	probe.style.color = "rgb(1, 2, 3)";
	document.body.append(probe);
	if (getComputedStyle(probe).color == "rgb(1, 2, 3)") bad.push("colours are not forced");
	probe.remove();
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

// The languages whose texts are the hardest to fit: French has the most text, and Finnish the
// longest words.
const (
	mostText     = "fr"
	longestWords = "fi"
)

// A page keeps its controls in forced colours, moves nothing for a user who does not want it, and
// with the most text is no wider than 320 pixels, as at 400 % in a window of 1280 (WCAG 2.2,
// 1.4.10), with nothing cut off.
func TestPages_WithForcedColoursAndWithoutMotion(t *testing.T) {
	b := openSamples(t)
	defer b.run(emulation.SetEmulatedMedia().WithFeatures(nil))
	b.run(viewport(320, 800))
	forced := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "forced-colors", Value: "active"},
		{Name: "prefers-reduced-motion", Value: "reduce"}})
	b.findsNothing(mostText+"/*", forced, edges, moving, geometry, cut, broken,
		hyphenated)
}

// In a window of 1280 pixels at 200 %, a page has room for text of twice the size and the
// longest words as well (WCAG 2.2, 1.4.4).
func TestPages_WithTextOfTwiceTheSize(t *testing.T) {
	b := openSamples(t)
	defer b.run(textSize(16))
	b.run(viewport(640, 800), textSize(32))
	b.findsNothing(longestWords+"/*", chromedp.Tasks{}, twice, geometry, cut, broken)
}

// longNames gives the service, the account, and each factor and device a long name without a space.
const longNames = `(() => {
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; node = walk.nextNode();) {
		node.data = node.data.replaceAll("ann@example.com", "w".repeat(64) + "@" + "w".repeat(60)).
			replaceAll(/\bAcme\b/g, "W".repeat(40)).
			replaceAll(/Work phone|Phone|Laptop|Firefox, Linux/g, "👩‍👩‍👧‍👦".repeat(25)).
			replaceAll(/carrier-pigeon|Which book/g, "M".repeat(50));
	}
	return [];
})()`

// Long names without spaces are whole, and no page is wider than a window of 320 pixels.
func TestPages_WithLongNames(t *testing.T) {
	b := openSamples(t)
	b.run(viewport(320, 800))
	defer b.run(usual.apply())
	for _, page := range []string{"choose", "enroll-questions-wrong", "factors", "factors-held",
		"help-email", "lost-sms", "link", "page-wide", "remove", "remove-held", "setup",
		"verify-questions", "verify-remember", "verify-send"} {
		b.run(navigate(b.base + "/en/" + page + ".html"))
		for _, script := range []string{longNames, geometry, cut} {
			var found []string
			b.eval(script, &found)
			if len(found) > 0 {
				t.Errorf("%s:\n%s", page, strings.Join(found, "\n"))
			}
		}
	}
}

// openSamples opens a tab at a server of every page in every state, whose pages stay. The server
// has the script of axe-core as well.
func openSamples(t *testing.T) *tab {
	t.Helper()
	needChromium(t)
	mux := http.NewServeMux()
	mux.Handle("/", samplesIn(gallery(t)))
	serveAxe(t, mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return (&site{t: t, base: server.URL}).open(true)
}

// findsNothing reports what scripts find wrong with pages that match a pattern and together have
// every kind of element, in a setting; make test-long has all that match. Chromium forces colours
// on the page that it shows, and no longer on the next one.
func (b *tab) findsNothing(pattern string, in chromedp.Action, scripts ...string) {
	b.t.Helper()
	dir := gallery(b.t)
	for _, path := range covering(b.t, dir, samplesOf(b.t, dir, pattern)) {
		b.run(navigate(b.base+path), in)
		for _, script := range scripts {
			var found []string
			b.eval(script, &found)
			if len(found) > 0 {
				b.t.Errorf("%s:\n%s", path, strings.Join(found, "\n"))
			}
		}
	}
}

// twice reports text that is not of twice the size.
const twice = `(size => size == "32px" ? [] : ["text is " + size])(getComputedStyle(document.body).fontSize)`

// cut are the texts of controls and headings that are wider than what they stand in, boxes that the
// text beside them makes narrow, and whatever hides a part of what it has, and does not scroll by
// keys.
const cut = `[...document.querySelectorAll("body *")].filter((e) => {
	const s = getComputedStyle(e);
	if (!e.checkVisibility({visibilityProperty: true}) || s.display == "inline" || e.closest("svg, .sg-unseen")) return false;
	if (e.type == "checkbox" || e.type == "radio") return Math.abs(e.offsetWidth - e.offsetHeight) > 1;
	if (e.tabIndex == 0 && s.overflowX == "auto") return false;
	if (e.matches("h1, h2, label, button, a, summary, .sg-chip, .sg-name") && e.scrollWidth > e.clientWidth + 1) return true;
	return s.overflow != "visible" && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
}).map((e) => "cut off: " + e.outerHTML.slice(0, 120))`
