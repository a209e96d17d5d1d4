package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A document that says "cannot" names the test that says so; the test must be there.
func TestDocumentsNameRealTests(t *testing.T) {
	var code strings.Builder
	require.NoError(t, filepath.WalkDir("../..", func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			b, err := os.ReadFile(path)
			code.Write(b)
			return err
		}
		return err
	}))
	named := regexp.MustCompile(`\bTest[A-Z]\w+`)
	found := 0
	for _, doc := range []string{"threat-model.md", "performance.md", "architecture.md"} {
		text, err := os.ReadFile("../../docs/" + doc)
		require.NoError(t, err)
		for _, name := range named.FindAllString(string(text), -1) {
			found++
			if !strings.Contains(code.String(), "func "+name+"(") {
				t.Errorf("docs/%s names %s, which is no test", doc, name)
			}
		}
	}
	require.Greater(t, found, 10)
}

// Links between the documents and pictures lead somewhere.
func TestDocumentsLinkToFiles(t *testing.T) {
	docs, err := filepath.Glob("../../*.md")
	require.NoError(t, err)
	more, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, doc := range append(docs, more...) {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}
