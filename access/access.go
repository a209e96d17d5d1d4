// Package access is the factor for a user with nothing else left: a temporary access code. An
// administrator makes it after they have verified who asks, and gives it to the user.
//
//	f, err := access.New(access.Config{})
//	…
//	e, err := manager.Admin(actor, "they lost the phone").Enroll(ctx, user, mfa.EnrollRequest{
//		Kind: "access", Params: map[string]secret.Text{"valid": secret.New("8h")}})
//	// e.Prompt.Codes[0] is shown to the administrator, once
//
// A code is valid once, or any number of times for some hours. The next code for the user ends
// it. Like a recovery code it permits a sign-in and the enrolment of a replacement, and nothing
// else. Users cannot enrol one for themselves.
//
// The factor keeps an HMAC-SHA256 value of the code under a random key, in a sealed record. The
// code has 80 random bits.
package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/papercode"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	chars      = 16 // 80 bits
	defaultTTL = time.Hour
	maxTTL     = 7 * 24 * time.Hour
	leastTTL   = 5 * time.Minute

	stateVersion = 1
	saltLen      = 16
	stateLen     = 1 + 1 + 8 + saltLen + papercode.HashLen // version, single, end, salt, hash
)

// Config configures a Factor. The zero value is ready to use.
type Config struct {
	// MaxTTL is the longest lifetime that an administrator can give a code. Defaults to 24 hours.
	// Must be between 5 minutes and 7 days.
	MaxTTL time.Duration
}

// Factor is the temporary access code, with the kind "access". It is safe for concurrent use.
type Factor struct{ most time.Duration }

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	if cfg.MaxTTL == 0 {
		cfg.MaxTTL = 24 * time.Hour
	}
	if cfg.MaxTTL < leastTTL || cfg.MaxTTL > maxTTL {
		return nil, fmt.Errorf("access: MaxTTL is %s, want %s to %s", cfg.MaxTTL, leastTTL, maxTTL)
	}
	return &Factor{cfg.MaxTTL}, nil
}

// Kind returns "access".
func (f *Factor) Kind() string { return "access" }

// Traits returns those of a recovery kind that ends by itself, one for a user, made by an
// administrator and shown once. The settings state how hard a code is to guess, and how long
// it can be valid.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Recovery: true, OnePerUser: true, NoConfirmation: true,
		AdminOnly: true, Temporary: true,
		Settings: factor.Settings{Bits: chars * 5, Lifetime: f.most}}
}

// Enroll makes a code, in Prompt.Codes. The parameter "valid" is its lifetime, as
// time.ParseDuration reads it. It defaults to an hour, and must be at most Config.MaxTTL. The
// parameter "uses" is "once", the default, or "any".
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	valid := min(defaultTTL, f.most)
	if s := in.Params["valid"].Reveal(); s != "" {
		var err error
		if valid, err = time.ParseDuration(s); err != nil || valid < leastTTL || valid > f.most {
			return nil, &factor.Problem{Reason: "access_valid",
				Detail: fmt.Sprintf("a code is valid for %s to %s", leastTTL, f.most)}
		}
	}
	state := make([]byte, stateLen)
	state[0] = stateVersion
	switch in.Params["uses"].Reveal() {
	case "", "once":
		state[1] = 1
	case "any":
	default:
		return nil, &factor.Problem{Reason: "access_uses",
			Detail: `a code is valid "once" or "any" number of times`}
	}
	binary.BigEndian.PutUint64(state[2:], uint64(in.Now.Add(valid).UnixMilli()))
	salt := state[10 : 10+saltLen]
	_, _ = rand.Read(salt) // never fails since Go 1.24
	code := papercode.New(chars)
	h := papercode.Hash(salt, code)
	copy(state[10+saltLen:], h[:])
	return &factor.EnrollOutput{State: state, Name: "Temporary access code",
		Prompt: factor.Prompt{Codes: []secret.Text{secret.New(papercode.Grouped(code))}}}, nil
}

// Normalize reads a code as users type and paste it: any case, spaces, hyphens and invisible marks
// anywhere, the digits of every script, full-width letters, O for 0, I and L for 1.
func (f *Factor) Normalize(response string) (string, error) {
	code, ok := papercode.Normalize(response, chars)
	if !ok || len(code) != chars {
		return "", &factor.Problem{Reason: "access_form",
			Detail: "an access code has 16 letters and digits, without U"}
	}
	return code, nil
}

// Verify accepts the code until it ends, once or any number of times.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if len(in.State) != stateLen || in.State[0] != stateVersion {
		return nil, errors.New("access: the state is not readable")
	}
	h := papercode.Hash(in.State[10:10+saltLen], in.Response.Reveal())
	switch {
	case subtle.ConstantTimeCompare(h[:], in.State[10+saltLen:]) != 1:
		return nil, factor.ErrIncorrect
	case !in.Now.Before(ends(in.State)):
		return nil, factor.ErrExpired
	default:
		return &factor.Verdict{Ended: in.State[1] == 1}, nil
	}
}

// Describe returns when a code ends; the zero time, which is in the past, for a state that
// cannot be read.
func (f *Factor) Describe(state []byte) factor.Description {
	return factor.Description{Ends: ends(state)}
}

func ends(state []byte) time.Time {
	if len(state) != stateLen {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(state[2:]))).UTC()
}
