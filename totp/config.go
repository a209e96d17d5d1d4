package totp

import (
	"crypto/fips140"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pquerna/otp"
)

// Algorithm is the hash that codes are made with. The zero value is SHA1.
type Algorithm uint8

const (
	// SHA1 is what every authenticator app honours. HMAC-SHA1 is not broken by the
	// collisions of SHA1 (RFC 6238 section 1.2 names it the default).
	SHA1 Algorithm = iota
	// SHA256 is ignored by several apps, which then show incorrect codes.
	SHA256
	// SHA512 is ignored by several apps, which then show incorrect codes.
	SHA512
)

// String returns the name that the otpauth URI has for it.
func (a Algorithm) String() string {
	switch a {
	case SHA1:
		return "SHA1"
	case SHA256:
		return "SHA256"
	case SHA512:
		return "SHA512"
	default:
		return "unknown"
	}
}

func (a Algorithm) otp() otp.Algorithm {
	switch a {
	case SHA256:
		return otp.AlgorithmSHA256
	case SHA512:
		return otp.AlgorithmSHA512
	default:
		return otp.AlgorithmSHA1
	}
}

// secretSize is the length of the hash's output, in bytes (RFC 6238 section 5.1).
func (a Algorithm) secretSize() int {
	switch a {
	case SHA256:
		return 32
	case SHA512:
		return 64
	default:
		return 20
	}
}

// usable says whether codes can be computed with a. Under enforcement the standard library
// panics when HMAC-SHA1 is computed, so that this is asked before.
func (a Algorithm) usable() error {
	if a == SHA1 && fips140.Enforced() {
		return errors.New("totp: FIPS 140-3 is enforced, under which SHA1 codes cannot be " +
			"computed: set Algorithm to SHA256 " +
			"(and choose apps that honour it), offer passkeys instead, or run with " +
			"GODEBUG=fips140=on, which does not enforce")
	}
	return nil
}

const (
	minDigits, maxDigits = 6, 8
	// minSecret is the least that RFC 4226 section 4 R6 allows, in bytes. The module that
	// computes codes would take an empty one.
	minSecret = 16
	maxSecret = 128
	// minImported is what many systems have made: the 80 bits that the first apps had.
	minImported = 10
	minPeriod   = 15 * time.Second
	// maxPeriod is the longest that NIST SP 800-63B-4 section 3.1.4.1 allows.
	maxPeriod = 120 * time.Second

	defaultDigits = 6
	defaultPeriod = 30 * time.Second
	defaultName   = "Authenticator app"

	maxGrace  = 5 * time.Minute
	maxIssuer = 64
)

// Config configures a Factor. Only Issuer is required; the zero value of every other field is
// what most applications want. Instances that are enrolled keep the algorithm, digits and
// period they were enrolled with, so that these may be changed later.
type Config struct {
	// Issuer is the name of the service as apps show it, 1 to 64 bytes, without a colon.
	// The Brand of a user's tenant can have another.
	Issuer string
	// Algorithm defaults to SHA1, which is the one to choose; see the package comment.
	Algorithm Algorithm
	// Digits is the length of a code. Defaults to 6. Must be between 6 and 8 (RFC 4226 section
	// 5.3). Several apps ignore any other than 6.
	Digits int
	// Period is how long a time step lasts. Defaults to 30 seconds. Must be whole seconds, between
	// 15s and 120s. Several apps ignore any other than 30 seconds.
	Period time.Duration
	// Strict accepts codes of the present step only (OWASP ASVS 6.5.5). By default one step
	// before and one after are accepted too: with a period of 30 s that is 90 s in all (RFC
	// 6238 section 5.2 recommends no more than that).
	Strict bool
	// EntryGrace is how long after the prompt was opened a code that was valid then stays valid,
	// for users who type slowly. Defaults to 0. Must be at most 5 minutes. A code still works
	// once, and no step earlier than one accepted before is ever accepted.
	EntryGrace time.Duration
}

func (c Config) withDefaults() (Config, error) {
	if c.Digits == 0 {
		c.Digits = defaultDigits
	}
	if c.Period == 0 {
		c.Period = defaultPeriod
	}
	switch {
	case !validIssuer(c.Issuer):
		return c, fmt.Errorf("totp: Issuer must be 1 to %d bytes of printable text without a "+
			"colon, such as the name of the service", maxIssuer)
	case c.Algorithm > SHA512:
		return c, errors.New("totp: Algorithm must be SHA1, SHA256 or SHA512")
	case c.Digits < minDigits || c.Digits > maxDigits:
		return c, fmt.Errorf("totp: Digits is %d, want %d to %d", c.Digits, minDigits, maxDigits)
	case c.Period < minPeriod || c.Period > maxPeriod || c.Period%time.Second != 0:
		return c, fmt.Errorf("totp: Period is %s, want whole seconds from %s to %s", c.Period,
			minPeriod, maxPeriod)
	case c.EntryGrace < 0 || c.EntryGrace > maxGrace:
		return c, fmt.Errorf("totp: EntryGrace is %s, want 0 to %s", c.EntryGrace, maxGrace)
	}
	return c, c.Algorithm.usable()
}

// validIssuer says whether s may stand before the colon of a label (Key URI Format).
func validIssuer(s string) bool {
	return s != "" && len(s) <= maxIssuer && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == ':' || unprintable(r) })
}

// unprintable is true of control characters, and of those that reverse the writing
// direction, with which one label can be made to look like another.
func unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
