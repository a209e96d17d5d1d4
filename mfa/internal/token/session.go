package token

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
)

// SessionID is what handles and tokens keep of a session ID: a digest, because the ID may be
// what lets its holder into the session.
type SessionID struct {
	valid  bool
	digest [16]byte
}

// NewSessionID returns the digest of a session ID. One of another length is not valid.
func NewSessionID(id string) (s SessionID) {
	if id == "" || len(id) > maxSessionID {
		return s
	}
	h := sha256.Sum256([]byte("secondgate/1 binding\x00" + id))
	s.valid = true
	copy(s.digest[:], h[:])
	return s
}

// Bind returns the digest, for claims.Bind.
func (s SessionID) Bind() []byte { return bytes.Clone(s.digest[:]) }

// Made says whether a token was made in this session.
func (s SessionID) Made(c *Claims) bool {
	return s.valid && string(c.Bind) == string(s.digest[:]) // both are digests
}

// Check refuses a session ID that is not valid.
func (s SessionID) Check() error {
	if !s.valid {
		return fmt.Errorf("%w: a session ID has 1 to %d bytes", factor.ErrMalformed, maxSessionID)
	}
	return nil
}

// maxSessionID is the length of the longest session ID.
const maxSessionID = 512
