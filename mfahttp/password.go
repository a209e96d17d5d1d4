package mfahttp

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// password checks the current password before a change to a factor that the user has.
func (v *visit) password(kind, password string) error {
	if !slices.Contains(v.h.cfg.PasswordFor, kind) {
		return nil
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	if !hasKind(o, kind) {
		return nil
	}
	if password == "" {
		return ErrPassword
	}
	err = v.h.cfg.CheckPassword(v.r, password)
	var limit *mfa.RateLimitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrPassword):
		return ErrPassword
	case errors.As(err, &limit):
		return &busyError{limit.RetryAfter}
	}
	return hookError("CheckPassword", mfa.ErrUnavailable, err)
}

// busyError is returned for a password that was not compared, because too many others are.
type busyError struct{ retryAfter time.Duration }

func (*busyError) Error() string { return "mfahttp: too many passwords at once" }
