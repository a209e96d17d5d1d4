package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/password/throttle"
)

func TestStatusOf_FindsWrappedErrors(t *testing.T) {
	t.Parallel()
	for _, r := range responses {
		status, p := statusOf(fmt.Errorf("around: %w", r.err))
		require.Equal(t, r.status, status, "%v", r.err)
		require.Equal(t, r.code, p.Error, "%v", r.err)
		require.Equal(t, r.detail, p.Detail != "", "%v", r.err)
	}
}

// The response quotes only errors that hold no secret, and says nothing about an error that the
// table does not name.
func TestStatusOf_QuotesNoOtherError(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]problem{
		errors.New("postgres://u:secret@db"): {Error: "unavailable"},
		&mfa.RateLimitError{RetryAfter: 61*time.Second + 1}: {Error: "budget",
			RetryAfter: 62},
		&throttle.BusyError{RetryAfter: time.Millisecond}: {Error: "busy", RetryAfter: 1},
		&factor.Problem{Reason: "password_common", Detail: "too common"}: {Error: "refused",
			Reason: "password_common", Detail: "too common"},
		errors.Join(mfa.ErrForbidden, errors.New("secret")): {Error: "forbidden"},
		fmt.Errorf("%w: mode", policy.ErrInvalid): {Error: "policy",
			Detail: policy.ErrInvalid.Error() + ": mode"},
	} {
		_, got := statusOf(err)
		require.Equal(t, want, got)
	}
}
