// Package routes lists the HTTP routes that the source of a package registers, for tests that
// say of every one what it has to prove.
package routes

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Of returns the patterns that the package in dir registers, as its source writes them without
// quotes: "POST /login", or "POST ssoPath{provider}/link" for a pattern that has a constant in
// it. A route is a call of one of the functions named whose first argument is no plain variable.
// Test files are left out.
func Of(dir string, register ...string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, f := range files {
		name := f.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, 0)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || !slices.Contains(register, called(call)) {
				return true
			}
			if _, plain := call.Args[0].(*ast.Ident); plain {
				return true // a wrapper, whose callers are found
			}
			list = append(list, source(fset, call.Args[0]))
			return true
		})
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("routes: %s registers nothing by %v", dir, register)
	}
	slices.Sort(list)
	return list, nil
}

// called is the name of the function or method that is called.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func source(fset *token.FileSet, e ast.Expr) string {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		return source(fset, sum.X) + source(fset, sum.Y)
	}
	var b bytes.Buffer
	if err := printer.Fprint(&b, fset, e); err != nil {
		return err.Error()
	}
	return strings.Trim(b.String(), "\"`")
}
