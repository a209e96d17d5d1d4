package structure_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// named is an element of a template with a name in place of the words that it shows.
var named = regexp.MustCompile(
	`aria-label="\{\{t "([^"]+)"[^>]*>(?:\{\{icon [^}]*\}\} ?)?(?:<span>)?\{\{t "([^"]+)"\}\}<`)

// The name of a button or a link has the words that it shows, in every language: a user who speaks
// to the browser says what is to be seen (WCAG 2.2, 2.5.3 Label in Name).
func TestLabels_HaveTheWordsThatAreShown(t *testing.T) {
	for templates, texts := range map[string]string{
		"mfahttp/internal/ui/files/*.html":  "internal/texts/files/*.json",
		"mfahttp/admin/files/*.html":        "internal/texts/files/*.json",
		"examples/nethttp/templates/*.html": "examples/nethttp/texts/*.json",
	} {
		pairs := labelPairs(t, templates)
		require.NotEmpty(t, pairs, templates)
		for _, path := range matching(t, texts) {
			words := map[string]any{}
			code, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(code, &words))
			for _, p := range pairs {
				name, ok := words[p[0]].(string)
				shown, also := words[p[1]].(string)
				if ok && also && !strings.Contains(strings.ToLower(name), strings.ToLower(shown)) {
					t.Errorf("%s: the name %q does not have %q", path, name, shown)
				}
			}
		}
	}
}

// labelPairs returns the keys of names and of the words that are shown.
func labelPairs(t *testing.T, pattern string) (pairs [][2]string) {
	t.Helper()
	for _, path := range matching(t, pattern) {
		code, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(code), -1) {
			pairs = append(pairs, [2]string{m[1], m[2]})
		}
	}
	return pairs
}

func matching(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob("../../" + pattern)
	require.NoError(t, err)
	require.NotEmpty(t, paths, pattern)
	return paths
}
