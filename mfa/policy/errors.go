package policy

import (
	"errors"
	"fmt"
)

// ErrInvalid is matched by every error of this package: a policy that cannot work, a profile
// that does not exist, or a configuration that breaks its profile. The text says which, and
// what is allowed. The errors of mfa.New and of mfa.Admin.SetPolicy match it too.
var ErrInvalid = errors.New("policy: invalid")

type invalidError struct{ text string }

func (e *invalidError) Error() string        { return "policy: " + e.text }
func (e *invalidError) Is(target error) bool { return target == ErrInvalid }

func invalidf(format string, args ...any) *invalidError {
	return &invalidError{fmt.Sprintf(format, args...)}
}
