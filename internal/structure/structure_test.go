// Package structure_test holds the shape of the repository to what docs/architecture.md
// says: who may import whom, what a module asks of its importers, how much is exported.
package structure_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/secondgate/secondgate"

type pkg struct {
	ImportPath string
	Imports    []string
}

var allPackages shared[[]pkg]

// packages lists those of the root module.
func packages(t *testing.T) []pkg {
	t.Helper()
	return allPackages.get(func() []pkg { return listPackages(t) })
}

func listPackages(t *testing.T) (list []pkg) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(run(t, "../..", "go", "list", "-json=ImportPath,Imports",
		"./...")))
	for dec.More() {
		var p pkg
		require.NoError(t, dec.Decode(&p))
		list = append(list, p)
	}
	require.NotEmpty(t, list)
	return list
}

func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), stderr.String())
	return out
}

// rules say what of ours a package may import. The first that matches holds.
var rules = []struct {
	pkg, why string
	may      []string
}{
	{"secret", "a text knows nothing", nil},
	{"internal/keyed", "a mutex knows nothing", nil},
	{"internal/freeport", "a port knows nothing", nil},
	{"internal/done", "a context knows nothing", nil},
	{"internal/done/", "a context of tests knows nothing", nil},
	{"internal/strictb64", "text knows nothing", nil},
	{"internal/kdf", "a hash knows how it is spelled", []string{"internal/strictb64"}},
	{"internal/typed", "text knows nothing", nil},
	{"internal/papercode", "a code knows how users type it", []string{"internal/typed"}},
	{"internal/mailaddr", "an address knows nothing", nil},
	{"internal/letter", "the form of a mail knows nothing of what it says", nil},
	{"internal/plainname", "a name knows nothing", nil},
	{"internal/client", "a client is a value", nil},
	{"internal/quiet", "an error knows nothing", nil},
	{"internal/texts", "a text knows nothing of who shows it", nil},
	{"internal/texts/", "a check of texts knows them", []string{"internal/texts"}},
	{"internal/sendfail", "an error knows nothing", nil},
	{"internal/sentcode", "codes are made for factors, and read as users type them",
		[]string{"mfa/factor", "secret", "internal/typed"}},
	{"seal", "sealing knows nothing of what it seals", nil},
	{"seal/envelope", "a vault's keys become a keyring",
		[]string{"seal", "secret", "internal/strictb64"}},
	{"internal/transittest", "a stand-in for a vault knows the length of keys", []string{"seal"}},
	{"internal/cloudtest", "a stand-in for a vault makes keys as seal does", []string{"seal"}},
	{"lockout", "counting is arithmetic", nil},
	{"internal/reencrypt", "a walk over records knows stores alone", []string{"storage"}},
	{"storage", "a store needs no knowledge of second factors", []string{"internal/keyed"}},
	{"storage/", "an adapter or its kit knows the contract only",
		[]string{"storage", "storage/internal/", "internal/done", "internal/done/donetest"}},
	{"mfa/brand", "a brand is a value", nil},
	{"mfa/factor",
		"a third-party factor needs this package, and types for what it must not print " +
			"and for how its users see the application", []string{"mfa/brand", "secret"}},
	{"mfa/policy", "policies are values: no store, no Manager", []string{"mfa/factor", "lockout"}},
	{"mfa/report", "results are values, and some of them secret", []string{"secret"}},
	{"mfa/internal/record", "what is stored is a value", []string{"lockout"}},
	{"mfa/internal/authority", "authority looks at what a user has and has proven",
		[]string{"mfa/factor"}},
	{"mfa/internal/token", "what a token says is a value, sealed or not", []string{
		"mfa/internal/record", "mfa/internal/authority", "mfa/factor", "mfa/policy", "seal",
		"internal/strictb64"}},
	{"mfa/internal/decide", "decisions are functions of values: no store, no seal, no Manager",
		[]string{"mfa/internal/record", "mfa/internal/authority", "mfa/internal/token",
			"mfa/factor",
			"mfa/policy", "lockout", "internal/plainname"}},
	{"mfa", "the core imports no factor, no adapter, no HTTP", []string{"mfa/internal/",
		"mfa/brand", "mfa/factor", "mfa/policy", "mfa/report", "secret", "lockout", "seal",
		"storage",
		"internal/keyed", "internal/plainname", "internal/client",
		"internal/quiet", "internal/strictb64"}},
	{"mfahttp", "the pages serve any factor, and log errors that quote nothing",
		[]string{"mfa", "mfa/brand", "mfa/factor", "mfa/policy", "mfa/report", "secret", "mfahttp/",
			"internal/quiet", "internal/qr", "internal/texts", "internal/client", "seal",
			"storage", "internal/strictb64"}},
	{"mfahttp/admin", "administration shows what the Manager has, in the frame of the pages",
		[]string{"mfahttp", "mfa", "mfa/factor", "mfa/policy", "mfa/report", "secret",
			"mfahttp/internal/", "internal/plainname", "internal/quiet"}},
	{"mfahttp/", "templates know nothing of the core but colours",
		[]string{"mfahttp/", "mfa/brand", "js", "internal/texts"}},
	{"js", "scripts know nothing", nil},
	{"mfatest", "for users' tests, of anything that has the interfaces",
		[]string{"mfa", "mfa/factor",
			"secret", "storage"}},
	{"trail", "an audit trail keeps events of the Manager, and knows how databases spell SQL",
		[]string{"mfa", "secret", "storage/sqlstore"}},
	{"importing", "an export becomes requests to the Manager, and no factor",
		[]string{"mfa", "mfa/factor", "mfa/report", "secret"}},
	{"exporting", "what the Manager exports becomes lines, and no factor is known",
		[]string{"mfa", "mfa/report"}},
	{"email/", "a sender serves the factor, and reads addresses as it does",
		[]string{"email", "mfa/factor",
			"secret", "internal/mailaddr", "internal/done"}},
	{"password", "links are records and mails", []string{"mfa", "mfa/brand", "mfa/factor",
		"mfa/policy", "secret", "email", "seal", "storage", "internal/"}},
	{"password/throttle", "limits know passwords by one error", []string{"password", "mfa/factor",
		"secret",
		"seal", "internal/strictb64"}},
	{"sms/", "number parsing serves the factor", []string{"sms", "mfa/factor", "secret",
		"internal/typed", "internal/texts"}},
	{".", "the front door puts the usual set together", []string{"email", "mfa", "mfa/brand",
		"mfa/factor",
		"mfa/policy", "mfahttp", "recovery", "seal", "storage", "totp", "internal/strictb64"}},
	{"", "a factor gets what a third-party factor gets, and our internals",
		[]string{"mfa", "mfa/brand", "mfa/factor", "secret", "internal/"}},
}

