package qr_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/qr"
)

// The pictures are read by real readers in internal/integration/authenticator.
func TestNew_BoundsTheText(t *testing.T) {
	for _, bad := range []string{"", strings.Repeat("x", 1537)} {
		_, err := qr.New(bad)
		require.Error(t, err)
	}
	code, err := qr.New(strings.Repeat("x", 1536))
	require.NoError(t, err)
	require.Contains(t, code.SVG(), `viewBox="0 -.5 `)
	png, err := code.PNG()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(png), "\x89PNG"))
	require.Equal(t, (len(code)+1)/2, strings.Count(code.Terminal(), "\n"))
}
