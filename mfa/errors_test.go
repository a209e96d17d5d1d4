package mfa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
)

// Messages of errors say how long to wait, and of which kind.
func TestErrors_SayWhatToDo(t *testing.T) {
	for want, err := range map[string]error{
		"mfa: locked for another 3m0s": &mfa.LockedError{
			RetryAfter: 3*time.Minute + time.Millisecond},
		"mfa: app is disabled after too many failed attempts": &mfa.DisabledError{Kind: "app"},
		"mfa: too many codes sent, try again in 1m0s": &mfa.RateLimitError{
			RetryAfter: time.Minute},
	} {
		require.EqualError(t, err, want)
	}
}
