package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The first choice of the OWASP Password Storage Cheat Sheet for argon2id.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32
)

// maxPassword bounds what is hashed, in bytes.
const maxPassword = 256

var errWrongPassword = errors.New("wrong password")

// passwords hashes and compares passwords, a bounded number at once: each takes 19 MiB, so
// a thousand sign-ins in the same moment must wait for each other.
type passwords struct {
	slots chan struct{}
	// dummy is compared when there is nobody of the name, so that the time an answer takes
	// does not tell who exists.
	dummy string
}

func newPasswords(atOnce int) *passwords {
	p := &passwords{slots: make(chan struct{}, atOnce)}
	p.dummy = encodeHash(randomSalt(), make([]byte, argonKey))
	return p
}

func randomSalt() []byte {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails: the program ends instead
	return salt
}

// hash returns the PHC string of a password.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	if password == "" || len(password) > maxPassword {
		return "", fmt.Errorf("a password has 1 to %d bytes", maxPassword)
	}
	salt := randomSalt()
	key, err := p.derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return encodeHash(salt, key), nil
}

// compare returns nil if hash is password's, errWrongPassword if not. An empty hash is
// nobody's, and takes as long to refuse.
func (p *passwords) compare(ctx context.Context, hash, password string) error {
	if password == "" || len(password) > maxPassword {
		return errWrongPassword // whoever exists
	}
	nobody := hash == ""
	if nobody {
		hash = p.dummy
	}
	salt, want, err := decodeHash(hash)
	if err != nil {
		return err
	}
	got, err := p.derive(ctx, password, salt)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, want) != 1 || nobody {
		return errWrongPassword
	}
	return nil
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey), nil
}

var phcPrefix = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonThreads)

func encodeHash(salt, key []byte) string {
	return phcPrefix + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key)
}

// decodeHash reads what encodeHash wrote. An application that has changed its parameters
// reads them from the string; this one never has.
func decodeHash(hash string) (salt, key []byte, err error) {
	rest, ok := strings.CutPrefix(hash, phcPrefix)
	s, k, ok2 := strings.Cut(rest, "$")
	if !ok || !ok2 {
		return nil, nil, errors.New("the stored password hash has an unknown form")
	}
	salt, err = base64.RawStdEncoding.DecodeString(s)
	if err == nil {
		key, err = base64.RawStdEncoding.DecodeString(k)
	}
	if err != nil || len(salt) != argonSalt || len(key) != argonKey {
		return nil, nil, errors.New("the stored password hash is damaged")
	}
	return salt, key, nil
}
