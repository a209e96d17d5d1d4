package structure_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A test that listens to learn a port, and ends that, may find another program there: it takes its
// port from internal/freeport.
func TestTests_ReserveTheirPorts(t *testing.T) {
	for path, code := range goFiles(t) {
		if isLibrary(path) || strings.HasPrefix(path, "examples/") &&
			!strings.HasSuffix(path, "_test.go") || !bytes.Contains(code, []byte("net.Listen(")) {
			continue
		}
		for _, name := range portsLetGo(t, path, code) {
			t.Errorf("%s: %s closes what it listened at", path, name)
		}
	}
}

func TestPortsLetGo_FindsWhatIsPlanted(t *testing.T) {
	require.Equal(t, []string{"a", "b"}, portsLetGo(t, "x.go", []byte(`package x
func a() {
	l, err := net.Listen("tcp", ":0")
	require.NoError(t, l.Close())
}
func b() {
	taken, _ := net.Listen("tcp", ":0")
	defer other.Close()
	_ = taken.Close()
}
func c() {
	l, _ := net.Listen("tcp", ":0")
	defer l.Close()
}
func d() {
	l, _ := net.Listen("tcp", ":0")
	t.Cleanup(func() { _ = l.Close() })
	c, _ := l.Accept()
	c.Close()
}
`)))
}

// portsLetGo returns the functions that close a listener of their own before they end.
func portsLetGo(t *testing.T, path string, code []byte) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, code, 0)
	require.NoError(t, err)
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		listeners, closed := map[string]bool{}, false
		ast.Inspect(fn, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.DeferStmt:
				return false
			case *ast.AssignStmt:
				call, ok := n.Rhs[0].(*ast.CallExpr)
				name, isName := n.Lhs[0].(*ast.Ident)
				if ok && isName && selects(call.Fun, "net", "Listen") {
					listeners[name.Name] = true
				}
			case *ast.CallExpr:
				s, ok := n.Fun.(*ast.SelectorExpr)
				closed = closed || ok && s.Sel.Name == "Close" && isNamed(s.X, listeners)
			}
			return true
		})
		if closed {
			names = append(names, fn.Name.Name)
		}
	}
	return names
}

// selects reports whether an expression is a function of a package.
func selects(of ast.Expr, pkg, name string) bool {
	s, ok := of.(*ast.SelectorExpr)
	return ok && s.Sel.Name == name && isNamed(s.X, map[string]bool{pkg: true})
}

func isNamed(of ast.Expr, names map[string]bool) bool {
	name, ok := of.(*ast.Ident)
	return ok && names[name.Name]
}
