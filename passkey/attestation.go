package passkey

import (
	"crypto/sha1" //nolint:gosec // RFC 5280 section 4.2.1.2 names keys by it; no secret depends on it
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"

	"github.com/secondgate/secondgate/mfa/factor"
)

// This file decides what the attestation of a passkey proves, and what that is worth later.

// prove notes in s what the attestation statement proves. The statement itself has been verified;
// what is left is whether a certificate of the metadata attests it. Without one the passkey is as
// good as one without an attestation.
func (f *Factor) prove(s *state, attested protocol.AttestationObject, clientHash []byte) {
	m := f.metadata()
	if m == nil {
		return
	}
	err := attested.VerifyAttestation(clientHash, m.anchors, protocol.AttestationPolicy{},
		protocol.SignaturePolicy{})
	if err != nil {
		return
	}
	switch metadata.AuthenticatorAttestationType(attested.Type) {
	case metadata.BasicFull, metadata.AttCA, metadata.AnonCA:
	default:
		return // signed by the passkey's own key, or by nothing: that proves no model
	}
	if s.AAGUID == nil {
		s.Signer = m.signer(attested.AttStatement)
	}
	s.Proven = m.model(*s).listed
}

// signer returns the identifier of the key that signed an attestation statement, of those that the
// list names models by, or "".
func (m *Metadata) signer(statement map[string]any) string {
	chain, _ := statement["x5c"].([]any)
	if len(chain) == 0 {
		return ""
	}
	raw, _ := chain[0].([]byte)
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return ""
	}
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	ids := []string{hex.EncodeToString(cert.SubjectKeyId)}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &key); err == nil {
		sum := sha1.Sum(key.Key.Bytes) //nolint:gosec // see the import
		ids = append(ids, hex.EncodeToString(sum[:]))
	}
	for _, id := range ids {
		if _, ok := m.bySigner[id]; ok {
			return id
		}
	}
	return ""
}

// metadata returns the present list, or nil.
func (f *Factor) metadata() *Metadata {
	if f.cfg.Metadata == nil {
		return nil
	}
	return f.cfg.Metadata()
}

// describeKey says what keeps the key of a passkey, by the present list. A device says itself
// whether its key can be copied, and which model it is. That it is an unsafe one is believed.
func (f *Factor) describeKey(s state, d *factor.Description) {
	m := f.metadata().model(s)
	d.DeviceBound, d.Compromised = !s.Eligible, m.compromised
	if s.Eligible {
		d.AMR = "swk"
	}
	if !s.Proven || m.compromised {
		return
	}
	d.Certified = m.certified
	switch {
	case m.software:
		d.AMR = "swk"
	case m.hardware && !s.Eligible:
		d.AMR, d.Hardware = "hwk", true
	}
}
