package browser_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	sendForm   = `:is(form[action="/mfa/send"] button, button[formaction="/mfa/send"])`
	verifyForm = `form[action="/mfa/verify"] button[type=submit]`

	signOutForm = `form[action="/mfa/sign-out"] button`
)

func TestSignIn_ByMail(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.login("anna")
		require.Equal(t, "/mfa/verify", b.path())
		require.Contains(t, b.text("main"), "a•••@acme.example")
		require.LessOrEqual(t, b.narrow(), 320)
		b.press(sendForm)
		var attributes []string
		b.eval(
			`(e => [e.type, e.inputMode, e.getAttribute("autocomplete"), String(e.maxLength)])(document.querySelector("#code"))`, &attributes)
		require.Equal(t, []string{"text", "numeric", "one-time-code", "-1"}, attributes)
		if in.script {
			require.Contains(t, b.text("[data-countdown]"), ":")
		}

		b.answer("000000")
		require.True(t, b.has(`[role=alert]`))
		require.True(t, b.has(`#code[aria-invalid=true][aria-describedby]`))
		require.Contains(t, b.text("main"), "4", "attempts left")
		require.LessOrEqual(t, b.narrow(), 320)

		first := b.code("anna@acme.example")
		b.press(`.sg-again button`) // resend
		require.NotEqual(t, first, b.code("anna@acme.example"))
		b.answer(first)
		require.True(t, b.has(`[role=alert]`), "a resend replaces the code")
		code := b.code("anna@acme.example")
		b.advance(91 * time.Second)
		b.answer(code)
		require.True(t, b.has(`[role=alert]`), "too late")
		b.press(sendForm)
		code = b.code("anna@acme.example")
		b.answer(code[:3] + " " + code[3:])
		require.False(t, strings.HasPrefix(b.path(), "/mfa/"), b.path())
		require.LessOrEqual(t, b.narrow(), 320)
	})
}

func TestSignIn_WithEachKind(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("ben")
		secret := b.enrollApp()
		require.Equal(t, "/mfa/factors", b.path())
		require.LessOrEqual(t, b.narrow(), 320)

		b.visit("/mfa/enroll")
		require.LessOrEqual(t, b.narrow(), 320)
		b.visit("/mfa/enroll/sms")
		b.fill("region", "NL")
		b.fill("number", "12")
		b.press(`form[action="/mfa/enroll/sms"] button`)
		require.True(t, b.has(`#number[aria-invalid=true]`), "refused, with the reason")
		b.fill("region", "NL")
		b.fill("number", "06 12345678")
		b.press(`form[action="/mfa/enroll/sms"] button`)
		require.Contains(t, b.text("main"), "5678")
		require.NotContains(t, b.text("main"), "12345678")
		b.fill("code", b.code("+31612345678"))
		b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)

		b.visit("/mfa/enroll/pin")
		b.fill("pin", "123456")
		b.fill("pin2", "123456")
		b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
		require.True(t, b.has(`#pin[aria-invalid=true]`), "too common")
		b.fill("pin", "739162")
		b.fill("pin2", "739163")
		b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
		require.True(t, b.has(`[role=alert]`), "they differ")
		b.fill("pin", "739162")
		b.fill("pin2", "739162")
		b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
		require.Equal(t, "/mfa/factors", b.path())

		b.visit("/mfa/enroll/email")
		b.fill("address", "ben.second@acme.example")
		b.press(`form[action="/mfa/enroll/email"] button`)
		b.fill("code", b.code("ben.second@acme.example"))
		b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)

		b.visit("/mfa/recovery-codes")
		b.press(`form[action="/mfa/recovery-codes"] button`)
		var codes []string
		b.eval(
			`[...document.querySelector("main").innerText.matchAll(/\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b/g)].map(m => m[0])`, &codes)
		require.Len(t, codes, 10)
		require.LessOrEqual(t, b.narrow(), 320)
		b.saveCodes()
		b.visit("/mfa/recovery-codes")
		require.NotContains(t, b.text("main"), codes[0], "shown once")
		b.signOut()

		for _, kind := range []string{"totp", "sms", "pin", "email", "recovery"} {
			b.advance(time.Minute)
			b.login("ben")
			b.visit("/mfa/verify?kind=" + kind)
			var answer string
			switch kind {
			case "totp":
				answer = b.shown(secret)
			case "sms":
				b.press(sendForm)
				answer = b.code("+31612345678")
			case "email":
				b.press(sendForm)
				answer = b.code("ben.second@acme.example")
			case "pin":
				answer = "739162"
			case "recovery":
				answer = strings.ToLower(codes[3])
			}
			b.answer(answer)
			require.NotContains(t, b.path(), "/mfa/verify", kind)
			b.visit("/mfa/factors")
			require.Contains(t, b.text("main"), "5678")
			b.press(signOutForm)
		}

		// The code worked once.
		b.login("ben")
		b.visit("/mfa/verify?kind=recovery")
		b.answer(codes[3])
		require.True(t, b.has(`[role=alert]`))
	})
}

