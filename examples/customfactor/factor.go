// Package customfactor has two third-party factors. docs/writing-a-factor.md walks through both.
//
// Factor is for hardware tokens that show a new code each time their button is pressed (HOTP, RFC
// 4226). The organisation keeps a list of its tokens, with the seed of each. A user enrols a token
// with the serial number on its back and one code.
//
// Approval is for phones on which users approve a sign-in, by typing the number of its page.
package customfactor

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/secondgate/secondgate/mfa/factor"
)

// ErrUnknownToken is returned by Config.Seed for a serial number that is not in the list.
var ErrUnknownToken = errors.New("customfactor: unknown token")

const (
	digits    = 6
	modulus   = 1_000_000
	minSeed   = 16 // RFC 4226 section 4, requirement R6
	maxSeed   = 64
	maxSerial = 32
)

// Config configures a Factor.
type Config struct {
	// Seed returns the seed of the token with a serial number, or ErrUnknownToken. Required.
	Seed func(ctx context.Context, serial string) ([]byte, error)
	// LookAhead is how many presses of the button may go unused between two codes. Defaults
	// to 5. Must be at most 20: each adds a code that an attacker could guess.
	LookAhead int
}

// Factor is the hardware token factor.
type Factor struct{ cfg Config }

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.LookAhead == 0 {
		cfg.LookAhead = 5
	}
	switch {
	case cfg.Seed == nil:
		return nil, errors.New("customfactor: Config.Seed is nil")
	case cfg.LookAhead < 0 || cfg.LookAhead > 20:
		return nil, fmt.Errorf("customfactor: Config.LookAhead is %d, want 1 to 20", cfg.LookAhead)
	}
	return &Factor{cfg: cfg}, nil
}

// Kind returns "token".
func (f *Factor) Kind() string { return "token" }

// Traits says that a token is a possession, and that a code can be typed into a forged site.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "otp"}
}

// Enroll prepares the token with the parameter "serial". The user confirms it with a code.
func (f *Factor) Enroll(
	ctx context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	serial := strings.TrimSpace(in.Params["serial"].Reveal())
	if len(serial) < 4 || len(serial) > maxSerial {
		return nil, &factor.Problem{Reason: "token_serial", Detail: "not a serial number"}
	}
	seed, err := f.cfg.Seed(ctx, serial)
	switch {
	case errors.Is(err, ErrUnknownToken):
		return nil, &factor.Problem{Reason: "token_unknown", Detail: "no token has this number"}
	case err != nil:
		return nil, fmt.Errorf("customfactor: seed: %w", err)
	case len(seed) < minSeed || len(seed) > maxSeed:
		return nil, fmt.Errorf("customfactor: a seed of %d bytes", len(seed))
	}
	for _, other := range in.Existing {
		if s, err := decode(other.State); err == nil && hmac.Equal(s.seed, seed) {
			return nil, &factor.Problem{Reason: "token_exists", Detail: "this token is enrolled"}
		}
	}
	masked := "•••" + serial[len(serial)-3:]
	return &factor.EnrollOutput{State: state{seed: seed}.encode(), MaskedDestination: masked}, nil
}

// Normalize removes spaces, and refuses a response without six digits.
func (f *Factor) Normalize(response string) (string, error) {
	code := strings.Join(strings.Fields(response), "")
	if len(code) != digits || strings.Trim(code, "0123456789") != "" {
		return "", factor.ErrMalformed
	}
	return code, nil
}

// Verify accepts the next code of the token, or one of the LookAhead codes after it. It moves the
// counter past the code, so that no code is accepted twice.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	s, err := decode(in.State)
	if err != nil {
		return nil, err
	}
	response := []byte(in.Response.Reveal())
	var next uint64
	// all of them, so that the time does not depend on the code
	for i := range uint64(f.cfg.LookAhead) + 1 {
		if subtle.ConstantTimeCompare([]byte(code(s.seed, s.counter+i)), response) == 1 {
			next = s.counter + i + 1
		}
	}
	if next != 0 {
		return &factor.Verdict{State: state{counter: next, seed: s.seed}.encode()}, nil
	}
	if s.counter > 0 && code(s.seed, s.counter-1) == string(response) {
		return nil, factor.ErrReplayed
	}
	return nil, factor.ErrIncorrect
}

// code returns the code for a counter (RFC 4226 section 5.3).
func code(seed []byte, counter uint64) string {
	mac := hmac.New(sha1.New, seed)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, counter))
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, number%modulus)
}

// state is what the user's record keeps of a token: a format number, the counter of the next
// code, and the seed.
type state struct {
	counter uint64
	seed    []byte
}

const format = 1

func (s state) encode() []byte {
	return append(binary.BigEndian.AppendUint64([]byte{format}, s.counter), s.seed...)
}

func decode(b []byte) (state, error) {
	if len(b) < 9+minSeed || len(b) > 9+maxSeed || b[0] != format {
		return state{}, errors.New("customfactor: unreadable state")
	}
	return state{counter: binary.BigEndian.Uint64(b[1:9]), seed: b[9:]}, nil
}
