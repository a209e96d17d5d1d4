package browser_test

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// login passes the first factor.
func (b *tab) login(username string) {
	b.t.Helper()
	b.visit("/login")
	b.fill("username", username)
	b.fill("password", strings.Split(username, ".")[0]+"-demo-password")
	b.press(`form[action="/login"].acme-form button`)
}

// signIn signs in by an e-mailed code, over the API: TestSignIn_ByMail and TestLockout_ShowsTheWait
// walk the pages.
func (b *tab) signIn(username string) {
	b.t.Helper()
	c := b.client()
	c.login(username)
	require.Equal(b.t, 200, c.post("/mfa/api/send", map[string]string{"kind": "email"}))
	require.Equal(b.t, 200, c.verify("email", b.code(username+"@acme.example")))
	c.hand(b)
	b.visit("/")
	require.Equal(b.t, "/", b.path())
}

func (b *tab) answer(code string) {
	b.t.Helper()
	b.fill("code", code)
	b.press(verifyForm)
}

func (b *tab) signOut() {
	b.t.Helper()
	b.visit("/mfa/factors")
	b.press(`form[action="/mfa/sign-out"] button`)
}

// enrollApp enrols an authenticator app and returns its key.
func (b *tab) enrollApp() (secret string) {
	b.t.Helper()
	b.visit("/mfa/enroll/totp")
	b.press(`form[action="/mfa/enroll/totp"] button`)
	require.True(b.t, b.has("main svg"), "the QR code")
	b.eval(`document.querySelector("#key").textContent.replace(/\s/g, "")`, &secret)
	require.Len(b.t, secret, 32)
	b.fill("code", b.shown(secret))
	b.press(`form[action^="/mfa/enrollments/"] button[type=submit]`)
	b.saveCodes()
	b.advance(30 * time.Second)
	return secret
}

// saveCodes goes on from the page of recovery codes, if the set-up leads to it, and skips the
// security questions that follow.
func (b *tab) saveCodes() {
	b.t.Helper()
	if b.path() != "/mfa/recovery-codes" {
		return
	}
	b.click("#saved")
	b.press(`form[action="/mfa/recovery-codes/saved"] button`)
	if b.path() == "/mfa/enroll/questions" {
		b.press(".sg-cancel a")
	}
}
