// Package token has what challenges, enrolments, grants and links say, and their sealed form. A
// token is valid for one user, in one session and for one purpose. Whether it may still be used is
// decided with the user's record.
package token

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/seal"
)

// The kinds of token. Each is sealed for a purpose of its own, so that none is taken for another.
const (
	KindChallenge  seal.Purpose = "challenge"
	KindEnrollment seal.Purpose = "enrollment"
	KindGrant      seal.Purpose = "grant"
	// KindMustEnroll is a challenge that is met by an enrolment, so that no code
	// responds to it.
	KindMustEnroll seal.Purpose = "must-enroll"
	// KindPasswordless is a challenge for no user in particular.
	KindPasswordless seal.Purpose = "passwordless"
	// KindLink is the link in a message that verifies an address.
	KindLink seal.Purpose = "link"
	// KindRecoveryLink is the link in a message that begins a recovery.
	KindRecoveryLink seal.Purpose = "setup"
)

// MaxLen is the length of the longest text that is opened.
const MaxLen = 8192

var (
	// ErrInvalid is returned for every token that is not valid here.
	ErrInvalid = errors.New("mfa: invalid token")
	// ErrExpired is returned for a token that has expired, or that was used or superseded.
	ErrExpired = errors.New("mfa: token has expired or was used")
	// ErrRecordMissing is returned when a token proves that there was a record, and there is none.
	ErrRecordMissing = errors.New("mfa: the user's record is missing")
)

// Token refers to something kept; the zero token, to nothing. In the process that made it, it
// holds what it says; its stored form is sealed. It is a pointer to a pointer, because fmt prints
// the struct that a pointer in a field points to when it does not know the verb for pointers, as
// %s, and calls no method of a field that is not exported.
type Token struct{ at **kept }

// kept is what a token says, or the sealed form that an application has stored.
type kept struct {
	self   *kept // what tokens point to
	kind   seal.Purpose
	keys   *seal.Keyring // nil for one that was stored
	claims Claims
	sealed string
}

func refer(k kept) Token {
	k.self = &k
	return Token{&k.self}
}

// New returns a token of a kind.
func New(keys *seal.Keyring, kind seal.Purpose, c Claims) Token {
	return refer(kept{kind: kind, keys: keys, claims: c})
}

// Stored returns the token whose sealed form an application has stored.
func Stored(text []byte) (Token, error) {
	if len(text) == 0 || len(text) > MaxLen {
		return Token{}, fmt.Errorf("%w: it has %d bytes", ErrInvalid, len(text))
	}
	return Sealed(string(text)), nil
}

// Sealed returns the token with a sealed form.
func Sealed(text string) Token { return refer(kept{sealed: text}) }

// IsZero reports whether the token refers to nothing.
func (t Token) IsZero() bool { return t.at == nil }

// Open returns what a token says, if it has the kind and was made in the session.
func (t Token) Open(keys *seal.Keyring, kind seal.Purpose, id SessionID) (*Claims, error) {
	if t.IsZero() {
		return nil, ErrInvalid
	}
	k := *t.at
	switch {
	case k.keys == nil:
		return Open(keys, kind, k.sealed, id)
	case k.keys != keys:
		// The keys that it was made with seal it, so that others open it only if they are the same.
		return Open(keys, kind, Seal(k.keys, k.kind, k.claims), id)
	case k.kind != kind || !id.Made(&k.claims):
		return nil, ErrInvalid
	}
	c := k.claims
	return &c, nil
}

// Text returns the sealed form, with what it shows again.
func (t Token) Text(s *Shown) ([]byte, error) {
	if t.IsZero() {
		return nil, errors.New("mfa: there is nothing to keep")
	}
	k := *t.at
	if k.keys == nil {
		return []byte(k.sealed), nil
	}
	c := k.claims
	c.Shown = s
	text := Seal(k.keys, k.kind, c)
	if len(text) > MaxLen {
		return nil, fmt.Errorf("mfa: the sealed form has %d bytes, and at most %d are taken back",
			len(text), MaxLen)
	}
	return []byte(text), nil
}

// Seal returns the sealed form of what a token of a kind says.
func Seal(keys *seal.Keyring, kind seal.Purpose, c Claims) string {
	data, err := record.Marshal(c)
	if err != nil {
		panic("mfa: " + err.Error()) // plain data: cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(keys.Seal(kind, "", data))
}

// Open returns what a sealed token of a kind says. The session ID is checked unless the
// token is for none, as links are. All invalid tokens give one error, so that it reveals nothing.
func Open(keys *seal.Keyring, kind seal.Purpose, text string, id SessionID) (*Claims, error) {
	sealed, err := Decode(text)
	if err != nil {
		return nil, err
	}
	data, err := keys.Open(kind, "", sealed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	c := &Claims{}
	if err := cbor.Unmarshal(data, c); err != nil {
		return nil, ErrInvalid
	}
	if kind != KindLink && kind != KindRecoveryLink && !id.Made(c) {
		return nil, ErrInvalid
	}
	return c, nil
}

// Decode returns the bytes of a token, which has one spelling.
func Decode(text string) ([]byte, error) {
	if text == "" || len(text) > MaxLen {
		return nil, ErrInvalid
	}
	sealed, err := strictb64.DecodeURL(text)
	if err != nil {
		return nil, ErrInvalid
	}
	return sealed, nil
}