func TestLockout_ShowsTheWait(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.firstFactor("carla")
		b.press(sendForm)
		for range 5 {
			b.answer("000000")
		}
		require.False(t, b.has("#code"), "locked")
		require.LessOrEqual(t, b.narrow(), 320)
		if in.script {
			before := b.text("[data-countdown]")
			require.Contains(t, before, ":")
			b.waitFor("it counts", func() bool { return b.text("[data-countdown]") != before })
		} else {
			require.Regexp(t, `\d`, b.text("[data-countdown]"))
		}
		b.advance(2 * time.Minute) // of three, with time to spare for a slow machine
		b.visit("/mfa/verify?kind=email")
		require.False(t, b.has("#code"))
		b.advance(65 * time.Second)
		b.visit("/mfa/verify?kind=email")
		b.press(sendForm)
		b.answer(b.code("carla@acme.example"))
		require.NotContains(t, b.path(), "/mfa/verify")
	})
}

func TestEnrolment_IsForcedByThePolicy(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.setsPolicy("employee", "only-totp")

		b := s.open(in.script)
		b.firstFactor("david")
		require.Equal(t, "/mfa/enroll", b.path(), "at the next sign-in")
		b.visit("/")
		require.NotEqual(t, "/security", b.path())
		b.visit("/mfa/enroll")
		secret := b.enrollApp()
		require.NotContains(t, b.path(), "/mfa/enroll", "and then they are in")
		b.signOut()
		b.firstFactor("david")
		b.visit("/mfa/verify?kind=totp")
		b.answer(b.shown(secret))
		require.NotContains(t, b.path(), "/mfa/verify")
	})
}

func TestSignIn_ChoosesAnAccount(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.visit("/login")
		b.fill("username", "robin@acme.example")
		b.fill("password", "robin-demo-password")
		b.press(`form[action="/login"].acme-form button`)
		require.Equal(t, "/account", b.path())
		require.LessOrEqual(t, b.narrow(), 320)
		b.press(`form[action="/account"]:has([value="acct-robin.employee"]) button`)
		require.Equal(t, "/mfa/verify", b.path())
		b.press(sendForm)
		b.answer(b.code("robin@acme.example"))
		require.NotContains(t, b.path(), "/mfa/verify")
		b.visit("/")
		require.Contains(t, strings.ToLower(b.text("body")), "employee")
	})
}

// Following a link in a mail confirms nothing; the button of its page does.
func TestConfirmationLink_NeedsTheButton(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.visit("/admin/mfa/user/verification-link?id=acct-emma")
		owner.fill("reason", "asked for it")
		owner.press(`form[action$="user/verification-link"] button`)
		_, after, ok := strings.Cut(s.last("emma@acme.example").Text, s.base)
		require.True(t, ok)
		link, _, _ := strings.Cut(after, "\n")
		u, err := url.Parse(link)
		require.NoError(t, err)

		b := s.open(in.script)
		for range 2 {
			b.visit(u.RequestURI())
			require.True(t, b.has(`form[action="/mfa/confirm"]`))
		}
		require.LessOrEqual(t, b.narrow(), 320)
		b.press(`form[action="/mfa/confirm"] button`)
		require.Equal(t, "/mfa/confirmed", b.path())
		b.visit(u.RequestURI())
		b.press(`form[action="/mfa/confirm"] button`)
		require.NotEqual(t, "/mfa/confirmed", b.path(), "once")
	})
}

func TestAdministration_ResetsAndUnlocksAUser(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		b := s.open(in.script)
		b.signIn("greta")
		b.hasApp()
		b.visit("/admin/mfa/user?id=acct-greta")
		require.NotContains(t, b.text("main"), "Reset", "not for an employee")

		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.helps("greta", "reset")
		b.visit("/")
		require.Equal(t, "/login", b.path(), "her session has ended")
		b.firstFactor("greta")
		b.visit("/mfa/verify")
		require.False(t, b.has(`a[href*="kind=totp"]`), "the app is gone")
		require.Contains(t, b.text("main"), "g•••@acme.example")

		b.press(sendForm)
		for range 5 {
			b.answer("000000")
		}
		owner.helps("greta", "unlock")
		b.visit("/mfa/verify?kind=email")
		b.press(sendForm)
		b.answer(b.code("greta@acme.example"))
		require.NotContains(t, b.path(), "/mfa/verify")
	})
}

func TestSettings_RenameAndRemoveAFactor(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.signIn("farid")
		b.hasApp()
		b.visit("/mfa/factors")
		rename := func(name string) {
			t.Helper()
			b.eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
			b.set(`form[action$="/rename"] [name=name]`, name)
			b.press(`form[action$="/rename"] button[type=submit]`)
		}
		rename("Work phone <b>")
		require.Contains(t, b.text("main"), "Use a shorter name")
		rename(`Work phone &amp; "keys"`)
		require.Contains(t, b.text("main"), `Work phone &amp; "keys"`)
		b.press(`a[href$="/remove"]`)
		require.LessOrEqual(t, b.narrow(), 320)
		b.press(`form[action$="/remove"] button[type=submit]`)
		require.NotContains(t, b.text("main"), "Work phone")

		// Changing anything later asks for a proof again.
		b.hasApp()
		b.advance(6 * time.Minute)
		b.visit("/mfa/enroll/pin")
		require.Equal(t, "/mfa/verify", b.path())
	})
}
