package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// here checks the one place of the navigation that the page says it is in.
func (b *tab) here(place, how string) {
	b.t.Helper()
	var at []string
	b.eval(`[...document.querySelectorAll("nav [aria-current]")].
		map(e => e.textContent.trim() + " " + e.getAttribute("aria-current"))`, &at)
	require.Equal(b.t, []string{place + " " + how}, at)
}

// A user changes the PIN under its own name, says which method is asked for first, and turns off
// codes to the address of the account once there is something stronger.
func TestSettings_ChangeWhatIsAskedFor(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.signIn("anna")
		b.here("Home", "page")
		b.visit("/mfa/enroll/pin")
		b.here("Security", "true")
		for _, pin := range []string{"739162", "840271"} {
			b.fill("pin", pin)
			b.fill("pin2", pin)
			b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
			b.here("Security", "page")
			require.False(t, b.has(`form[action="/mfa/factors/implied"]`), "a PIN is no stronger")
			if pin == "739162" {
				require.Contains(t, b.text(`main a[href="/mfa/enroll/pin"]`), "Change PIN")
				b.press(`main a[href="/mfa/enroll/pin"]`)
				require.Equal(t, "Change your PIN", b.text("h1"))
				require.LessOrEqual(t, b.narrow(), 320)
			}
		}
		b.hasApp()
		b.visit("/mfa/factors")
		const prefer = `form[action="/mfa/factors/prefer"]:has([value=pin]) button`
		require.Equal(t, "Use this first", b.text(prefer))
		b.press(prefer)
		require.True(t, b.has(".sg-good"))
		require.False(t, b.has(prefer), "it is used first")
		require.Contains(t, b.text("main"), "Used first")
		require.LessOrEqual(t, b.narrow(), 320)

		require.Contains(t, b.text("main"), "a•••@acme.example")
		b.press(`form[action="/mfa/factors/implied"] button`)
		require.True(t, b.has(`form[action="/mfa/factors/implied"] [value=yes]`))
		b.signOut()
		b.firstFactor("anna")
		require.True(t, b.has(`form[action="/mfa/verify"] [name=kind][value=pin]`), "asked first")
		require.NotContains(t, b.text("main"), "a•••@acme.example", "it is turned off")
		b.answer("739162")
		require.True(t, b.has("[role=alert]"), "the PIN before is none")
		b.answer("840271")
		require.Equal(t, "/", b.path())
	})
}

// The help for a user who cannot respond says what helps with this kind, what else there is, and
// how to recover.
func TestHelp_SaysWhatToDoForTheKind(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.signIn("anna")
		b.visit("/mfa/enroll/pin")
		b.fill("pin", "739162")
		b.fill("pin2", "739162")
		b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
		b.hasApp()
		b.signOut()
		b.firstFactor("anna")
		for kind, says := range map[string][2]string{
			"email": {"Can’t get a code?", "spam or junk folder"},
			"totp":  {"Can’t get a code?", "clock of your phone"},
			"pin":   {"Forgot your PIN?", "Nobody can look your PIN up"},
		} {
			b.visit("/mfa/verify?kind=" + kind)
			b.press(`a[href="/mfa/lost?kind=` + kind + `"]`)
			require.Equal(t, says[0], b.text("h1"))
			require.Contains(t, b.text("main .sg-lead"), says[1])
			require.Contains(t, b.text("#others"), "Use another way")
			require.True(t, b.has("#recover"), "recovery")
			require.LessOrEqual(t, b.narrow(), 320)
			b.press(`main a[href="/mfa/verify?kind=` + kind + `"]`)
			require.Equal(t, "/mfa/verify", b.path())
		}
		b.visit("/mfa/lost?kind=totp")
		b.press(`form[action="/mfa/lost/link"] button`)
		require.True(t, b.has(".sg-good, "+says), "the link is on its way")
	})
}
