package mfahttp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
)

// An exception signs the user in, and satisfies no guard that asks for a verification. When it
// ends, the session does too.
func TestException_SignsInAndProvesNothing(t *testing.T) {
	s := newSite(t, nil)
	s.procedures()
	s.policy = policy.Policy{}
	ends := s.clock.Now().Add(24 * time.Hour)
	require.NoError(t, s.m.Admin(mfa.System("root"), "broken arm").GrantException(t.Context(),
		s.subject("ann"), "director", ends))
	p := s.browser("ann")
	require.Contains(t, p.login().Text, `"Next":"done"`)
	p.get("/home").page(t, 200, "welcome")
	p.checks(t, 0, isServed)
	for _, path := range []string{"/recent", "/recent-by-policy"} {
		require.Equal(t, 303, p.get(path).StatusCode, path)
	}
	p.checks(t, time.Minute, needsStepUp)
	up := p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	require.Equal(t, "enroll", up.JSON["next"])

	s.clock.Advance(24*time.Hour + 2*time.Minute)
	require.NotEqual(t, 200, p.get("/home").StatusCode)
}
