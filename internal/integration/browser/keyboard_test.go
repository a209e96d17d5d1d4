package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// keys is a tab that gets keys and nothing else: no click, and no value that is set.
type keys struct{ *tab }

// seen is what is wrong with how the element that has the focus looks: it is not in the window, it
// is covered, or nothing shows that it has the focus (WCAG 2.2, 2.4.7 and 2.4.11).
const seen = `(() => {
	const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e), bad = [];
	if (e == document.body) return ["nothing has the focus"];
	const name = e.outerHTML.slice(0, 80);
	if (r.bottom > innerHeight + 1 || r.top < -1 || r.right > innerWidth + 1 || r.left < -1) {
		if (r.height < innerHeight) bad.push("out of view " + JSON.stringify(r) + ": " + name);
	}
	const at = document.elementFromPoint(r.left + Math.min(r.width, innerWidth) / 2,
		Math.min(r.top + r.height / 2, innerHeight - 2));
	if (at && at != e && !e.contains(at) && !at.contains(e)) {
		bad.push("covered by " + at.outerHTML.slice(0, 80) + ": " + name);
	}
	const ring = s.outlineStyle != "none" && parseFloat(s.outlineWidth) >= 2 &&
		s.outlineColor != "rgba(0, 0, 0, 0)";
	if (!ring && e.id != "main") bad.push("no focus ring: " + name);
	return bad;
})()`

// press presses keys, one after the other.
func (k keys) send(text string) {
	k.t.Helper()
	k.run(chromedp.KeyEvent(text))
}

// to presses Tab until the focus is on what the selector finds. Each element on the way is seen.
func (k keys) to(selector string) {
	k.t.Helper()
	for range 60 {
		if k.sees(selector) {
			return
		}
		k.send(kb.Tab)
	}
	k.t.Fatalf("Tab does not come to %s at %s\n%s", selector, k.path(), k.text("main"))
}

// sees fails the test for how the element that has the focus looks, and reports whether it is the
// one that the selector finds.
func (k keys) sees(selector string) bool {
	k.t.Helper()
	var focus struct {
		There bool
		Bad   []string
	}
	k.eval(fmt.Sprintf(`({there: document.activeElement.matches(%q),
		bad: document.activeElement == document.body ? [] : %s})`, selector, seen), &focus)
	require.Empty(k.t, focus.Bad, k.path())
	return focus.There
}

// goes presses a key that leads to another page.
func (k keys) goes(key string) {
	k.t.Helper()
	require.NoError(k.t, k.follow(chromedp.KeyEvent(key)), k.path())
	k.check()
}

// types goes to a field and types into it.
func (k keys) types(selector, text string) {
	k.t.Helper()
	k.to(selector)
	k.send(text)
}

// answersQuestions sets up security questions: two of the list, and one of the user's own.
func (k keys) answersQuestions() {
	k.t.Helper()
	k.t.Log("security questions")
	k.visit("/mfa/enroll/questions")
	for n, pick := range []string{kb.ArrowDown, kb.ArrowDown + kb.ArrowDown, kb.End} {
		k.to(fmt.Sprintf("#question%d", n+1))
		k.send(pick)
		if pick == kb.End {
			k.types("#own3", "Which boat did we hire first?")
		}
		k.types(fmt.Sprintf("#answer%d", n+1), fmt.Sprintf("The answer %d", n+1))
	}
	k.goes(kb.Enter)
	require.Equal(k.t, "/mfa/factors", k.path())
}

// A user without a mouse signs in with each way that the pages have, sets up an app, recovery
// codes, security questions and a passkey, renames a method and removes it. Each element that gets
// the focus is in view, and shows that it has it.
func TestKeyboard_DoesEveryTask(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	k := keys{d.tab}
	login := func() {
		t.Helper()
		k.visit("/login")
		k.types(`[name=username]`, "ben")
		k.types(`[name=password]`, "ben-demo-password")
		k.goes(kb.Enter)
		require.Equal(t, "/mfa/verify", k.path())
	}
	signOut := func() {
		t.Helper()
		k.visit("/mfa/factors")
		k.to(`form[action="/mfa/sign-out"] button`)
		k.goes(kb.Enter)
	}
	t.Log("a code by mail")
	login()
	k.becomes(`document.activeElement.id == "code"`, "the field has the focus")
	k.types("#code", k.code("ben@acme.example"))
	k.goes(kb.Enter)
	require.Equal(t, "/", k.path())

	t.Log("an authenticator app, by the list of kinds")
	k.visit("/mfa/enroll")
	k.to(`form[action="/mfa/enroll/totp"] button`)
	k.goes(kb.Enter)
	k.to(`details.sg-details:not(.sg-ontouch) summary`)
	k.send(" ")
	k.becomes(`document.querySelector("#key").checkVisibility()`, "the key is shown")
	var secret string
	k.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
	k.to("[data-copy]")
	k.types("#code", k.shown(secret))
	k.types("#name", "Work phone")
	k.goes(kb.Enter)

	t.Log("recovery codes")
	require.Equal(t, "/mfa/recovery-codes", k.path())
	for _, tool := range []string{"[data-copy]", "[data-download]", "[data-print]"} {
		k.to(tool)
	}
	k.to("#saved")
	k.send(" ")
	k.to(`form[action="/mfa/recovery-codes/saved"] button`)
	k.goes(" ")
	require.NotEqual(t, "/mfa/recovery-codes", k.path())

	t.Log("a code of the app")
	signOut()
	s.advance(30 * time.Second)
	login()
	k.becomes(`document.activeElement.id == "code"`, "the field has the focus")
	k.types("#code", k.shown(secret))
	k.goes(kb.Enter)
	require.NotEqual(t, "/mfa/verify", k.path())

	k.answersQuestions()

	t.Log("rename, and remove")
	k.visit("/mfa/factors")
	k.to(`.sg-rename summary`)
	k.send(kb.Enter)
	k.types(`.sg-rename input:not([type=hidden])`, "Work phone 2") // Tab selects the name
	k.goes(kb.Enter)
	require.Contains(t, k.text("main"), "Work phone 2")
	k.to(`a[href$="/remove"]`)
	k.goes(kb.Enter)
	k.to(`form[action$="/remove"] button[type=submit]`)
	k.goes(kb.Enter)
	require.NotContains(t, k.text("main"), "Work phone 2")

	t.Log("a passkey")
	d.present(true)
	k.visit("/mfa/enroll")
	k.to(`form[action="/mfa/enroll/passkey"] button`)
	k.goes(kb.Enter)
	k.types("#name", "Laptop")
	k.to(createButton)
	k.goes(kb.Enter)
	if k.path() == "/mfa/recovery-codes" {
		k.to("#saved")
		k.send(" ")
		k.to(`form[action="/mfa/recovery-codes/saved"] button`)
		k.goes(kb.Enter)
	}
	k.visit("/mfa/factors")
	require.Contains(t, k.text("main"), "Laptop")
	d.present(false)
	signOut()
	login()
	d.present(true)
	k.to(useButton)
	k.goes(kb.Enter)
	require.Equal(t, "/", k.path())

	t.Log("another way than the one that is asked for")
	d.present(false)
	signOut()
	s.advance(time.Minute)
	login()
	k.to(`a[href^="/mfa/verify?kind=recovery"]`)
	k.goes(kb.Enter)
	k.types("#code", "0000-0000-0000-0000")
	k.goes(kb.Enter)
	k.becomes(`document.activeElement.getAttribute("aria-invalid") == "true"`, "the mistake has it")
	require.True(t, k.sees("#code"))
}
