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
	"strconv"
	"strings"
)

const module = "github.com/secondgate/secondgate/"

// switches is what the mutants of a package call.
//
//go:embed switches.go.txt
var switches string

// source is a package as the go command lists it.
type source struct {
	ImportPath, Name, Dir, Export string
	GoFiles                       []string
}

// list returns the package and, under their paths, what it depends on.
func list(ctx context.Context, pkg string) (p source, deps map[string]source, err error) {
	out, err := command(ctx, "go", "list", "-export", "-deps",
		"-json=ImportPath,Name,Dir,Export,GoFiles", module+pkg)
	if err != nil {
		return p, nil, err
	}
	deps = make(map[string]source)
	for dec := json.NewDecoder(strings.NewReader(out)); ; {
		var d source
		if err := dec.Decode(&d); errors.Is(err, io.EOF) {
			return deps[module+pkg], deps, nil
		} else if err != nil {
			return p, nil, err
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
	overlay string // the file that has the go command compile them
}

// instrument writes the files of a package that match a pattern, with all their mutants, into a
// directory.
func instrument(ctx context.Context, pkg, pattern, dir string) (*instrumented, error) {
	p, deps, err := list(ctx, pkg)
	if err != nil {
		return nil, err
	}
	files, err := p.files(pkg, deps)
	if err != nil {
		return nil, err
	}
	all := &instrumented{overlay: filepath.Join(dir, "overlay.json")}
	replace := make(map[string]string)
	write := func(name, text string) error {
		replace[filepath.Join(p.Dir, name)] = filepath.Join(dir, name)
		return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
	}
	for _, f := range files {
		name := filepath.Base(f.name)
		if ok, err := filepath.Match(pattern, name); err != nil || !ok {
			continue
		}
		f.first = 1 + len(all.mutants)
		if err := write(name, f.instrument()); err != nil {
			return nil, err
		}
		all.mutants = append(all.mutants, f.mutants...)
	}
	named := strings.NewReplacer("PACKAGE", p.Name, "COUNT", strconv.Itoa(len(all.mutants)))
	if err := write("mutant_switches.go", named.Replace(switches)); err != nil {
		return nil, err
	}
	distinguish(all.mutants)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return all, os.WriteFile(all.overlay, overlay, 0o600)
}

// files parses the files of a package and finds the type of each expression.
func (p source) files(pkg string, deps map[string]source) (files []*file, err error) {
	fset := token.NewFileSet()
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
	export := func(path string) (io.ReadCloser, error) { return os.Open(deps[path].Export) }
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", export)}
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
