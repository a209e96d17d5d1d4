// Package browser_test walks the pages of the example application in a real browser, with
// JavaScript and without.
package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
)

// program is the application, built once. scratch is a directory for what all tests share.
var program, scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		panic(err)
	}
	scratch = dir
	if chromium != "" || firefoxPath != "" {
		program = filepath.Join(dir, "nethttp")
		if err := programs.BuildCheap(program, "examples/nethttp"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	code := m.Run()
	closeBrowser()
	closeFirefox()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds one step in the browser, such as a click and the page that follows. On the
// busiest machine only a step that hangs takes so long.
const patience = 2 * time.Minute

// site is the application, running.
type site struct {
	t    *testing.T
	base string
	// firefox is the browser that opens its tabs, or nil for Chromium.
	firefox *firefox
}

// start runs the application for tabs of Chromium.
func start(t *testing.T, args ...string) *site {
	t.Helper()
	return browsing{}.start(t, args...)
}

func (s *site) get(path string, into any) {
	s.t.Helper()
	r, err := http.Get(s.base + path)
	require.NoError(s.t, err)
	defer func() { _ = r.Body.Close() }()
	require.Equal(s.t, 200, r.StatusCode)
	require.NoError(s.t, json.NewDecoder(r.Body).Decode(into))
}

// advance moves the demonstration clock.
func (s *site) advance(d time.Duration) {
	s.t.Helper()
	r, err := http.Post(s.base+"/demo/clock", "application/json",
		strings.NewReader(fmt.Sprintf(`{"advance":%q}`, d)))
	require.NoError(s.t, err)
	_ = r.Body.Close()
	require.Equal(s.t, 200, r.StatusCode)
}

func (s *site) now() time.Time {
	s.t.Helper()
	var clock struct{ Now time.Time }
	s.get("/demo/clock", &clock)
	return clock.Now
}

type message struct{ Channel, To, Subject, Text string }

// last is the latest message to an address or number.
func (s *site) last(to string) message {
	s.t.Helper()
	var all []message
	s.get("/demo/outbox", &all)
	for _, m := range all {
		if m.To == to {
			return m
		}
	}
	s.t.Fatalf("nothing was sent to %s", to)
	return message{}
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code is the latest code to an address or number; mails about changes have none.
func (s *site) code(to string) string {
	s.t.Helper()
	var all []message
	s.get("/demo/outbox", &all)
	for _, m := range all {
		if code := sixDigits.FindString(m.Text); m.To == to && code != "" {
			return code
		}
	}
	s.t.Fatalf("no code was sent to %s", to)
	return ""
}

// shown is what an authenticator app shows now.
func (s *site) shown(secret string) string {
	s.t.Helper()
	c, err := totp.GenerateCodeCustom(secret, s.now(),
		totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix})
	require.NoError(s.t, err)
	return c
}

// try runs actions of Chromium as one step.
func (b *tab) try(actions ...chromedp.Action) error {
	b.t.Helper()
	if b.window == nil {
		b.t.Fatal("this step is one of Chromium")
	}
	return inChromium{b.window}.run(actions...)
}

// follow runs actions of Chromium that lead to another page as one step, and waits for that page.
func (b *tab) follow(actions ...chromedp.Action) error {
	if err := (inChromium{b.window}).away(actions...); err != nil {
		return err
	}
	return b.arrived()
}

// arrived waits for the page that the browser is led to. The page that goes on by itself is not
// the one.
func (b *tab) arrived() error {
	there := false
	js := `location.pathname != "/mfa/continue" && ` + b.settled()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(5 * time.Millisecond) {
		// An error means that the page has gone while it was asked.
		if err := b.engine.evaluate(js, &there); err == nil && there {
			return nil
		}
	}
	return fmt.Errorf("waited %s for the page in vain", patience)
}

// settled is what a page is when nothing goes on by itself: a page whose script posts the form for
// the first code is on its way.
func (b *tab) settled() string {
	if !b.script {
		return `document.readyState == "complete"`
	}
	return `document.readyState == "complete" && !document.querySelector("form[data-send-now]")`
}

// waitFor waits until something is so.
func (s *site) waitFor(what string, so func() bool) {
	s.t.Helper()
	for began := time.Now(); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > patience {
			s.t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	b.must(b.try(actions...))
}

// visit opens a path and checks the page.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.must(b.engine.load(b.base + path))
	b.must(b.arrived())
	b.check()
}

// goes opens an address, of another application.
func (b *tab) goes(url string) {
	b.t.Helper()
	b.must(b.engine.load(url))
	b.must(b.arrived())
}

// must fails the test for the error of a step, and says where the browser is.
func (b *tab) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%v at %s\n%s", err, b.path(), b.text("body"))
	}
}

