package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
)

// answered is a browser's response: one of the two.
type answered struct {
	created  *protocol.ParsedCredentialCreationData
	asserted *protocol.ParsedCredentialAssertionData
}

var errForm = errors.New("passkey: not a response of a passkey")

// parse reads the JSON that PublicKeyCredential.toJSON makes (WebAuthn Level 3 section 5.1.8).
// Its length is bounded by the Manager.
func parse(response string) (answered, error) {
	if got, ok := readPlain(response); ok {
		return answered{asserted: got}, nil
	}
	return readAny(response)
}

// readAny reads a response that is written in any way in which JSON can be.
func readAny(response string) (answered, error) {
	var form struct {
		Response struct {
			AttestationObject json.RawMessage `json:"attestationObject"`
			Signature         json.RawMessage `json:"signature"`
		} `json:"response"`
	}
	data, err := urlForm([]byte(response))
	if err != nil || json.Unmarshal(data, &form) != nil {
		return answered{}, errForm
	}
	var got answered
	switch create, get := form.Response.AttestationObject != nil, form.Response.Signature != nil; {
	case create == get:
		return answered{}, errForm
	case create:
		if got.created, err = protocol.ParseCredentialCreationResponseBytes(data); err == nil {
			err = exactNames(got.created.Raw.AttestationResponse.ClientDataJSON)
		}
	default:
		if got.asserted, err = protocol.ParseCredentialRequestResponseBytes(data); err == nil {
			err = exactNames(got.asserted.Raw.AssertionResponse.ClientDataJSON)
		}
	}
	if err != nil {
		return answered{}, errForm // the library's holds what was sent
	}
	return got, nil
}

// exactNames refuses client data that has a member of WebAuthn Level 3 section 5.8.1 in other
// letters, such as "Origin": encoding/json takes it for the member.
func exactNames(clientData []byte) error {
	if plainClientData(clientData) {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(clientData, &members); err != nil {
		return err
	}
	for name := range members {
		for _, exact := range []string{"type", "challenge", "origin", "crossOrigin", "topOrigin"} {
			if name != exact && strings.EqualFold(name, exact) {
				return errForm
			}
		}
	}
	return nil
}

// urlForm returns a response whose binary members are in base64url, as WebAuthn has them. Libraries
// of native apps write them in base64, and with padding.
func urlForm(response []byte) ([]byte, error) {
	var all, inner map[string]json.RawMessage
	if err := json.Unmarshal(response, &all); err != nil {
		return nil, err
	}
	if json.Unmarshal(all["response"], &inner) != nil {
		return nil, errForm
	}
	for _, name := range []string{"id", "rawId"} {
		unpad(all, name)
	}
	for _, name := range []string{"clientDataJSON", "attestationObject", "authenticatorData",
		"signature", "userHandle"} {
		unpad(inner, name)
	}
	var err error
	if all["response"], err = json.Marshal(inner); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

var toURL = strings.NewReplacer("+", "-", "/", "_")

func unpad(in map[string]json.RawMessage, name string) {
	var s string
	if raw := in[name]; json.Unmarshal(raw, &s) != nil || raw[0] != '"' {
		return
	}
	in[name], _ = json.Marshal(strings.TrimRight(toURL.Replace(s), "="))
}

// why describes in words that contain nothing of the response what the library refused. Most
// often the application's configuration is the reason.
func (f *Factor) why(
	want issued, client protocol.CollectedClientData, auth protocol.AuthenticatorData,
) string {
	ceremony, hash := protocol.AssertCeremony, sha256.Sum256([]byte(f.cfg.RPID))
	if want.Create {
		ceremony = protocol.CreateCeremony
	}
	switch {
	case client.Type != ceremony:
		return "it was signed for another ceremony"
	case client.Challenge != encodeChallenge(want):
		return "it responds to another challenge"
	case client.CrossOrigin || client.TopOrigin != "":
		return "another site embedded the page"
	case !bytes.Equal(auth.RPIDHash, hash[:]):
		return "it is for another RP ID"
	case !want.Conditional && !auth.Flags.HasUserPresent():
		return "no user was present"
	case want.Verify && !auth.Flags.HasUserVerified():
		return "the user was not verified, which Config.UserVerification requires"
	case want.Create:
		return "its algorithm was not offered, or its attestation does not verify"
	default:
		return "its signature does not verify"
	}
}
