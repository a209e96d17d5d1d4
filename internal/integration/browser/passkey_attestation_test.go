package browser_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/fidotest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
)

// ceremony has the browser create or use a passkey, and returns the response.
func (d *device) ceremony(name string, options []byte) (response string) {
	d.t.Helper()
	parse := map[string]string{"create": "parseCreationOptionsFromJSON",
		"get": "parseRequestOptionsFromJSON"}[name]
	d.run(chromedp.Evaluate(fmt.Sprintf(`(async () => JSON.stringify(
		await navigator.credentials.%s({publicKey: PublicKeyCredential.%s(%s.publicKey)})))()`,
		name, parse, options), &response,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
			return p.WithAwaitPromise(true)
		}))
	return response
}

// model is what Chromium's authenticator says of itself: its AAGUID, and the certificate that
// attests its passkeys. The certificate is made anew each time, with one key.
func model(t *testing.T, response string) (aaguid [16]byte, c *x509.Certificate) {
	t.Helper()
	var made struct {
		Response struct{ AttestationObject string }
	}
	require.NoError(t, json.Unmarshal([]byte(response), &made))
	raw, err := base64.RawURLEncoding.DecodeString(made.Response.AttestationObject)
	require.NoError(t, err)
	var object struct {
		Auth []byte `cbor:"authData"`
		Stmt struct {
			Chain [][]byte `cbor:"x5c"`
		} `cbor:"attStmt"`
	}
	require.NoError(t, cbor.Unmarshal(raw, &object))
	require.Len(t, object.Stmt.Chain, 1)
	c, err = x509.ParseCertificate(object.Stmt.Chain[0])
	require.NoError(t, err)
	return [16]byte(object.Auth[37:53]), c
}

// attesting is a service whose policy wants hardware, in a browser with a security key.
type attesting struct {
	*device
	root fidotest.CA
	list atomic.Pointer[passkey.Metadata]
	mfa.Session
}

func newAttesting(t *testing.T) *attesting {
	t.Helper()
	needChromium(t)
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	base := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	a := &attesting{root: fidotest.NewCA(t, "Root")}
	a.publish(t)
	f, err := passkey.New(passkey.Config{RPID: "localhost", RPName: "Acme",
		Origins: []string{base}, Metadata: a.list.Load})
	require.NoError(t, err)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{f},
		Policies: policy.Static(policy.Policy{Hardware: true, Certified: "L1"})})
	require.NoError(t, err)
	a.Session = m.Session(mfa.User{ID: "ann"}, "session")
	a.device = (&site{t: t, base: base}).open(true).securityKey()
	a.run(navigate(base + "/"))
	return a
}

func (a *attesting) publish(t *testing.T, models ...fidotest.Model) {
	t.Helper()
	list, err := passkey.ParseMetadata(a.root.BLOB(t, 1, models...), a.root.Certificate,
		time.Now())
	require.NoError(t, err)
	a.list.Store(list)
}

// enrols has the browser make a passkey for a first enrolment.
func (a *attesting) enrols(t *testing.T) (response string, err error) {
	t.Helper()
	ch, err := a.Begin(t.Context())
	require.NoError(t, err)
	require.Equal(t, mfa.NextEnroll, ch.Next)
	e, err := a.Enroll(t.Context(), ch.Grant, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	require.Contains(t, string(e.Prompt.Data), `"attestation":"direct"`)
	response = a.ceremony("create", e.Prompt.Data)
	_, err = a.Confirm(t.Context(), e, secret.New(response))
	return response, err
}

// signsIn has the browser use a passkey.
func (a *attesting) signsIn(t *testing.T) (*mfa.Verification, error) {
	t.Helper()
	ch, err := a.Begin(t.Context())
	require.NoError(t, err)
	sent, err := a.Send(t.Context(), ch, "passkey")
	require.NoError(t, err)
	return a.Verify(t.Context(), ch, "passkey", secret.New(a.ceremony("get", sent.Prompt.Data)))
}

// The attestation that Chromium's authenticator makes proves its model, once a list has it.
func TestPasskey_IsAttestedInABrowser(t *testing.T) {
	a := newAttesting(t)
	response, err := a.enrols(t)
	var refused *factor.Problem
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "key_not_allowed", refused.Reason)

	aaguid, attester := model(t, response)
	listed := fidotest.Model{AAGUID: aaguid, Protection: []string{"hardware"},
		Roots:    []*x509.Certificate{a.root.IssuerOf(t, attester)},
		Statuses: []fidotest.Status{{Name: "FIDO_CERTIFIED_L1"}}}
	a.publish(t, listed)
	_, err = a.enrols(t)
	require.NoError(t, err)
	v, err := a.signsIn(t)
	require.NoError(t, err)
	require.Equal(t, []string{"hwk", "mfa"}, v.AMR)

	listed.Statuses = append(listed.Statuses, fidotest.Status{Name: "REVOKED"})
	a.publish(t, listed)
	_, err = a.signsIn(t)
	var enrol *mfa.EnrollmentRequiredError
	require.ErrorAs(t, err, &enrol, "a revoked model signs nobody in")
}
