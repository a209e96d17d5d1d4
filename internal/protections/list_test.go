package main

import (
	"errors"
	"go/ast"
	"go/build"
	"go/format"
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
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// The list keeps up with the code: each edit can be made and each test is there. In make test each
// edit compiles as well, for which the go command compiles all modules and what they import.
func TestList_KeepsUpWithTheCode(t *testing.T) {
	brief.SkipOneGoroutine(t)
	all, err := list()
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	c := newChecker(t)
	if os.Getenv("SECONDGATE_FULL") != "" {
		c.readExports()
		t.Logf("counted: %d protections whose removal compiles", len(all))
	}
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
	imports types.Importer          // nil if only the syntax of edits is looked at
	files   map[string][]parsedFile // by directory
	tests   map[string]bool
}

// parsedFile is a file of a package as it is, and its declarations without the code of functions.
type parsedFile struct {
	name         string
	whole, empty *ast.File
}

func newChecker(t *testing.T) *checker {
	return &checker{T: t, fset: token.NewFileSet(), files: make(map[string][]parsedFile),
		tests: make(map[string]bool)}
}

// readExports has the go command compile what the packages import.
func (c *checker) readExports() {
	c.Helper()
	cmd := exec.CommandContext(c.Context(), "go", "list", "-export", "-deps",
		"-f", "{{.ImportPath}} {{.Export}}", "./...", "./passkey/...", "./portal/...", "./sso/...",
		"./storage/dynamostore", "./storage/etcdstore", "./storage/mongostore",
		"./storage/natsstore", "./cmd/secondgate")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(c, err)
	exports := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
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
			c.files[dir] = append(c.files[dir],
				parsedFile{filepath.Base(name), f, emptied(f)})
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

// compile checks the types of a package in which a file has other code, or the syntax of the file
// alone. If the code of functions alone is changed, those of the other files compile as before, and
// are left out.
func (c *checker) compile(file, code string) error {
	c.Helper()
	dir := filepath.ToSlash(filepath.Dir(file))
	c.load(dir)
	changed, err := parser.ParseFile(c.fset, file, code, parser.SkipObjectResolution)
	if err != nil || c.imports == nil {
		return err
	}
	files, others, inside := []*ast.File{changed}, []*ast.File{changed}, false
	for _, f := range c.files[dir] {
		if f.name == filepath.Base(file) {
			inside = c.text(f.empty) == c.text(emptied(changed))
			continue
		}
		files, others = append(files, f.whole), append(others, f.empty)
	}
	if inside {
		files = others
	}
	var problems []error
	conf := types.Config{Importer: c.imports, Error: func(err error) {
		var e types.Error
		unused := errors.As(err, &e) && e.Soft && inside &&
			filepath.Base(c.fset.Position(e.Pos).Filename) != filepath.Base(file)
		if !unused { // by a file without its code
			problems = append(problems, err)
		}
	}}
	_, _ = conf.Check("github.com/secondgate/secondgate/"+dir, c.fset, files, nil)
	return errors.Join(problems...)
}

// emptied returns a file with its functions and methods declared without code, but for generic
// ones, which cannot be.
func emptied(f *ast.File) *ast.File {
	empty := *f
	empty.Decls = slices.Clone(f.Decls)
	for i, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Type.TypeParams == nil && !ofGeneric(fn) {
			declared := *fn
			declared.Body = nil
			empty.Decls[i] = &declared
		}
	}
	return &empty
}

// ofGeneric reports whether a function is a method of a generic type.
func ofGeneric(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return false
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	_, name := of.(*ast.Ident)
	return !name
}

// text returns the code of a file.
func (c *checker) text(f *ast.File) string {
	c.Helper()
	var text strings.Builder
	require.NoError(c, format.Node(&text, c.fset, f))
	return text.String()
}

// failures imports any package, which has an error and nothing else.
type failures struct{}

func (failures) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path)
	p.Scope().Insert(types.NewVar(token.NoPos, p, "Err", types.Universe.Lookup("error").Type()))
	p.MarkComplete()
	return p, nil
}

// The check that leaves out the code of other files finds what the whole check finds.
func TestChecker_FindsWhatDoesNotCompile(t *testing.T) {
	c := newChecker(t)
	c.imports = failures{}
	planted := func(name, code string) parsedFile {
		f, err := parser.ParseFile(c.fset, name, code, parser.SkipObjectResolution)
		require.NoError(t, err)
		return parsedFile{name, f, emptied(f)}
	}
	const code = "package p\n\nimport \"a\"\n\n" +
		"func f(n int) error {\n\tif n > 1 {\n\t\treturn a.Err\n\t}\n" +
		"\treturn g[int](n)\n}\n"
	c.files["p"] = []parsedFile{planted("f.go", code), planted("g.go", "package p\n\n"+
		"import \"b\"\n\nvar h = f(1)\n\nfunc g[T any](T) error { return nil }\n\n"+
		"func i() string { _ = f(2); return b.Err.Error() }\n")}
	for change, problem := range map[string]string{
		"n > 1 with n > 2":                  "",
		"n int with n int64":                "cannot use",
		"f(n int) with f(n int, more bool)": "not enough arguments",
		"n > 1 with m > 1":                  "undefined: m",
		"g[int](n) with i()":                "cannot use i()",
		"a.Err with nil":                    `"a" imported and not used`,
		"return g[int](n) with n++":         "missing return",
		"error { with error {\n\tk := n":    "declared and not used: k",
	} {
		from, to, _ := strings.Cut(change, " with ")
		require.Contains(t, code, from)
		err := c.compile("p/f.go", strings.Replace(code, from, to, 1))
		if problem == "" {
			require.NoError(t, err, change)
		} else {
			require.ErrorContains(t, err, problem, change)
		}
	}
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
