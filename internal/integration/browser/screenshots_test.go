package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// TestPages_Screenshots saves pictures of the pages, light and dark, wide and narrow, into the
// directory that SECONDGATE_SCREENSHOTS names; without it there is nothing to do.
func TestPages_Screenshots(t *testing.T) {
	dir := os.Getenv("SECONDGATE_SCREENSHOTS")
	if dir == "" {
		t.Skip("SECONDGATE_SCREENSHOTS is not set")
	}
	b := start(t, "-addr", "localhost:0").open(true)
	shot := func(name string) {
		t.Helper()
		b.shootAll(map[string]int64{"": 900, "-narrow": 390}, func(scheme, size string) string {
			return filepath.Join(dir, name+"-"+scheme+size+".png")
		})
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
	b.saveCodes()
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
	o.visit("/admin/mfa/")
	first := b
	b = o
	shot("admin")
	b.setsPolicy("employee", "email", func() { b.set("#remember", "14") })
	shot("admin-policies")

	b = b.site.open(true)
	b.login("kofi")
	b.visit("/mfa/verify?kind=email")
	b.press(sendForm)
	shot("remember")
	b.run(chromedp.Click("#remember", chromedp.ByQuery))
	b.answer(b.code("kofi@acme.example"))
	b.visit("/mfa/factors")
	shot("devices")

	b = first.site.open(true)
	b.advance(181 * time.Second)
	b.login("anna")
	b.press(`a[href^="/mfa/lost"]`)
	shot("lost")
	b.run(chromedp.SetValue("#message", "My phone fell into the sea.", chromedp.ByQuery))
	b.press(`form[action="/mfa/lost/support"] button`)
	shot("lost-asked")
	b.press(`form[action="/mfa/lost/link"] button`)
	b.visit(strings.TrimPrefix(setupLink.FindString(b.last("anna@acme.example").Text), b.base))
	shot("setup")

	b = o
	b.visit("/admin/mfa/cases")
	shot("admin-cases")
	b.visit("/admin/mfa/user?id=acct-anna")
	shot("admin-user")
	b.press(`a[href*="user/access-code"]`)
	b.fill("reason", "called back")
	b.press(`form[action$="user/access-code"] button`)
	shot("admin-code")
	b.visit("/admin/mfa/report")
	shot("admin-report")
	b.visit("/admin/mfa/audit?profile=asvs-l2")
	shot("admin-audit")

	b = b.site.open(true)
	b.signIn("emma")
	b.enrollApp()
	b.visit("/mfa/enroll/questions")
	for _, n := range []string{"1", "2", "3"} {
		b.fill("question"+n, "own")
		b.fill("own"+n, "Question number "+n+" of mine?")
		b.fill("answer"+n, "Answer "+n)
	}
	b.fill("answer2", "x")
	b.press(`form[action="/mfa/enroll/questions"] button`)
	shot("questions")
	for _, n := range []string{"1", "2", "3"} {
		b.fill("answer"+n, "Answer "+n)
	}
	b.press(`form[action="/mfa/enroll/questions"] button`)
	b = b.site.open(true)
	b.visit(b.site.open(true).lostLink("emma"))
	b.press(`form[action="/mfa/setup"] button`)
	shot("answers")

	d := b.site.open(true).device()
	b = d.tab
	d.present(false)
	b.signIn("greta")
	b.visit("/mfa/enroll")
	b.press(`form[action="/mfa/enroll/passkey"] button`)
	shot("passkey-create")
	d.present(true)
	d.fill("name", "Laptop")
	d.press(createButton)
	shot("passkey-settings")
	d.present(false)
	d.signOut()
	d.login("greta")
	shot("passkey-verify")
	b.run(webauthn.ClearCredentials(d.id))
	d.present(true)
	b.run(chromedp.Click(useButton, chromedp.ByQuery))
	d.becomes(saysVisible, "there is none")
	shot("passkey-failed")
	offered := start(t, "-addr", "localhost:0", "-offer-passkeys", offerQuarter).open(true).device()
	b = offered.tab
	offered.present(false)
	offered.byMail("anna")
	shot("passkey-offer")

	owner := b.site.open(true)
	owner.signIn("olivia")
	b = owner
	b.visit("/admin/sign-on")
	b.fill("organization", "acme")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	shot("sign-on-refused")
	b.fill("organization", "72f988bf-86f1-41af-91ab-2d7cd011db47")
	b.fill("reason", "ours")
	b.press(`form[action="/admin/sign-on/activate"] button`)
	shot("sign-on")
	b = b.site.open(true)
	b.visit("/login")
	b.provider(`form[action="/sso/microsoft/sign-in"] button`, "Ben Carter")
	shot("sign-on-failed")
	b.signIn("ben")
	b.visit("/mfa/factors")
	b.provider(`form[action="/sso/microsoft/link"] button`, "Ben Carter")
	shot("linked")
	b.site.open(true).signIn("ben")
	b.site.open(true).login("ben")
	b.visit("/sessions")
	shot("sessions")
	b.enrollApp()
	b.visit("/mfa/factors")
	shot("changed")
	b = owner
	b.visit("/admin/account?id=acct-ben")
	shot("admin-account")
	b = b.site.open(true)
	b.visit("/login")
	shot("login-buttons")
}
