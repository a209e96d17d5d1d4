package browser_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestScreenshots saves pictures of the pages, light and dark, wide and narrow, into the
// directory that SECONDGATE_SCREENSHOTS names; without it there is nothing to do.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		t.Skip("SECONDGATE_SCREENSHOTS is not set")
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	b := start(t).open(true)
	shot := func(name string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			for size, width := range map[string]int64{"": 900, "-narrow": 390} {
				var png []byte
				b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
					chromedp.EmulateViewport(width, 720), chromedp.FullScreenshot(&png, 100))
				require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-"+scheme+size+".png"), png, 0o600))
			}
		}
		b.run(chromedp.EmulateViewport(1100, 900))
	}
	b.visit("/login")
	shot("login")
	b.visit("/login")
	b.fill("username", "robin@acme.example")
	b.fill("password", "robin-demo-password")
	b.press(`form[action="/login"].acme-form button`)
	shot("account")
	b.signIn("anna")
	shot("home")
	b.visit("/mfa/enroll")
	shot("choose")
	b.visit("/mfa/enroll/sms")
	shot("sms")
	b.visit("/mfa/enroll/pin")
	shot("pin")
	b.fill("pin", "123456")
	b.fill("pin2", "123456")
	b.press(`form[action="/mfa/enroll/pin"] button[type=submit]`)
	shot("pin-refused")
	b.visit("/mfa/enroll/totp")
	b.press(`form[action="/mfa/enroll/totp"] button`)
	shot("totp")
	b.enrollApp()
	b.visit("/mfa/recovery-codes")
	b.press(`form[action="/mfa/recovery-codes"] button`)
	shot("codes")
	b.press(`form[action="/mfa/recovery-codes/saved"] button`)
	shot("settings")
	b.press(`a[href$="/remove"]`)
	shot("remove")
	b.visit("/outbox")
	shot("outbox")
	b.signOut()
	b.login("anna")
	shot("verify-app")
	b.visit("/mfa/verify?kind=email")
	shot("send")
	b.press(sendForm)
	shot("verify")
	b.answer("000000")
	shot("wrong")
	for range 4 {
		b.answer("000000")
	}
	shot("locked")
	b.visit("/mfa/confirm?token=x")
	shot("link")
	b.press(`form[action="/mfa/confirm"] button`)
	shot("error")
	o := b.site.open(true)
	o.signIn("olivia")
	o.visit("/admin")
	b = o
	shot("admin")
}
