package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// back presses the browser's back button. The page is fetched again, since none may be kept, and
// reports no failed attempt.
func (b *tab) back() {
	b.t.Helper()
	b.must(b.engine.back())
	b.must(b.arrived())
	b.check()
	require.False(b.t, b.has("[role=alert]:not([hidden])"), b.text("main"))
}

// A user presses the back button after each step. No page of a step that is over takes a code that
// then counts as a wrong one, no form is sent again, and each time the user arrives.
func TestBack_AfterEachStepArrives(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		// After the password: the page of the code is there again.
		b.login("ben")
		require.Equal(t, "/mfa/verify", b.path())
		b.press(sendForm)
		code := b.code("ben@acme.example")
		b.back()
		b.visit("/")
		require.Equal(t, "/mfa/verify", b.path(), "the sign-in goes on")

		// After the code: the form that took it is gone.
		require.True(t, b.has("#code"), "for the code that was sent")
		require.Equal(t, code, b.code("ben@acme.example"), "no other code was sent")
		b.answer(code)
		require.Equal(t, "/", b.path())
		b.back()
		require.False(t, b.has("#code"), b.path())
		b.visit("/")
		require.Equal(t, "/", b.path())

		// After an enrolment was begun: the user begins another, and confirms that.
		b.visit("/mfa/enroll")
		b.press(`form[action="/mfa/enroll/totp"] button`)
		var first string
		b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &first)
		b.back()
		require.Equal(t, "/mfa/enroll", b.path())
		b.press(`form[action="/mfa/enroll/totp"] button`)
		var second string
		b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &second)
		require.NotEqual(t, first, second)
		b.fill("code", b.shown(second))
		b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)

		// After it was confirmed: the QR code of a factor that is enrolled is not shown again.
		after := b.path()
		b.back()
		require.False(t, b.has("#key"), b.path())
		require.NotContains(t, b.text("main"), second[:4])
		b.visit("/mfa/factors")
		b.saveCodes()
		b.visit("/mfa/factors")
		require.Contains(t, b.text("main"), "Authenticator app", after)

		// After signing out: no page of the user is shown.
		b.visit("/mfa/factors")
		b.press(signOutForm)
		b.back()
		require.NotContains(t, b.text("main"), "Authenticator app", b.path())
		require.Equal(t, "/login", b.path())
	})
}
