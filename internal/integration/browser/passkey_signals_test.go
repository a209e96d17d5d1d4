package browser_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// stale is a second authenticator, with a passkey of the same account that the server does not
// know: one that was removed while this authenticator was elsewhere.
func (d *device) stale(like *webauthn.Credential) *device {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(d.t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(d.t, err)
	second := &device{tab: d.tab}
	d.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		second.id, err = webauthn.AddVirtualAuthenticator(&webauthn.VirtualAuthenticatorOptions{
			Protocol:       webauthn.AuthenticatorProtocolCtap2,
			Transport:      webauthn.AuthenticatorTransportUsb,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true}).Do(ctx)
		if err != nil {
			return err
		}
		return webauthn.AddCredential(second.id, &webauthn.Credential{
			CredentialID:         base64.StdEncoding.EncodeToString([]byte("a stale passkey")),
			IsResidentCredential: true, RpID: like.RpID, UserHandle: like.UserHandle,
			PrivateKey: base64.StdEncoding.EncodeToString(der)}).Do(ctx)
	}))
	require.Len(d.t, second.credentials(), 1)
	return second
}

// Chromium's authenticator acts on the signals: after a sign-in and after a removal it forgets what
// the server does not accept, and after a change of the account's name it shows the new one.
func TestPasskey_KeepsInStepWithTheServer(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("anna")
	d.present(true)
	d.enrol("Laptop")
	kept := d.credentials()[0]
	require.Equal(t, "anna@acme.example", kept.UserName)

	stale := d.stale(kept)
	d.present(false)
	d.signOut()
	d.login("anna")
	d.present(true)
	d.press(useButton)
	require.Equal(t, "/", d.path())
	stale.forgets()
	require.Equal(t, kept.CredentialID, d.credentials()[0].CredentialID)

	d.visit("/email")
	d.fill("address", "anna@new.example")
	d.press(`main form:has([name=address]) button[type=submit]`)
	d.fill("code", s.code("anna@new.example"))
	d.press(`main form:has([name=code]) button[type=submit]`)
	d.waitFor("the passkey has the new name", func() bool {
		now := d.credentials()[0]
		return now.UserName == "anna@new.example" && now.UserDisplayName == "anna@new.example"
	})

	stale = d.stale(kept)
	d.visit("/mfa/factors")
	d.press(`a[href$="/remove"]`)
	d.press(`form[action$="/remove"] button`)
	require.Equal(t, "/mfa/factors", d.path())
	d.forgets()
	stale.forgets()
}

// A sign-in by passkey alone signals before the page goes on.
func TestPasskey_KeepsInStepWithoutAPassword(t *testing.T) {
	s := start(t, "-addr", "localhost:0")
	d := s.open(true).device()
	d.present(false)
	d.signIn("emma")
	d.present(true)
	d.enrol("Laptop")
	kept := d.credentials()[0]
	d.present(false)
	d.signOut()
	d.run(chromedp.Evaluate(`
		for (const name of ["signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
			const signal = PublicKeyCredential[name];
			PublicKeyCredential[name] = (value) => {
				sessionStorage[name] = JSON.stringify(value);
				return signal.call(PublicKeyCredential, value);
			};
		}`, nil))
	d.opens()
	var all, details string
	d.eval(`sessionStorage.signalAllAcceptedCredentials`, &all)
	d.eval(`sessionStorage.signalCurrentUserDetails`, &details)
	require.Contains(t, all, `"allAcceptedCredentialIds":[`)
	require.Contains(t, details, `"name":"emma@acme.example"`)
	require.Equal(t, kept.CredentialID, d.credentials()[0].CredentialID)
}
