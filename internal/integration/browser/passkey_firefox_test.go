package browser_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// authenticator is one that Firefox plays until the test ends. It keeps passkeys and
// knows its owner.
func (f *firefox) authenticator(t *testing.T) (id string) {
	t.Helper()
	require.NoError(t, f.call("WebAuthn:AddVirtualAuthenticator", map[string]any{
		"protocol": "ctap2_1", "transport": "internal", "hasResidentKey": true,
		"hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true}, &id))
	t.Cleanup(func() {
		require.NoError(t, f.call("WebAuthn:RemoveVirtualAuthenticator",
			map[string]any{"authenticatorId": id}, nil))
	})
	return id
}

// In Firefox a user enrols a passkey, signs in by it beside a password, and by it alone.
func TestPasskey_SignsInWithFirefox(t *testing.T) {
	b := browsing{firefox: true, script: true}.start(t, "-addr", "localhost:0").open(true)
	b.login("anna")
	require.Equal(t, "/mfa/verify", b.path())
	b.answer(b.code("anna@acme.example"))
	require.Equal(t, "/", b.path())

	device := b.firefox.authenticator(t)
	b.visit("/mfa/enroll")
	b.press(`form[action="/mfa/enroll/passkey"] button`)
	b.press(createButton)
	b.saveCodes()
	require.Equal(t, "/mfa/factors", b.path())
	var credentials []struct {
		IsResidentCredential bool
		RPID, UserHandle     string
	}
	require.NoError(t, b.firefox.call("WebAuthn:GetCredentials",
		map[string]any{"authenticatorId": device}, &credentials))
	require.Len(t, credentials, 1)
	require.True(t, credentials[0].IsResidentCredential)
	require.Equal(t, "localhost", credentials[0].RPID)

	b.signOut()
	b.login("anna")
	require.Equal(t, "/mfa/verify", b.path())
	b.press(useButton)
	require.Equal(t, "/", b.path())

	b.signOut()
	b.press(openButton)
	require.Equal(t, "/", b.path())
}
