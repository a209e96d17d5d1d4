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

// firstFactor gives the password over the API, and opens the page that follows.
func (b *tab) firstFactor(username string) {
	b.t.Helper()
	c := b.client()
	c.login(username)
	c.hand(b)
	b.visit("/")
}

// signOut signs out over the API, and opens the page that follows: TestSignIn_WithEachKind and
// TestBack_AfterEachStepArrives press the button.
func (b *tab) signOut() {
	b.t.Helper()
	c := b.client()
	require.Equal(b.t, 200, c.post("/mfa/api/sign-out", map[string]string{}))
	c.hand(b)
	b.visit("/login")
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

// hasApp enrols an authenticator app as enrollApp does, over the API, and returns its key:
// TestSetUp_EndsWithSavedRecoveryCodes and TestSignIn_WithEachKind walk the pages.
func (b *tab) hasApp() (secret string) {
	b.t.Helper()
	c := b.client()
	var begun struct{ Enrollment, Secret string }
	var codes struct{ Factor string }
	c.posts("/mfa/api/enroll", map[string]string{"kind": "totp"}, &begun)
	c.posts("/mfa/api/confirm", map[string]string{"enrollment": begun.Enrollment,
		"code": b.shown(begun.Secret)}, nil)
	c.posts("/mfa/api/recovery-codes", map[string]string{}, &codes)
	c.posts("/mfa/api/recovery-codes/saved", map[string]string{"factor": codes.Factor}, nil)
	c.hand(b)
	b.advance(30 * time.Second)
	return begun.Secret
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
