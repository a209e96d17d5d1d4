package structure_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// waitsForReal are the test files of the root module that wait by the real clock, with the reason.
var waitsForReal = map[string]string{
	"email/smtp/server_test.go":      "the end of a real connection",
	"internal/testrun/lanes_test.go": "programs that hang",
}

// rootModule reports whether a file belongs to the root module.
func rootModule(path string) bool {
	for _, dir := range []string{"examples/", "internal/integration/", "passkey/", "portal/",
		"sso/", "tools/"} {
		if strings.HasPrefix(path, dir) {
			return false
		}
	}
	return true
}

// A test that waits does so in a bubble of testing/synctest, in which the time passes at once.
func TestTests_WaitInBubbles(t *testing.T) {
	waiting := map[string]bool{"Sleep": true, "After": true, "NewTimer": true, "NewTicker": true,
		"Tick": true, "Eventually": true}
	found := map[string]bool{}
	for path, file := range syntax(t) {
		if !strings.HasSuffix(path, "_test.go") || !rootModule(path) {
			continue
		}
		if slices.ContainsFunc(file.Imports, func(s *ast.ImportSpec) bool {
			return s.Path.Value == `"testing/synctest"`
		}) {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok || !waiting[s.Sel.Name] {
				return true
			}
			pkg, ok := s.X.(*ast.Ident)
			if ok && (pkg.Name == "time" || pkg.Name == "require" || pkg.Name == "assert") {
				if found[path] = true; waitsForReal[path] == "" {
					t.Errorf("%s: %s waits by the real clock", path, s.Sel.Name)
				}
			}
			return true
		})
	}
	for path := range waitsForReal {
		if !found[path] {
			t.Errorf("%s does not wait any more", path)
		}
	}
}
