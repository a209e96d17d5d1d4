// Package seal encrypts what secondgate stores and what it gives to clients, and binds it to a
// purpose and an owner.
//
// Everything at rest (one record for each user) and everything given to clients (challenges,
// grants, links) is sealed with AES-256-GCM: what was sealed for one owner or purpose cannot be
// opened for another. A [Keyring] seals with its first key
// and opens with any, so that keys rotate without downtime: put the new key first, re-encrypt,
// and drop the old key when nothing needs it any more.
//
//	key := seal.GenerateKey() // once; keep it outside the database
//	keys, err := seal.NewKeyring(key)
//
// # Format
//
// The sealed form is, in bytes:
//
//	1   version, 0x01
//	8   key id: HKDF-SHA512(key, info "secondgate/1 id")
//	8   binding
//	16  salt, random
//	12  nonce, random
//	n   ciphertext
//	16  tag
//
// The AES key of a message is HKDF-Expand-SHA512(PRK, "secondgate/1 message" ‖ 0x00 ‖ salt ‖
// len(purpose) ‖ purpose ‖ owner), its first 32 bytes; the first 8 bytes bind it, from
// the same with "secondgate/1 binding" and no salt (RFC 5869); PRK = HKDF-Extract-SHA512(key,
// no salt), len is one byte. The first 33 bytes of the sealed form are additional data. A
// fresh key for each message means that the bound on messages under one AES-GCM key with
// random nonces (2^32, NIST SP 800-38D section 8.3) is never near.
//
// Only the standard library's primitives are used, all of them approved under FIPS 140-3.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"hash/maphash"
	"sync"
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
	// ErrMalformed is returned for data that Seal did not make: it is too short, or has
	// another version.
	ErrMalformed = errors.New("seal: malformed")
	// ErrUnknownKey is returned for data that was sealed with a key that this keyring does not
	// hold: a retired one, or another installation's.
	ErrUnknownKey = errors.New("seal: sealed with an unknown key")
	// ErrWrongBinding is returned for data that was sealed for another purpose or owner.
	ErrWrongBinding = errors.New("seal: sealed for another purpose or owner")
	// ErrTampered is returned for data that was sealed for this purpose and owner, and altered
	// since.
	ErrTampered = errors.New("seal: altered")
)

// Purpose is what sealed data is for, such as "record": 1 to 255 bytes. It keeps one kind of
// sealed data from being opened as another.
type Purpose string

// Keyring seals with its primary key and opens with any of its keys. Its keys never change, and
// it is safe for concurrent use. For the messages that it sealed and opened last it keeps what it
// derived from its keys, in at most 3 MB for each key.
type Keyring struct {
	primary *key
	keys    []*key
}

type key struct {
	id [idLen]byte
	// macs are HMAC-SHA512 states keyed with the PRK: keying one costs as much as using it.
	macs *sync.Pool
	// kept is what was derived last.
	kept *kept
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
			return nil, fmt.Errorf("seal: key %d has %d bytes, want %d random bytes (see "+
				"GenerateKey)", i, len(raw), KeyLen)
		}
		if subtle.ConstantTimeCompare(raw, make([]byte, KeyLen)) == 1 {
			return nil, fmt.Errorf("seal: key %d is all zero; use GenerateKey", i)
		}
		k := derive(raw)
		if kr.find(k.id[:]) != nil {
			return nil, fmt.Errorf("seal: key %d is given twice", i)
		}
		kr.keys = append(kr.keys, k)
	}
	kr.primary = kr.keys[0]
	return kr, nil
}

func derive(raw []byte) *key {
	prk := must(hkdf.Extract(sha512.New, raw, nil))
	id := must(hkdf.Expand(sha512.New, prk, "secondgate/1 id", idLen))
	return &key{id: [idLen]byte(id), kept: &kept{seed: maphash.MakeSeed()},
		macs: &sync.Pool{New: func() any {
			return &expander{mac: hmac.New(sha512.New, prk)}
		}}}
}

// must returns the result of a primitive, whose parameters all have fixed sizes, so that it cannot
// fail.
func must[T any](result T, err error) T {
	if err != nil {
		panic("seal: " + err.Error())
	}
	return result
}

// expander is HKDF-Expand of up to one block.
type expander struct {
	mac hash.Hash
	in  []byte
	out [sha512.Size]byte
}

