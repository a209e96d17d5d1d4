// Package seal keeps what secondgate stores and hands out secret and in its place.
//
// Everything at rest (one record per person) and everything given away (challenge
// tokens, grants) is sealed with AES-256-GCM and bound to a purpose and an owner: what
// was sealed for one cannot be opened as another's. A [Keyring] seals with its first key
// and opens with any, so keys rotate without downtime: put the new key first, re-seal, and
// drop the old one when nothing needs it any more.
//
//	key := seal.GenerateKey() // once; keep it outside the database
//	keys, err := seal.NewKeyring(key)
//
// # Format
//
// The sealed form is, in bytes:
//
//	1   version, 0x01
//	8   key id: HKDF-SHA256(key, info "secondgate/1 id")
//	8   binding: HMAC-SHA256(bind key, len(purpose) ‖ purpose ‖ owner), truncated
//	16  salt, random
//	12  nonce, random
//	n   ciphertext
//	16  tag
//
// The message key is HKDF-Expand-SHA256(PRK, "secondgate/1 message" ‖ 0x00 ‖ salt ‖
// len(purpose) ‖ purpose ‖ owner) with PRK = HKDF-Extract(key), and the first 33 bytes
// are additional data. A fresh key for each message means that the bound on messages under one
// AES-GCM key with random nonces (2^32, NIST SP 800-38D section 8.3) is never near. len is
// one byte.
//
// Only the standard library's primitives are used, all of them approved under FIPS 140-3.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
)

const (
	// KeyLen is the length of a key in bytes.
	KeyLen = 32
	// Overhead is how much longer than its plaintext a sealed message is, in bytes.
	Overhead = headerLen + nonceLen + tagLen

	version    = 1
	idLen      = 8
	bindingLen = 8
	saltLen    = 16
	nonceLen   = 12
	tagLen     = 16
	headerLen  = 1 + idLen + bindingLen + saltLen
	maxPurpose = 255
)

var (
	// ErrMalformed: not something Seal made: too short, or of another version.
	ErrMalformed = errors.New("seal: malformed")
	// ErrUnknownKey: sealed with a key that this keyring does not hold: retired, or
	// another installation's.
	ErrUnknownKey = errors.New("seal: sealed with an unknown key")
	// ErrWrongBinding: sealed for another purpose or another owner.
	ErrWrongBinding = errors.New("seal: sealed for another purpose or owner")
	// ErrTampered: made for this purpose and owner, and altered since.
	ErrTampered = errors.New("seal: altered")
)

// Keyring seals with its primary key and opens with any of its keys. It is immutable and
// safe for concurrent use.
type Keyring struct {
	primary *key
	keys    []*key
}

type key struct {
	id   [idLen]byte
	prk  []byte
	bind []byte
}

// GenerateKey returns a new random key of KeyLen bytes. Keep it where the database is not:
// a file of mode 0600, a secret store.
func GenerateKey() []byte {
	k := make([]byte, KeyLen)
	_, _ = rand.Read(k) // never fails since Go 1.24
	return k
}

// NewKeyring returns a keyring that seals with primary and opens what primary or one of
// older sealed. Keys are KeyLen random bytes each, not passwords.
func NewKeyring(primary []byte, older ...[]byte) (*Keyring, error) {
	kr := &Keyring{}
	for i, raw := range append([][]byte{primary}, older...) {
		if len(raw) != KeyLen {
			return nil, fmt.Errorf("seal: key %d has %d bytes, want %d random bytes (see GenerateKey)", i, len(raw), KeyLen)
		}
		if subtle.ConstantTimeCompare(raw, make([]byte, KeyLen)) == 1 {
			return nil, fmt.Errorf("seal: key %d is all zero; use GenerateKey", i)
		}
		k, err := derive(raw)
		if err != nil {
			return nil, err
		}
		if kr.find(k.id[:]) != nil {
			return nil, fmt.Errorf("seal: key %d is given twice", i)
		}
		kr.keys = append(kr.keys, k)
	}
	kr.primary = kr.keys[0]
	return kr, nil
}

