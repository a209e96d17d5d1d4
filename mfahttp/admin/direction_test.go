package admin_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// aligned are the elements that stand at the edge which their own direction begins at.
var aligned = regexp.MustCompile(`<(?:dd|h\d|td|th|p class="sg-name")(?: [^>]*)?\sdir="auto"`)

// A name in another direction than the page stands at the same edge as the others: the element
// inside of a cell or a line has the direction.
func TestPages_PlaceNamesInAnotherDirection(t *testing.T) {
	files, err := filepath.Glob("files/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, aligned, string(b), file)
	}
}
