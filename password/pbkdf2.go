package password

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/secondgate/secondgate/internal/strictb64"
)

const (
	pbkdf2Prefix = "$pbkdf2-sha256$i="
	// leastIterations is from the OWASP Password Storage Cheat Sheet, for HMAC-SHA256.
	leastIterations = 600_000
	// mostIterations bounds what a damaged hash may ask for.
	mostIterations = 10_000_000
	saltLen        = 16 // NIST SP 800-132 section 5.1 asks for 128 bits
	keyLen         = sha256.Size
)

var errEncoded = errors.New("password: stored hash is not readable")

// hashPBKDF2 returns a PHC string with the name and the one parameter that others use for it.
func hashPBKDF2(s string, iterations int) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	key, err := pbkdf2.Key(sha256.New, s, salt, iterations, keyLen)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return pbkdf2Prefix + strconv.Itoa(iterations) + "$" +
		base64.RawStdEncoding.EncodeToString(salt) + "$" +
		base64.RawStdEncoding.EncodeToString(key), nil
}

func verifyPBKDF2(hash, s string) error {
	n, salt, want, err := decodePBKDF2(hash)
	if err != nil {
		return err
	}
	got, err := pbkdf2.Key(sha256.New, s, salt, n, len(want))
	if err != nil {
		return fmt.Errorf("password: %w", err)
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return ErrIncorrect
	}
	return nil
}

func decodePBKDF2(hash string) (iterations int, salt, key []byte, err error) {
	rest, ok := strings.CutPrefix(hash, pbkdf2Prefix)
	parts := strings.Split(rest, "$")
	if !ok || len(hash) > 256 || len(parts) != 3 {
		return 0, nil, nil, errEncoded
	}
	iterations, err = strconv.Atoi(parts[0])
	if err != nil || strconv.Itoa(iterations) != parts[0] || iterations < 1 ||
		iterations > mostIterations {
		return 0, nil, nil, errEncoded
	}
	if salt, err = strictb64.DecodeStd(parts[1]); err != nil || len(salt) < saltLen ||
		len(salt) > 64 {
		return 0, nil, nil, errEncoded
	}
	if key, err = strictb64.DecodeStd(parts[2]); err != nil || len(key) != keyLen {
		return 0, nil, nil, errEncoded
	}
	return iterations, salt, key, nil
}
