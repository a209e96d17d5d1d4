package structure_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// An exported name's comment begins with the name and says what it does: "Send sends …", and
// not "Send: …". CONTRIBUTING.md describes the style.
func TestDocComments_BeginWithTheName(t *testing.T) {
	checked := 0
	for path, file := range syntax(t) {
		if !isLibrary(path) && !isExample(path) || strings.HasPrefix(path, "internal/") ||
			strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range docComments(file) {
			checked++
			if problem := d.problem(); problem != "" {
				t.Errorf("%s:%d: the comment of %s %s", path, d.line, d.name, problem)
			}
		}
	}
	require.Greater(t, checked, 500)
}

// isExample reports whether a file belongs to the examples, which applications copy from.
func isExample(path string) bool { return strings.HasPrefix(path, "examples/") }

func TestDocComments_FindsWhatIsNotOne(t *testing.T) {
	code := `package p

// A: the colon form.
const A = 1

// Something else.
func B() {}

// C does it.
func C() {}

// D is one.
type D struct {
	// F: the colon form.
	F int
	// What G holds may be said in any way.
	G int
}

// Errors of the package.
var (
	// E: the colon form.
	E = 1
	// H is one.
	H = 2
)

// An unexported type's methods are nobody's to read.
func (x x) M() {}

// i: is not exported.
func i() {}
`
	var found []string
	for _, d := range docComments(parsed(t, code)) {
		if d.problem() != "" {
			found = append(found, d.name)
		}
	}
	require.Equal(t, []string{"A", "B", "D.F", "E"}, found)
}

type docComment struct {
	name, text string
	line       int
	field      bool
}

func (d docComment) problem() string {
	short := d.name[strings.LastIndex(d.name, ".")+1:]
	switch {
	case strings.HasPrefix(d.text, short+":"):
		return fmt.Sprintf("has the colon form: begin with %q and a verb", short)
	case !d.field && !regexp.MustCompile(`^`+short+`\b`).MatchString(d.text):
		return fmt.Sprintf("does not begin with %q", short)
	}
	return ""
}

// docComments returns the comments of the exported names in a file, and of exported fields and
// methods of exported types.
func docComments(file *ast.File) (list []docComment) {
	add := func(name string, doc *ast.CommentGroup, field bool) {
		short := name[strings.LastIndex(name, ".")+1:]
		if doc != nil && token.IsExported(short) && !strings.HasPrefix(doc.Text(), "Deprecated") {
			line := positions.Position(doc.Pos()).Line
			list = append(list, docComment{name, doc.Text(), line, field})
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if receiver := receiverOf(d); receiver == "" || token.IsExported(receiver) {
				add(d.Name.Name, d.Doc, false)
			}
		case *ast.GenDecl:
			addSpecs(d, add)
		}
	}
	return list
}

func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	receiver := d.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.Ident:
			return r.Name
		default:
			return ""
		}
	}
}

// addSpecs adds the comment of a group's single specifications; the group's own may say
// anything.
func addSpecs(d *ast.GenDecl, add func(string, *ast.CommentGroup, bool)) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc
			if !d.Lparen.IsValid() {
				doc = d.Doc
			}
			add(spec.Name.Name, doc, false)
			if fields, ok := spec.Type.(*ast.StructType); ok && spec.Name.IsExported() {
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						add(spec.Name.Name+"."+name.Name, f.Doc, true)
					}
				}
			}
		case *ast.ValueSpec:
			doc := spec.Doc
			if !d.Lparen.IsValid() {
				doc = d.Doc
			}
			add(spec.Names[0].Name, doc, false)
		}
	}
}

