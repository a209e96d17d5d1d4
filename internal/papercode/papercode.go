// Package papercode makes and reads codes that users write down: Crockford's base 32 in
// groups of four characters, without I, L, O and U, which are taken for others.
package papercode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/secondgate/secondgate/internal/typed"
)

// Alphabet is Crockford's base 32. Five bits a character.
const Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// HashLen is the length of a hash in bytes.
const HashLen = 16

// New returns a random code of so many characters, ungrouped.
func New(chars int) string {
	b := make([]byte, chars)
	_, _ = rand.Read(b) // never fails since Go 1.24
	for i, c := range b {
		b[i] = Alphabet[c%32] // 256 is a multiple of 32: uniform
	}
	return string(b)
}

// Grouped puts a hyphen after every four characters.
func Grouped(code string) string {
	var b strings.Builder
	for i, c := range []byte(code) {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Normalize reads a code as users type it: what typed.Clean drops and folds, any case, O for 0, I
// and L for 1. It returns false for what is no code of 1 to most characters.
func Normalize(response string, most int) (string, bool) {
	var b strings.Builder
	for _, c := range typed.Clean(response) {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch c {
		case 'O':
			c = '0'
		case 'I', 'L':
			c = '1'
		}
		if c > 'Z' || !strings.ContainsRune(Alphabet, c) || b.Len() == most {
			return "", false
		}
		b.WriteRune(c)
	}
	return b.String(), b.Len() > 0
}

// Hash is what is kept of a code of at least 80 bits: HMAC-SHA256 under a random salt, cut.
func Hash(salt []byte, code string) (h [HashLen]byte) {
	m := hmac.New(sha256.New, salt)
	m.Write([]byte(code))
	copy(h[:], m.Sum(nil))
	return h
}
