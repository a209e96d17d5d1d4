package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// maxApprover is what the Manager accepts.
const maxApprover = 256

var (
	errApprover = fmt.Errorf("admin: another person approves an exception: %w",
		factor.ErrMalformed)
	errEnds        = fmt.Errorf("admin: an exception has an end: %w", factor.ErrMalformed)
	errNoException = fmt.Errorf("admin: no exception is possible: %w", mfa.ErrNotAvailable)
)

var (
	grantException = deed{name: "grant-exception", allowed: mayGrant, do: grant}
	endException   = simple("end-exception", false,
		func(ctx context.Context, by mfa.Admin, u mfa.User) error {
			return by.EndException(ctx, u)
		})
)

// mayGrant asks the application with the approver and the end.
func mayGrant(ctx context.Context, by mfa.Admin, u mfa.User, o order) error {
	approver := strings.TrimSpace(o.Approver)
	switch {
	case plainname.Visible(approver) == "", plainname.Same(approver, by.Actor().Name()):
		return errApprover
	case o.Ends.IsZero():
		return errEnds
	}
	return by.MayGrantException(ctx, u, approver, o.Ends)
}

func grant(ctx context.Context, _ *visit, by mfa.Admin, u mfa.User, o order) (any, error) {
	err := by.GrantException(ctx, u, strings.TrimSpace(o.Approver), o.Ends)
	switch {
	case errors.Is(err, factor.ErrMalformed): // all else is valid: the end is too far, or past
		return nil, errEnds
	case errors.Is(err, mfa.ErrNotAvailable):
		return nil, errNoException
	}
	return doneJSON{u.ID}, err
}

// endOf reads the day that an exception ends on, as a form has it. What is no day is no end.
func endOf(f url.Values) time.Time {
	day, err := time.Parse(time.DateOnly, f.Get("ends"))
	if err != nil {
		return time.Time{}
	}
	return day
}

// exceptionAct is what the page of a user offers about an exception: to end the one in force, or
// to grant one to a user who has nothing to respond with. It is "" for all other users.
func exceptionAct(u *aUserJSON) string {
	switch {
	case u.Exception != nil:
		return "end-exception"
	case u.Missing && len(u.Enrolled) == 0:
		return "exception"
	}
	return ""
}
