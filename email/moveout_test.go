package email_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestImportParams_MoveAnAddress(t *testing.T) {
	params, err := newFactor(t).ImportParams([]byte("ann@example.com"))
	require.NoError(t, err)
	require.Len(t, params, 1)
	require.Equal(t, "ann@example.com", params["address"].Reveal())
}
