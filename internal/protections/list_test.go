package main

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The list keeps up with the code: each edit can be made and compiles, and each test is there.
func TestList_KeepsUpWithTheCode(t *testing.T) {
	all, err := list()
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	c := newChecker(t)
	seen := make(map[protection]bool)
	for _, p := range all {
		edit := protection{file: p.file, old: p.old, new: p.new}
		require.False(t, seen[edit], "%s is there twice", p)
		seen[edit] = true
		if err := c.applies(p); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if !c.hasTest(p.dir, p.test) {
			t.Errorf("%s: it is no test of %s", p, p.dir)
		}
	}
}

// checker compiles packages with one file changed.
type checker struct {
	*testing.T
	fset    *token.FileSet
	imports types.Importer
	files   map[string][]*ast.File // by directory, then what file each is
	names   map[string][]string
	tests   map[string]bool
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps",
		"-f", "{{.ImportPath}} {{.Export}}", "./...", "./passkey/...", "./portal/...", "./sso/...",
		"./storage/dynamostore", "./storage/etcdstore", "./storage/mongostore",
		"./storage/natsstore", "./cmd/secondgate")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	exports := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	fset := token.NewFileSet()
	return &checker{T: t, fset: fset, files: make(map[string][]*ast.File),
		names: make(map[string][]string), tests: make(map[string]bool),
		imports: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
			return os.Open(exports[path])
		})}
}

// load parses the files of a directory once.
func (c *checker) load(dir string) {
	c.Helper()
	if c.files[dir] != nil {
		return
	}
	names, err := filepath.Glob(filepath.Join("../..", dir, "*.go"))
	require.NoError(c, err)
	for _, name := range names {
		fits, err := build.Default.MatchFile(filepath.Dir(name), filepath.Base(name))
		require.NoError(c, err)
		if !fits { // it is for another system
			continue
		}
		f, err := parser.ParseFile(c.fset, name, nil, parser.SkipObjectResolution)
		require.NoError(c, err)
		if !strings.HasSuffix(name, "_test.go") {
			c.files[dir] = append(c.files[dir], f)
			c.names[dir] = append(c.names[dir], filepath.Base(name))
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				c.tests[dir+" "+fn.Name.Name] = true
			}
		}
	}
}

func (c *checker) hasTest(dir, name string) bool {
	c.Helper()
	c.load(dir)
	return c.tests[dir+" "+name]
}

// applies says whether the protection can be taken out, so that the rest still compiles.
func (c *checker) applies(p protection) error {
	c.Helper()
	code, err := os.ReadFile(filepath.Join("../..", p.file))
	if err != nil {
		return err
	}
	changed, err := p.without(string(code))
	if err != nil {
		return err
	}
	return c.compile(p.file, changed)
}

// compile checks the types of a package in which a file has other code.
func (c *checker) compile(file, code string) error {
	c.Helper()
	dir := filepath.ToSlash(filepath.Dir(file))
	c.load(dir)
	changed, err := parser.ParseFile(c.fset, file, code, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	files := []*ast.File{changed}
	for i, f := range c.files[dir] {
		if c.names[dir][i] != filepath.Base(file) {
			files = append(files, f)
		}
	}
	conf := types.Config{Importer: c.imports}
	_, err = conf.Check("github.com/secondgate/secondgate/"+dir, c.fset, files, nil)
	return err
}

func TestParse_RefusesWhatChangesNothing(t *testing.T) {
	p, err := parse("# claim\na/b.go a TestX\n-old\n-lines\n+new")
	require.NoError(t, err)
	require.Equal(t, protection{"claim", "a/b.go", "a", "TestX", "old\nlines", "new"}, p)
	_, err = parse("# claim")
	require.Error(t, err)
	_, err = parse("# claim\na/b.go TestX\n-a")
	require.Error(t, err)
	for _, edit := range []string{"+a", "-a\n+a", "-a\n+b\n-c", "a"} {
		block := "# claim\na/b.go a TestX\n" + edit
		_, err := parse(block)
		require.Error(t, err, "%q", block)
	}
	_, err = p.without(strings.Repeat(p.old, 2))
	require.ErrorContains(t, err, "2 times")
}

func TestWithout_IgnoresLineBreaks(t *testing.T) {
	p := protection{file: "a.go", old: "\tif a(b, c) && d {", new: "\tif false {"}
	for _, code := range []string{"x()\n\tif a(b, c) && d {\n", "x()\n\tif a(b, c) &&\n\t\td {\n",
		"x()\n\tif a(\n\t\tb,\n\t\tc,\n\t) && d {\n"} {
		without, err := p.without(code)
		require.NoError(t, err)
		require.Equal(t, "x()\n\tif false {\n", without)
	}
}
