// Package fidotest is a FIDO Metadata Service for tests: its root certificate signs lists of models
// that no manufacturer makes. Nothing but its own root verifies them.
package fidotest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// CA is a certificate authority: that of a service, or that of a manufacturer of security keys.
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewCA returns a new authority.
func NewCA(t testing.TB, name string) CA {
	t.Helper()
	key := newKey(t)
	c := template(name)
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
	return CA{sign(t, c, c, &key.PublicKey, key), key}
}

// Leaf is a certificate of an authority, with its key: one that signs lists, or one that attests
// security keys.
type Leaf struct {
	Certificate *x509.Certificate
	Key         *ecdsa.PrivateKey
}

// aaguidExtension is id-fido-gen-ce-aaguid (WebAuthn Level 3 section 8.2.1).
var aaguidExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}

// Attester returns what attests security keys of a model.
func (ca CA) Attester(t testing.TB, aaguid [16]byte) Leaf {
	t.Helper()
	c := template("A security key")
	c.Subject.OrganizationalUnit = []string{"Authenticator Attestation"}
	c.BasicConstraintsValid = true
	value, err := asn1.Marshal(aaguid[:])
	require.NoError(t, err)
	c.ExtraExtensions = []pkix.Extension{{Id: aaguidExtension, Value: value}}
	return ca.leaf(t, c)
}

// AIK returns what attests keys in a TPM (WebAuthn Level 3 section 8.3.1). The manufacturer of the
// TPM has to be a real one: this is Infineon's identifier.
func (ca CA) AIK(t testing.TB) Leaf {
	t.Helper()
	of := func(last int, value string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Value: value,
			Type: asn1.ObjectIdentifier{2, 23, 133, 2, last}}
	}
	name, err := asn1.Marshal(pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		of(1, "id:49465800"), of(2, "SLB9670"), of(3, "id:0755")}}.ToRDNSequence())
	require.NoError(t, err)
	names, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4,
		IsCompound: true, Bytes: name}})
	require.NoError(t, err)
	c := template("")
	c.Subject, c.BasicConstraintsValid = pkix.Name{}, true
	c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 23, 133, 8, 3}}
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true,
		Value: names}}
	return ca.leaf(t, c)
}

// IssuerOf returns a root that a self-signed certificate chains to: one with its name and key that
// may issue certificates.
func (ca CA) IssuerOf(t testing.TB, c *x509.Certificate) *x509.Certificate {
	t.Helper()
	root := template("")
	root.RawSubject, root.IsCA, root.BasicConstraintsValid = c.RawIssuer, true, true
	root.DNSNames = []string{"root.example"} // without it crypto/x509 takes it for c itself
	return sign(t, root, ca.Certificate, c.PublicKey.(*ecdsa.PublicKey), ca.key)
}

func (ca CA) leaf(t testing.TB, c *x509.Certificate) Leaf {
	t.Helper()
	key := newKey(t)
	return Leaf{sign(t, c, ca.Certificate, &key.PublicKey, ca.key), key}
}

// Model is an entry of a list.
type Model struct {
	AAGUID [16]byte
	// Signers are the key identifiers of the certificates of a model that has no AAGUID.
	Signers []string
	// Roots attest the model.
	Roots []*x509.Certificate
	// Protection is "hardware", "software", "tee" or "secure_element", or several.
	Protection []string
	Statuses   []Status
}

// Status is a status report of a model, such as "FIDO_CERTIFIED_L1". The days, such as
// "2026-03-01", may be empty.
type Status struct{ Name, From, Until string }

// BLOB returns a list, signed by the authority.
func (ca CA) BLOB(t testing.TB, number int, models ...Model) []byte {
	t.Helper()
	entries := make([]any, 0, len(models))
	for _, m := range models {
		entries = append(entries, m.entry())
	}
	return ca.Sign(t, map[string]any{"legalHeader": "A list for tests.", "no": number,
		"nextUpdate": "2026-04-01", "entries": entries})
}

func (m Model) entry() map[string]any {
	var roots, reports []any
	for _, c := range m.Roots {
		roots = append(roots, base64.StdEncoding.EncodeToString(c.Raw))
	}
	for _, s := range m.Statuses {
		report := map[string]any{"status": s.Name}
		if s.From != "" {
			report["effectiveDate"] = s.From
		}
		if s.Until != "" {
			report["sunsetDate"] = s.Until
		}
		reports = append(reports, report)
	}
	statement := map[string]any{"description": "A security key", "protocolFamily": "fido2",
		"schema": 3, "attestationTypes": []string{"basic_full", "basic_surrogate", "attca"},
		"keyProtection": m.Protection, "attestationRootCertificates": roots}
	entry := map[string]any{"metadataStatement": statement, "statusReports": reports,
		"timeOfLastStatusChange": "2026-01-01"}
	if m.AAGUID != [16]byte{} {
		h := hex.EncodeToString(m.AAGUID[:])
		id := strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
		statement["aaguid"], entry["aaguid"] = id, id
	}
	if len(m.Signers) > 0 {
		statement["protocolFamily"] = "u2f"
		entry["attestationCertificateKeyIdentifiers"] = m.Signers
	}
	return entry
}

// Sign signs a payload as a JSON Web Signature (RFC 7515) with a certificate in its header.
func (ca CA) Sign(t testing.TB, payload any) []byte {
	t.Helper()
	by := ca.leaf(t, template("A metadata service"))
	part := func(v any) string {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	chain := []string{base64.StdEncoding.EncodeToString(by.Certificate.Raw),
		base64.StdEncoding.EncodeToString(ca.Certificate.Raw)}
	signed := part(map[string]any{"alg": "ES256", "x5c": chain}) + "." + part(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, by.Key, digest[:])
	require.NoError(t, err)
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return []byte(signed + "." + base64.RawURLEncoding.EncodeToString(signature))
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject: pkix.Name{CommonName: name, Organization: []string{"Tests"},
			Country: []string{"NO"}},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func sign(
	t testing.TB, c, parent *x509.Certificate, public *ecdsa.PublicKey, by *ecdsa.PrivateKey,
) *x509.Certificate {
	t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, public, by)
	require.NoError(t, err)
	made, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	return made
}
