package main

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// source is a package with its tests: for each function, what it calls, and whether it starts a
// goroutine. Methods are known by their name alone, so that a test may seem to call more than it
// does, but no less.
type source struct {
	path   string
	starts map[string]bool
	calls  map[string][]string
	tests  []string
}

// listed returns the packages of all modules with tests, as plan lists them. Tests share one list.
func listed(t *testing.T) []string {
	t.Helper()
	all, err := listOnce()
	require.NoError(t, err)
	return slices.Clone(all)
}

var listOnce = sync.OnceValues(func() ([]string, error) {
	return list(context.Background(), []string{"work"})
})

// sources reads the packages of all modules. Tests share them.
func sources(t *testing.T) []*source {
	t.Helper()
	all, err := sourcesOnce()
	require.NoError(t, err)
	return all
}

var sourcesOnce = sync.OnceValues(readSources)

func readSources() (all []*source, err error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles",
		"work")
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Dir                    string
			GoFiles, TestGoFiles, XTestGoFiles []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		s := &source{path: p.ImportPath, starts: map[string]bool{}, calls: map[string][]string{}}
		all = append(all, s)
		for _, name := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil,
				parser.SkipObjectResolution)
			if err != nil {
				return nil, err
			}
			s.add(f, strings.HasSuffix(name, "_test.go"))
		}
	}
}

func (s *source) add(f *ast.File, test bool) {
	imports := map[string]string{}
	for _, spec := range f.Imports {
		at, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(at)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = at
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name := fn.Name.Name
		if test && fn.Recv == nil && strings.HasPrefix(name, "Test") && name != "TestMain" {
			s.tests = append(s.tests, name)
		}
		s.body(name, fn.Body, imports)
		if of := receiver(fn); of != "" { // for other packages, which name the type
			s.calls["("+of+")"] = append(s.calls["("+of+")"], s.path+"."+name)
		}
	}
}

// receiver returns the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func (s *source) body(name string, body ast.Node, imports map[string]string) {
	other := map[ast.Node]bool{}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			s.starts[name] = true
		case *ast.Ident: // also a function that is passed on
			s.calls[name] = append(s.calls[name], s.path+"."+n.Name)
		case *ast.CallExpr:
			// The kits have Run(t); t.Run(name, f) and cmd.Run() are others.
			f, ok := n.Fun.(*ast.SelectorExpr)
			other[f] = ok && f.Sel.Name == "Run" && len(n.Args) != 1
		case *ast.SelectorExpr:
			if n.Sel.Name == "Go" || n.Sel.Name == "Parallel" {
				s.starts[name] = true
			}
			if x, ok := n.X.(*ast.Ident); ok && imports[x.Name] != "" {
				at := imports[x.Name]
				s.calls[name] = append(s.calls[name], at+"."+n.Sel.Name, at+".("+n.Sel.Name+")")
				return false
			}
			if other[n] {
				ast.Inspect(n.X, visit)
				return false
			}
		}
		return true
	}
	ast.Inspect(body, visit)
}

// parallel returns the tests of each package that start goroutines: themselves, or in a function
// of these modules that they call.
func parallel(t *testing.T) (map[string][]string, map[string][]string) {
	t.Helper()
	all := sources(t)
	starts := map[string]bool{}
	for _, s := range all {
		for name := range s.starts {
			starts[s.path+"."+name] = true
		}
	}
	for name := range joined {
		require.True(t, starts[name], "%s starts no goroutines", name)
		delete(starts, name)
	}
	for more := true; more; {
		more = false
		for _, s := range all {
			for name, calls := range s.calls {
				if at := s.path + "." + name; !starts[at] &&
					slices.ContainsFunc(calls, func(c string) bool { return starts[c] }) {
					starts[at], more = true, true
				}
			}
		}
	}
	found, tests := map[string][]string{}, map[string][]string{}
	for _, s := range all {
		tests[short(s.path)] = s.tests
		for _, name := range s.tests {
			if starts[s.path+"."+name] {
				found[short(s.path)] = append(found[short(s.path)], name)
			}
		}
	}
	return found, tests
}

