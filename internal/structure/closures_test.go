package structure_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A function that package mfa passes to another one writes no variable of the function around
// it: the update loop runs it again after a conflict, and what the first run wrote would stay.
// docs/decisions/0022-outcomes-are-values.md names the one exception.
func TestClosures_WriteNoVariableOfTheirCaller(t *testing.T) {
	checked := 0
	for path, code := range goFiles(t) {
		dir := filepath.Dir(path)
		if strings.HasSuffix(path, "_test.go") || dir != "mfa" && dir != "mfa/internal/decide" {
			continue
		}
		checked++
		for _, w := range capturedWrites(t, path, code) {
			if w != "swap: last" {
				t.Errorf("%s: %s is written by a function that is passed on", path, w)
			}
		}
	}
	require.Greater(t, checked, 30)
}

func TestClosures_FindsWhatIsWritten(t *testing.T) {
	code := `package p

func a() {
	x, y := 1, struct{ n int }{}
	do(func(z int) { x = z })
	do(func(z int) { y.n++ })
	do(func(z int) { z = 2; w := 3; w++ })
	local := func() { x = 4 }
	local()
}
`
	require.Equal(t, []string{"a: x", "a: y"}, capturedWrites(t, "p.go", []byte(code)))
}

// capturedWrites lists the variables that functions which are arguments of calls write, and that
// are declared in the function around them.
func capturedWrites(t *testing.T, path string, code []byte) (list []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, code, 0)
	require.NoError(t, err)
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for _, arg := range call.Args {
				if lit, ok := arg.(*ast.FuncLit); ok {
					for _, name := range writesOutside(fn, lit) {
						list = append(list, fmt.Sprintf("%s: %s", fn.Name.Name, name))
					}
				}
			}
			return true
		})
	}
	return list
}

// writesOutside returns the variables of fn that lit writes and does not declare.
func writesOutside(fn *ast.FuncDecl, lit *ast.FuncLit) (names []string) {
	note := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.SelectorExpr:
				e = x.X
				continue
			case *ast.IndexExpr:
				e = x.X
				continue
			case *ast.Ident:
				if x.Obj != nil && x.Obj.Pos() >= fn.Pos() && x.Obj.Pos() < fn.End() &&
					(x.Obj.Pos() < lit.Pos() || x.Obj.Pos() >= lit.End()) {
					names = append(names, x.Name)
				}
			}
			return
		}
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				note(left)
			}
		case *ast.IncDecStmt:
			note(s.X)
		}
		return true
	})
	return names
}
