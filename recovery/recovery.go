// Package recovery is the factor for a user who lost the phone: codes that the user prints or
// keeps in a password manager. Each is valid for one sign-in.
//
//	f, err := recovery.New(recovery.Config{})
//
// By default there are ten codes with 80 random bits, in groups of four characters. They have no
// I, L, O and U, which users confuse with other characters; [Factor.Normalize] reads these as
// what was meant. New codes end all old ones. A code permits a sign-in and the enrolment of a
// replacement, and nothing else.
//
// # Storage
//
// The factor keeps HMAC-SHA256 values of the codes, cut to 16 bytes, under a random key for the
// set, in a sealed record. An attacker cannot search 80 random bits, so a slow hash would add cost
// and no safety (OWASP ASVS 5.0 6.5.2 requires one below 112 bits; docs/standards.md has the
// reasoning). The factor remembers used codes, to distinguish them from incorrect ones.
//
// Codes of another system keep the hash that they came with, see [Factor.Enroll].
package recovery

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/internal/papercode"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	defaultCount = 10
	maxCount     = 16
	defaultBits  = 80
	maxBits      = 160

	stateVersion = 1
	saltLen      = 16
	hashLen      = papercode.HashLen
	headerLen    = 1 + 2 + saltLen // version, one bit for each used code, salt
)

// Config configures a Factor. The zero value is ready to use.
type Config struct {
	// Count is how many codes there are. Defaults to 10. Must be between 1 and 16.
	Count int
	// Bits is how hard a code is to guess, rounded up to whole groups of four characters (20
	// bits). Defaults to 80. Must be between 80 and 160. For one long code choose Count 1 and
	// Bits 130.
	Bits int
	// Imported accepts sets of another system too (Factor.Enroll). A response may then cost a dozen
	// slow hashes, so the kind is Expensive, and any text of at most 64 bytes counts as a response.
	// Keep it set as long as a user has such a set.
	Imported bool
}

// Factor is the recovery-code factor, with the kind "recovery". It is safe for concurrent use.
type Factor struct {
	count, chars int
	hash         *kdf.Hasher // nil without Config.Imported
}

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.Count == 0 {
		cfg.Count = defaultCount
	}
	if cfg.Bits == 0 {
		cfg.Bits = defaultBits
	}
	if cfg.Count < 1 || cfg.Count > maxCount {
		return nil, fmt.Errorf("recovery: Count is %d, want 1 to %d", cfg.Count, maxCount)
	}
	if cfg.Bits < defaultBits || cfg.Bits > maxBits {
		return nil, fmt.Errorf("recovery: Bits is %d, want %d to %d", cfg.Bits, defaultBits,
			maxBits)
	}
	f := &Factor{count: cfg.Count, chars: (cfg.Bits + 19) / 20 * 4}
	if cfg.Imported {
		var err error
		if f.hash, err = kdf.New(kdf.Params{}, 0); err != nil {
			return nil, fmt.Errorf("recovery: %w", err)
		}
	}
	return f, nil
}

// Kind returns "recovery".
func (f *Factor) Kind() string { return "recovery" }

// Traits returns those of a recovery kind without an authentication method reference (RFC 8176
// has none for it), one set for a user, enrolled by being shown, and limited. The settings
// state how hard a code is to guess: five bits for each of its characters.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true, Limited: true,
		Expensive: f.hash != nil, Importable: true,
		Settings: factor.Settings{Bits: float64(f.chars * 5)}}
}