// A test that has several goroutines runs with the race detector, or its package has a reason.
func TestPlan_RunsTestsWithGoroutinesWithTheRaceDetector(t *testing.T) {
	brief.SkipOneGoroutine(t)
	found, tests := parallel(t)
	require.Contains(t, found["mfa"], "TestVerify_AcceptsOneOfParallelResponses", "of its own")
	require.Contains(t, found["storage/memory"], "TestStore_Conforms", "of the kit")
	require.Contains(t, found["passkey"], "TestFactor_Conforms", "of a method of the kit")
	require.NotContains(t, found, "lockout")
	for p, names := range found {
		listed, race := withRace[p]
		if withoutRace[p] != "" || race && listed == nil {
			continue
		}
		for _, name := range names {
			require.Contains(t, listed, name, "%s: it has goroutines, see race.go", p)
		}
	}
	for p, names := range withRace {
		require.NotEmpty(t, tests[p], p)
		require.NotEmpty(t, found[p], "%s has no goroutines", p)
		require.False(t, names == nil && withoutRace[p] != "", p)
		require.Subset(t, tests[p], names, p)
		for _, name := range names {
			for other, has := range tests {
				own, race := withRace[other]
				if slices.Contains(has, name) && alsoPlain[name] == "" &&
					!slices.Contains(own, name) {
					require.True(t, race && own == nil, "%s %s would not run at all", other, name)
				}
			}
		}
	}
	for p, why := range withoutRace {
		require.NotEmpty(t, tests[p], p)
		require.NotEmpty(t, why, p)
	}
	for _, p := range slow {
		require.NotEmpty(t, tests[p], p)
	}
}

// What go test -race ./... skips as a test of one goroutine starts no other.
func TestPlan_SkipsNoTestWithGoroutines(t *testing.T) {
	found, _ := parallel(t)
	skips := 0
	for _, s := range sources(t) {
		for _, name := range s.tests {
			if slices.Contains(s.calls[name], module+"/internal/brief.SkipOneGoroutine") {
				require.False(t, slices.Contains(found[short(s.path)], name),
					"%s %s has goroutines", short(s.path), name)
				skips++
			}
		}
	}
	require.Positive(t, skips)
}

// Each package with tests runs once as a whole, with the race detector or without, and the named
// tests with goroutines of the others run with it instead. A step takes one pattern for all its
// packages. A long run has every package with it that gains from it.
func TestPlan_RunsEveryPackageOnce(t *testing.T) {
	all := listed(t)
	var race, again, plain, tests, long []string
	for _, p := range all {
		names, listed := withRace[short(p)]
		switch {
		case listed && names == nil:
			race = append(race, p)
		case listed:
			again, tests = append(again, p), append(tests, names...)
			fallthrough
		default:
			plain = append(plain, p)
		}
		if withoutRace[short(p)] == "" {
			long = append(long, p)
		}
	}
	for _, c := range []config{{limit: time.Hour}, {limit: time.Hour, long: true}} {
		lanes := planOf(all, c)
		require.Len(t, lanes, 2)
		got := map[string][]string{}
		var skipped, ran []string
		for _, s := range slices.Concat(lanes...) {
			require.Subset(t, s.env, append(quicker(), "SECONDGATE_FULL=1"))
			require.Equal(t, c.long, slices.Contains(s.env, "SECONDGATE_LONG=1"))
			kind := "plain"
			if slices.Contains(s.args, "-race") {
				kind = "race"
			}
			if i := slices.Index(s.args, "-skip"); i >= 0 {
				require.Equal(t, "plain", kind)
				left := strings.Split(strings.Trim(s.args[i+1], "^()$"), "|")
				skipped = append(skipped, left...)
			}
			if i := slices.Index(s.args, "-run"); i >= 0 {
				kind = "again"
				names := strings.Split(strings.Trim(s.args[i+1], "^()$"), "|")
				require.Subset(t, tests, names)
				ran = names
			}
			for _, arg := range s.args {
				if strings.HasPrefix(arg, module) {
					got[kind] = append(got[kind], arg)
				}
			}
		}
		require.ElementsMatch(t, plain, got["plain"])
		require.NotEmpty(t, skipped)
		require.Subset(t, ran, skipped, "what is left out runs with the race detector")
		if !c.long {
			require.ElementsMatch(t, race, got["race"])
			require.ElementsMatch(t, again, got["again"])
			continue
		}
		require.ElementsMatch(t, long, got["race"])
		require.Subset(t, again, got["again"])
	}
}

// Tests that the race detector would falsify, such as one that counts allocations, run without it.
func TestPlan_RunsWithoutWhatTheRaceDetectorFalsifies(t *testing.T) {
	files := 0
	for _, s := range sources(t) {
		for name, calls := range s.calls {
			if !slices.Contains(calls, s.path+".raceEnabled") {
				continue
			}
			files++
			names, race := withRace[short(s.path)]
			require.False(t, race && names == nil || slices.Contains(names, name), "%s %s", s.path,
				name)
		}
	}
	require.Positive(t, files)
}
