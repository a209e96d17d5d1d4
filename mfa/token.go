package mfa

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
)

const (
	// sealLink seals the link in a message that verifies an address.
	sealLink = "link"

	maxToken     = 8192
	maxSessionID = 512
)

// claims is what every token says. Fields that a kind of token does not use are empty.
type claims struct {
	ID       [16]byte `cbor:"0,keyasint"`
	Issued   int64    `cbor:"1,keyasint"`
	Subject  subject  `cbor:"2,keyasint"`
	Purpose  purpose  `cbor:"3,keyasint,omitempty"`
	Bind     []byte   `cbor:"4,keyasint,omitempty"`
	Epoch    []byte   `cbor:"5,keyasint,omitempty"` // the record's when issued; empty: there was none
	Kinds    []string `cbor:"6,keyasint,omitempty"` // allowed by the policy when issued
	Implicit []string `cbor:"7,keyasint,omitempty"`
	Keep     bool     `cbor:"8,keyasint,omitempty"` // Policy.KeepImplicit
	Pending  string   `cbor:"11,keyasint,omitempty"`
	// Remember is Policy.Remember in milliseconds.
	Remember int64 `cbor:"13,keyasint,omitempty"`
	// Live is, in a challenge for no user in particular, what the factor issued; Kinds has its kind.
	Live *live `cbor:"14,keyasint,omitempty"`
	// Proof is, in a grant and in what it opened, what was proven.
	Proof proof `cbor:"15,keyasint,omitzero"`
	// Hold is Policy.RecoveryHold in milliseconds.
	Hold int64 `cbor:"16,keyasint,omitempty"`
	// Linked says that a mailed recovery link began the challenge.
	Linked bool `cbor:"17,keyasint,omitempty"`
	// Forced says that confirming an enrolment by this grant completes the sign-in.
	Forced bool `cbor:"18,keyasint,omitempty"`
	// Grace says that the policy lets users in who have no allowed factor yet.
	Grace bool `cbor:"19,keyasint,omitempty"`
	// Shown is, in a stored challenge or enrolment, what it shows again.
	Shown *shown `cbor:"20,keyasint,omitempty"`
}

// claimsOf are the claims of a token for a user under a policy.
func claimsOf(s subject, p policy.Policy, to purpose, now time.Time) claims {
	return claims{ID: random16(), Issued: now.UnixMilli(), Subject: s, Purpose: to,
		Kinds: p.Kinds, Implicit: p.Implicit, Keep: p.KeepImplicit,
		Hold: p.RecoveryHold.Milliseconds(), Grace: now.Before(p.EnrollBy)}
}

// subject is Subject in a token.
type subject struct {
	ID        string `cbor:"0,keyasint"`
	Tenant    string `cbor:"1,keyasint,omitempty"`
	UserType  string `cbor:"2,keyasint,omitempty"`
	Account   string `cbor:"3,keyasint,omitempty"`
	Email     string `cbor:"4,keyasint,omitempty"`
	Confirmed bool   `cbor:"5,keyasint,omitempty"`
	Phone     string `cbor:"6,keyasint,omitempty"`
	Locale    string `cbor:"7,keyasint,omitempty"`
}

func (s User) check() error {
	for _, f := range []struct {
		name, value string
		max         int
	}{
		{"ID", s.ID, 128}, {"Tenant", s.Tenant, 64}, {"UserType", s.UserType, 64}, {"Account", s.Account, 128},
		{"Email", s.Email, 254}, {"Phone", s.Phone, 32}, {"Locale", s.Locale, 35},
	} {
		if len(f.value) > f.max || !utf8.ValidString(f.value) {
			return fmt.Errorf("%w: User.%s must be at most %d bytes of UTF-8", factor.ErrMalformed, f.name, f.max)
		}
	}
	if s.ID == "" {
		return fmt.Errorf("%w: User.ID is empty", factor.ErrMalformed)
	}
	return nil
}

func (s User) scope() policy.Scope { return s.compact().scope() }

func (s User) compact() subject {
	return subject{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Account: s.Account,
		Email: s.Email, Confirmed: s.EmailVerified, Phone: s.Phone, Locale: s.Locale}
}

func (s subject) scope() policy.Scope {
	return policy.Scope{Tenant: s.Tenant, UserType: s.UserType}
}

// key is where the user's record is. The length keeps "a/b"+"c" and "a"+"b/c" apart.
func (s subject) key() string {
	return "p/" + strconv.Itoa(len(s.Tenant)) + "/" + s.Tenant + "/" + s.ID
}

func (s subject) person() factor.User {
	p := factor.User{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Account: s.Account,
		Email: s.Email, Phone: s.Phone, Locale: s.Locale}
	if p.Account == "" {
		p.Account = s.Email
	}
	if p.Account == "" {
		p.Account = s.ID
	}
	return p
}

// sessionID is what handles and tokens keep of a session ID: a digest, because the ID may be
// what lets its holder into the session.
type sessionID struct {
	valid  bool
	digest [16]byte
}

func newSessionID(id string) (s sessionID) {
	if id == "" || len(id) > maxSessionID {
		return s
	}
	h := sha256.Sum256([]byte("secondgate/1 binding\x00" + id))
	s.valid = true
	copy(s.digest[:], h[:])
	return s
}

// bind returns the digest, for claims.Bind.
func (s sessionID) bind() []byte { return bytes.Clone(s.digest[:]) }

// made says whether a token was made in this session.
func (s sessionID) made(c *claims) bool {
	return s.valid && string(c.Bind) == string(s.digest[:]) // both are digests
}

func (s sessionID) check() error {
	if !s.valid {
		return fmt.Errorf("%w: a session ID has 1 to %d bytes", factor.ErrMalformed, maxSessionID)
	}
	return nil
}

// decodeToken returns the bytes of a token, which has one spelling.
func decodeToken(token string) ([]byte, error) {
	if token == "" || len(token) > maxToken {
		return nil, ErrToken
	}
	sealed, err := strictb64.DecodeURL(token)
	if err != nil {
		return nil, ErrToken
	}
	return sealed, nil
}

// openToken returns what a sealed token of a kind says. The session ID is checked unless the
// token is for none (links). Everything that may be wrong with a token is one error: ErrToken.
func (m *Manager) openToken(kind seal.Purpose, token string, id sessionID) (*claims, error) {
	sealed, err := decodeToken(token)
	if err != nil {
		return nil, err
	}
	data, err := m.cfg.Keys.Open(kind, "", sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	c := &claims{}
	if err := cbor.Unmarshal(data, c); err != nil {
		return nil, ErrToken
	}
	if kind != sealLink && kind != sealSetup && !id.made(c) {
		return nil, ErrToken
	}
	return c, nil
}

// over says whether a token issued then is too old now.
func (c *claims) expired(now time.Time, ttl time.Duration) bool {
	return now.UnixMilli() >= c.Issued+ttl.Milliseconds()
}
