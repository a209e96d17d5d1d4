package password

import (
	"context"
	"crypto/fips140"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// MaxBytes limits the length of a password, in bytes of UTF-8. It is several times the 64
// characters that NIST SP 800-63B-4 section 3.1.1.2 asks to accept, and little enough to
// normalise and hash for every request. Do not use it as the maxlength of a form, which would cut
// a password off without a word.
const MaxBytes = 1024

// ErrIncorrect is returned for an incorrect password and for an account that does not exist. It
// does not say which.
var ErrIncorrect = errors.New("password: incorrect")

// HasherConfig configures a Hasher. The zero value is the default: argon2id with 19 MiB, two
// passes and one thread, the first choice of the OWASP Password Storage Cheat Sheet.
type HasherConfig struct {
	// PBKDF2 makes new hashes with PBKDF2-HMAC-SHA256, where FIPS 140-3 is required. Argon2id is
	// stronger and no approved function. Hashes of either kind are verified whatever this says,
	// so that users move over at their next sign-in.
	PBKDF2 bool
	// Iterations are those of PBKDF2. Defaults to 600 000, the least of the OWASP cheat sheet.
	// Must be between that and ten million.
	Iterations int
	// Memory in KiB, Passes and Threads are the parameters of argon2id. If all are zero, they are
	// 19456, 2 and 1. Weaker ones than OWASP's list are refused.
	Memory, Passes uint32
	Threads        uint8
	// MaxConcurrent bounds how many hashes are computed at once; argon2id takes Memory for each.
	// Defaults to the number of processors. A call that comes when all places are taken waits,
	// until its context is done.
	MaxConcurrent int
}

// Hasher hashes and verifies passwords. It is safe for concurrent use; make one for the
// process, because the bound on hashes at once is its own.
type Hasher struct {
	pbkdf2     bool
	iterations int
	argon2     *kdf.Hasher
	slots      kdf.Places
	// unknown is the hash that Verify compares where there is none: that of 128 random bits which
	// are forgotten.
	unknown string
}

// NewHasher returns a Hasher, or an error that names the field of cfg to change. It computes one
// hash.
func NewHasher(cfg HasherConfig) (*Hasher, error) {
	if cfg.Iterations == 0 {
		cfg.Iterations = leastIterations
	}
	if cfg.MaxConcurrent == 0 {
		cfg.MaxConcurrent = runtime.GOMAXPROCS(0)
	}
	switch {
	case cfg.Iterations < leastIterations || cfg.Iterations > mostIterations:
		return nil, fmt.Errorf("password: HasherConfig.Iterations is %d, want %d to %d",
			cfg.Iterations, leastIterations, mostIterations)
	case cfg.MaxConcurrent < 1:
		return nil, fmt.Errorf("password: HasherConfig.MaxConcurrent is %d, want at least 1",
			cfg.MaxConcurrent)
	case !cfg.PBKDF2 && fips140.Enforced():
		return nil, errors.New("password: FIPS 140-3 is enforced and argon2id is no approved " +
			"function; set HasherConfig.PBKDF2")
	}
	argon2, err := kdf.New(kdf.Params{Memory: cfg.Memory, Time: cfg.Passes, Threads: cfg.Threads},
		cfg.MaxConcurrent)
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	h := &Hasher{pbkdf2: cfg.PBKDF2, iterations: cfg.Iterations, argon2: argon2,
		slots: make(kdf.Places, cfg.MaxConcurrent)}
	if h.unknown, err = h.hash(context.Background(), rand.Text()); err != nil {
		return nil, err
	}
	return h, nil
}

// Hash returns the hash of password as a PHC string of at most 256 bytes of ASCII, with its
// scheme, parameters and salt. It checks no rule but what can be hashed: UTF-8 of 1 to
// MaxBytes bytes; anything else is a *factor.Problem. Passwords that look the same are the
// same: they are normalised to NFC first (NIST SP 800-63B-4 section 3.1.1.2). Other errors
// are ctx's.
func (h *Hasher) Hash(ctx context.Context, password secret.Text) (string, error) {
	s, err := normalize(password)
	if err != nil {
		return "", err
	}
	return h.hash(ctx, s)
}

// Verify returns nil if hash is the hash of password, and ErrIncorrect if it is not. It refuses
// an empty hash in the time of a real one, so that a sign-in calls Verify whether or not the user
// exists. (Hashes with other parameters take another time. As long as there are some, time
// reveals whose they are.)
//
// Any other error means that it could not be found out: ctx is done, or hash is damaged or of
// another scheme than this package's.
func (h *Hasher) Verify(ctx context.Context, hash string, password secret.Text) error {
	s, err := normalize(password)
	if err != nil {
		return ErrIncorrect // whether or not the user exists
	}
	if hash == "" {
		hash = h.unknown
	}
	return h.compare(ctx, hash, s)
}

func (h *Hasher) compare(ctx context.Context, hash, s string) error {
	release, err := h.slots.Take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if strings.HasPrefix(hash, pbkdf2Prefix) {
		return verifyPBKDF2(hash, s)
	}
	err = h.argon2.Verify(ctx, s, hash)
	if errors.Is(err, kdf.ErrMismatch) {
		return ErrIncorrect
	}
	return err
}

// NeedsRehash reports whether hash was made with another scheme or other parameters than new ones
// are. After a Verify that returned nil, store the Hash of the same password in its place, on the
// condition that the stored one is still the one that was verified: the user may change the
// password at the same moment.
func (h *Hasher) NeedsRehash(hash string) bool {
	if !h.pbkdf2 {
		return h.argon2.NeedsRehash(hash)
	}
	n, _, _, err := decodePBKDF2(hash)
	return err != nil || n != h.iterations
}

func (h *Hasher) hash(ctx context.Context, s string) (string, error) {
	release, err := h.slots.Take(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	if h.pbkdf2 {
		return hashPBKDF2(s, h.iterations)
	}
	return h.argon2.Hash(ctx, s)
}

// normalize bounds a password before anything else looks at it.
func normalize(password secret.Text) (string, error) {
	s := password.Reveal()
	switch {
	case s == "":
		return "", &factor.Problem{Reason: "password_too_short", Detail: "give a password"}
	case len(s) > MaxBytes:
		return "", &factor.Problem{Reason: "password_too_long",
			Detail: fmt.Sprintf("use at most %d characters", MaxBytes/4)}
	case !utf8.ValidString(s), strings.Contains(s, "\x00"):
		// HMAC fills short keys up with zeros, so under PBKDF2 a NUL at the end would be no
		// difference.
		return "", &factor.Problem{Reason: "password_characters",
			Detail: "use characters that can be typed"}
	}
	return norm.NFC.String(s), nil
}
