package browser_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// windows are the ones that each page of the example fits into: those of small phones, of a large
// screen, and of a large screen at 200 % with text of twice the size.
var windows = []setting{
	{"320 pixels", 320, 800, 16, nil},
	{"360 pixels", 360, 800, 16, nil},
	{"1280 pixels", 1280, 800, 16, nil},
	{"text of twice the size", 640, 800, 32, nil},
}

// TestExample_FitsEveryWindow looks at pages of the example, as a visitor, as a user who has yet to
// respond, and as an administrator, and finds nothing that is cut off or wider than the window. It
// does so in Finnish, whose words are the longest; make test-long follows the links to every page,
// in other languages as well. SECONDGATE_SCREENSHOTS names a directory for pictures of the pages in
// Arabic, German and Turkish, and SECONDGATE_SCREENSHOTS_IN other languages.
func TestExample_FitsEveryWindow(t *testing.T) {
	languages := []string{longestWords}
	if atLength() {
		languages = append(languages, "de", "nb", "nl", mostText, "ar")
	}
	if os.Getenv("SECONDGATE_SCREENSHOTS") != "" {
		languages = pictured("ar", "de", "tr")
	}
	s := start(t)
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			here := &site{t: t, base: s.base}
			visitor, half, owner := here.open(true), here.open(true), here.open(true)
			for _, b := range []*tab{visitor, half, owner} {
				b.run(language(lang))
			}
			half.login("anna")
			owner.signIn("olivia")
			visitor.fits("/login", "/password/forgot")
			half.fits("/mfa/verify", "/mfa/lost")
			owner.fits("/", "/mfa/factors", "/sessions", "/email", "/outbox", "/admin/sign-on",
				"/admin/mfa/", "/admin/mfa/user?id=acct-anna", "/admin/mfa/policies",
				"/admin/mfa/policies/edit?type=employee", "/admin/mfa/report", "/admin/mfa/audit",
				"/admin/mfa/cases", "/admin/mfa/mails")
			owner.run(language("zh-Hans")) // which has no spaces
			owner.fits("/admin/mfa/")
		})
	}
}

// beyond finds controls of which a user sees a part alone, because what they are in scrolls.
const beyond = `[...document.querySelectorAll("[tabindex='0'] :is(a[href], button)")].filter((e) => {
	const r = e.getBoundingClientRect(), box = e.closest("[tabindex='0']").getBoundingClientRect();
	return r.width && (r.left < box.left - 1 || r.right > box.right + 1);
}).map((e) => "has to be scrolled to: " + e.outerHTML.slice(0, 120))`

// broken finds a value to type or to copy that is in several lines, and a mark in a table that is
// in more than four: in a language without spaces it could break after every character. A key has
// lines, and each of its groups is in one of them.
const broken = `[...document.querySelectorAll("code:not(.sg-key), .sg-key > span, .sg-table .sg-chip")].filter((e) =>
	e.checkVisibility() && e.getBoundingClientRect().height > (e.matches(".sg-chip") ? 6.4 : 2.2) *
		parseFloat(getComputedStyle(e).fontSize)
).map((e) => "in several lines: " + e.textContent)`

// oneOfMany is what stands in a path for one of many.
var oneOfMany = regexp.MustCompile(`=[^&]*|[0-9A-Za-z_-]{16,}|\d+`)

// fits reports what of pages does not fit into a window; in make test-long also of what they link
// to, of each kind of page one.
func (b *tab) fits(paths ...string) {
	b.t.Helper()
	defer b.run(usual.apply())
	seen := map[string]bool{}
	for len(paths) > 0 {
		path, kind := paths[0], oneOfMany.ReplaceAllString(paths[0], "")
		paths = paths[1:]
		if seen[kind] {
			continue
		}
		seen[kind] = true
		b.run(navigate(b.base + path))
		b.fitsHere(path)
		if atLength() {
			var links []string
			b.eval(linked, &links)
			paths = append(paths, links...)
		}
	}
}

// fitsHere reports what of the page does not fit into a window, and saves pictures of it if they
// are wanted.
func (b *tab) fitsHere(name string) {
	b.t.Helper()
	for _, w := range windows {
		var found []string
		b.run(viewport(w.width, w.height), textSize(w.text))
		b.eval(geometry+".concat("+cut+", "+beyond+", "+broken+")", &found)
		if len(found) > 0 {
			b.t.Errorf("%s, %s: %q", name, w.name, found)
		}
	}
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		return
	}
	var lang string
	b.eval(`document.documentElement.lang`, &lang)
	name = strings.NewReplacer("/", "-", "?", "-").Replace(name)
	for _, set := range settings {
		if wanted(b.t, path.Join(set.name, lang, name), "360/*/* 1280/*/* twice/*/*") {
			b.shoot(set, filepath.Join(dir, set.name, lang, name+".png"))
		}
	}
}

// linked are the paths of the pages that a page links to.
const linked = `[...document.querySelectorAll("a[href]:not([download])")].
	filter((a) => a.origin == location.origin).map((a) => a.pathname + a.search)`
