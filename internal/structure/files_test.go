package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is what several tests read. The repository does not change while they run, so that each
// test that asks for it is given what the first one read.
type shared[T any] struct {
	once  sync.Once
	value T
}

// get returns the value, which the first call reads. If that call fails its test, the others have
// no value, and fail by their own checks of how much they read.
func (s *shared[T]) get(read func() T) T {
	s.once.Do(func() { s.value = read() })
	return s.value
}

var (
	allGoFiles shared[map[string][]byte]
	allSyntax  shared[map[string]*ast.File]
	positions  = token.NewFileSet() // of allSyntax
)

// goFiles returns the Go files of all modules by their path in the repository.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	return allGoFiles.get(func() map[string][]byte {
		list := strings.Fields(string(run(t, "../..", "git", "ls-files", "--cached", "--others",
			"--exclude-standard", "*.go")))
		require.Greater(t, len(list), 300)
		files := make(map[string][]byte, len(list))
		for _, path := range list {
			b, err := os.ReadFile(filepath.Join("../..", path))
			if os.IsNotExist(err) {
				continue // deleted, and not yet committed
			}
			require.NoError(t, err)
			files[path] = b
		}
		return files
	})
}

// syntax returns the Go files of all modules, parsed with their comments. Tests share them, and
// change nothing in them.
func syntax(t *testing.T) map[string]*ast.File {
	t.Helper()
	return allSyntax.get(func() map[string]*ast.File {
		files := make(map[string]*ast.File)
		for path, code := range goFiles(t) {
			file, err := parser.ParseFile(positions, path, code,
				parser.ParseComments|parser.SkipObjectResolution)
			require.NoError(t, err)
			files[path] = file
		}
		return files
	})
}

// parsed returns the syntax of a text, such as one that a test plants something in.
func parsed(t *testing.T, code string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(positions, "planted.go", code,
		parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return file
}

// testsIn returns the functions of the test files in a directory by their name. Methods are none.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	return functionsOfTests.get(func() map[string]map[string]bool {
		all := make(map[string]map[string]bool)
		for name, file := range syntax(t) {
			if !strings.HasSuffix(name, "_test.go") {
				continue
			}
			dir := path.Dir(name)
			if all[dir] == nil {
				all[dir] = make(map[string]bool)
			}
			for _, d := range file.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					all[dir][fn.Name.Name] = true
				}
			}
		}
		return all
	})[dir]
}

var functionsOfTests shared[map[string]map[string]bool]