// press clicks what leads to another page, and checks that page.
func (b *tab) press(selector string) {
	b.t.Helper()
	if selector == sendForm && b.script && b.has("#code") {
		return // the page has sent the first code by itself
	}
	err := b.engine.leave(selector)
	if err == nil {
		err = b.arrived()
	}
	if err != nil {
		b.must(fmt.Errorf("pressing %s: %w", selector, err))
	}
	b.check()
}

// click clicks what leads to no other page.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.must(b.engine.click(selector))
}

// set gives an element a value.
func (b *tab) set(selector, value string) {
	b.t.Helper()
	b.must(b.engine.set(selector, value))
}

// fill gives a field of the page a value.
func (b *tab) fill(name, value string) {
	b.t.Helper()
	b.set(`main [name="`+name+`"]:not([type=hidden])`, value)
}

func (b *tab) eval(js string, into any) {
	b.t.Helper()
	b.must(b.engine.evaluate(js, into))
}

// becomes waits for what a browser does in its own time, such as giving the focus to a field
// after a page was laid out. It asks from outside: in a page without JavaScript nothing can wait.
func (b *tab) becomes(js, what string) {
	b.t.Helper()
	began := time.Now()
	for so := false; !so; time.Sleep(10 * time.Millisecond) {
		err := b.engine.evaluate("!!("+js+")", &so)
		if time.Since(began) > patience {
			b.t.Fatalf("%s: %v at %s\n%s", what, err, b.path(), b.text("body"))
		}
	}
}

func (b *tab) text(selector string) (s string) {
	_ = b.engine.evaluate(fmt.Sprintf(`(document.querySelector(%q)||{innerText:""}).innerText`,
		selector), &s)
	return strings.ReplaceAll(s, "\u2011", "-")
}

func (b *tab) has(selector string) (ok bool) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`document.querySelector(%q) !== null`, selector), &ok)
	return ok
}

// visible reports whether a user sees an element.
func (b *tab) visible(selector string) (ok bool) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`document.querySelector(%q).checkVisibility()`, selector), &ok)
	return ok
}

func (b *tab) path() (s string) {
	_ = b.engine.evaluate(`location.pathname`, &s)
	return s
}

// check holds for every page.
func (b *tab) check() {
	b.t.Helper()
	var problems []string
	b.eval(`(() => {
	const bad = [];
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
		if (!e.labels.length && !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby")) bad.push("no label: " + e.outerHTML);
		for (const id of (e.getAttribute("aria-describedby") || "").split(" ")) if (id && !document.getElementById(id)) bad.push("no such description: " + id);
	}
	for (const e of document.querySelectorAll("button, a[href]")) if (!e.textContent.trim() && !e.getAttribute("aria-label")) bad.push("no name: " + e.outerHTML);
	for (const f of document.forms) { // the Enter key presses the first button
		const first = [...f.elements].find(e => e.type == "submit");
		if (first && first.hasAttribute("formaction")) bad.push("Enter presses: " + first.outerHTML);
	}
	if (document.querySelectorAll("h1").length !== 1) bad.push("h1: " + document.querySelectorAll("h1").length);
	if (!document.documentElement.lang) bad.push("no lang");
	if (!document.title) bad.push("no title");
	if (!document.querySelector("main")) bad.push("no main");
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push("id twice: " + id);
	const edge = (e) => document.documentElement.dir == "rtl" ? e.getBoundingClientRect().right : e.getBoundingClientRect().left;
	for (const e of innerWidth > 480 ? document.querySelectorAll(".sg-header .sg-brand, .sg-nav ul") : [])
		if (Math.abs(edge(e) - edge(document.querySelector("main"))) > 1) bad.push("begins at another edge than the panel: " + e.outerHTML.slice(0, 80));
	for (const e of document.querySelectorAll("[style], script:not([src]), style")) if (!e.closest("svg")) bad.push("inline: " + e.outerHTML.slice(0, 80));
	return bad;
})()`, &problems)
	if len(problems) > 0 {
		b.t.Errorf("%s: %q", b.path(), problems)
	}
}

// narrow says how wide the page is in a window of 320 pixels. No window of Firefox is so narrow:
// TestPages_HaveNothingThatAxeFindsInFirefox measures the pages in a frame.
func (b *tab) narrow() (width int) {
	b.t.Helper()
	if b.firefox != nil {
		return 0
	}
	b.run(viewport(320, 800))
	b.eval(`document.documentElement.scrollWidth`, &width)
	b.run(wholeWindow())
	return width
}

func language(tag string) chromedp.Action {
	return network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": tag})
}
