// Package pin is the PIN factor: something that a user knows, beside the password.
//
//	f, err := pin.New(pin.Config{})
//
// A PIN beside a password is still a single factor (NIST SP 800-63-4 section 2.3.1), so it never
// raises the assurance level. Its AMR is "pwd", not "pin": RFC 8176 keeps "pin" for a PIN that
// unlocks a key on the user's own device. A user enters it twice at enrolment: once to begin, once
// to confirm. PINs that an attacker would try first are refused with a reason that pages can show.
//
// The factor keeps a PIN as an argon2id hash (19 MiB, two passes), and hashes it anew when the
// parameters change. The number of hashes at once is bounded, and the Manager counts a failed
// attempt before the PIN is verified.
package pin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	defaultMinLength = 6
	minMinLength     = 4
	defaultMaxLength = 64

	stateVersion = 1
	// stateImported is the version of a state that is the hash of another system.
	stateImported = 2
)

// Config configures a Factor. The zero value is ready to use.
type Config struct {
	// MinLength is the minimum length of a new PIN in characters. Defaults to 6. Must be between
	// 4 and 64. NIST SP 800-63B-4 section 3.1.1.2 asks for 8 as one of two factors.
	MinLength int
	// MaxLength is the maximum length of a new PIN. Defaults to 64. Must be between MinLength
	// and 64.
	MaxLength int
	// AllowLetters allows printable ASCII. By default a PIN has digits only, so that a phone
	// shows the number pad.
	AllowLetters bool
	// Refuse is called with a new PIN after the checks of this package. An error refuses the PIN:
	// return a *factor.Problem with a reason that a page can show.
	Refuse func(p factor.User, pin string) error
	// Memory in KiB, Passes and Threads are the parameters of argon2id. If all are zero they
	// default to 19456, 2 and 1. Must be at least as strong as one of OWASP's list. A change takes
	// effect for a user at their next correct response.
	Memory, Passes uint32
	Threads        uint8
	// MaxConcurrent is how many hashes are computed at once, each with Memory. Defaults to the
	// number of processors.
	MaxConcurrent int
}

// Factor is the PIN factor, with the kind "pin". It is safe for concurrent use.
type Factor struct {
	cfg  Config
	hash *kdf.Hasher
}

var _ factor.Normalizer = (*Factor)(nil)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.MinLength == 0 {
		cfg.MinLength = defaultMinLength
	}
	if cfg.MaxLength == 0 {
		cfg.MaxLength = defaultMaxLength
	}
	if cfg.MinLength < minMinLength || cfg.MinLength > defaultMaxLength {
		return nil, fmt.Errorf("pin: MinLength is %d, want %d to %d", cfg.MinLength, minMinLength,
			defaultMaxLength)
	}
	if cfg.MaxLength < cfg.MinLength || cfg.MaxLength > defaultMaxLength {
		return nil, fmt.Errorf("pin: MaxLength is %d, want %d (MinLength) to %d", cfg.MaxLength,
			cfg.MinLength, defaultMaxLength)
	}
	h, err := kdf.New(kdf.Params{Memory: cfg.Memory, Time: cfg.Passes, Threads: cfg.Threads},
		cfg.MaxConcurrent)
	if err != nil {
		return nil, fmt.Errorf("pin: %w", err)
	}
	return &Factor{cfg: cfg, hash: h}, nil
}

// Kind returns "pin".
func (f *Factor) Kind() string { return "pin" }

// Traits returns those of knowledge, "pwd" (RFC 8176), not strong, one for a user, and expensive
// to verify. The settings state the lengths of a PIN, whether it has digits only, and that
// argon2id is kept of it.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelWeak, Knowledge: true, AMR: "pwd", OnePerUser: true,
		Expensive: true, Importable: true,
		Settings: factor.Settings{MinLength: f.cfg.MinLength, MaxLength: f.cfg.MaxLength,
			Digits: !f.cfg.AllowLetters, SlowHash: true}}
}

// Normalize refuses what cannot be a PIN. Of a PIN of digits it drops the spaces, hyphens and
// invisible marks, and reads the digits of every script; with AllowLetters it changes nothing.
func (f *Factor) Normalize(response string) (string, error) {
	pin := f.clean(response)
	if len(pin) > defaultMaxLength || !f.characters(pin) {
		return "", f.charactersProblem()
	}
	return pin, nil
}

