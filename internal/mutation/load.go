package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/secondgate/secondgate/"

// The code that is compiled in beside the mutants: what those of a package call, which one is
// switched on, and what runs the tests of one mutant after the other.
var (
	//go:embed switches.go.txt
	switches string
	//go:embed state.go.txt
	state string
	//go:embed testmain.go.txt
	testMain string
)

// source is a package as the go command lists it.
type source struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
	TestGoFiles, XTestGoFiles     []string
}

// list returns the package and, under their paths, what it depends on.
func list(ctx context.Context, pkg string) (p source, deps map[string]source, err error) {
	deps, err = listAll(ctx, pkg)
	return deps[module+pkg], deps, err
}

// listAll returns several packages and what they depend on, under their paths.
func listAll(ctx context.Context, pkgs ...string) (deps map[string]source, err error) {
	args := []string{"list", "-export", "-deps",
		"-json=ImportPath,Name,Dir,Export,GoFiles,TestGoFiles,XTestGoFiles"}
	for _, pkg := range pkgs {
		args = append(args, module+pkg)
	}
	out, err := command(ctx, "go", args...)
	if err != nil {
		return nil, err
	}
	deps = make(map[string]source)
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var d source
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			return deps, nil
		} else if err != nil {
			return nil, err
		}
		deps[d.ImportPath] = d
	}
}

func command(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, failed.Stderr)
	}
	return string(out), err
}

// instrumented is a package with all its mutants.
type instrumented struct {
	mutants []mutant
	dir     string
	replace map[string]string // what the go command compiles in place of a file
}

// put has the go command compile a text in place of a file, or as a file that there is not.
func (in *instrumented) put(name, text string) error {
	to := filepath.Join(in.dir, fmt.Sprint(len(in.replace))+"-"+filepath.Base(name))
	in.replace[name] = to
	return os.WriteFile(to, []byte(text), 0o600)
}

// overlay writes the file that tells the go command so, and returns its name.
func (in *instrumented) overlay() (string, error) {
	text, err := json.Marshal(map[string]any{"Replace": in.replace})
	name := filepath.Join(in.dir, "overlay.json")
	return name, errors.Join(err, os.WriteFile(name, text, 0o600))
}

// matches reports whether a name matches one of several patterns, which commas separate.
func matches(patterns, name string) bool {
	for pattern := range strings.SplitSeq(patterns, ",") {
		if ok, err := filepath.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}

// instrument writes the files of a package that match one of several patterns, with all their
// mutants, into a directory.
func instrument(ctx context.Context, pkg, patterns, dir string) (*instrumented, error) {
	p, deps, err := list(ctx, pkg)
	if err != nil {
		return nil, err
	}
	files, err := newChecker(deps).files(p, pkg)
	if err != nil {
		return nil, err
	}
	all := &instrumented{dir: dir, replace: make(map[string]string)}
	for _, f := range files {
		name := filepath.Base(f.name)
		if !matches(patterns, name) {
			continue
		}
		f.first = 1 + len(all.mutants)
		if err := all.put(filepath.Join(p.Dir, name), f.instrument()); err != nil {
			return nil, err
		}
		all.mutants = append(all.mutants, f.mutants...)
	}
	distinguish(all.mutants)
	root, _, err := list(ctx, "internal/mutation")
	if err != nil {
		return nil, err
	}
	return all, errors.Join(
		all.put(filepath.Join(root.Dir, "state", "state.go"), state),
		all.put(filepath.Join(p.Dir, "mutant_switches.go"),
			strings.ReplaceAll(switches, "PACKAGE", p.Name)))
}

// main puts a TestMain into the tests of a package, which calls the one that there is.
func (in *instrumented) main(p source) error {
	pkg, run := p.Name+"_test", "panic(m.Run())"
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		name = filepath.Join(p.Dir, name)
		code, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		own := strings.Replace(string(code), "func TestMain(", "func mutantTestMain(", 1)
		if own == string(code) {
			continue
		}
		if slices.Contains(p.TestGoFiles, filepath.Base(name)) {
			pkg = p.Name
		}
		run = "mutantTestMain(m)"
		own = strings.ReplaceAll(own, "os.Exit(", "mutantExit(")
		if err := in.put(name, own+"\nfunc mutantExit(code int) { panic(code) }\n"); err != nil {
			return err
		}
	}
	return in.put(filepath.Join(p.Dir, "mutant_main_test.go"),
		strings.NewReplacer("PACKAGE", pkg, "RUN", run).Replace(testMain))
}

// checker finds the types of packages, for which it reads what they depend on once.
type checker struct {
	fset    *token.FileSet
	imports types.Importer
}

func newChecker(deps map[string]source) checker {
	fset := token.NewFileSet()
	return checker{fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(deps[path].Export)
	})}
}

// files parses the files of a package and finds the type of each expression.
func (c checker) files(p source, pkg string) (files []*file, err error) {
	fset := c.fset
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue),
		Defs: make(map[*ast.Ident]types.Object)}
	var syntax []*ast.File
	for _, name := range p.GoFiles {
		code, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(fset, name, code, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		syntax = append(syntax, parsed)
		files = append(files, &file{name: pkg + "/" + name, code: code, fset: fset, info: info,
			syntax: parsed})
	}
	config := types.Config{Importer: c.imports}
	_, err = config.Check(p.ImportPath, fset, syntax, info)
	return files, err
}

// distinguish numbers the mutants of a function that read alike.
func distinguish(mutants []mutant) {
	seen := make(map[string]int)
	for i := range mutants {
		m := &mutants[i]
		key := m.String()
		if seen[key]++; seen[key] > 1 {
			m.change += fmt.Sprintf(" (%d)", seen[key])
		}
	}
}
