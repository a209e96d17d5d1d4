package totp

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// Factor is the authenticator-app factor, of kind "totp". It is safe for concurrent use.
type Factor struct{ cfg Config }

var (
	_ factor.Factor     = (*Factor)(nil)
	_ factor.Normalizer = (*Factor)(nil)
)

// New returns a Factor, or an error that says what is wrong with cfg.
func New(cfg Config) (*Factor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Factor{cfg: cfg}, nil
}

// Kind returns "totp".
func (f *Factor) Kind() string { return "totp" }

// Traits: possession, "otp" (RFC 8176), strong enough for NIST AAL2, not phishing-resistant.
func (f *Factor) Traits() factor.Traits {
	return factor.Traits{Class: factor.Possession, AMR: "otp", Strong: true}
}

// Normalize drops the spaces and hyphens people type into codes. Only six to eight ASCII digits
// are a code; what is not, is not counted.
func (f *Factor) Normalize(response string) (string, error) {
	s := strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(strings.TrimSpace(response))
	ok := len(s) >= 6 && len(s) <= 8
	for _, c := range []byte(s) {
		ok = ok && c >= '0' && c <= '9'
	}
	if !ok {
		return "", &factor.Problem{Reason: "code_form", Detail: "a code has six to eight digits"}
	}
	return s, nil
}

// Enroll makes a secret, or takes over the one in the parameter "secret". The prompt has the
// secret, the URI, and its QR code as SVG and PNG.
func (f *Factor) Enroll(_ context.Context, in factor.EnrollInput) (*factor.EnrollOutput, error) {
	s, err := f.secretFor(in.Params)
	if err != nil {
		return nil, err
	}
	labels := make(map[[labelLen]byte]bool)
	for _, e := range in.Existing {
		old, err := decodeState(e.State)
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(old.secret, s.secret) == 1 {
			return nil, &factor.Problem{Reason: "secret_duplicate", Detail: "this secret is enrolled already"}
		}
		labels[old.label] = true
	}
	account := accountName(in.Person, in.Name)
	for n := 2; labels[labelID(account)]; n++ {
		account = accountName(in.Person, strings.TrimSpace(in.Name+" "+strconv.Itoa(n)))
	}
	s.label = labelID(account)
	uri := f.uri(s, account)
	svg, err := QRSVG(uri)
	if err != nil {
		return nil, err
	}
	png, err := QRPNG(uri)
	if err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: s.encode(), Name: "Authenticator app",
		Prompt: factor.Prompt{Secret: factor.Secret(b32.EncodeToString(s.secret)), URI: factor.Secret(uri),
			SVG: factor.Secret(svg), PNG: factor.Secret(png)}}, nil
}

var b32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// secretFor is a new state with a random or an imported secret.
func (f *Factor) secretFor(params map[string]string) (state, error) {
	s := state{algorithm: f.cfg.Algorithm, digits: f.cfg.Digits, period: int(f.cfg.Period / time.Second), last: -1}
	text, imported := params["secret"]
	if !imported || text == "" {
		s.secret = make([]byte, s.algorithm.secretSize())
		_, _ = rand.Read(s.secret) // never fails since Go 1.24
		return s, nil
	}
	text = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(text))
	secret, err := b32.DecodeString(text)
	if err != nil || len(secret) < minSecret || len(secret) > maxSecret {
		return s, &factor.Problem{Reason: "secret_form", Detail: fmt.Sprintf("a secret is base32 text of %d to %d bytes", minSecret, maxSecret)}
	}
	s.secret = secret
	c := f.cfg
	for name, set := range map[string]func(v string) error{
		"algorithm": func(v string) error {
			for a := SHA1; a <= SHA512; a++ {
				if strings.EqualFold(strings.ReplaceAll(v, "-", ""), a.String()) {
					c.Algorithm = a
					return nil
				}
			}
			return errors.New("unknown algorithm")
		},
		"digits": func(v string) (err error) { c.Digits, err = strconv.Atoi(v); return err },
		"period": func(v string) error {
			n, err := strconv.Atoi(v)
			c.Period = time.Duration(min(max(n, -1), 1000)) * time.Second
			return err
		},
	} {
		v := params[name]
		if v == "" {
			continue
		}
		if err := set(v); err != nil || c.Digits == 0 || c.Period == 0 {
			return s, &factor.Problem{Reason: "secret_form", Detail: "the imported " + name + " is not one there is"}
		}
	}
	if c, err = c.withDefaults(); err != nil {
		return s, &factor.Problem{Reason: "secret_form", Detail: "the imported algorithm, digits or period are not supported"}
	}
	s.algorithm, s.digits, s.period = c.Algorithm, c.Digits, int(c.Period/time.Second)
	return s, nil
}

