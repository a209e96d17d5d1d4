package sms_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDescribe_HasTheWholeDestination(t *testing.T) {
	f := newFactor(t, config(new(outbox)))
	out, err := enroll(f, "+41791234567", "")
	require.NoError(t, err)
	require.NotContains(t, out.MaskedDestination, "1234")
	require.Equal(t, "+41791234567", f.Describe(out.State).Destination.Reveal())
}
