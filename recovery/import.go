package recovery

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/internal/typed"
	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	stateImported = 2
	maxTyped      = 64
	// minImported is how many letters and digits a code of another system has at least.
	minImported = 8
	// maxImportedCost is how long a response may take that none of the codes of a set matches.
	maxImportedCost = 4 * time.Second
	// enoughBits is below what NIST SP 800-63B-4 section 3.1.2.2 asks of a code that is kept
	// without a slow hash.
	enoughBits = 64
)

// takeOver prepares a set of another installation, or of another system.
func (f *Factor) takeOver(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	hashes := lines(in.Params["hashes"].Reveal())
	if isOwn(hashes) && len(in.Params) == 1 {
		return takeOverOwn(hashes)
	}
	return f.takeOverForeign(in)
}

// takeOverForeign prepares a set of another system.
func (f *Factor) takeOverForeign(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	if f.hash == nil {
		return nil, notImported("Config.Imported is not set")
	}
	form := in.Params["form"].Reveal()
	codes, hashes := lines(in.Params["codes"].Reveal()), lines(in.Params["hashes"].Reveal())
	if len(codes) == 0 && len(hashes) == 0 {
		return nil, notImported(wrongCount)
	}
	if form == "" && len(codes) > 0 {
		form = formOf(codes)
	}
	if form != "" && slots(form) < minImported || len(form) > maxTyped ||
		strings.Contains(form, "\n") {
		return nil, notImported(fmt.Sprintf("a code has %d letters and digits or more, and all "+
			"codes have one form", minImported))
	}
	for _, code := range codes {
		hash, err := hashed(form, code)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	s := imported{form: form, hashes: hashes}
	if _, err := s.foreign(); err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: s.encode(), Name: "Recovery codes",
		Renew: bits(form, codes) < enoughBits}, nil
}

var wrongCount = fmt.Sprintf("a set has 1 to %d codes", maxCount)

func notImported(detail string) error {
	return &factor.Problem{Reason: "recovery_import", Detail: detail}
}

// lines returns the lines of a parameter that have something on them.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// hashed returns the hash of a code of which the other system kept the text.
func hashed(form, code string) (string, error) {
	written, ok := fill(form, code)
	if !ok {
		return "", notImported("a code does not have the form of the others")
	}
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	return kdf.Salted(written, salt)
}

// formOf returns the form of codes that look alike: the separators of the first, and the case that
// all of them have.
func formOf(codes []string) string {
	all := strings.Join(codes, "")
	slot := '*'
	switch {
	case all == strings.ToLower(all):
		slot = 'x'
	case all == strings.ToUpper(all):
		slot = 'X'
	}
	return strings.Map(func(r rune) rune {
		if alphanumeric(r) {
			return slot
		}
		return r
	}, codes[0])
}

func alphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func isSlot(r rune) bool { return r == 'x' || r == 'X' || r == '*' }

func slots(form string) (n int) {
	for _, r := range form {
		if isSlot(r) {
			n++
		}
	}
	return n
}

// bits is how hard a code is to guess at least, or 0 without a form. A form does not say whether
// there are letters, so that each character of a hashed code counts as a digit.
func bits(form string, codes []string) float64 {
	characters := 10.0
	if strings.ContainsFunc(strings.Join(codes, ""), unicode.IsLetter) {
		characters = 36
	}
	return float64(slots(form)) * math.Log2(characters)
}

// fill writes what a user typed in a form, and reports whether it has as many letters and digits.
func fill(form, response string) (string, bool) {
	var chars []rune
	for _, r := range typed.Clean(response) {
		if alphanumeric(r) {
			chars = append(chars, r)
		}
	}
	if len(chars) != slots(form) {
		return "", false
	}
	return strings.Map(func(r rune) rune {
		if !isSlot(r) {
			return r
		}
		char := string(chars[0])
		chars = chars[1:]
		switch r {
		case 'x':
			char = strings.ToLower(char)
		case 'X':
			char = strings.ToUpper(char)
		}
		return rune(char[0])
	}, form), true
}

// imported is the state of a set of another system: the form, and the hash of each code that was
// not used, on lines of their own.
type imported struct {
	form   string
	hashes []string
}

// parseImported returns a stored set, and its hashes as they are verified.
func parseImported(data []byte) (imported, []kdf.Foreign, error) {
	form, rest, found := strings.Cut(string(data[1:]), "\n")
	if !found || !utf8.Valid(data) {
		return imported{}, nil, errState
	}
	s := imported{form: form, hashes: lines(rest)}
	parsed, err := s.foreign()
	return s, parsed, err
}

func (s imported) encode() []byte {
	return append([]byte{stateImported}, s.form+"\n"+strings.Join(s.hashes, "\n")...)
}

// foreign returns the hashes as they are verified. It refuses what is no hash, and a set that would
// keep the server busy.
func (s imported) foreign() (parsed []kdf.Foreign, err error) {
	if len(s.hashes) > maxCount {
		return nil, notImported(wrongCount)
	}
	var cost time.Duration
	for _, encoded := range s.hashes {
		h, err := kdf.ParseForeign(encoded)
		if err != nil {
			return nil, notImported("not a hash by bcrypt, argon2, PBKDF2 or SHA-2, or one that " +
				"takes too long")
		}
		parsed = append(parsed, h)
		cost += h.Cost()
	}
	if cost > maxImportedCost {
		return nil, notImported(fmt.Sprintf("a response would take longer than %s",
			maxImportedCost))
	}
	return parsed, nil
}

// typedCode reads a code of any system: what is not counted as a failed attempt is only what no
// system could have made.
func typedCode(response string) (string, error) {
	code := strings.TrimSpace(response)
	if code == "" || len(code) > maxTyped {
		return "", &factor.Problem{Reason: "recovery_form",
			Detail: "a recovery code has letters and digits"}
	}
	return code, nil
}

// verifyImported accepts a code of a set of another system, and removes its hash.
func (f *Factor) verifyImported(
	ctx context.Context, in factor.VerifyInput,
) (*factor.Verdict, error) {
	s, parsed, err := parseImported(in.State)
	if err != nil {
		return nil, err
	}
	if f.hash == nil {
		return nil, errNotImported
	}
	code := in.Response.Reveal()
	if s.form != "" {
		filled, ok := fill(s.form, code)
		if !ok {
			return nil, factor.ErrIncorrect
		}
		code = filled
	}
	for i, h := range parsed {
		switch err := f.hash.VerifyForeign(ctx, code, h); {
		case err == nil:
			s.hashes = append(s.hashes[:i:i], s.hashes[i+1:]...)
			return &factor.Verdict{State: s.encode()}, nil
		case err != kdf.ErrMismatch: //nolint:errorlint // it is returned as it is
			return nil, err
		}
	}
	return nil, factor.ErrIncorrect
}

func isImported(state []byte) bool { return bytes.HasPrefix(state, []byte{stateImported}) }

// remaining returns how many codes of an imported set remain. It reads no hash, as it is called for
// every record that is read.
func remaining(data []byte) int {
	_, hashes, _ := strings.Cut(string(data), "\n")
	return len(lines(hashes))
}