// accountName is how the app shows the account; name tells devices apart.
func accountName(p factor.Person, name string) string {
	clean := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r == ':' { // a colon would split the label
				return ' '
			}
			return r
		}, s)
		return strings.Join(strings.Fields(s), " ")
	}
	account := clean(p.Account)
	if account == "" {
		account = clean(p.ID)
	}
	if name = clean(name); name != "" {
		account += " (" + name + ")"
	}
	return account
}

func labelID(account string) [labelLen]byte {
	h := sha256.Sum256([]byte(account))
	return [labelLen]byte(h[:])
}

// Verify accepts a code of a step in the window that is later than the last accepted one.
//
// Now and then two steps next to each other have the same code. All steps of the window are
// looked at, so that it is no replay just because the earlier step was used; and the latest
// that matches is the one remembered, so that the same digits do not work twice.
func (f *Factor) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	s, err := decodeState(in.State)
	if err != nil {
		return nil, err
	}
	if len(in.Response) != s.digits {
		return nil, factor.ErrIncorrect
	}
	from, to := f.window(s, in)
	matched, replayed := int64(-1), 0
	for step := from; step <= to; step++ {
		code, err := s.code(step)
		if err != nil {
			return nil, err
		}
		same := subtle.ConstantTimeCompare([]byte(code), []byte(in.Response))
		if step > s.last {
			matched = int64(subtle.ConstantTimeSelect(same, int(step), int(matched)))
		} else {
			replayed |= same
		}
	}
	switch {
	case matched >= 0:
		s.last = matched
		return &factor.Verdict{State: s.encode()}, nil
	case replayed == 1:
		return nil, factor.ErrReplayed
	default:
		return nil, factor.ErrIncorrect
	}
}

// window is the first and the last step accepted at in.Now.
func (f *Factor) window(s state, in factor.VerifyInput) (from, to int64) {
	skew := int64(1)
	if f.cfg.Strict {
		skew = 0
	}
	now := s.step(in.Now)
	from, to = now-skew, now+skew
	if f.cfg.EntryGrace > 0 && !in.Opened.After(in.Now) && in.Now.Before(in.Opened.Add(f.cfg.EntryGrace)) {
		from = min(from, s.step(in.Opened)-skew)
	}
	return max(from, 0), to
}

// step is the time step of t: T0 is the Unix epoch (RFC 6238 section 4.2). Before it there is
// none.
func (s state) step(t time.Time) int64 {
	if t.Unix() < 0 {
		return -2 // with any skew, no step
	}
	return t.Unix() / int64(s.period)
}

const labelLen = 8

// state is what is kept of an instance.
type state struct {
	algorithm Algorithm
	digits    int
	period    int   // seconds
	last      int64 // last accepted step, -1 for none
	label     [labelLen]byte
	secret    []byte
}

const (
	stateVersion = 1
	stateHeader  = 3 + 8 + labelLen
)

var errState = errors.New("totp: stored state is not readable")

func (s state) encode() []byte {
	b := make([]byte, 0, stateHeader+len(s.secret))
	b = append(b, stateVersion, byte(s.algorithm)<<4|byte(s.digits), byte(s.period))
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(uint64(s.last+1)>>shift))
	}
	b = append(b, s.label[:]...)
	return append(b, s.secret...)
}

func decodeState(b []byte) (state, error) {
	if len(b) < stateHeader+minSecret || len(b) > stateHeader+maxSecret || b[0] != stateVersion {
		return state{}, errState
	}
	s := state{algorithm: Algorithm(b[1] >> 4), digits: int(b[1] & 15), period: int(b[2]), secret: bytes.Clone(b[stateHeader:])}
	var last uint64
	for _, c := range b[3:11] {
		last = last<<8 | uint64(c)
	}
	s.label = [labelLen]byte(b[11:])
	if s.algorithm > SHA512 || s.digits < 6 || s.digits > 8 || s.period < int(minPeriod/time.Second) || s.period > int(maxPeriod/time.Second) || last > 1<<62 {
		return state{}, errState
	}
	s.last = int64(last) - 1
	return s, nil
}
