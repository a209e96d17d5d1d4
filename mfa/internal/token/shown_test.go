package token_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/internal/token"
)

// Challenges that applications keep hold these numbers.
func TestClass_KeepsItsNumbers(t *testing.T) {
	require.EqualValues(t, 1, token.ClassOf(false, false))
	require.EqualValues(t, 2, token.ClassOf(false, true))
	require.EqualValues(t, 3, token.ClassOf(true, false))
}
