package structure_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every row of docs/ux.md names a test, and every test that it names is in the package named
// before it.
func TestUX_NamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile("../../docs/ux.md")
	require.NoError(t, err)
	// The rows are those of a table of what cannot be, for the check of the threat model.
	problems, rows := threatModel(strings.ReplaceAll(string(text), "| rule | of | test |",
		"| cannot | of | test |"), func(dir, name string) bool {
		return testsIn(t, dir)[name]
	}, func(dir string) bool { return testsIn(t, dir) != nil })
	require.Empty(t, problems)
	require.Greater(t, rows, 18)
}

var picture = regexp.MustCompile("\\| `([a-z-]+)` \\|")

// Every picture that docs/passkeys.md names is one that a test takes.
func TestUX_NamesPicturesThatATestTakes(t *testing.T) {
	text, err := os.ReadFile("../../docs/passkeys.md")
	require.NoError(t, err)
	shots, err := os.ReadFile("../../internal/integration/browser/screenshots_test.go")
	require.NoError(t, err)
	named := picture.FindAllSubmatch(text, -1)
	require.Len(t, named, 10, "one for each principle")
	for _, n := range named {
		require.Contains(t, string(shots), `shot("`+string(n[1])+`")`)
	}
}