// clean returns a PIN as it is verified and enrolled.
func (f *Factor) clean(pin string) string {
	if digits, ok := typed.Digits(pin); ok && !f.cfg.AllowLetters {
		return digits
	}
	return pin
}

func (f *Factor) characters(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || (!f.cfg.AllowLetters && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

func (f *Factor) charactersProblem() error {
	if f.cfg.AllowLetters {
		return &factor.Problem{Reason: "pin_characters",
			Detail: "use letters, digits, spaces and signs of the ASCII set"}
	}
	return &factor.Problem{Reason: "pin_characters", Detail: "use digits only"}
}

// Enroll takes the PIN in the parameter "pin". It is confirmed by entering it again.
//
// An import takes the hash that another system keeps, in the parameter "hash": by bcrypt, argon2id,
// argon2i or PBKDF2. It is made anew by argon2id at the first correct response. A hash that is in
// another form, quick to guess or too slow is a *factor.Problem with the reason "pin_hash".
func (f *Factor) Enroll(ctx context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if in.Imported {
		return takeOver(in)
	}
	pin := f.clean(in.Params["pin"].Reveal())
	if err := f.check(in.User, pin); err != nil {
		return nil, err
	}
	state, err := f.encode(ctx, pin)
	if err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: state, Name: "PIN"}, nil
}

// maxImportedCost is how long a comparison with an imported hash may take, about.
const maxImportedCost = time.Second

// takeOver prepares a PIN of another system.
func takeOver(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	encoded := in.Params["hash"].Reveal()
	foreign, err := kdf.ParseForeign(encoded)
	if err != nil || !foreign.Slow() || foreign.Cost() > maxImportedCost {
		return nil, &factor.Problem{Reason: "pin_hash",
			Detail: "not a hash by bcrypt, argon2 or PBKDF2, or one that takes too long"}
	}
	return &factor.EnrollOutput{State: append([]byte{stateImported}, encoded...), Name: "PIN"}, nil
}

func (f *Factor) check(p factor.User, pin string) error {
	switch {
	case len(pin) < f.cfg.MinLength:
		return &factor.Problem{Reason: "pin_too_short",
			Detail: fmt.Sprintf("use at least %d characters", f.cfg.MinLength)}
	case len(pin) > f.cfg.MaxLength:
		return &factor.Problem{Reason: "pin_too_long",
			Detail: fmt.Sprintf("use at most %d characters", f.cfg.MaxLength)}
	case !f.characters(pin):
		return f.charactersProblem()
	}
	if problem := guessable(p, pin); problem != nil {
		return problem
	}
	if f.cfg.Refuse != nil {
		if err := f.cfg.Refuse(p, pin); err != nil {
			return fmt.Errorf("%w: %w", factor.ErrMalformed, err)
		}
	}
	return nil
}

// Verify compares the response with the hash, and hashes it anew if the parameters changed.
func (f *Factor) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	rehash, err := f.compare(ctx, in.Response.Reveal(), in.State)
	switch {
	case errors.Is(err, kdf.ErrMismatch):
		return nil, factor.ErrIncorrect
	case err != nil:
		return nil, err
	case !rehash:
		return &factor.Verdict{}, nil
	}
	// The response is correct also if this fails; the next one can be hashed anew.
	state, _ := f.encode(ctx, in.Response.Reveal())
	return &factor.Verdict{State: state}, nil
}

// compare compares a PIN with a state, and reports whether it is to be hashed anew.
func (f *Factor) compare(ctx context.Context, pin string, state []byte) (rehash bool, err error) {
	if len(state) == 0 {
		return false, errState
	}
	switch encoded := string(state[1:]); state[0] {
	case stateVersion:
		return f.hash.NeedsRehash(encoded), f.hash.Verify(ctx, pin, encoded)
	case stateImported:
		foreign, err := kdf.ParseForeign(encoded)
		if err != nil {
			return false, err
		}
		return true, f.hash.VerifyForeign(ctx, pin, foreign)
	}
	return false, errState
}

var errState = errors.New("pin: stored state is not readable")

func (f *Factor) encode(ctx context.Context, pin string) ([]byte, error) {
	encoded, err := f.hash.Hash(ctx, pin)
	if err != nil {
		return nil, err
	}
	return append([]byte{stateVersion}, encoded...), nil
}
