package passkey_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
)

// What every factor is held to.
func TestFactor_Conforms(t *testing.T) {
	var mu sync.Mutex
	devices := map[*factor.EnrollOutput]*device{}
	stranger := newDevice()
	f := newFactor(t)
	wrong, options := challenge(t, f, enrolled(t, f, stranger), false)
	require.NotEmpty(t, wrong.Issued)
	mfatest.FactorKit{Factor: f, Wrong: stranger.get(t, options), Now: start,
		Confirm: func(out *factor.EnrollOutput, is *factor.Issue) string {
			mu.Lock()
			defer mu.Unlock()
			devices[out] = newDevice()
			return devices[out].create(t, is.Prompt.Data)
		},
		Right: func(out *factor.EnrollOutput, is *factor.Issue, _ time.Time) string {
			mu.Lock()
			defer mu.Unlock()
			return devices[out].get(t, is.Prompt.Data)
		}}.Run(t)
}
