// Package release prepares a release of the repository's modules. One version is set in every
// go.mod at once, the checksums that follow from it are added, and every module that others
// import is tagged. The command that calls it is scripts/release.sh.
//
// No go.mod has a replace directive: an importer would not inherit it, and the go command
// refuses to install a program whose module has one. In a clone, go.work joins the modules
// instead. Its replace directives name the version that the go.mod files require, because
// that version is not published while it is under development.
package release

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Repository is a checkout of the repository.
type Repository struct {
	dir     string
	root    string // the path of the root module
	modules []*module
}

// module is one module of the repository.
type module struct {
	dir  string // relative to the repository, "." for the root
	path string
	file *modfile.File
}

// Open returns the repository whose root is dir.
func Open(dir string) (*Repository, error) {
	r := &Repository{dir: dir}
	files, err := r.files()
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		if path.Base(name) != "go.mod" {
			continue
		}
		file, err := r.parse(name)
		if err != nil {
			return nil, err
		}
		m := &module{dir: path.Dir(name), path: file.Module.Mod.Path, file: file}
		if m.dir == "." {
			r.root = m.path
		}
		r.modules = append(r.modules, m)
	}
	if r.root == "" {
		return nil, fmt.Errorf("release: %s has no go.mod", dir)
	}
	for _, m := range r.modules {
		if m.path != path.Join(r.root, m.dir) {
			return nil, fmt.Errorf("release: %s/go.mod names the module %s", m.dir, m.path)
		}
	}
	return r, nil
}

func (r *Repository) parse(name string) (*modfile.File, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, text, nil)
}

// files lists what git keeps, with slashes, relative to the root.
func (r *Repository) files() ([]string, error) {
	out, err := r.git("ls-files", "-z")
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(out, func(c rune) bool { return c == 0 }), nil
}

func (r *Repository) git(args ...string) (string, error) {
	return output(r.dir, nil, "git", args...)
}

// output runs a program in dir and returns what it prints.
func output(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("release: %s %s: %w: %s",
			name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// Published lists the directories of the modules that others import.
func (r *Repository) Published() (dirs []string) {
	for _, m := range r.modules {
		if m.published() {
			dirs = append(dirs, m.dir)
		}
	}
	return dirs
}

// published reports whether the module is tagged: all are, but for examples, tests and tools.
func (m *module) published() bool {
	first, _, _ := strings.Cut(m.dir, "/")
	return !slices.Contains([]string{"examples", "internal", "tools"}, first)
}

// tag returns the git tag of a version of the module.
func (m *module) tag(version string) string {
	return path.Join(m.dir, version)
}

// find returns the repository's module with this path, or nil.
func (r *Repository) find(modulePath string) *module {
	for _, m := range r.modules {
		if m.path == modulePath {
			return m
		}
	}
	return nil
}
