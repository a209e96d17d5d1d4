package mfahttp

import (
	"errors"
	"slices"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// passwordGiven is when the user last gave the password on one of the pages.
type passwordGiven struct {
	Who string
	At  time.Time
}

// asksPassword reports whether enrolling a kind of Config.PasswordFor requires the password: for
// a change of what the user has, and for a first one unless the password was given minutes ago.
// An attacker who has taken over a session must not add a way in. During a sign-in the password has
// just been given, and a recovery link is for a user who proves another thing.
func (v *visit) asksPassword(kind string, o *mfa.Overview) bool {
	if !slices.Contains(v.h.cfg.PasswordFor, kind) {
		return false
	}
	return hasKind(o, kind) || v.signedIn && !v.passwordRecent(o.Policy.MaxAge)
}

// passwordRecent reports whether the user gave the first factor, or the password on a page, within
// maxAge.
func (v *visit) passwordRecent(maxAge time.Duration) bool {
	at := v.id.SignedInAt
	var given passwordGiven
	if v.get(keyPassword, &given) && given.Who == v.who() && given.At.After(at) {
		at = given.At
	}
	age := v.now.Sub(at)
	return !at.IsZero() && age >= -maxSkew && age <= maxAge
}

// password checks the current password before an enrolment that requires it.
func (v *visit) password(kind, password string) error {
	if !slices.Contains(v.h.cfg.PasswordFor, kind) {
		return nil
	}
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	if err != nil {
		return err
	}
	if !v.asksPassword(kind, o) {
		return nil
	}
	return v.checkPassword(password)
}

// freshPassword returns an error unless the user gave the first factor minutes ago, or gives the
// password now.
func (v *visit) freshPassword(password string) error {
	o, err := v.h.cfg.Manager.Overview(v.r.Context(), v.id.User)
	switch {
	case err != nil:
		return err
	case v.passwordRecent(o.Policy.MaxAge):
		return nil
	case v.h.cfg.CheckPassword == nil:
		return mfa.ErrFirstFactorRequired
	}
	return v.checkPassword(password)
}

// checkPassword compares a password with the user's, and keeps when it was given.
func (v *visit) checkPassword(password string) error {
	if password == "" {
		return ErrPassword
	}
	err := v.h.cfg.CheckPassword(v.r, password)
	var limit *mfa.RateLimitError
	switch {
	case err == nil:
		v.put(keyPassword, passwordGiven{Who: v.who(), At: v.now})
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
