package structure_test

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

// No package starts work by being imported, or leaves a goroutine behind.
func TestPackages_HaveNoInitAndNoGoroutine(t *testing.T) {
	for _, p := range packages(t) {
		for e, f := range syntax(t) {
			if path.Dir(e) != short(p.ImportPath) || strings.HasSuffix(e, "_test.go") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s has an init function", e)
					}
				case *ast.GoStmt:
					// A kit's own, and a program's, which nobody calls.
					if !strings.Contains(p.ImportPath, "storagetest") &&
						!strings.HasSuffix(p.ImportPath, "internal/protections") {
						t.Errorf("%s starts a goroutine", e)
					}
				}
				return true
			})
		}
	}
}
