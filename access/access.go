// Package access is the factor for the day when nothing else is left: a temporary code that an
// administrator makes, after having made sure who asks, and gives to the person.
//
//	f, err := access.New(access.Config{})
//	…
//	e, err := manager.Admin(actor, "they lost the phone").Enroll(ctx, user, mfa.EnrollRequest{
//		Kind: "access", Params: map[string]secret.Text{"valid": secret.New("8h")}})
//	// e.Prompt.Codes[0] is shown to the administrator, once
//
// A code is good once, or for some hours as often as it takes; the next code for the person
// ends it. Like a recovery code it opens a sign-in and the enrolment of a replacement, and
// nothing else. Nobody can enrol it for themselves.
//
// Kept is an HMAC-SHA256 value of the code, of 80 random bits, under a random key, in a record
// that is sealed.
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
	// MaxTTL is the longest that an administrator may make a code good for; default 24 hours,
	// 5 minutes to 7 days.
	MaxTTL time.Duration
}

// Factor is the temporary access code, of kind "access". It is safe for concurrent use.
type Factor struct{ most time.Duration }

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
	_ factor.Describer  = (*Factor)(nil)
)

// New returns a Factor, or an error that says what is wrong with cfg.
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

// Enroll makes a code, in Prompt.Codes. The parameter "valid" says how long it is good, as
// time.ParseDuration reads it: by default an hour, and at most Config.MaxTTL. The parameter
// "uses" is "once", the default, or "any".
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	valid := min(defaultTTL, f.most)
	if s := in.Params["valid"].Reveal(); s != "" {
		var err error
		if valid, err = time.ParseDuration(s); err != nil || valid < leastTTL || valid > f.most {
			return nil, &factor.Problem{Reason: "access_valid", Detail: fmt.Sprintf("a code is good for %s to %s", leastTTL, f.most)}
		}
	}
	state := make([]byte, stateLen)
	state[0] = stateVersion
	switch in.Params["uses"].Reveal() {
	case "", "once":
		state[1] = 1
	case "any":
	default:
		return nil, &factor.Problem{Reason: "access_uses", Detail: `a code is good "once" or "any" number of times`}
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

// Normalize reads a code as people type it: any case, spaces and hyphens anywhere, O for 0, I
// and L for 1.
func (f *Factor) Normalize(response string) (string, error) {
	code, ok := papercode.Normalize(response, chars)
	if !ok || len(code) != chars {
		return "", &factor.Problem{Reason: "access_form", Detail: "an access code has 16 letters and digits, without U"}
	}
	return code, nil
}

// Verify accepts the code until it ends, once or as often as it was made for.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if len(in.State) != stateLen || in.State[0] != stateVersion {
		return nil, errors.New("access: the state is not readable")
	}
	h := papercode.Hash(in.State[10:10+saltLen], in.Response)
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
