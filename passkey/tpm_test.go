package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/fidotest"
	"github.com/secondgate/secondgate/mfa/factor"
)

// sized is a TPM2B: bytes with their length before them.
func sized(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// createInTPM answers creation options with an attestation by a TPM (WebAuthn Level 3 section 8.3).
// The structures are TPMT_PUBLIC and TPMS_ATTEST of the TPM 2.0 Library, part 2.
func (d *device) createInTPM(
	t testing.TB, options []byte, by fidotest.Leaf, changed ...byte,
) string {
	t.Helper()
	w := d.forgery(options, "webauthn.create")
	w.flags |= at
	client, err := json.Marshal(w.client)
	require.NoError(t, err)
	auth := append(w.head(), sturdy[:]...)
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(w.signed)))
	auth = append(append(auth, w.signed...), w.key...)
	var cose struct {
		X []byte `cbor:"-2,keyasint"`
		Y []byte `cbor:"-3,keyasint"`
	}
	require.NoError(t, cbor.Unmarshal(w.key, &cose))
	// An ECC key with SHA-256 and no authorization policy; no symmetric algorithm, no scheme, the
	// curve P-256, no key derivation.
	public := bytes.Join([][]byte{{0, 0x23, 0, 0x0b, 0, 6, 4, 0x72, 0, 0}, {0, 0x10, 0, 0x10, 0, 3,
		0, 0x10}, sized(cose.X), sized(cose.Y)}, nil)
	hash := sha256.Sum256(client)
	signed := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	name := sha256.Sum256(append(bytes.Clone(public), changed...))
	// TPM_GENERATED_VALUE, TPM_ST_ATTEST_CERTIFY, no qualified signer; then clock and firmware.
	info := bytes.Join([][]byte{{0xff, 'T', 'C', 'G', 0x80, 0x17, 0, 0}, sized(signed[:]),
		make([]byte, 16), {1}, make([]byte, 8), sized(append([]byte{0, 0x0b}, name[:]...)),
		sized(nil)}, nil)
	digest := sha256.Sum256(info)
	sig, err := ecdsa.SignASN1(rand.Reader, by.Key, digest[:])
	require.NoError(t, err)
	object, err := cbor.Marshal(map[string]any{"fmt": "tpm", "authData": auth,
		"attStmt": map[string]any{"ver": "2.0", "alg": -7, "x5c": []any{by.Certificate.Raw},
			"sig": sig, "certInfo": info, "pubArea": public}})
	require.NoError(t, err)
	return respond(t, w.id, map[string]any{"clientDataJSON": text(client),
		"attestationObject": text(object)})
}

func TestAttestation_ByATPM(t *testing.T) {
	s := newService(t, fidotest.Status{Name: "FIDO_CERTIFIED_L1"})
	f := newFactor(t, s.use)
	for name, tc := range map[string]struct {
		by     fidotest.CA
		proven bool
	}{"its manufacturer": {s.maker, true}, "a stranger": {fidotest.NewCA(t, "Stranger"), false}} {
		in, options := begun(t, f)
		state, err := verify(f, in, newDevice().createInTPM(t, options, tc.by.AIK(t)))
		require.NoError(t, err, name)
		require.Equal(t, tc.proven, f.Describe(state).Hardware, name)
	}
	in, options := begun(t, f)
	_, err := verify(f, in, newDevice().createInTPM(t, options, s.maker.AIK(t), 1))
	require.ErrorIs(t, err, factor.ErrIncorrect, "it certifies another key")
}
