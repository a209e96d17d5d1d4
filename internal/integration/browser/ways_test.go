package browser_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reaches waits for a page over whatever others the browser is sent on by.
func (b *tab) reaches(js, what string) {
	b.t.Helper()
	b.waitFor(what, func() (there bool) {
		// An error is a page that the browser is just leaving.
		return b.engine.evaluate(`document.readyState === "complete" && `+js,
			&there) == nil && there
	})
}

// provider chooses who to be on the provider's page, and comes back. The provider is at
// 127.0.0.1 and the application at localhost, so that for the browser they are two sites.
func (b *tab) provider(button, person string) {
	b.t.Helper()
	b.click(button)
	b.reaches(`document.title.includes("(demonstration)")`, "the provider's page")
	var found bool
	b.eval(
		`(() => { for (const x of document.querySelectorAll("button")) if (x.textContent.startsWith("`+person+`")) { x.id = "chosen"; return true } return false })()`, &found)
	require.True(b.t, found, "%s at the provider", person)
	b.click("#chosen")
	b.reaches(`location.origin === "`+b.base+`"`, "the way back")
	b.check()
}

func TestSignOn_ByAnIdentityProvider(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t, "-addr", "localhost:0")
		owner, b := s.open(in.script), s.open(in.script)

		owner.visit("/login")
		require.False(t, owner.has(`form[action="/sso/microsoft/sign-in"]`),
			"a button before it is activated")
		owner.signIn("olivia")
		owner.visit("/admin/mfa/")
		owner.press(`a[href="/admin/sign-on"]`)
		owner.fill("organization", "acme")
		owner.fill("reason", "ours")
		owner.press(`form[action="/admin/sign-on/activate"] button`)
		require.Contains(t, owner.text("main"), "This is no organisation of Microsoft")
		owner.fill("organization", "72f988bf-86f1-41af-91ab-2d7cd011db47")
		owner.fill("reason", "ours")
		owner.press(`form[action="/admin/sign-on/activate"] button`)
		require.Contains(t, owner.text("main"), "Activated")

		// Before a user has linked it, an account of the same address opens nothing.
		b.visit("/login")
		b.provider(`form[action="/sso/microsoft/sign-in"] button`, "Anna de Vries")
		require.Contains(t, b.text("main"), "not linked to any user here")

		b.signIn("anna")
		secret := b.hasApp()
		b.visit("/mfa/factors")
		b.provider(`form[action="/sso/microsoft/link"] button`, "Anna de Vries")
		require.Equal(t, "/mfa/factors", b.path())
		require.Contains(t, b.text("main"), "you can sign in with anna@acme.example")
		b.signOut()

		b.visit("/login")
		b.provider(`form[action="/sso/microsoft/sign-in"] button`, "Anna de Vries")
		require.Equal(t, "/mfa/verify", b.path())
		b.answer(b.shown(secret))
		require.Equal(t, "/", b.path())
		b.advance(30 * time.Second)
		b.visit("/sessions")
		require.Contains(t, b.text("main"), "(Microsoft, authenticator app)")

		// Unlinking wants a proof that is fresh, and comes back.
		b.advance(10 * time.Minute)
		b.visit("/mfa/factors")
		b.press(`form[action="/sso/microsoft/unlink"] button`)
		require.Equal(t, "/mfa/verify", b.path())
		b.answer(b.shown(secret))
		require.Equal(t, "/mfa/factors", b.path())
		b.press(`form[action="/sso/microsoft/unlink"] button`)
		require.Contains(t, b.text("main"), "You can no longer sign in with it")
		b.signOut()
		b.visit("/login")
		b.provider(`form[action="/sso/microsoft/sign-in"] button`, "Anna de Vries")
		require.Contains(t, b.text("main"), "not linked to any user here")
	})
}

func TestSessions_EndElsewhere(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		here, there, thief := s.open(in.script), s.open(in.script), s.open(in.script)
		here.signIn("anna")
		there.signIn("anna")
		thief.firstFactor("anna")

		here.visit("/mfa/factors")
		require.Contains(t, here.text("main"), "In 3 places")
		here.press(`a[href="/sessions"]`)
		text := here.text("main")
		require.Contains(t, text, in.name())
		require.Contains(t, text, "(password, e-mail)")
		require.Contains(t, text, "this browser")
		require.Contains(t, text, "waits for the second step")
		require.Contains(t, text, "your password is known to others")

		here.press(`form[action="/sessions/end"] button`) // used last: the thief's
		require.NotContains(t, here.text("main"), "waits for the second step")
		thief.visit("/mfa/verify")
		require.Equal(t, "/login", thief.path())
		there.visit("/")
		require.Equal(t, "/", there.path())

		here.press(`form[action="/sessions/end-others"] button`)
		require.Contains(t, here.text("main"), "You are signed out everywhere else.")
		there.visit("/")
		require.Equal(t, "/login", there.path())

		// After a change the question is asked; or it is done.
		there.signIn("anna")
		here.hasApp()
		here.visit("/mfa/factors")
		require.Contains(t, here.text("main"), "Do you want to sign out everywhere else?")
		here.press(`form[action="/sessions/keep"] button`)
		require.NotContains(t, here.text("main"), "Do you want to sign out everywhere else?")
		there.visit("/")
		require.Equal(t, "/", there.path())
		here.visit("/sessions")
		here.click(`input[name="end"]`)
		here.press(`form[action="/sessions/preference"] button`)
		require.Contains(t, here.text("main"), "Your choice is saved.")
		here.visit("/mfa/factors")
		here.press(`a[href$="/remove"]`)
		here.press(`form[action$="/remove"] button`)
		there.visit("/")
		require.Equal(t, "/login", there.path())
		here.visit("/")
		require.Equal(t, "/", here.path())
	})
}
