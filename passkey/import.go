package passkey

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/secondgate/secondgate/mfa/factor"
)

// takeOver prepares a passkey that another system has registered.
func (f *Factor) takeOver(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	s, err := parseStored(in.Params["credential"].Reveal())
	if err != nil {
		return nil, err
	}
	if handle := in.Params["user_handle"].Reveal(); handle != "" {
		if s.Handle, err = anyBase64(handle); err != nil {
			return nil, notImported("the user handle is not base64")
		}
	}
	if err := s.checkImported(); err != nil {
		return nil, err
	}
	for _, e := range in.Existing {
		if have, err := decodeCredential(e.State); err != nil || bytes.Equal(have.ID, s.ID) {
			return nil, notImported("the user has it already")
		}
	}
	return &factor.EnrollOutput{State: encode(s),
		Name: cmp.Or(f.defaultName(s), nextName(in.Existing))}, nil
}

func notImported(detail string) error {
	return &factor.Problem{Reason: "passkey_import", Detail: detail}
}

// checkImported refuses what an enrolment would have refused, and what decodeState does not read.
func (s state) checkImported() error {
	if s.BackedUp && !s.Eligible {
		return notImported("its backup flags contradict each other")
	}
	if _, err := decodeCredential(encode(s)); err != nil {
		return notImported("it has no identifier or no key, or one that is too long")
	}
	key, err := webauthncose.ParsePublicKey(s.Key)
	if err != nil {
		return notImported("its public key is none")
	}
	var algorithm int64
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		algorithm = k.Algorithm
	case webauthncose.OKPPublicKeyData:
		algorithm = k.Algorithm
	case webauthncose.RSAPublicKeyData:
		algorithm = k.Algorithm
	}
	if !slices.Contains([]int64{algEdDSA, algES256, algRS256}, algorithm) {
		return notImported("its algorithm is not EdDSA, ES256 or RS256")
	}
	return nil
}

// recordPrefix begins a passkey record (c2sp.org/passkey-record).
const recordPrefix = "$webauthn$v=1$"

// parseStored reads a passkey in one of the forms that Enroll documents.
func parseStored(text string) (state, error) {
	if record, ok := strings.CutPrefix(text, recordPrefix); ok {
		return parseRecord(record)
	}
	var c stored
	if json.Unmarshal([]byte(text), &c) != nil {
		return state{}, notImported("it has none of the documented forms")
	}
	s := state{ID: c.ID, Key: c.PublicKey, Handle: c.Handle}
	switch {
	case c.Flags != nil: // go-webauthn
		s.Count, s.Verified = c.Authenticator.SignCount, c.Flags.UserVerified
		s.Eligible, s.BackedUp = c.Flags.BackupEligible, c.Flags.BackupState
		s.Transports, s.AAGUID = transports(c.Transport), knownAAGUID(c.Authenticator.AAGUID)
	case c.DeviceType == "singleDevice" || c.DeviceType == "multiDevice": // SimpleWebAuthn
		s.Count, s.BackedUp, s.Eligible = c.Counter, c.BackedUp, c.DeviceType == "multiDevice"
		s.Transports, s.AAGUID = transports(c.Transports), knownAAGUID(readUUID(c.AAGUID))
		// It does not store whether the user was verified, so the first assertion says it.
		s.Conditional = true
	default:
		return state{}, notImported("it does not say whether it may be backed up")
	}
	return s, nil
}

// parseRecord reads a record after its prefix: perhaps parameters, and the authenticator data of
// the registration in base64.
func parseRecord(record string) (state, error) {
	params, encoded, ok := strings.Cut(record, "$")
	if !ok {
		params, encoded = "", record
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return state{}, notImported("its record is not base64")
	}
	var auth protocol.AuthenticatorData
	if err := auth.Unmarshal(raw); err != nil || !auth.Flags.HasAttestedCredentialData() {
		return state{}, notImported("its record is not authenticator data")
	}
	s := state{ID: auth.AttData.CredentialID, Key: auth.AttData.CredentialPublicKey,
		Count: auth.Counter, Verified: auth.Flags.HasUserVerified(),
		Eligible: auth.Flags.HasBackupEligible(), BackedUp: auth.Flags.HasBackupState(),
		AAGUID: knownAAGUID(auth.AttData.AAGUID)}
	s.Conditional = !auth.Flags.HasUserPresent() && !s.Verified
	for param := range strings.SplitSeq(params, ",") {
		if list, ok := strings.CutPrefix(param, "transports="); ok {
			s.Transports = transports(strings.Split(list, "+"))
		}
	}
	return s, nil
}

// stored is what go-webauthn and SimpleWebAuthn store, which name their members otherwise.
type stored struct {
	ID        storedBytes
	PublicKey storedBytes
	Transport []string
	Flags     *struct{ UserVerified, BackupEligible, BackupState bool }

	Authenticator struct {
		AAGUID    storedBytes
		SignCount uint32
	}

	Counter    uint32
	Transports storedList
	DeviceType string
	BackedUp   bool
	AAGUID     string
	Handle     storedBytes `json:"webauthnUserID"`
}

// storedBytes are bytes as JSON and databases write them: base64 of any alphabet, hexadecimal
// digits after \x, or a Buffer of Node.js.
type storedBytes []byte

// UnmarshalJSON reads one of the forms.
func (b *storedBytes) UnmarshalJSON(data []byte) (err error) {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*b, err = anyBase64(*text)
		}
		return err
	}
	var buffer struct{ Data []int }
	if err := json.Unmarshal(data, &buffer); err != nil {
		return err
	}
	for _, n := range buffer.Data {
		*b = append(*b, byte(n))
	}
	return nil
}

// storedList is a list of texts, or a text with commas.
type storedList []string

// UnmarshalJSON reads one of the forms.
func (l *storedList) UnmarshalJSON(data []byte) error {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text != nil {
			*l = strings.Split(*text, ",")
		}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

func anyBase64(text string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(text, `\x`); ok {
		return hex.DecodeString(digits)
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(toURL.Replace(text), "="))
	if err != nil {
		return nil, fmt.Errorf("passkey: not base64") //nolint:err113 // the text stays out of it
	}
	return b, nil
}

// knownAAGUID returns an AAGUID, or nil for the one of no model.
func knownAAGUID(aaguid []byte) []byte {
	if len(aaguid) != aaguidLen || bytes.Equal(aaguid, make([]byte, aaguidLen)) {
		return nil
	}
	return bytes.Clone(aaguid)
}

// readUUID returns the bytes of a UUID, or nil.
func readUUID(text string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil {
		return nil
	}
	return b
}
