package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
)

func TestDescribe_HasTheWholeDestination(t *testing.T) {
	f := newFactor(t)
	state, masked, err := f.Implied(factor.User{Email: "ann@example.com"})
	require.NoError(t, err)
	require.NotEqual(t, "ann@example.com", masked)
	require.Equal(t, "ann@example.com", f.Describe(state).Destination.Reveal())
}
