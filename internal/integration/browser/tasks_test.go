package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A user adds the first phone number some time after the sign-in: the page asks for the password,
// and an incorrect one leaves the number in its field.
func TestEnrolment_AsksThePasswordForAPhoneNumber(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("ben")
		secret := b.hasApp()
		s.advance(10 * time.Minute)
		b.visit("/mfa/enroll/sms")
		require.Equal(t, "/mfa/verify", b.path(), "a fresh proof first")
		b.answer(b.shown(secret))
		require.Equal(t, "/mfa/enroll/sms", b.path(), "and the user goes on there")
		const form = `form[action="/mfa/enroll/sms"] button[type=submit]`
		require.True(t, b.has(`#password[type=password][autocomplete=current-password]`))
		b.fill("region", "NL")
		b.fill("number", "06 12345678")
		b.fill("password", "of another account")
		b.press(form)
		require.True(t, b.has("#password[aria-invalid=true]"))
		require.True(t, b.has(`#number[value="06 12345678"]`), "the number is kept")
		b.fill("password", "ben-demo-password")
		b.press(form)
		b.fill("code", b.code("+31612345678"))
		b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
		require.Equal(t, "/mfa/factors", b.path())
		require.Contains(t, b.text("main"), "5678")
	})
}

// A user who may put off the set-up is reminded at each sign-in until the time that the policy
// gives is over: a number of sign-ins, or days from the first one.
func TestEnrolment_IsPutOffForAWhile(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		const later = `form[action="/mfa/later"] button`
		owner.setsPolicy("employee", "only-totp", func() { owner.set("#skips", "1") })
		b := s.open(in.script)
		b.firstFactor("david")
		require.Equal(t, "/mfa/enroll", b.path())
		require.Equal(t, "Remind me later", b.text(later))
		b.press(later)
		require.Equal(t, "/", b.path())
		b.signOut()
		b.firstFactor("david")
		require.Equal(t, "/mfa/enroll", b.path())
		require.False(t, b.has(later), "that was the last time")
		b.enrollApp()
		b.visit("/")
		require.Equal(t, "/", b.path())

		owner.setsPolicy("employee", "only-totp", func() {
			owner.set("#skips", "0")
			owner.set("#within", "3")
		})
		b = s.open(in.script)
		b.firstFactor("kofi")
		b.press(later)
		require.Equal(t, "/", b.path())
		b.signOut()
		s.advance(3*24*time.Hour + time.Minute)
		b.firstFactor("kofi")
		require.Equal(t, "/mfa/enroll", b.path())
		require.False(t, b.has(later), "the days are over")
	})
}

// A user on a remote desktop has a link mailed, sets up the app on the device that has it, and
// goes on where the browser was.
func TestEnrolment_GoesOnAfterAnotherDevice(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.setsPolicy("employee", "only-totp")
		b := s.open(in.script)
		b.firstFactor("david")
		b.press(`form[action="/mfa/enroll/totp"] button`)
		b.press(`form[action$="/elsewhere"] button`)
		require.Contains(t, b.text("main"), "We sent a link")
		_, link, ok := strings.Cut(s.last("david@acme.example").Text, s.base)
		require.True(t, ok)
		link, _, _ = strings.Cut(link, "\n")

		phone := s.open(in.script)
		phone.visit(link)
		if phone.path() == "/login" {
			phone.firstFactor("david")
			phone.visit(link)
		}
		phone.press(`form[action="/mfa/enroll/totp"] button`)
		var secret string
		phone.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
		phone.fill("code", phone.shown(secret))
		phone.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
		phone.saveCodes()

		s.advance(30 * time.Second)
		b.visit("/mfa/")
		require.Equal(t, "/mfa/verify", b.path())
		b.answer(b.shown(secret))
		require.Equal(t, "/", b.path())
	})
}

// An administrator mails a user who has lost everything a recovery link, with which the user sets
// up an app.
func TestRecovery_ByAnAdministratorsLink(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.helps("carla", "recovery-link")
		b := s.open(in.script)
		b.visit(strings.TrimPrefix(setupLink.FindString(s.last("carla@acme.example").Text), s.base))
		b.press(`form[action="/mfa/setup"] button`)
		secret := b.replaceApp()
		b.appCode("carla", secret)
		require.NotContains(t, b.path(), "/mfa/verify")
	})
}

// A session ends while a form is open. The user is asked to sign in, and returns to the form.
func TestSessions_EndInTheMiddleOfAForm(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b, elsewhere := s.open(in.script), s.open(in.script)
		b.signIn("ben")
		elsewhere.signIn("ben")
		b.visit("/email")
		elsewhere.visit("/sessions")
		elsewhere.press(`form[action="/sessions/end-others"] button`)
		b.fill("address", "ben@new.example")
		b.press(`form[action="/email"].acme-form button`)
		require.Equal(t, "/login", b.path())
		require.Contains(t, b.text("main"), "Sign in to continue where you were.")
		b.fill("username", "ben")
		b.fill("password", "ben-demo-password")
		b.press(`form[action="/login"].acme-form button`)
		b.press(sendForm)
		b.answer(b.code("ben@acme.example"))
		require.Equal(t, "/email", b.path())
		var typed string
		b.eval(`document.querySelector("[name=address]").value`, &typed)
		require.Equal(t, "ben@new.example", typed)
	})
}
