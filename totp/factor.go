package totp

import (
	"math"
	"strings"
	"time"
	"unicode"

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
	return factor.Traits{AMR: "otp", Level: factor.LevelStrong,
		Settings: factor.Settings{
			Bits: float64(f.cfg.Digits) * math.Log2(10),
			Step: f.cfg.Period,
			// A prompt that is opened in a code's last moment adds the whole grace.
			Lifetime: f.cfg.Period*time.Duration(steps) + f.cfg.EntryGrace,
		}}
}

// maxTyped is how many bytes of a response are read: eight digits with room for separators of three
// bytes each, and then some.
const maxTyped = 64

// Normalize drops the spaces and hyphens that users type or paste into codes. Only six to
// eight ASCII digits are a code, whatever the Config says, because an imported instance may
// have its own length. What is no code is not counted.
func (f *Factor) Normalize(response string) (string, error) {
	if len(response) > maxTyped {
		return "", codeForm()
	}
	s := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, response)
	if len(s) < minDigits || len(s) > maxDigits {
		return "", codeForm()
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return "", codeForm()
		}
	}
	return s, nil
}

func codeForm() error {
	return &factor.Problem{Reason: "code_form", Detail: "a code has six to eight digits"}
}
