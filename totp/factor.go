package totp

import (
	"math"
	"time"

	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
)

// Factor is the authenticator-app factor, with the kind "totp". It never changes after New and is
// safe for concurrent use.
type Factor struct{ cfg Config }

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
)

// New returns a Factor, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Factor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Factor{cfg: cfg}, nil
}

// Kind returns "totp".
func (f *Factor) Kind() string { return "totp" }

// Traits returns those of a possession, "otp" (RFC 8176), strong enough for NIST AAL2, not
// phishing-resistant. The settings state what new enrolments get: those from before a change of
// Config keep their digits and their period.
func (f *Factor) Traits() factor.Traits {
	steps := 3
	if f.cfg.Strict {
		steps = 1
	}
	return factor.Traits{AMR: "otp", Level: factor.LevelStrong, Importable: true,
		Settings: factor.Settings{
			Bits: float64(f.cfg.Digits) * math.Log2(10),
			Step: f.cfg.Period,
			// A prompt that is opened in a code's last moment adds the whole grace.
			Lifetime: f.cfg.Period*time.Duration(steps) + f.cfg.EntryGrace,
		}}
}

// Normalize drops the spaces, hyphens and invisible marks that users type or paste into codes, and
// reads the digits of every script. Only six to eight digits are a code, whatever the Config says,
// because an imported instance may have its own length. What is no code is not counted.
func (f *Factor) Normalize(response string) (string, error) {
	s, ok := typed.Digits(response)
	if !ok || len(s) < minDigits || len(s) > maxDigits {
		return "", &factor.Problem{Reason: "code_form", Detail: "a code has six to eight digits"}
	}
	return s, nil
}
