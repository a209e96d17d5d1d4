package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// authenticator is one that Firefox plays. It keeps passkeys and knows its owner.
func (f *firefox) authenticator() (id string) {
	f.t.Helper()
	f.call("WebAuthn:AddVirtualAuthenticator", map[string]any{"protocol": "ctap2_1",
		"transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
		"isUserConsenting": true, "isUserVerified": true}, &id)
	return id
}

// login passes the first factor on the pages.
func (f *firefox) login(username string) {
	f.t.Helper()
	f.visit("/login")
	f.fill(`[name=username]`, username)
	f.fill(`[name=password]`, username+"-demo-password")
	f.press(`form[action="/login"].acme-form button`)
}

func (f *firefox) signOut() {
	f.t.Helper()
	f.visit("/mfa/factors")
	f.press(`form[action="/mfa/sign-out"] button`)
	f.arrives("/login", openButton)
}

// In Firefox a user enrols a passkey, signs in by it beside a password, and by it alone.
func TestPasskey_SignsInWithFirefox(t *testing.T) {
	t.Parallel()
	s := start(t, "-addr", "localhost:0")
	f := s.firefox()
	device := f.authenticator()
	f.login("anna")
	f.arrives("/mfa/verify", "#code")
	f.fill("#code", s.code("anna@acme.example"))
	f.press(verifyForm)
	f.arrives("/", "main")

	f.visit("/mfa/enroll")
	f.press(`form[action="/mfa/enroll/passkey"] button`)
	f.arrives("/mfa/enrollments/.+", createButton)
	f.press(createButton)
	f.arrives("/mfa/recovery-codes", "#saved")
	f.press("#saved")
	f.press(`form[action="/mfa/recovery-codes/saved"] button`)
	f.arrives("/mfa/enroll/questions", ".sg-cancel a")
	f.press(".sg-cancel a")
	f.arrives("/mfa/factors", `a[href$="/remove"]`)
	var credentials []struct {
		IsResidentCredential bool
		RPID, UserHandle     string
	}
	f.call("WebAuthn:GetCredentials", map[string]any{"authenticatorId": device}, &credentials)
	require.Len(t, credentials, 1)
	require.True(t, credentials[0].IsResidentCredential)
	require.Equal(t, "localhost", credentials[0].RPID)

	f.signOut()
	f.login("anna")
	f.arrives("/mfa/verify", useButton)
	f.press(useButton)
	f.arrives("/", "main")

	f.signOut()
	f.press(openButton)
	f.arrives("/", "main")
}
