package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/secondgate/secondgate/internal/quiet"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	// NIST SP 800-63B-4 section 3.1.1.2: at least 15 characters where the password is all
	// there is, 8 where it is used only together with a second factor; at least 64 are to be
	// accepted.
	leastLength      = 8
	leastLengthAlone = 15
	mostMinLength    = 64
)

// Rules describe which new passwords are accepted. The zero value is ready to use and asks what
// NIST SP 800-63B-4 section 3.1.1.2 asks: a length, no password that attackers would try first,
// and nothing about capitals, digits or signs. Any character that prints is accepted, spaces too.
type Rules struct {
	// MinLength is the least length for a user who is always asked for a second factor, in
	// characters (code points after NFC). Defaults to 8. Must be between 8 and 64.
	MinLength int
	// MinLengthAlone is the least length for all others. Defaults to 15. Must be between 15 and 64.
	MinLengthAlone int
	// Words are those that every user thinks of, such as the name of the service and its domain.
	// A password is refused that consists of such words, or of the user's own, with up to eight
	// other characters. Words of less than three characters are ignored.
	Words []string
	// Refuse, if not nil, is called for a password that all other rules accept, for example to
	// look it up in a list of breached passwords. To refuse it, return a *factor.Problem with a
	// reason that your pages can show. Any other error means that the lookup failed; the password
	// is then not set, and the error wraps mfa.ErrUnavailable. To accept the password when the
	// list cannot be reached, return nil.
	Refuse func(ctx context.Context, password secret.Text) error
}

func (r *Rules) validate() error {
	if n := r.MinLength; n != 0 && (n < leastLength || n > mostMinLength) {
		return fmt.Errorf("password: Rules.MinLength is %d, want %d to %d", n, leastLength,
			mostMinLength)
	}
	if n := r.MinLengthAlone; n != 0 && (n < leastLengthAlone || n > mostMinLength) {
		return fmt.Errorf("password: Rules.MinLengthAlone is %d, want %d to %d", n,
			leastLengthAlone, mostMinLength)
	}
	return nil
}

// minLength never falls below what NIST asks for, also where validate was not called.
func (r *Rules) minLength(secondFactor bool) int {
	if secondFactor {
		return max(r.MinLength, leastLength)
	}
	return max(r.MinLengthAlone, leastLengthAlone)
}

// Check returns nil if password is acceptable as a's new one. A refusal is a *factor.Problem with
// one of these reasons, which pages translate: password_too_short, password_too_long,
// password_characters, password_repeated, password_common, password_personal, or one of Refuse's.
// Of a it uses SecondFactor, Email, Name and Words.
func (r *Rules) Check(ctx context.Context, password secret.Text, a Account) error {
	s, err := normalize(password)
	if err != nil {
		return err
	}
	if strings.ContainsFunc(s, func(c rune) bool {
		return unicode.IsControl(c) || c == utf8.RuneError
	}) {
		return &factor.Problem{Reason: "password_characters",
			Detail: "use characters that can be typed"}
	}
	if n := r.minLength(a.SecondFactor); utf8.RuneCountInString(s) < n {
		return &factor.Problem{Reason: "password_too_short",
			Detail: fmt.Sprintf("use at least %d characters", n)}
	}
	if problem := r.guessable(s, a); problem != nil {
		return problem
	}
	if r.Refuse == nil {
		return nil
	}
	err = r.Refuse(ctx, secret.New(s))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, factor.ErrMalformed):
		return quiet.New("password: Rules.Refuse refused the password", err)
	default: // which may quote the password
		text := fmt.Sprintf("%v: Rules.Refuse failed%s", mfa.ErrUnavailable, quiet.Text(err))
		return quiet.New(text, mfa.ErrUnavailable, err)
	}
}
