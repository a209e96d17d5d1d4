// Package sentcode makes and checks the codes that e-mail and SMS send.
package sentcode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"

	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
)

// Bounds and defaults of sent codes.
const (
	// DefaultDigits is the least that NIST SP 800-63B-4 section 3.1.3.2 allows.
	DefaultDigits = 6
	MaxDigits     = 10
	DefaultTTL    = 90 * time.Second
	MinTTL        = 30 * time.Second
	// MaxTTL is the longest that NIST SP 800-63B-4 section 3.1.3.2 allows.
	MaxTTL = 10 * time.Minute

	saltLen = 16
)

// New returns a uniformly random code of digits ASCII digits, leading zeros kept.
func New(digits int) string {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		// crypto/rand never fails on Go 1.24 and later
		panic("sentcode: no randomness: " + err.Error())
	}
	return fmt.Sprintf("%0*d", digits, n)
}

// Keep returns what to keep of code: a random salt and the HMAC-SHA256 of code under it.
// The salt keeps equal codes from looking equal; against guessing a six-digit code the
// sealed record and the lockout protect, as no hash could.
func Keep(code string) []byte {
	keep := make([]byte, saltLen, saltLen+sha256.Size)
	_, _ = rand.Read(keep)
	return append(keep, sum(keep, code)...)
}

// Check compares response with what Keep kept, in constant time, and says
// factor.ErrIncorrect, factor.ErrExpired for the correct code at or after expires, or nil.
func Check(in factor.VerifyInput) error {
	if len(in.Issued) != saltLen+sha256.Size {
		return factor.ErrIncorrect
	}
	if !hmac.Equal(in.Issued[saltLen:], sum(in.Issued[:saltLen:saltLen], in.Response.Reveal())) {
		return factor.ErrIncorrect
	}
	if !in.Now.Before(in.Expires) {
		return factor.ErrExpired
	}
	return nil
}

func sum(salt []byte, code string) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write([]byte(code))
	return h.Sum(nil)
}

// Normalize returns the digits of a code, as typed.Digits reads them. Anything else is no code.
func Normalize(response string) (string, error) {
	s, ok := typed.Digits(response)
	if !ok {
		return "", &factor.Problem{Reason: "code_form", Detail: "a code has digits only"}
	}
	return s, nil
}
