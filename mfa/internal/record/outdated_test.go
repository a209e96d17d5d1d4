package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A mark is for a factor that is enrolled, and ends with it.
func TestRecord_ForgetsOutdatedFactors(t *testing.T) {
	r := New()
	r.Factors = []Instance{{ID: "a", Kind: "passkey"}, {ID: "b", Kind: "passkey"}}
	require.False(t, r.SetOutdated("c", true), "there is no such factor")
	require.True(t, r.SetOutdated("a", true))
	require.False(t, r.SetOutdated("a", true), "it is no news")
	require.True(t, r.SetOutdated("b", true))
	r.RemoveFactors(func(in Instance) bool { return in.ID == "a" })
	require.Equal(t, []string{"b"}, r.Outdated)
	require.True(t, r.SetOutdated("b", false))
	require.Empty(t, r.Outdated)

	r.SetOutdated("b", true)
	r.Reset()
	require.Empty(t, r.Outdated)
}