// short returns the name of a package without that of the module; "." is the one at its root.
func short(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func TestImports_KeepTheirDirections(t *testing.T) {
	for _, p := range packages(t) {
		name := short(p.ImportPath)
		for _, rule := range rules {
			if name != rule.pkg && !(strings.HasSuffix(rule.pkg, "/") &&
				strings.HasPrefix(name, rule.pkg)) && rule.pkg != "" {
				continue
			}
			for _, imp := range p.Imports {
				ours, ok := strings.CutPrefix(imp, module+"/")
				if !ok {
					continue
				}
				allowed := slices.ContainsFunc(rule.may, func(m string) bool {
					return ours == m || strings.HasSuffix(m, "/") && strings.HasPrefix(ours, m)
				})
				if !allowed {
					t.Errorf("%s imports %s: %s", name, ours, rule.why)
				}
			}
			break
		}
	}
}

// net/http is for what speaks HTTP. Package mfatest has a browser for the tests of applications,
// and internal/cloudtest and internal/transittest are servers for ours.
func TestImports_KeepHTTPOutside(t *testing.T) {
	for _, p := range packages(t) {
		name := short(p.ImportPath)
		speaks := []string{".", "internal/cloudtest", "internal/transittest", "mfahttp",
			"mfahttp/admin", "mfatest", "seal/envelope", "sms"}
		if slices.Contains(p.Imports, "net/http") && !slices.Contains(speaks, name) {
			t.Errorf("%s imports net/http", name)
		}
	}
}

// What our go.mod requires, every importer is given.
func TestModule_DirectRequirements(t *testing.T) {
	allowed := []string{
		"github.com/fxamacker/cbor/v2",
		"github.com/nyaruka/phonenumbers",
		"github.com/pquerna/otp",
		"github.com/skip2/go-qrcode",
		"github.com/stretchr/testify", // tests
		"github.com/wneessen/go-mail",
		"go.uber.org/goleak", // tests
		"golang.org/x/crypto",
		// IDNA, as x/text has no exported one; x/crypto requires the module anyway
		"golang.org/x/net",
		"golang.org/x/text",  // Unicode normalisation, which the standard library lacks
		"pgregory.net/rapid", // tests
	}
	var mod struct {
		Go        string
		Toolchain *struct{ Name string }
		Require   []struct {
			Path     string
			Indirect bool
		}
		Replace []any
	}
	require.NoError(t, json.Unmarshal(run(t, "../..", "go", "mod", "edit", "-json"), &mod))
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	slices.Sort(direct)
	require.Equal(t, allowed, direct)
	require.Equal(t, "1.26.0", mod.Go)
	require.Nil(t, mod.Toolchain)
	require.Empty(t, mod.Replace)
}

// A module that imports the core, three factors and the memory store links no database
// driver, no client and no browser driver, and none is in its module graph.
func TestModule_GivesImportersNoDriver(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.com/throwaway\n\ngo 1.26.0\n\nrequire "+module+
		" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	write("main.go", "package main\n\nimport (\n"+
		"\t_ \""+module+"/email\"\n\t_ \""+module+"/mfa\"\n\t_ \""+module+"/recovery\"\n\t_ \""+
		module+"/storage/memory\"\n\t_ \""+module+"/totp\"\n)\n\nfunc main() {}\n")
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	write("go.sum", string(sum))
	t.Setenv("GOWORK", "off")
	t.Setenv("GOFLAGS", "-mod=mod")
	linked := strings.Fields(string(run(t, dir, "go", "list", "-deps", "-f",
		"{{with .Module}}{{.Path}}{{end}}", ".")))
	slices.Sort(linked)
	linked = slices.Compact(linked)
	for _, l := range linked {
		switch l {
		case "example.com/throwaway", module, "github.com/pquerna/otp",
			"github.com/boombuler/barcode", "github.com/skip2/go-qrcode",
			"github.com/fxamacker/cbor/v2", "github.com/x448/float16", "golang.org/x/crypto",
			"golang.org/x/net",
			"golang.org/x/sys", "golang.org/x/text":
		default:
			t.Errorf("links %s", l)
		}
	}
	graph := string(run(t, dir, "go", "list", "-m", "all"))
	for _, driver := range []string{"sqlite", "pgx", "lib/pq", "go-sql-driver", "redis", "valkey",
		"chromedp", "playwright", "scs"} {
		require.NotContains(t, graph, driver)
	}
}

// Small packages are the ones people love; a new name has to be asked for by someone.
func TestExportedNames_AreFew(t *testing.T) {
	limits := map[string]int{
		".":          8,
		"mfa":        45,
		"mfa/factor": 30,
		"mfa/policy": 20,
	}
	for _, p := range packages(t) {
		name := short(p.ImportPath)
		if strings.HasPrefix(name, "internal/") || strings.Contains(name, "/internal") ||
			p.ImportPath == module {
			continue
		}
		limit := 20
		if l, ok := limits[name]; ok {
			limit = l
		}
		names := exported(t, filepath.Join("../..", name))
		if len(names) > limit {
			t.Errorf("%s exports %d names, at most %d: %v", name, len(names), limit, names)
		}
	}
}

// Every package says what it is for, and every exported name has a comment.
func TestExportedNames_AreDocumented(t *testing.T) {
	for _, p := range packages(t) {
		name := short(p.ImportPath)
		d := parse(t, filepath.Join("../..", name))
		if len(d.Doc) < 60 {
			t.Errorf("%s: the package comment says too little", name)
		}
		undocumented := func(what, text string) {
			if text == "" {
				t.Errorf("%s: %s has no comment", name, what)
			}
		}
		for _, f := range d.Funcs {
			undocumented(f.Name, f.Doc)
		}
		for _, ty := range d.Types {
			undocumented(ty.Name, ty.Doc+groupDoc(ty.Decl))
			for _, f := range append(slices.Clone(ty.Funcs), ty.Methods...) {
				if f.Name != "Error" && f.Name != "Unwrap" { // the interface says it
					undocumented(ty.Name+"."+f.Name, f.Doc)
				}
			}
		}
		for _, v := range append(slices.Clone(d.Consts), d.Vars...) {
			undocumented(strings.Join(v.Names, ", "), v.Doc+groupDoc(v.Decl))
		}
	}
}

// groupDoc is the comments of the single specifications in a group.
func groupDoc(d *ast.GenDecl) (text string) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			text += s.Doc.Text() + s.Comment.Text()
		case *ast.TypeSpec:
			text += s.Doc.Text() + s.Comment.Text()
		}
	}
	return text
}

