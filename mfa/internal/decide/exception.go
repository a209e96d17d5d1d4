package decide

import (
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides whom an exception lets in, and to whom it may be granted.

// maxException is how long an exception may last.
const maxException = 90 * 24 * time.Hour

// Excepted reports whether an exception lets the user sign in with the first factor alone: one
// that has not ended, for a user who has enrolled no factor, under a profile that accepts
// exceptions. A factor of a kind that this process does not know is a factor.
func (v View) Excepted() bool {
	return v.Exceptions && v.Record.ExceptionAt(v.Now) != nil && !v.HasOwn(v.Record)
}

// UseException notes a sign-in that the exception permits, and reports whether it is the first in
// its session.
func (v View) UseException() bool { return v.Record.Exception.Use([8]byte(v.Claims.Bind)) }

// GrantException grants an exception, in place of one before. It refuses a user
// with a factor: the sign-in asks for the factor, and an exception that waited for its loss would
// turn a reset or a removal into a way in.
func (r *Rules) GrantException(rec *record.Record, e record.Exception, now time.Time) error {
	e.Granted, e.Epoch = now.UnixMilli(), rec.Epoch
	switch {
	case !r.Exceptions:
		return fmt.Errorf("%w: the profile accepts no exceptions", ErrNotAvailable)
	case r.HasOwn(rec):
		return fmt.Errorf("%w: the user has a factor", ErrNotAvailable)
	case e.Ends <= e.Granted || e.Ends > e.Granted+maxException.Milliseconds():
		return fmt.Errorf("%w: an exception ends within %s", factor.ErrMalformed, maxException)
	}
	rec.Exception = &e
	return nil
}
