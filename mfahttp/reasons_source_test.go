package mfahttp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notServed are directories whose reasons the Handler does not return.
var notServed = map[string]string{
	"password": "the application's own routes verify and change passwords",
	"examples": "an application has reasons of its own",
}

// reasonsInSource returns each reason that the source of the repository gives a factor.Problem,
// with the place. A reason that is neither a literal nor an argument of the function around it
// fails the test, because nobody could list it.
func reasonsInSource(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name := d.Name()
		if rel, _ := filepath.Rel("..", path); notServed[rel] != "" || name == "testdata" ||
			name == "node_modules" || len(name) > 1 && name[0] == '.' && name != ".." {
			return fs.SkipDir
		}
		reasonsInPackage(t, path, found)
		return nil
	})
	require.NoError(t, err)
	return found
}

func reasonsInPackage(t *testing.T, dir string, found map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	p := &sourcePackage{t: t, fset: token.NewFileSet(), found: found}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(p.fset, name, nil, 0)
		require.NoError(t, err)
		p.files = append(p.files, f)
	}
	for _, f := range p.files {
		for _, d := range f.Decls {
			fn, _ := d.(*ast.FuncDecl)
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if isProblem(n.Type) {
						p.reason(fn, reasonOf(n))
					}
				case *ast.AssignStmt:
					p.assigned(fn, n)
				}
				return true
			})
		}
	}
}

type sourcePackage struct {
	t     *testing.T
	fset  *token.FileSet
	files []*ast.File
	found map[string]string
}

func isProblem(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.Ident:
		return typ.Name == "Problem"
	case *ast.SelectorExpr:
		x, ok := typ.X.(*ast.Ident)
		return ok && x.Name == "factor" && typ.Sel.Name == "Problem"
	}
	return false
}

// reasonOf returns the expression of the member Reason.
func reasonOf(lit *ast.CompositeLit) ast.Expr {
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Reason" {
				return kv.Value
			}
		}
	}
	return nil
}

// reason notes the reason of an expression within fn.
func (p *sourcePackage) reason(fn *ast.FuncDecl, e ast.Expr) {
	p.t.Helper()
	if text, ok := literal(e); ok {
		p.found[text] = p.at(e)
		return
	}
	for {
		b, ok := e.(*ast.BinaryExpr) // reason + "_" + n, which numbers it
		if !ok {
			break
		}
		e = b.X
	}
	param, ok := e.(*ast.Ident)
	require.True(p.t, ok && fn != nil, "%s: a reason is a literal", p.at(e))
	index := parameter(fn, param.Name)
	require.GreaterOrEqual(p.t, index, 0, "%s: %s is no parameter", p.at(e), param.Name)
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); ok && name.Name == fn.Name.Name {
				text, ok := literal(call.Args[index])
				require.True(p.t, ok, "%s: a reason is a literal", p.at(call))
				p.found[text] = p.at(call)
			}
			return true
		})
	}
}

// assigned notes a reason that fn gives later to a Problem, or to the Handler's problem.
func (p *sourcePackage) assigned(fn *ast.FuncDecl, a *ast.AssignStmt) {
	p.t.Helper()
	for i, left := range a.Lhs {
		s, ok := left.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Reason" || i >= len(a.Rhs) {
			continue
		}
		x, ok := s.X.(*ast.Ident)
		if text, literal := literal(a.Rhs[i]); ok && literal && holdsProblem(fn, x.Name) {
			p.found[text] = p.at(a)
		}
	}
}

// holdsProblem reports whether a variable of fn is a Problem, or its parameter a *problem.
func holdsProblem(fn *ast.FuncDecl, name string) (found bool) {
	for _, field := range fn.Type.Params.List {
		star, ok := field.Type.(*ast.StarExpr)
		if !ok {
			continue
		}
		typ, ok := star.X.(*ast.Ident)
		found = found || ok && typ.Name == "problem" && slices.ContainsFunc(field.Names,
			func(n *ast.Ident) bool { return n.Name == name })
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
			return true
		}
		x, named := a.Lhs[0].(*ast.Ident)
		and, pointer := a.Rhs[0].(*ast.UnaryExpr)
		if named && pointer && x.Name == name {
			lit, ok := and.X.(*ast.CompositeLit)
			found = found || ok && isProblem(lit.Type)
		}
		return true
	})
	return found
}

func parameter(fn *ast.FuncDecl, name string) int {
	i := 0
	for _, field := range fn.Type.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				return i
			}
			i++
		}
	}
	return -1
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func (p *sourcePackage) at(n ast.Node) string { return p.fset.Position(n.Pos()).String() }