var parsedPackages = map[string]*doc.Package{}

// parse returns the documentation of the package in a directory.
func parse(t *testing.T, dir string) *doc.Package {
	t.Helper()
	if parsedPackages[dir] == nil {
		parsedPackages[dir] = readPackage(t, dir)
	}
	return parsedPackages[dir]
}

func readPackage(t *testing.T, dir string) *doc.Package {
	t.Helper()
	fset := token.NewFileSet()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		// Package doc changes the syntax, and resolves names in it.
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, f)
	}
	if len(files) == 0 {
		return &doc.Package{Doc: strings.Repeat("a package of tests only; ", 4)}
	}
	d, err := doc.NewFromFiles(fset, files, "x", doc.Mode(0))
	require.NoError(t, err)
	return d
}

func exported(t *testing.T, dir string) (names []string) {
	d := parse(t, dir)
	for _, f := range d.Funcs {
		names = append(names, f.Name)
	}
	for _, ty := range d.Types {
		names = append(names, ty.Name)
		for _, f := range ty.Funcs {
			names = append(names, f.Name)
		}
		for _, v := range append(slices.Clone(ty.Consts), ty.Vars...) {
			names = append(names, v.Names...)
		}
	}
	for _, v := range append(slices.Clone(d.Consts), d.Vars...) {
		names = append(names, v.Names...)
	}
	return slices.DeleteFunc(names, func(n string) bool { return !token.IsExported(n) })
}
