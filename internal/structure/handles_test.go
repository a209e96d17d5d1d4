package structure_test

import (
	"fmt"
	"go/ast"
	"testing"

	"github.com/stretchr/testify/require"
)

// A package beside mfa takes the Manager's handles, which do their own checks: a grant comes with
// its mfa.Session, and an actor comes as an mfa.Admin. Parts (a user, a session ID, a grant) can
// be of different users, and a hook that compares them can be wrong.
func TestExportedFunctions_TakeHandlesNotTheirParts(t *testing.T) {
	sources := importable(t)
	for _, dir := range []string{"sso", "password", "mfahttp"} {
		require.Contains(t, sources, dir)
	}
	for dir, found := range sources {
		if dir == "mfa" {
			continue
		}
		for _, at := range parts(found) {
			t.Errorf("%s takes parts of a handle of package mfa", at)
		}
	}
}

// parts returns where the exported names of a package have parameters or exported fields of the
// types mfa.Grant without mfa.Session, or mfa.Actor.
func parts(files []*ast.File) (found []string) {
	look := func(name string, in ast.Node) {
		ast.Inspect(in, func(n ast.Node) bool {
			var list *ast.FieldList
			params := false
			switch n := n.(type) {
			case *ast.FuncType:
				list, params = n.Params, true
			case *ast.StructType:
				list = n.Fields
			default:
				return true
			}
			types := map[string]bool{}
			for _, f := range list.List {
				if params || len(f.Names) == 0 || f.Names[0].IsExported() {
					types[ofMFA(f.Type)] = true
				}
			}
			if types["Grant"] && !types["Session"] || types["Actor"] {
				found = append(found, fmt.Sprintf("%s: %s", positions.Position(n.Pos()), name))
			}
			return true
		})
	}
	for _, f := range files {
		for _, d := range f.Decls {
			exportedTypes(d, look)
		}
	}
	return found
}

// ofMFA returns the name of a type of package mfa, or "".
func ofMFA(of ast.Expr) string {
	if s, ok := of.(*ast.StarExpr); ok {
		of = s.X
	}
	s, ok := of.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if p, ok := s.X.(*ast.Ident); ok && p.Name == "mfa" {
		return s.Sel.Name
	}
	return ""
}

func TestParts_FindsWhatIsPlanted(t *testing.T) {
	for text, want := range map[string]bool{
		"func F(u mfa.User, g mfa.Grant, id string) {}":                       true,
		"func F(g mfa.Grant) {}":                                              true,
		"func F(a mfa.Actor, about mfa.User) {}":                              true,
		"type Config struct{ Check func(u mfa.User, g mfa.Grant) error }":     true,
		"type Request struct{ User mfa.User; Grant mfa.Grant }":               true,
		"type Request struct{ By mfa.Actor; Reason string }":                  true,
		"type Checker interface{ Check(u mfa.User, g *mfa.Grant) error }":     true,
		"func F(s mfa.Session, g mfa.Grant) {}":                               false,
		"func F(a mfa.Admin, about mfa.User) {}":                              false,
		"type Hooks struct{ Session func() (mfa.Session, mfa.Grant, error) }": false,
		"type Request struct{ Session mfa.Session; Grant mfa.Grant }":         false,
		"func F() mfa.Actor { return mfa.Actor{} }":                           false,
		"func f(g mfa.Grant) {}":                                              false,
	} {
		f := parsed(t, "package x\n"+text)
		require.Equal(t, want, len(parts([]*ast.File{f})) > 0, text)
	}
}
