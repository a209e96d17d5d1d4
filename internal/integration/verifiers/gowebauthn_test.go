package verifiers_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/stretchr/testify/require"
)

// goWebAuthn is go-webauthn as an application uses it by itself: it finishes each ceremony, and
// refuses a passkey about which it warns. Package passkey uses the parsers of the same library.
type goWebAuthn struct {
	*testing.T
	site *webauthn.WebAuthn
}

func newGoWebAuthn(t *testing.T) goWebAuthn {
	t.Helper()
	site, err := webauthn.New(&webauthn.Config{RPID: rpID, RPDisplayName: "Acme",
		RPOrigins: []string{origin}})
	require.NoError(t, err)
	return goWebAuthn{t, site}
}

func (g goWebAuthn) verify(list []question) (refusals []string) {
	g.Helper()
	for _, q := range list {
		why := ""
		if err := g.finish(q); err != nil {
			why = err.Error()
		}
		refusals = append(refusals, why)
	}
	return refusals
}

var errCloned = errors.New("its counter did not rise")

func (g goWebAuthn) finish(q question) error {
	g.Helper()
	user := owner{}
	session := webauthn.SessionData{Challenge: q.Challenge, UserID: user.WebAuthnID(),
		UserVerification: protocol.VerificationPreferred}
	if q.Verify {
		session.UserVerification = protocol.VerificationRequired
	}
	request := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(q.Response))
	if q.Create {
		for _, alg := range []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgEdDSA,
			webauthncose.AlgES256, webauthncose.AlgRS256} {
			session.CredParams = append(session.CredParams, protocol.CredentialParameter{
				Type: protocol.PublicKeyCredentialType, Algorithm: alg})
		}
		_, err := g.site.FinishRegistration(user, session, request)
		return err
	}
	user.passkey = webauthn.Credential{ID: g.bytes(q.ID), PublicKey: g.bytes(q.Key),
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true},
		Authenticator: webauthn.Authenticator{SignCount: uint32(q.Counter)}}
	session.AllowedCredentialIDs = [][]byte{user.passkey.ID}
	got, err := g.site.FinishLogin(user, session, request)
	if err == nil && got.Authenticator.CloneWarning {
		return errCloned
	}
	return err
}

func (g goWebAuthn) bytes(encoded string) []byte {
	g.Helper()
	b, err := base64.RawURLEncoding.DecodeString(encoded)
	require.NoError(g, err)
	return b
}

// owner is the user as go-webauthn sees them.
type owner struct{ passkey webauthn.Credential }

func (owner) WebAuthnID() []byte          { return []byte("the user handle") }
func (owner) WebAuthnName() string        { return ann.Account }
func (owner) WebAuthnDisplayName() string { return ann.Account }

func (o owner) WebAuthnCredentials() []webauthn.Credential {
	return []webauthn.Credential{o.passkey}
}
