package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The list keeps up with the code: each edit can be made, and each test is there.
func TestList_KeepsUpWithTheCode(t *testing.T) {
	all, err := list()
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	seen := make(map[string]bool)
	for _, p := range all {
		t.Run(p.String(), func(t *testing.T) {
			require.False(t, seen[p.old+p.new+p.file], "the edit is there twice")
			seen[p.old+p.new+p.file] = true
			code, err := os.ReadFile(filepath.Join("../..", p.file))
			require.NoError(t, err)
			changed, err := p.without(string(code))
			require.NoError(t, err)
			_, err = parser.ParseFile(token.NewFileSet(), p.file, changed, 0)
			require.NoError(t, err, "the code without the protection")
			require.True(t, hasTest(t, filepath.Join("../..", p.dir), p.test))
		})
	}
}

// hasTest says whether a package has a test.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
				return true
			}
		}
	}
	return false
}

func TestParse_RefusesWhatChangesNothing(t *testing.T) {
	p, err := parse("# claim\na/b.go a TestX\n-old\n-lines\n+new")
	require.NoError(t, err)
	require.Equal(t, protection{"claim", "a/b.go", "a", "TestX", "old\nlines", "new"}, p)
	_, err = parse("# claim")
	require.Error(t, err)
	_, err = parse("# claim\na/b.go TestX\n-a")
	require.Error(t, err)
	for _, edit := range []string{"+a", "-a\n+a", "-a\n+b\n-c", "a"} {
		block := "# claim\na/b.go a TestX\n" + edit
		_, err := parse(block)
		require.Error(t, err, "%q", block)
	}
	_, err = p.without(strings.Repeat(p.old, 2))
	require.ErrorContains(t, err, "2 times")
}
