package recovery

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// ownPrefix begins the hash of a code that this package made: $hmac-sha256$, the salt of the set
// and the hash, both in base64 without padding. The hash is HMAC-SHA256 of the code under the salt,
// cut to 16 bytes; the code is in upper case and without hyphens.
const ownPrefix = "$hmac-sha256$"

// ImportParams returns the parameters with which Enroll imports the codes that remain: "hashes",
// and "form" for a set of another system. It returns nil if none remain.
func (f *Factor) ImportParams(data []byte) (map[string]secret.Text, error) {
	if isImported(data) {
		s, _, err := parseImported(data)
		if err != nil || len(s.hashes) == 0 {
			return nil, err
		}
		return map[string]secret.Text{"hashes": secret.New(strings.Join(s.hashes, "\n")),
			"form": secret.New(s.form)}, nil
	}
	s, err := parse(data)
	if err != nil {
		return nil, err
	}
	var hashes []string
	for i := range s.count() {
		if !s.used(i) {
			hashes = append(hashes, ownPrefix+base64.RawStdEncoding.EncodeToString(s.salt())+"$"+
				base64.RawStdEncoding.EncodeToString(s.hash(i)))
		}
	}
	if len(hashes) == 0 {
		return nil, nil
	}
	return map[string]secret.Text{"hashes": secret.New(strings.Join(hashes, "\n"))}, nil
}

// takeOverOwn prepares a set that this package made in another installation.
func takeOverOwn(hashes []string) (*factor.EnrollOutput, error) {
	if len(hashes) > maxCount {
		return nil, notImported(wrongCount)
	}
	s := make([]byte, headerLen, headerLen+len(hashes)*hashLen)
	s[0] = stateVersion
	for i, line := range hashes {
		salt, hash, ok := parseOwn(line)
		if i == 0 {
			copy(s[3:], salt)
		}
		if !ok || !slices.Equal(salt, state(s).salt()) {
			return nil, notImported("the hashes of a set have one salt and one form")
		}
		s = append(s, hash...)
	}
	return &factor.EnrollOutput{State: s, Name: "Recovery codes"}, nil
}

// isOwn reports whether a set of hashes was made by this package.
func isOwn(hashes []string) bool {
	return len(hashes) > 0 && strings.HasPrefix(hashes[0], ownPrefix)
}

func parseOwn(line string) (salt, hash []byte, ok bool) {
	rest, ok := strings.CutPrefix(line, ownPrefix)
	first, second, found := strings.Cut(rest, "$")
	salt, saltErr := strictb64.DecodeStd(first)
	hash, hashErr := strictb64.DecodeStd(second)
	return salt, hash, ok && found && saltErr == nil && hashErr == nil &&
		len(salt) == saltLen && len(hash) == hashLen
}
