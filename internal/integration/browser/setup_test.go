package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A user who enrols an app sees recovery codes, says that they are saved, and only then goes on.
func TestSetUp_EndsWithSavedRecoveryCodes(t *testing.T) {
	everywhere(t, func(t *testing.T, in browsing) {
		b := in.start(t).open(in.script)
		b.signIn("ben")
		b.visit("/mfa/enroll/totp")
		b.press(`form[action="/mfa/enroll/totp"] button`)
		var key string
		b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &key)
		b.fill("code", b.shown(key))
		b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
		require.Equal(t, "/mfa/recovery-codes", b.path())
		require.LessOrEqual(t, b.narrow(), 320)
		require.Contains(t, b.text("main"), "Save your recovery codes")
		require.False(t, b.has("[name=skip]"))
		b.visit("/")
		require.Equal(t, "/mfa/recovery-codes", b.path(), "the application waits")
		require.True(t, b.has(".sg-codes"), "and the codes are there still")
		b.eval(`document.querySelector("#saved").required = false`, nil)
		b.press(`form[action="/mfa/recovery-codes/saved"] button`)
		require.True(t, b.has("[role=alert]"), "the box was not ticked")
		b.saveCodes()
		require.Equal(t, "/", b.path())
	})
}

// The beginning of the page is what the user sees: its heading, and the QR code or, where there is
// a touch screen, the button that opens the app.
func TestEnrolment_ShowsItsHeadingAndTheQRCode(t *testing.T) {
	for name, c := range map[string]struct {
		width, height int64
		touch         bool
		sees          string
	}{
		"phone with a mouse":  {360, 640, false, ".sg-onscreen .sg-qr"},
		"desktop":             {1280, 720, false, ".sg-onscreen .sg-qr"},
		"phone with a finger": {360, 640, true, ".sg-onphone"},
	} {
		t.Run(name, func(t *testing.T) {
			run := bothAtLength
			if c.touch {
				run = both
			}
			run(t, func(t *testing.T, script bool) {
				b := start(t).open(script)
				b.signIn("ben")
				size := []chromedp.EmulateViewportOption{}
				if c.touch {
					size = append(size, chromedp.EmulateTouch, chromedp.EmulateMobile)
				}
				b.run(viewport(c.width, c.height, size...))
				t.Cleanup(func() {
					_ = b.try(chromedp.EmulateReset(), viewport(1100, 900))
				})
				b.visit("/mfa/enroll/totp")
				b.press(`form[action="/mfa/enroll/totp"] button`)
				for _, what := range []string{"h1", c.sees} {
					var in bool
					b.eval(fmt.Sprintf(`(r => r.width > 0 && r.top >= 0 &&
						r.bottom <= innerHeight)(document.querySelector(%q).getBoundingClientRect())`,
						what), &in)
					require.True(t, in, what)
				}
				var folded bool
				b.eval(`(d => getComputedStyle(d).display != "none" && !d.open)(
					document.querySelector(".sg-ontouch"))`, &folded)
				require.Equal(t, c.touch, folded)
			})
		})
	}
}

// The password is right, and the code is on its way.
func TestSignIn_SendsTheFirstCodeByItself(t *testing.T) {
	s := start(t)
	b := s.open(true)
	b.login("anna")
	require.Equal(t, "/mfa/verify", b.path())
	require.True(t, b.has("#code"))
	code := b.code("anna@acme.example")
	b.visit("/mfa/verify")
	b.visit("/mfa/verify?kind=email")
	require.Equal(t, code, b.code("anna@acme.example"), "a reload sends nothing")
	b.answer(code)
	require.Equal(t, "/", b.path())

	quiet := s.open(false)
	quiet.login("anna")
	require.Equal(t, code, quiet.code("anna@acme.example"), "without a script the user asks")
	quiet.press(sendForm)
	quiet.answer(quiet.code("anna@acme.example"))
	require.Equal(t, "/", quiet.path())
}
