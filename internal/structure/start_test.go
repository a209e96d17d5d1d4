package structure_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No package starts work by being imported, or leaves a goroutine behind.
func TestPackages_HaveNoInitAndNoGoroutine(t *testing.T) {
	for _, p := range packages(t) {
		dir := filepath.Join("../..", strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module),
			"/"))
		entries, err := fs.Glob(os.DirFS(dir), "*.go")
		require.NoError(t, err)
		for _, e := range entries {
			if strings.HasSuffix(e, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e), nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s/%s has an init function", p.ImportPath, e)
					}
				case *ast.GoStmt:
					// A kit's own, and a program's, which nobody calls.
					if !strings.Contains(p.ImportPath, "storagetest") &&
						!strings.HasSuffix(p.ImportPath, "internal/protections") {
						t.Errorf("%s/%s starts a goroutine", p.ImportPath, e)
					}
				}
				return true
			})
		}
	}
}
