package passkey_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/passkey"
)

// standardExample is an example of WebAuthn Level 3 section 16: one credential, made and used.
type standardExample struct {
	Section        string
	CredentialID   octets `json:"credential_id"`
	Registration   exampleCeremony
	Authentication exampleCeremony
}

type exampleCeremony struct {
	Challenge         octets
	ClientDataJSON    octets
	AttestationObject octets
	AuthenticatorData octets
	Signature         octets
}

type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// refusedExamples are the examples that no enrolment accepts, each with the reason.
var refusedExamples = map[string]string{
	"none-es256-crossOrigin": "another site embeds the page, which Config has no setting for",
	"none-es256-topOrigin":   "another site embeds the page, which Config has no setting for",
	"packed-es384":           "the algorithm is not offered",
	"packed-es512":           "the algorithm is not offered, and no challenge has 128 bytes",
}

// untrusted are the examples whose attestation statement is refused, each with the reason. Without
// the statement, which a browser removes where no attestation is asked for, they are accepted.
var untrusted = map[string]string{
	"tpm-es256":         "the manufacturer of the TPM is fictitious",
	"android-key-es256": "no authority of Google issued the certificate",
	"apple-es256":       "no authority of Apple issued the certificate",
}

func standardExamples(t *testing.T) []standardExample {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var file struct{ Vectors []standardExample }
	require.NoError(t, json.Unmarshal(b, &file))
	require.Len(t, file.Vectors, 14)
	return file.Vectors
}

func newStandardFactor(t *testing.T) *passkey.Factor {
	t.Helper()
	return newFactor(t, func(c *passkey.Config) {
		c.RPID, c.Origins = "example.org", []string{"https://example.org"}
		c.UserVerification = passkey.Discouraged
	})
}

// register verifies the response to an enrolment that has the example's challenge.
func (v standardExample) register(t *testing.T, f *passkey.Factor) ([]byte, error) {
	t.Helper()
	in, _ := begun(t, f)
	in.Issued = marshal(t, map[int]any{0: []byte(v.Registration.Challenge), 1: true})
	return verify(f, in, respond(t, v.CredentialID, map[string]any{
		"clientDataJSON":    text(v.Registration.ClientDataJSON),
		"attestationObject": text(v.Registration.AttestationObject)}))
}

// assert verifies the response to a challenge that has the example's, for the stored credential.
func (v standardExample) assert(t *testing.T, f *passkey.Factor, state []byte) ([]byte, error) {
	t.Helper()
	in, _ := challenge(t, f, state, false)
	in.Issued = marshal(t, map[int]any{0: []byte(v.Authentication.Challenge),
		3: [][]byte{v.CredentialID}})
	return verify(f, in, respond(t, v.CredentialID, map[string]any{
		"clientDataJSON":    text(v.Authentication.ClientDataJSON),
		"authenticatorData": text(v.Authentication.AuthenticatorData),
		"signature":         text(v.Authentication.Signature)}))
}

// unattested returns the example as a browser responds where no attestation is asked for.
func (v standardExample) unattested(t *testing.T) standardExample {
	t.Helper()
	var object map[string]any
	require.NoError(t, cbor.Unmarshal(v.Registration.AttestationObject, &object))
	object["fmt"], object["attStmt"] = "none", map[string]any{}
	v.Registration.AttestationObject = marshal(t, object)
	return v
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := cbor.Marshal(v)
	require.NoError(t, err)
	return b
}

// The examples of the standard enrol and sign in, but for those that ask for what the factor does
// not offer.
func TestVerify_AcceptsTheExamplesOfTheStandard(t *testing.T) {
	f, refused := newStandardFactor(t), 0
	for _, v := range standardExamples(t) {
		t.Run(v.Section, func(t *testing.T) {
			state, err := v.register(t, f)
			if refusedExamples[v.Section] != "" || untrusted[v.Section] != "" {
				require.Error(t, err)
				refused++
				state, err = v.unattested(t).register(t, f)
			}
			if refusedExamples[v.Section] != "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []byte(v.CredentialID), kept(t, state)[1])
			_, err = v.assert(t, f, state)
			require.NoError(t, err)
		})
	}
	require.Equal(t, len(refusedExamples)+len(untrusted), refused)
}

// An example in which any byte of what is signed, or of the signature, differs signs nobody in.
func TestVerify_RefusesEveryChangedByteOfTheExamples(t *testing.T) {
	f := newStandardFactor(t)
	for _, v := range standardExamples(t) {
		if !slices.Contains([]string{"none-es256", "packed-rs256", "packed-eddsa"}, v.Section) {
			continue // one of each algorithm
		}
		state, err := v.register(t, f)
		require.NoError(t, err)
		for name, part := range map[string]*octets{
			"client data":        &v.Authentication.ClientDataJSON,
			"authenticator data": &v.Authentication.AuthenticatorData,
			"signature":          &v.Authentication.Signature,
		} {
			valid := *part
			for i := range valid {
				*part = bytes.Clone(valid)
				(*part)[i] ^= 1
				_, err = v.assert(t, f, state)
				require.Error(t, err, "%s: byte %d of the %s", v.Section, i, name)
			}
			*part = valid
		}
	}
}
