package kdf

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Foreign is a hash that another system made. It is verified, and never made.
type Foreign struct {
	cost   time.Duration
	slow   bool
	derive func(secret string) ([]byte, error)
	want   []byte
	// bcrypt is the whole hash, which its package compares by itself.
	bcrypt []byte
}

// ErrForeign is returned for a hash in no form that is known, or whose parameters are out of
// bounds.
var ErrForeign = errors.New("kdf: not a hash by bcrypt, argon2, PBKDF2 or SHA-2 that is known, " +
	"or one that costs too much")

const (
	maxBcryptCost = 14
	maxIterations = 2_000_000
	maxForeignMem = 128 << 10 // KiB
	minForeignTag = 16
	maxForeignTag = 64
)

// ParseForeign reads a hash in one of the forms
//
//	$2a$ $2b$ $2y$                    bcrypt
//	$argon2id$ $argon2i$              argon2, also with Django's "argon2" in front
//	pbkdf2_sha256$n$salt$hash         PBKDF2 as Django writes it
//	$pbkdf2-sha256$n$salt$hash        PBKDF2 as passlib writes it, also with sha512
//	64 or 128 hexadecimal digits      SHA-256 or SHA-512
//	base64 of 64 bytes                SHA-512
func ParseForeign(encoded string) (Foreign, error) {
	if len(encoded) > maxEncoded {
		return Foreign{}, ErrForeign
	}
	switch {
	case strings.HasPrefix(encoded, "$2"):
		return parseBcrypt(encoded)
	case strings.HasPrefix(encoded, "argon2$argon2"):
		return parseArgon2(strings.TrimPrefix(encoded, "argon2"))
	case strings.HasPrefix(encoded, "$argon2"):
		return parseArgon2(encoded)
	case strings.HasPrefix(encoded, "pbkdf2_sha256$"):
		return parsePBKDF2(strings.TrimPrefix(encoded, "pbkdf2_"), rawSalt)
	case strings.HasPrefix(encoded, "$pbkdf2-"):
		return parsePBKDF2(strings.TrimPrefix(encoded, "$pbkdf2-"), passlib64)
	default:
		return parseSHA2(encoded)
	}
}

// Cost returns about how long one comparison takes on one core of a server.
func (f Foreign) Cost() time.Duration { return f.cost }

// Slow reports whether the hash is one for secrets that users can remember.
func (f Foreign) Slow() bool { return f.slow }

// VerifyForeign returns nil if f is the hash of secret, ErrMismatch if it is not, and another error
// if that could not be found out. It waits like Hash.
func (h *Hasher) VerifyForeign(ctx context.Context, secret string, f Foreign) error {
	if len(secret) > maxSecret {
		return ErrMismatch
	}
	if f.slow {
		release, err := h.slots.Take(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	if f.bcrypt != nil {
		err := bcrypt.CompareHashAndPassword(f.bcrypt, []byte(secret))
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) ||
			errors.Is(err, bcrypt.ErrPasswordTooLong) {
			return ErrMismatch
		}
		return err
	}
	got, err := f.derive(secret)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, f.want) != 1 {
		return ErrMismatch
	}
	return nil
}

// about returns a part of a second in millionths.
func about(microseconds uint64) time.Duration {
	return time.Duration(microseconds) * time.Microsecond
}

func parseBcrypt(encoded string) (Foreign, error) {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || cost > maxBcryptCost || len(encoded) != 60 {
		return Foreign{}, ErrForeign
	}
	return Foreign{slow: true, bcrypt: []byte(encoded), cost: about(60 << cost)}, nil
}

func parseArgon2(encoded string) (Foreign, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Foreign{}, ErrForeign
	}
	var p Params
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads)
	if err != nil || !p.bounded() || p.Memory > maxForeignMem {
		return Foreign{}, ErrForeign
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	tag, tagErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || tagErr != nil || !tagForm(tag) {
		return Foreign{}, ErrForeign
	}
	hash := argon2.IDKey
	switch parts[1] {
	case "argon2id":
	case "argon2i":
		hash = argon2.Key
	default:
		return Foreign{}, ErrForeign
	}
	return Foreign{slow: true, want: tag, cost: about(uint64(p.Memory) * uint64(p.Time)),
		derive: func(secret string) ([]byte, error) {
			return hash([]byte(secret), salt, p.Time, p.Memory, p.Threads, uint32(len(tag))), nil
		}}, nil
}

func tagForm(tag []byte) bool { return len(tag) >= minForeignTag && len(tag) <= maxForeignTag }

// rawSalt reads a salt as Django writes it: as it is.
func rawSalt(s string) ([]byte, error) { return []byte(s), nil }

// passlib64 reads base64 as passlib writes it.
func passlib64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.ReplaceAll(s, ".", "+"))
}

// parsePBKDF2 reads the name of a hash, iterations, salt and tag.
func parsePBKDF2(encoded string, readSalt func(string) ([]byte, error)) (Foreign, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 4 {
		return Foreign{}, ErrForeign
	}
	n, err := strconv.Atoi(parts[1])
	salt, saltErr := readSalt(parts[2])
	tag, tagErr := passlib64(strings.TrimRight(parts[3], "="))
	if err != nil || saltErr != nil || tagErr != nil || n < 1 || n > maxIterations ||
		!tagForm(tag) {
		return Foreign{}, ErrForeign
	}
	// Under FIPS 140 only, the standard library refuses a short salt. Nobody is to import a hash
	// that cannot be compared later.
	if _, err := pbkdf2.Key(sha256.New, "", salt, 1, len(tag)); err != nil {
		return Foreign{}, ErrForeign
	}
	f := Foreign{slow: n >= 1000, want: tag, cost: about(uint64(n) / 4)}
	switch parts[0] {
	case "sha256":
		f.derive = func(secret string) ([]byte, error) {
			return pbkdf2.Key(sha256.New, secret, salt, n, len(tag))
		}
	case "sha512":
		f.derive = func(secret string) ([]byte, error) {
			return pbkdf2.Key(sha512.New, secret, salt, n, len(tag))
		}
	default:
		return Foreign{}, ErrForeign
	}
	return f, nil
}

func parseSHA2(encoded string) (Foreign, error) {
	want, err := hex.DecodeString(encoded)
	if err != nil {
		want, err = base64.StdEncoding.DecodeString(encoded)
		if err == nil && len(want) != sha512.Size {
			err = ErrForeign
		}
	}
	f := Foreign{want: want, cost: time.Microsecond}
	switch {
	case err != nil:
		return Foreign{}, ErrForeign
	case len(want) == sha256.Size:
		f.derive = func(secret string) ([]byte, error) {
			sum := sha256.Sum256([]byte(secret))
			return sum[:], nil
		}
	case len(want) == sha512.Size:
		f.derive = func(secret string) ([]byte, error) {
			sum := sha512.Sum512([]byte(secret))
			return sum[:], nil
		}
	default:
		return Foreign{}, ErrForeign
	}
	return f, nil
}

// Salted returns a hash of a secret that attackers cannot guess, in a form that ParseForeign reads.
func Salted(secret string, salt []byte) (string, error) {
	tag, err := pbkdf2.Key(sha256.New, secret, salt, 1, minForeignTag)
	if err != nil {
		return "", err
	}
	return "$pbkdf2-sha256$1$" + base64.RawStdEncoding.EncodeToString(salt) + "$" +
		base64.RawStdEncoding.EncodeToString(tag), nil
}
