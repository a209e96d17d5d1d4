package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Two minutes before a page expires it says so, on the page and to a screen reader, and offers more
// time (WCAG 2.2, 2.2.1).
func TestPages_WarnBeforeTheyExpire(t *testing.T) {
	b := openGallery(t)
	for page, offer := range map[string]struct{ role, name string }{
		"verify-totp-ends":     {"link", "Get more time"},
		"enrollment-totp-ends": {"button", "Start again"},
	} {
		b.run(navigate(b.base + "/en/" + page + ".html"))
		b.becomes(`document.querySelector("[data-ends]").checkVisibility()`, "the page warns")
		require.Regexp(t, `This page expires in [12]:\d\d`, b.text("[data-ends]"))
		var said string
		b.eval(`document.querySelector("[data-ends-say]").textContent`, &said)
		offered, heard := 0, 0
		for _, h := range b.tree() {
			if h.Role == offer.role && h.Name == offer.name {
				offered++
			}
			if said != "" && h.Name == said {
				heard++
			}
		}
		require.Equal(t, 1, offered, page)
		if page == "verify-totp-ends" { // it had more than two minutes when it was opened
			require.Equal(t, "This page expires in 2 minutes", said)
			require.Positive(t, heard)
		}
		require.True(t, b.has(`[role=status][data-ends-say]`), page)
	}
}

// A page says that the session ends, on the page and to a screen reader, and the user stays signed
// in by a button, with JavaScript or without.
func TestPages_WarnBeforeTheSessionEnds(t *testing.T) {
	b := openGallery(t)
	b.run(navigate(b.base + "/en/session-ends.html"))
	require.False(t, b.visible(".sg-session"))
	b.becomes(`document.querySelector(".sg-session").checkVisibility()`, "the page warns")
	var said string
	b.eval(`document.querySelector("[data-session-says]").textContent`, &said)
	require.Equal(t, "You will be signed out in 2:00", said)
	offered, heard := 0, 0
	for _, h := range b.tree() {
		if h.Role == "button" && h.Name == "Stay signed in" {
			offered++
		}
		if h.Name == said {
			heard++
		}
	}
	require.Equal(t, 1, offered)
	require.Positive(t, heard, "a status has the warning")
	require.True(t, b.has("[role=status][data-session-says]"))

	s := start(t, "-session", "2m8s")
	c := s.open(true)
	c.signIn("ben")
	c.visit("/email")
	c.run(chromedp.Focus("[name=address]", chromedp.ByQuery))
	c.fill("address", "ben@new.example")
	c.becomes(`document.querySelector(".sg-session").checkVisibility()`, "the page warns")
	c.click(".sg-session button")
	c.becomes(`!document.querySelector(".sg-session").checkVisibility()`, "there is time")
	var focused, typed string
	c.eval(`document.querySelector("[data-session-says]").textContent`, &said)
	require.Equal(t, "You are still signed in.", said)
	c.eval(`document.activeElement.name`, &focused)
	c.eval(`document.querySelector("[name=address]").value`, &typed)
	require.Equal(t, []string{"address", "ben@new.example"}, []string{focused, typed})

	s = start(t, "-session", "90s")
	c = s.open(false)
	c.signIn("ben")
	c.visit("/sessions")
	require.Contains(t, c.text(".sg-session"), "You will be signed out in")
	c.press(".sg-session button")
	require.Equal(t, "/sessions", c.path())
}

// Without a connection a page that is asked for more time stays, with what was typed, and says so.
func TestPages_StayWithoutAConnection(t *testing.T) {
	b := openSamples(t)
	for page, ask := range map[string]string{
		"verify-totp-ends": `document.querySelector("[data-more]").click()`,
		"session-ends":     `document.querySelector(".sg-session form").requestSubmit()`,
	} {
		const text = "There is a problem with the service. Try again in a moment."
		b.run(navigate(b.base+"/en/"+page+".html"), chromedp.Evaluate(`
			document.querySelector("main").dataset.typed = "123";
			window.fetch = () => Promise.reject(new TypeError("offline"));`+ask, nil))
		b.becomes(`[...document.querySelectorAll("[role=status]")].
			some((e) => e.textContent == "`+text+`")`, page)
		require.True(t, b.has("main[data-typed]"), page)
		require.True(t, b.has(".sg-notice p + p"), "the page says so, too")
	}
}

// A user who asks for more time, or for another code, loses nothing that was typed, with JavaScript
// or without: more time keeps the code too where the script asks for it.
func TestPages_GetMoreTimeWithWhatWasTyped(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("ben")
		secret := b.hasApp()
		b.signOut()
		b.firstFactor("ben")
		b.visit("/mfa/verify?kind=totp")
		b.advance(13*time.Minute + 10*time.Second)
		b.visit("/mfa/verify?kind=totp")
		code := b.shown(secret)
		b.fill("code", code)
		if in.script {
			b.becomes(`document.querySelector("[data-ends]").checkVisibility()`, "the page warns")
			b.click("[data-more]")
			b.becomes(`!document.querySelector("[data-ends]").checkVisibility()`, "there is time")
			var typed string
			b.eval(`document.querySelector("#code").value`, &typed)
			require.Equal(t, code, typed)
			var said string
			b.eval(`document.querySelector("[data-ends-say]").textContent`, &said)
			require.Contains(t, said, "15 minutes")
		} else {
			require.Contains(t, b.text("main"), "This page expires in")
			b.visit("/mfa/verify?kind=totp&more=1")
			require.Contains(t, b.text("main"), "This page expires in 15 minutes")
		}
		b.advance(3 * time.Minute) // the first would have expired
		b.answer(b.shown(secret))
		require.NotContains(t, b.path(), "/mfa/verify")

		b.visit("/mfa/enroll/email")
		b.fill("address", "ben.second@acme.example")
		b.press(`form[action="/mfa/enroll/email"] button`)
		b.fill("name", "At home")
		b.press(`.sg-again button`)
		require.Contains(t, b.text("main"), "new code")
		var name string
		b.eval(`document.querySelector("#name").value`, &name)
		require.Equal(t, "At home", name)
	})
}

// A browser whose clock is an hour off, in either direction, counts down from what the server says.
func TestPages_CountWithAClockThatIsOff(t *testing.T) {
	for _, off := range []string{"-3600000", "3600000"} {
		t.Run(off, func(t *testing.T) {
			b := openSamples(t)
			b.before(`(() => { const now = Date.now; Date.now = () => now() + ` + off + `; })()`)
			b.goes(b.base + "/en/verify-sent.html")
			require.Regexp(t, `Code expires in [01]:\d\d`, b.text("[data-countdown]"))
			b.goes(b.base + "/en/verify-locked.html")
			require.Regexp(t, `Try again in [23]:\d\d`, b.text("[data-countdown]"))
		})
	}
}