// ruledOut are words that nobody searches for, and what to write. A word joins the list in the
// change that removes its last use. The names are regular expressions in which a space is any
// white space.
var ruledOut = []struct{ word, instead string }{
	{"(is|are) good", "is valid"},
	{"(is|are) of", "'s, or belongs to"},
	{"[Aa]nybody", "any user"},
	{"[Ss]omebody", "a user, or an attacker"},
	{"[Ww]hoever", "a user who"},
	{"a stranger's", "a third-party"},
	{"a persons?", "a user"},
	{"costs of", "'s costs"},
	{"everybody", "every user"},
	{"for good", "for ever"},
	{"give[sn]? up|gave up", "cancel, or cancelled"},
	{"good for", "valid for"},
	{"judges?", "verify"},
	{"let go", "ended"},
	{"(for|of|on|to) who (has|have|is|was|loses|knows|makes|signs)", "a user who"},
	{"(is|are) told", "is notified"},
	{"(re-?seal|Re-?seal)(s|ed|ing)?", "re-encrypt"},
	{"right answer", "correct response"},
	{"the binding", "the session ID"},
	{"the persons?", "the user"},
	{"wrong answers?", "failed attempts"},
}

func TestProse_UsesTheFieldsWords(t *testing.T) {
	brief.SkipOneGoroutine(t)
	pattern := func(words ...string) *regexp.Regexp {
		all := strings.ReplaceAll(strings.Join(words, "|"), " ", `\s+`)
		return regexp.MustCompile(`(?i)\b(?:` + all + `)\b`)
	}
	var words []string
	for _, r := range ruledOut {
		words = append(words, r.word)
	}
	anyWord := pattern(words...) // one look at each text, as hardly any has a word
	for path, texts := range proseOf(t) {
		if !anyWord.MatchString(texts) {
			continue
		}
		for _, r := range ruledOut {
			for _, found := range pattern(r.word).FindAllStringIndex(texts, -1) {
				t.Errorf("%s: %q in %q: write %s", path, r.word, around(texts, found[0]), r.instead)
			}
		}
	}
}

func around(text string, at int) string {
	return strings.Join(strings.Fields(text[max(0, at-30):min(len(text), at+40)]), " ")
}

// proseOf returns what people read, by file: the comments of the library, the examples and all
// tests, the texts in the code that is no test, the documents, and the English texts of the pages.
// The texts of tests quote pages and mails. The changelog and the decisions are history.
func proseOf(t *testing.T) map[string]string {
	t.Helper()
	prose := make(map[string]string)
	for path, file := range syntax(t) {
		if !isLibrary(path) && !isExample(path) && !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, c := range file.Comments {
			prose[path] += c.Text() + "\n"
		}
		if !strings.HasSuffix(path, "_test.go") {
			prose[path] += textsOf(file)
		}
	}
	other := strings.Fields(string(run(t, "../..", "git", "ls-files", "*.md",
		"mfahttp/openapi.json", "mfahttp/admin/openapi.json", "examples/nethttp/templates/*.html",
		"internal/texts/files/en.json")))
	for _, path := range other {
		if path == "CHANGELOG.md" || path == "docs/migrating.md" || path == "docs/ui-words.md" ||
			strings.HasPrefix(path, "docs/decisions/") {
			continue // history, and what quotes the words
		}
		b, err := os.ReadFile(filepath.Join("../..", path))
		require.NoError(t, err)
		prose[path] = string(b)
	}
	require.Greater(t, len(prose), 150)
	require.NotEmpty(t, prose["examples/nethttp/app.go"], "the examples are read")
	require.NotEmpty(t, prose["examples/nethttp/api_test.go"], "and their tests")
	require.NotEmpty(t, prose["mfa/verify_test.go"]+prose["mfa/lock_test.go"], "and the library's")
	return prose
}

// textsOf returns the strings of a file that read as text, such as those of errors and mails.
func textsOf(file *ast.File) string {
	var texts strings.Builder
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			text, err := strconv.Unquote(n.Value)
			if n.Kind == token.STRING && err == nil && strings.Contains(text, " ") {
				texts.WriteString(text + "\n")
			}
		}
		return true
	})
	return texts.String()
}

func TestTextsOf_ReadsErrors(t *testing.T) {
	code := "package p\n\nimport \"an import\"\n\nvar e = errors.New(\"p: a person \" " +
		"+\n\t\"who asks\")\n" +
		"var k = \"key\"\n"
	require.Equal(t, "p: a person \nwho asks\n", textsOf(parsed(t, code)))
}
