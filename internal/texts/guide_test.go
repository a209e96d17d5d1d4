package texts_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts"
)

// The guide names every language, and says which of them no reader has reviewed.
func TestTexts_AreNamedInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/languages.md")
	require.NoError(t, err)
	for _, tag := range texts.Tags() {
		name, ok := texts.Get(tag).Lookup("language.name")
		require.True(t, ok, tag)
		review, _ := texts.Get(tag).Lookup("language.review")
		require.Contains(t, string(guide), "| `"+tag+"` | "+name+" | "+review+" |", tag)
	}
}
