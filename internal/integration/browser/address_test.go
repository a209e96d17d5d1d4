package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A user changes the address of the account: the code goes to the new address, a wrong one changes
// nothing, and the old address is notified.
func TestAddress_IsChangedByACodeToTheNewOne(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("ben")
		b.press(`a[href="/email"]`)
		require.LessOrEqual(t, b.narrow(), 320)
		const form = `form[action="/email"].acme-form button`
		b.fill("address", "ben@acme.example")
		b.press(form)
		require.True(t, b.has("#address[aria-invalid=true]"), "it is the address already")
		require.True(t, b.has(`#address[value="ben@acme.example"]`), "and nothing is lost")
		b.fill("address", "ben@new.example")
		b.press(form)
		require.Equal(t, "Enter the code", b.text("h1"))
		require.LessOrEqual(t, b.narrow(), 320)
		first := b.code("ben@new.example")
		b.press(`form[action="/email"] button[name=resend]`)
		b.fill("code", first)
		b.press(form)
		require.True(t, b.has("[role=alert]"), "a code that another one replaced")
		b.fill("code", b.code("ben@new.example"))
		b.press(form)
		require.Equal(t, "/", b.path())
		require.Contains(t, b.text("main"), "ben@new.example")
		require.Contains(t, s.last("ben@acme.example").Text, "took the place")
	})
}
