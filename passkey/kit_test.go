package passkey_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey/passkeytest"
)

// What every factor is held to.
func TestFactor_Conforms(t *testing.T) {
	var mu sync.Mutex
	devices := map[*factor.EnrollOutput]*passkeytest.Authenticator{}
	stranger := newDevice()
	f := newFactor(t)
	wrong, options := challenge(t, f, enrolled(t, f, stranger), false)
	require.NotEmpty(t, wrong.Issued)
	mfatest.FactorKit{Factor: f, Wrong: stranger.get(t, options), Now: start,
		Confirm: func(out *factor.EnrollOutput, is *factor.Issue) string {
			mu.Lock()
			defer mu.Unlock()
			devices[out] = passkeytest.New(origin)
			return respondTo(t, devices[out], is)
		},
		Right: func(out *factor.EnrollOutput, is *factor.Issue, _ time.Time) string {
			mu.Lock()
			defer mu.Unlock()
			return respondTo(t, devices[out], is)
		}}.Run(t)
}

func respondTo(t *testing.T, a *passkeytest.Authenticator, is *factor.Issue) string {
	t.Helper()
	response, err := a.Respond(is.Prompt)
	require.NoError(t, err)
	return response
}
