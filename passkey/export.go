package passkey

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/secondgate/secondgate/secret"
)

// ImportParams returns the parameters with which Enroll imports an instance: "credential", which is
// a passkey record, and "user_handle". What its attestation has proven does not go along.
func (f *Factor) ImportParams(data []byte) (map[string]secret.Text, error) {
	s, err := decodeCredential(data)
	if err != nil {
		return nil, err
	}
	return map[string]secret.Text{"credential": secret.New(f.record(s)),
		"user_handle": secret.New(base64.RawURLEncoding.EncodeToString(s.Handle))}, nil
}

// authDataLen is how long authenticator data is without the identifier and the key.
const authDataLen = sha256.Size + 1 + 4 + aaguidLen + 2

// record returns what parseStored reads: the transports, and the authenticator data (WebAuthn
// Level 3 section 6.1) that the passkey would have if it were enrolled today.
func (f *Factor) record(s state) string {
	flags := protocol.FlagAttestedCredentialData
	if !s.Conditional {
		flags |= protocol.FlagUserPresent
	}
	if s.Verified {
		flags |= protocol.FlagUserVerified
	}
	if s.Eligible {
		flags |= protocol.FlagBackupEligible
	}
	if s.BackedUp {
		flags |= protocol.FlagBackupState
	}
	hash := sha256.Sum256([]byte(f.cfg.RPID))
	var aaguid [aaguidLen]byte
	copy(aaguid[:], s.AAGUID)
	data := make([]byte, 0, authDataLen+len(s.ID)+len(s.Key))
	data = append(append(data, hash[:]...), byte(flags))
	data = append(binary.BigEndian.AppendUint32(data, s.Count), aaguid[:]...)
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(s.ID))), s.ID...)
	data = append(data, s.Key...)
	params := ""
	if len(s.Transports) > 0 {
		params = "transports=" + strings.Join(s.Transports, "+") + "$"
	}
	return recordPrefix + params + base64.RawStdEncoding.EncodeToString(data)
}
