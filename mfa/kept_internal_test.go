package mfa

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Challenges that applications keep hold these numbers.
func TestClass_KeepsItsNumbers(t *testing.T) {
	require.EqualValues(t, 1, classOf(Option{}))
	require.EqualValues(t, 2, classOf(Option{Knowledge: true}))
	require.EqualValues(t, 3, classOf(Option{Recovery: true}))
}
