package passkey_test

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/fidotest"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/passkey"
)

// vectors are creations with attestations: those of WebAuthn Level 3 section 16, and one that a
// phone made.
type vectors struct {
	CA       string
	Vectors  map[string]vector
	Recorded vector
}

type vector struct{ Challenge, CredentialID, ClientDataJSON, AttestationObject string }

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/attestation.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &v))
	require.Len(t, v.Vectors, 5)
	return v
}

func bytesOf(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	require.NoError(t, err)
	return b
}

// attestation returns the AAGUID that an attestation object names, and its certificates.
func (v vector) attestation(t *testing.T) (aaguid [16]byte, chain []*x509.Certificate) {
	t.Helper()
	var object struct {
		Auth []byte `cbor:"authData"`
		Stmt struct {
			Chain [][]byte `cbor:"x5c"`
		} `cbor:"attStmt"`
	}
	require.NoError(t, cbor.Unmarshal(bytesOf(t, v.AttestationObject), &object))
	for _, raw := range object.Stmt.Chain {
		c, err := x509.ParseCertificate(raw)
		require.NoError(t, err)
		chain = append(chain, c)
	}
	return [16]byte(object.Auth[37:53]), chain
}

// enrol has the factor verify the response, as to the challenge that it responds to.
func (v vector) enrol(t *testing.T, f *passkey.Factor) (factor.Description, error) {
	t.Helper()
	in, _ := begun(t, f)
	issued, err := cbor.Marshal(map[int]any{0: bytesOf(t, v.Challenge), 1: true})
	require.NoError(t, err)
	in.Issued = issued
	state, err := verify(f, in, respond(t, bytesOf(t, v.CredentialID), map[string]any{
		"clientDataJSON":    text(bytesOf(t, v.ClientDataJSON)),
		"attestationObject": text(bytesOf(t, v.AttestationObject))}))
	return f.Describe(state), err
}

// The statements of the standard that chain to its own root are proven by a list that has the root.
// The others name a manufacturer that must be a real one, and the standard has none.
func TestAttestation_VectorsOfTheStandard(t *testing.T) {
	all, s := readVectors(t), newService(t)
	root, err := x509.ParseCertificate(bytesOf(t, all.CA))
	require.NoError(t, err)
	u2f, _ := all.Vectors["fido-u2f"].attestation(t)
	packed, _ := all.Vectors["packed"].attestation(t)
	roots, l1 := []*x509.Certificate{root}, []fidotest.Status{{Name: "FIDO_CERTIFIED_L1"}}
	s.publish(t, fidotest.Model{AAGUID: packed, Roots: roots, Statuses: l1},
		fidotest.Model{AAGUID: u2f, Roots: roots, Statuses: l1})
	f := newFactor(t, s.use, func(c *passkey.Config) {
		c.RPID, c.Origins = "example.org", []string{"https://example.org"}
	})
	for format, proven := range map[string]bool{"packed": true, "fido-u2f": true, "tpm": false,
		"android-key": false, "apple": false} {
		d, err := all.Vectors[format].enrol(t, f)
		require.Equal(t, proven, d.Certified == "L1", format)
		if proven {
			require.NoError(t, err, format)
		} else {
			require.ErrorIs(t, err, factor.ErrIncorrect, format)
		}
	}
}

// A phone's own statement is verified with the roots of Google. Its certificate ended in 2025, so
// that it proves nothing about a passkey that is made now.
func TestAttestation_OfAPhoneWhoseCertificateEnded(t *testing.T) {
	recorded, s := readVectors(t).Recorded, newService(t)
	aaguid, chain := recorded.attestation(t)
	s.publish(t, fidotest.Model{AAGUID: aaguid, Roots: chain[len(chain)-1:],
		Protection: []string{"tee"}})
	d, err := recorded.enrol(t, newFactor(t, s.use, func(c *passkey.Config) {
		c.RPID, c.Origins = "localhost", []string{"http://localhost:8000"}
	}))
	require.NoError(t, err)
	require.False(t, d.Hardware)
	require.Empty(t, d.AMR)
}
