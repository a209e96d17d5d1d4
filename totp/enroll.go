package totp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Enroll makes a secret, or takes over one that another system made. The prompt has the
// secret as base32 without padding and the otpauth URI. [QRSVG], [QRPNG] and [QRTerminal] draw
// the QR code of the URI.
//
// Parameters, all optional: "secret" is base32 text of 16 to 128 bytes to take over; spaces,
// hyphens, lower case and missing padding do not matter. With it, "algorithm" ("SHA1",
// "SHA256", "SHA512"), "digits" ("6" to "8") and "period" (seconds, "15" to "120") say how
// that system made codes where it differs from the Config. Anything else gives a
// *factor.Problem with the reason "secret_form", and a secret that one of the user's
// instances has already one with "secret_duplicate".
//
// An import takes the same parameters, or in their place "uri", the otpauth URI of the QR code.
// What they do not say is SHA1, 6 and 30 seconds, whatever the Config says. A secret may have 10
// bytes (80 bits), which many systems have made. One of less than 16 is to be renewed, as RFC 4226
// section 4 R6 wants 128 bits.
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if in.Imported {
		return f.takeOver(in)
	}
	s, err := f.newState(in.Params, minSecret)
	if err != nil {
		return nil, err
	}
	account, err := s.name(in)
	if err != nil {
		return nil, err
	}
	uri := uri(s, in.Brand.IssuerOr(f.cfg.Issuer), account)
	return &factor.EnrollOutput{State: s.encode(), Name: defaultName,
		Prompt: factor.Prompt{Secret: secret.New(b32.EncodeToString(s.secret)),
			URI: secret.New(uri)}}, nil
}

var b32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// name gives the instance a label that none of the user's has, and returns it. A secret that one
// of them has is a *factor.Problem.
func (s *state) name(in factor.EnrollInput) (account string, err error) {
	taken := make(map[[labelLen]byte]bool)
	for _, e := range in.Existing {
		old, err := decodeState(e.State)
		if err != nil {
			return "", err
		}
		if sameKey(old.secret, s.secret) {
			return "", &factor.Problem{Reason: "secret_duplicate",
				Detail: "this secret is enrolled already"}
		}
		taken[old.label] = true
	}
	account = accountName(in.User, in.Name, 1)
	for n := 2; taken[labelID(account)]; n++ {
		account = accountName(in.User, in.Name, n)
	}
	s.label = labelID(account)
	return account, nil
}

// newState is the state of an instance with a random secret, or with one of another system that
// has at least so many bytes.
func (f *Factor) newState(params map[string]secret.Text, least int) (state, error) {
	cfg, err := imported(f.cfg, params)
	if err != nil {
		return state{}, err
	}
	s := state{algorithm: cfg.Algorithm, digits: cfg.Digits, period: int(cfg.Period / time.Second),
		last: -1}
	if text := params["secret"].Reveal(); text != "" {
		s.secret, err = parseSecret(text, least)
		return s, err
	}
	s.secret = make([]byte, s.algorithm.secretSize())
	_, _ = rand.Read(s.secret) // never fails since Go 1.24
	return s, nil
}

// imported is cfg with what the parameters change of it.
func imported(cfg Config, params map[string]secret.Text) (Config, error) {
	algorithm, digits, period := params["algorithm"].Reveal(), params["digits"].Reveal(),
		params["period"].Reveal()
	if params["secret"].Reveal() == "" {
		// These are for imported secrets: an app would ignore them for a new one.
		if algorithm+digits+period != "" {
			return cfg, secretForm("algorithm, digits and period are for a secret that is imported")
		}
		return cfg, nil
	}
	if algorithm != "" {
		a, ok := algorithmNamed(algorithm)
		if !ok {
			return cfg, secretForm("the algorithm of a secret is SHA1, SHA256 or SHA512")
		}
		cfg.Algorithm = a
	}
	if digits != "" {
		n, ok := within(digits, minDigits, maxDigits)
		if !ok {
			return cfg, secretForm(fmt.Sprintf("a code has %d to %d digits", minDigits, maxDigits))
		}
		cfg.Digits = n
	}
	if period != "" {
		n, ok := within(period, int(minPeriod/time.Second), int(maxPeriod/time.Second))
		if !ok {
			return cfg, secretForm(fmt.Sprintf("the period of a secret is %.0f to %.0f seconds",
				minPeriod.Seconds(), maxPeriod.Seconds()))
		}
		cfg.Period = time.Duration(n) * time.Second
	}
	if err := cfg.Algorithm.usable(); err != nil {
		return cfg, secretForm("SHA1 codes cannot be computed here")
	}
	return cfg, nil
}

// algorithmNamed reads a name in any case, with or without a hyphen: "sha-256".
func algorithmNamed(name string) (Algorithm, bool) {
	switch strings.ToUpper(strings.Replace(name, "-", "", 1)) {
	case "SHA1":
		return SHA1, true
	case "SHA256":
		return SHA256, true
	case "SHA512":
		return SHA512, true
	}
	return 0, false
}

// within reads a number and reports whether it is least to most. A zero is never one: the
// Config would read it as the default. What is no number is read as a zero, and a number that
// is out of range as the largest or the smallest.
func within(text string, least, most int) (int, bool) {
	n, _ := strconv.Atoi(text)
	return n, n >= least && n <= most
}

// parseSecret reads base32 as users and systems write it, of at least so many bytes.
func parseSecret(text string, least int) ([]byte, error) {
	bad := secretForm(fmt.Sprintf("a secret is base32 text of %d to %d bytes", least,
		maxSecret))
	// Twice the longest text is room for its separators.
	if len(text) > 2*base32.StdEncoding.EncodedLen(maxSecret) {
		return nil, bad
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || r == '-':
			return -1
		case r >= 'a' && r <= 'z': // strings.ToUpper makes an S of the long s, too
			return r - 'a' + 'A'
		default:
			return r
		}
	}, text)
	text = strings.TrimRight(text, "=")
	// No whole number of bytes is that long; the decoder would drop the last characters in
	// silence, and with them a mistake in copying.
	if n := len(text) % 8; n == 1 || n == 3 || n == 6 {
		return nil, bad
	}
	secret, err := b32.DecodeString(text)
	if err != nil || len(secret) < least || len(secret) > maxSecret {
		return nil, bad
	}
	return secret, nil
}

func secretForm(detail string) error {
	return &factor.Problem{Reason: "secret_form", Detail: detail}
}

// sameKey says whether two secrets make the same codes. HMAC fills a short key up with zeros
// (RFC 2104 section 2), so that zeros at its end make no difference.
func sameKey(a, b []byte) bool {
	return subtle.ConstantTimeCompare(bytes.TrimRight(a, "\x00"), bytes.TrimRight(b, "\x00")) == 1
}
