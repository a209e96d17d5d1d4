package structure_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A caller who swaps two adjacent strings compiles: a session ID passes as a tenant, a key as its
// value. One of the two has a type of its own, or a struct names both.
func TestExportedFunctions_TakeNoTwoAdjacentStrings(t *testing.T) {
	sources := importable(t)
	several := []string{"mfa", "mfahttp", "examples/customstore", "passkey", "portal", "sso"}
	for _, dir := range several {
		require.Contains(t, sources, dir)
	}
	for _, found := range sources {
		for _, at := range swappable(found) {
			t.Errorf("%s takes two adjacent strings", at)
		}
	}
}

// importable returns the packages of all modules that other modules can import, by directory.
func importable(t *testing.T) map[string][]*ast.File {
	t.Helper()
	list := make(map[string][]*ast.File)
	for name, f := range syntax(t) {
		dir := path.Dir(name)
		hidden := slices.ContainsFunc(strings.Split(dir, "/"), func(part string) bool {
			return part != "." && strings.HasPrefix(part, ".") || strings.HasPrefix(part, "_") ||
				slices.Contains([]string{"internal", "testdata", "vendor", "node_modules"}, part)
		})
		if !hidden && !strings.HasSuffix(name, "_test.go") && f.Name.Name != "main" {
			list[dir] = append(list[dir], f)
		}
	}
	return list
}

// swappable returns where the exported names of a package have a function type, however deep,
// with two adjacent parameters of type string.
func swappable(files []*ast.File) (found []string) {
	plain := plainStrings(files)
	var look func(name string, in ast.Node)
	look = func(name string, in ast.Node) {
		ast.Inspect(in, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field: // unexported fields and methods are nobody else's
				return len(n.Names) == 0 || slices.ContainsFunc(n.Names, (*ast.Ident).IsExported)
			case *ast.FuncType:
				if adjacent(n, plain) {
					found = append(found, fmt.Sprintf("%s: %s", positions.Position(n.Pos()), name))
				}
				parameters(n, func(of ast.Expr) { look(name, of) })
				return false
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

// exportedTypes calls look with each exported name of a declaration and what has its types.
func exportedTypes(d ast.Decl, look func(name string, in ast.Node)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() {
			look(d.Name.Name, d.Type)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					look(s.Name.Name, s.Type)
				}
			case *ast.ValueSpec:
				i := slices.IndexFunc(s.Names, (*ast.Ident).IsExported)
				if i >= 0 && s.Type != nil {
					look(s.Names[i].Name, s.Type)
				}
				if i >= 0 && i < len(s.Values) {
					if f, ok := s.Values[i].(*ast.FuncLit); ok {
						look(s.Names[i].Name, f.Type)
					}
				}
			}
		}
	}
}

// parameters calls look with the types of the parameters and the results of a function.
func parameters(f *ast.FuncType, look func(ast.Expr)) {
	for _, list := range []*ast.FieldList{f.Params, f.Results} {
		if list == nil {
			continue
		}
		for _, p := range list.List {
			look(p.Type)
		}
	}
}

// plainStrings are the names of a package for the type string itself.
func plainStrings(files []*ast.File) map[string]bool {
	plain := map[string]bool{"string": true}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && s.Assign.IsValid() {
					if of, ok := s.Type.(*ast.Ident); ok && of.Name == "string" {
						plain[s.Name.Name] = true
					}
				}
			}
		}
	}
	return plain
}

func adjacent(f *ast.FuncType, plain map[string]bool) bool {
	before := false
	for _, p := range f.Params.List {
		of := p.Type
		if more, ok := of.(*ast.Ellipsis); ok {
			of = more.Elt
		}
		id, ok := ast.Unparen(of).(*ast.Ident)
		isString := ok && plain[id.Name]
		if isString && (before || len(p.Names) > 1) {
			return true
		}
		before = isString
	}
	return false
}

func TestSwappable_FindsWhatIsPlanted(t *testing.T) {
	for text, want := range map[string]bool{
		"func F(key, old string) {}":                                   true,
		"func F(key string, old string) {}":                            true,
		"func F(n int, key string, old (string), next []byte) {}":      true,
		"func F(key string, more ...string) {}":                        true,
		"func (s *Store) Swap(key, old string) {}":                     true,
		"func F(parse func(number, region string) error) {}":           true,
		"func F() func(number, region string) error { return nil }":    true,
		"type Parse func(number, region string) error":                 true,
		"type Config struct{ Parse func(string, string) error }":       true,
		"type Config struct{ On map[string]func(a, b string) }":        true,
		"type Config struct{ Sub struct{ Parse func(a, b string) } }":  true,
		"type Store interface{ Delete(key, old string) error }":        true,
		"var Parse func(number, region string) error":                  true,
		"var Parse = func(number, region string) error { return nil }": true,
		"type text = string; func F(key text, old string) {}":          true,

		"func F(key string, old Revision) {}":                       false,
		"func F(key string, n int, old string) {}":                  false,
		"func F(keys []string, old string) {}":                      false,
		"func F() (key, old string) { return }":                     false,
		"func f(key, old string) {}":                                false,
		"type Config struct{ parse func(a, b string) error }":       false,
		"type Store interface{ delete(key, old string) error }":     false,
		"type Scope struct{ Tenant, UserType string }":              false,
		"var parse func(number, region string) error":               false,
		"type Revision string; func F(key string, old Revision) {}": false,
	} {
		f := parsed(t, "package x\n"+text)
		require.Equal(t, want, len(swappable([]*ast.File{f})) > 0, text)
	}
}