// expand writes T(1) of RFC 5869 section 2.3 for the info label ‖ 0x00 ‖ salt ‖
// len(purpose) ‖ purpose ‖ owner into out.
func (k *key) expand(
	out *[sha512.Size]byte, label string, salt []byte, purpose Purpose, owner string,
) {
	e := k.macs.Get().(*expander)
	e.in = append(append(append(e.in[:0], label...), 0), salt...)
	e.in = append(append(append(e.in, byte(len(purpose))), purpose...), owner...)
	e.in = append(e.in, 1)
	e.mac.Reset()
	e.mac.Write(e.in)
	e.mac.Sum(e.out[:0])
	*out = e.out
	clear(e.out[:])
	k.macs.Put(e)
}

func (kr *Keyring) find(id []byte) *key {
	for _, k := range kr.keys {
		if string(k.id[:]) == string(id) { // ids are public
			return k
		}
	}
	return nil
}

// Seal returns plaintext sealed with the primary key for purpose and owner.
// It panics if purpose has another length than a Purpose has, which is an error in the program.
func (kr *Keyring) Seal(purpose Purpose, owner string, plaintext []byte) []byte {
	if purpose == "" || len(purpose) > maxPurpose {
		panic("seal: purpose must have 1 to 255 bytes")
	}
	k, to := kr.primary, addressee{purpose, owner}
	out := make([]byte, headerLen, len(plaintext)+Overhead)
	out[0] = version
	copy(out[1:], k.id[:])
	salt := out[headerLen-saltLen : headerLen]
	_, _ = rand.Read(salt)
	m := &message{bound: k.bind(to), salt: [saltLen]byte(salt), aead: k.aead(to, salt)}
	k.keep(m)
	copy(out[1+idLen:], m.binding[:])
	return m.aead.Seal(out, nil, plaintext, out[:headerLen])
}

// Open returns the plaintext of what Seal sealed for the same purpose and owner. Its
// errors are ErrMalformed, ErrUnknownKey, ErrWrongBinding and ErrTampered.
func (kr *Keyring) Open(purpose Purpose, owner string, sealed []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version || purpose == "" ||
		len(purpose) > maxPurpose {
		return nil, ErrMalformed
	}
	k, to := kr.find(sealed[1:1+idLen]), addressee{purpose, owner}
	if k == nil {
		return nil, ErrUnknownKey
	}
	salt := sealed[headerLen-saltLen : headerLen]
	m, derived := k.find(to, salt)
	if subtle.ConstantTimeCompare(m.binding[:], sealed[1+idLen:1+idLen+bindingLen]) != 1 {
		return nil, ErrWrongBinding
	}
	if !derived {
		m.aead = k.aead(to, salt)
	}
	plain, err := m.aead.Open(nil, nil, sealed[headerLen:], sealed[:headerLen])
	if err != nil {
		return nil, ErrTampered
	}
	if !derived {
		k.keep(m)
	}
	return plain, nil
}

// Primary reports whether sealed was sealed with the keyring's present primary key, so that
// re-encryption can skip it. It does not authenticate.
func (kr *Keyring) Primary(sealed []byte) bool {
	return len(sealed) >= Overhead && string(sealed[1:1+idLen]) == string(kr.primary.id[:])
}

// Digest returns 16 bytes that stand for value in an index, such as a database key, without
// showing it: derived from the primary key. It changes when the primary
// key does. purpose as for Seal.
func (kr *Keyring) Digest(purpose Purpose, value string) []byte {
	var out [sha512.Size]byte
	kr.primary.expand(&out, "secondgate/1 digest", nil, purpose, value)
	return out[:16]
}

// String shows how many keys there are, and nothing of them; so does %+v.
func (kr *Keyring) String() string { return fmt.Sprintf("seal.Keyring(%d keys)", len(kr.keys)) }

// GoString is String, for %#v.
func (kr *Keyring) GoString() string { return kr.String() }

// aead returns the cipher of one message.
func (k *key) aead(to addressee, salt []byte) cipher.AEAD {
	var out [sha512.Size]byte
	k.expand(&out, "secondgate/1 message", salt, to.purpose, to.owner)
	defer clear(out[:])
	return must(cipher.NewGCMWithRandomNonce(must(aes.NewCipher(out[:KeyLen]))))
}
