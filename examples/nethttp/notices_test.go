package main

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A notice and an explanation that a page shows is a text of every language. A text that is put
// together from parts would be in none.
func TestNotices_AreTextsOfEveryLanguage(t *testing.T) {
	all, err := readWords()
	require.NoError(t, err)
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var shown []ast.Expr
	files := token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			shown = append(shown, notices(n)...)
			return true
		})
	}
	found := 0
	for _, e := range shown {
		english, parts := written(e)
		require.False(t, parts, "%s: use %%s", files.Position(e.Pos()))
		if english != "" {
			require.Contains(t, all["nl"], english, files.Position(e.Pos()))
			found++
		}
	}
	require.Greater(t, found, 12)
}

// notices returns the texts for pages in a node: those that go back with the user, those named so,
// and the explanations of errors.
func notices(n ast.Node) (list []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "back" && len(n.Args) == 4 {
			list = append(list, n.Args[3])
		}
	case *ast.AssignStmt:
		for i, left := range n.Lhs {
			name, ok := left.(*ast.Ident)
			if ok && name.Name == "notice" && len(n.Rhs) == len(n.Lhs) {
				list = append(list, n.Rhs[i])
			}
		}
	case *ast.FuncDecl:
		if strings.HasPrefix(n.Name.Name, "explain") {
			ast.Inspect(n, func(inner ast.Node) bool {
				if r, ok := inner.(*ast.ReturnStmt); ok {
					list = append(list, r.Results[:1]...)
				}
				return true
			})
		}
	}
	return list
}

// written returns the text of literals, and whether something else is added to them.
func written(e ast.Expr) (text string, parts bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return constant.StringVal(constant.MakeFromLiteral(e.Value, e.Kind, 0)), false
	case *ast.BinaryExpr:
		left, more := written(e.X)
		right, others := written(e.Y)
		return left + right, more || others || left == "" || right == ""
	}
	return "", false
}