// Enroll makes a set of codes, in Prompt.Codes.
//
// An import takes the codes that another installation of this package made, in the parameter
// "hashes", as ImportParams returns them.
//
// With Config.Imported, an import takes the codes of another system, one on a line, in one of two
// parameters: "codes" for the codes themselves, or "hashes" for their hashes by bcrypt, argon2,
// PBKDF2 or SHA-2. A hash stays as it is until its code is used, and is gone then.
//
// "form" says how a code was written before it was hashed, with an x for a letter in lower case or
// a digit, an X for one in upper case and a * for one in any case: "xxxxx-xxxxx". The user may
// then type spaces, hyphens and case in any way. Without a form, the user types a hashed code as
// it was shown. The codes themselves need no form.
//
// A set is to be renewed if its codes have less than 64 bits by their form, or no form. What
// cannot be imported is a *factor.Problem with the reason "recovery_import".
func (f *Factor) Enroll(
	_ context.Context, in factor.EnrollInput,
) (*factor.EnrollOutput, error) {
	if in.Imported {
		return f.takeOver(in)
	}
	state := make([]byte, headerLen, headerLen+f.count*hashLen)
	state[0] = stateVersion
	salt := state[3:headerLen]
	_, _ = rand.Read(salt) // never fails since Go 1.24
	out := &factor.EnrollOutput{Name: "Recovery codes"}
	for range f.count {
		code := papercode.New(f.chars)
		out.Prompt.Codes = append(out.Prompt.Codes, secret.New(papercode.Grouped(code)))
		h := papercode.Hash(salt, code)
		state = append(state, h[:]...)
	}
	out.State = state
	return out, nil
}

// Normalize reads a code as users type and paste it: any case, spaces, hyphens and invisible marks
// anywhere, the digits of every script, full-width letters, O for 0, I and L for 1. With
// Config.Imported it drops the spaces around it only, as codes of another system look otherwise.
func (f *Factor) Normalize(response string) (string, error) {
	if f.hash != nil {
		return typedCode(response)
	}
	code, ok := papercode.Normalize(response, maxBits/5)
	if !ok {
		return "", &factor.Problem{Reason: "recovery_form",
			Detail: "a recovery code has letters and digits, without U"}
	}
	return code, nil
}

// Verify accepts a code of the set that was not used, and marks it used. It compares with all. A
// code of another system it removes instead.
func (f *Factor) Verify(ctx context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if isImported(in.State) {
		return f.verifyImported(ctx, in)
	}
	s, err := parse(in.State)
	if err != nil {
		return nil, err
	}
	// With Config.Imported, Normalize has left the response as it was.
	code, ok := papercode.Normalize(in.Response.Reveal(), maxBits/5)
	if !ok {
		return nil, factor.ErrIncorrect
	}
	h := papercode.Hash(s.salt(), code)
	found := -1
	for i := range s.count() {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(h[:], s.hash(i)), i, found)
	}
	switch {
	case found < 0:
		return nil, factor.ErrIncorrect
	case s.used(found):
		return nil, factor.ErrReplayed
	default:
		return &factor.Verdict{State: s.use(found)}, nil
	}
}

// Describe returns how many codes of the set remain; 0 for a state that cannot be read.
func (f *Factor) Describe(data []byte) factor.Description {
	if isImported(data) {
		return factor.Description{Remaining: remaining(data)}
	}
	s, err := parse(data)
	if err != nil {
		return factor.Description{}
	}
	n := 0
	for i := range s.count() {
		if !s.used(i) {
			n++
		}
	}
	return factor.Description{Remaining: n}
}

// state is a set of codes as it is kept.
type state []byte

var (
	errState       = errors.New("recovery: stored state is not readable")
	errNotImported = errors.New("recovery: a user has codes of another system, which only a " +
		"Factor with Config.Imported accepts")
)

func parse(data []byte) (state, error) {
	n := len(data) - headerLen
	if n < hashLen || n > maxCount*hashLen || n%hashLen != 0 || data[0] != stateVersion {
		return nil, errState
	}
	return data, nil
}

func (s state) count() int        { return (len(s) - headerLen) / hashLen }
func (s state) salt() []byte      { return s[3:headerLen] }
func (s state) hash(i int) []byte { return s[headerLen+i*hashLen:][:hashLen] }
func (s state) used(i int) bool   { return s[1+i/8]&(1<<(i%8)) != 0 }

func (s state) use(i int) []byte {
	next := append([]byte(nil), s...)
	next[1+i/8] |= 1 << (i % 8)
	return next
}