func derive(raw []byte) (*key, error) {
	prk, err := hkdf.Extract(sha256.New, raw, nil)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	id, err := hkdf.Expand(sha256.New, prk, "secondgate/1 id", idLen)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	bind, err := hkdf.Expand(sha256.New, prk, "secondgate/1 bind", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &key{id: [idLen]byte(id), prk: prk, bind: bind}, nil
}

func (kr *Keyring) find(id []byte) *key {
	for _, k := range kr.keys {
		if string(k.id[:]) == string(id) { // ids are public
			return k
		}
	}
	return nil
}

// Seal returns plaintext sealed with the primary key for purpose (1 to 255 bytes) and owner.
// It panics if purpose is outside these limits, which is an error in the program.
func (kr *Keyring) Seal(purpose, owner string, plaintext []byte) []byte {
	if purpose == "" || len(purpose) > maxPurpose {
		panic("seal: purpose must have 1 to 255 bytes")
	}
	k := kr.primary
	out := make([]byte, headerLen, len(plaintext)+Overhead)
	out[0] = version
	copy(out[1:], k.id[:])
	bound := boundTo(purpose, owner)
	k.binding(out[1+idLen:1+idLen+bindingLen], bound)
	salt := out[headerLen-saltLen : headerLen]
	_, _ = rand.Read(salt)
	aead, err := k.aead(salt, bound)
	if err != nil {
		panic("seal: " + err.Error()) // fixed sizes: cannot fail
	}
	return aead.Seal(out, nil, plaintext, out[:headerLen])
}

// Open returns the plaintext of what Seal sealed for the same purpose and owner. Its
// errors are ErrMalformed, ErrUnknownKey, ErrWrongBinding and ErrTampered.
func (kr *Keyring) Open(purpose, owner string, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version || purpose == "" || len(purpose) > maxPurpose {
		return nil, ErrMalformed
	}
	k := kr.find(sealed[1 : 1+idLen])
	if k == nil {
		return nil, ErrUnknownKey
	}
	bound := boundTo(purpose, owner)
	var want [bindingLen]byte
	k.binding(want[:], bound)
	if subtle.ConstantTimeCompare(want[:], sealed[1+idLen:1+idLen+bindingLen]) != 1 {
		return nil, ErrWrongBinding
	}
	aead, err := k.aead(sealed[headerLen-saltLen:headerLen], bound)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	plain, err := aead.Open(nil, nil, sealed[headerLen:], sealed[:headerLen])
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

// Primary reports whether sealed was sealed with the keyring's present primary key, so that
// re-sealing can pass it over. It does not authenticate.
func (kr *Keyring) Primary(sealed []byte) bool {
	return len(sealed) >= Overhead && string(sealed[1:1+idLen]) == string(kr.primary.id[:])
}

// Digest returns 16 bytes that stand for value in an index, such as a database key, without
// showing it: HMAC-SHA256 under the primary key, truncated. It changes when the primary
// key does. purpose as for Seal.
func (kr *Keyring) Digest(purpose, value string) []byte {
	h := hmac.New(sha256.New, kr.primary.bind)
	h.Write([]byte("digest\x00"))
	h.Write(boundTo(purpose, value))
	return h.Sum(nil)[:16]
}

// String shows how many keys there are, and nothing of them; so does %+v.
func (kr *Keyring) String() string { return fmt.Sprintf("seal.Keyring(%d keys)", len(kr.keys)) }

// GoString is String, for %#v.
func (kr *Keyring) GoString() string { return kr.String() }

func boundTo(purpose, owner string) []byte {
	b := make([]byte, 0, 1+len(purpose)+len(owner))
	b = append(b, byte(len(purpose)))
	b = append(b, purpose...)
	return append(b, owner...)
}

func (k *key) binding(dst, bound []byte) {
	h := hmac.New(sha256.New, k.bind)
	h.Write(bound)
	copy(dst, h.Sum(nil)[:bindingLen])
}

func (k *key) aead(salt, bound []byte) (cipher.AEAD, error) {
	info := make([]byte, 0, 32+len(salt)+len(bound))
	info = append(info, "secondgate/1 message\x00"...)
	info = append(info, salt...)
	info = append(info, bound...)
	mk, err := hkdf.Expand(sha256.New, k.prk, string(info), KeyLen)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(mk)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
