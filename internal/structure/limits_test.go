package structure_test

import (
	"bytes"
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
)

// The limits are goals. A change that needs more wants another structure, or a decision record
// under docs/decisions that says why.
const (
	maxFuncLines  = 60
	maxComplexity = 15
	maxFileLines  = 400
	maxColumns    = 100
	tabWidth      = 4
)

// longTestFiles are test files of more than maxFileLines, with the reason. None may grow in
// number: a file that is short again leaves the list.
var longTestFiles = map[string]string{
	"internal/integration/linearizability/model_test.go": "one model, read as a whole",
	"internal/integration/mail/smtp_test.go":             "one server, and what it does to mails",
	"mfa/authority_cases_test.go":                        "one table",
	"storage/storagetest/adapters_test.go":               "the broken adapters, in one place",
}

// isLibrary reports whether a file is one that applications import.
func isLibrary(path string) bool {
	return !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "examples/") &&
		!strings.HasPrefix(path, "internal/integration/") && !strings.HasPrefix(path, "tools/") &&
		!strings.HasPrefix(path, "scripts/")
}

// What no test runs is read by people: the code of every module, the examples included.
func TestFunctions_AreShortAndSimple(t *testing.T) {
	checked := make(map[string]int)
	for path, file := range syntax(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		root, _, _ := strings.Cut(path, "/")
		for _, f := range functions(file) {
			checked[root]++
			if f.lines > maxFuncLines || f.complexity > maxComplexity {
				t.Errorf("%s: %s has %d lines, at most %d, and complexity %d, at most %d: "+
					"split it by what it decides", path, f.name, f.lines, maxFuncLines,
					f.complexity, maxComplexity)
			}
		}
	}
	for _, root := range []string{"cmd", "examples", "internal", "mfa", "passkey", "portal",
		"sso"} {
		require.Greater(t, checked[root], 20, "%s is not checked", root)
	}
}

type function struct {
	name              string
	lines, complexity int
}

func functions(file *ast.File) (list []function) {
	add := func(name string, node ast.Node) {
		first, last := positions.Position(node.Pos()).Line, positions.Position(node.End()).Line
		list = append(list, function{name, last - first + 1, complexity(node)})
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Name.Name, d)
		case *ast.GenDecl: // a variable may hold a function
			ast.Inspect(d, func(node ast.Node) bool {
				literal, ok := node.(*ast.FuncLit)
				if ok {
					add("a function literal", literal)
				}
				return !ok
			})
		}
	}
	return list
}

func TestFunctions_CountsLinesAndBranches(t *testing.T) {
	code := `package p

func a() {
	if b || c {
		for range d {
		}
	}
	do(func() { select { case <-e: default: } })
}

var f, g = func() { switch { case h: case i && j: default: } }, func() {
}

func outside()
`
	require.Equal(t, []function{{"a", 7, 5}, {"a function literal", 1, 4},
		{"a function literal", 2, 1}, {"outside", 1, 1}}, functions(parsed(t, code)))
}

// complexity is McCabe's: one, and one more for each branch, each case and each && and ||.
func complexity(fn ast.Node) int {
	n := 1
	ast.Inspect(fn, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
			n++
		case *ast.CaseClause:
			if node.List != nil {
				n++
			}
		case *ast.CommClause:
			if node.Comm != nil {
				n++
			}
		case *ast.BinaryExpr:
			if node.Op == token.LAND || node.Op == token.LOR {
				n++
			}
		}
		return true
	})
	return n
}

func TestFiles_AreShort(t *testing.T) {
	for path, code := range goFiles(t) {
		lines := bytes.Count(code, []byte("\n"))
		_, excepted := longTestFiles[path]
		switch {
		case lines > maxFileLines && !excepted:
			t.Errorf("%s has %d lines, at most %d: split it by subject", path, lines, maxFileLines)
		case lines <= maxFileLines && excepted:
			t.Errorf("%s has %d lines: take it off the list", path, lines)
		}
	}
	for path := range longTestFiles {
		require.True(t, strings.HasSuffix(path, "_test.go"), "%s is no test", path)
	}
}

func TestLines_FitIntoTheColumns(t *testing.T) {
	brief.SkipOneGoroutine(t)
	for path, code := range goFiles(t) {
		for _, n := range longLines(code) {
			t.Errorf("%s:%d has more than %d columns", path, n, maxColumns)
		}
	}
}

func TestLongLines_LeavesOutWhatCannotBeWrapped(t *testing.T) {
	long := strings.Repeat("x", 120)
	code := "package p\n\n" +
		"var a = \"" + long + "\"\n" + // a literal that is long by itself
		"var b = `\n" + long + "\n`\n" +
		"type c struct {\n\tD int `json:\"" + long + "\"`\n}\n" +
		"var " + long + " = 1\n" +
		"var e = f(\"short\", " + strings.Repeat("1, ", 40) + "1)\n" +
		"// " + long + "\n" +
		"//go:generate " + long + "\n" +
		strings.Repeat("\t", 22) + "var g = 3 // 88 columns, and this\n"
	require.Equal(t, []int{10, 11, 12, 14}, longLines([]byte(code)))
	require.Empty(t, longLines([]byte(strings.Repeat("é", maxColumns))), "runes, not bytes")
}

// longLines returns the numbers of the lines over maxColumns. A line is left out if a raw
// string, a struct tag or a literal of more than half the columns makes it long, and a
// directive: these cannot be wrapped, or would be harder to find.
func longLines(code []byte) (numbers []int) {
	unwrappable := literalLines(code)
	for i, line := range strings.Split(string(code), "\n") {
		columns := len([]rune(line)) + (tabWidth-1)*strings.Count(line, "\t")
		if columns > maxColumns && !slices.Contains(unwrappable, i+1) &&
			!strings.HasPrefix(line, "//go:") && !strings.Contains(line, "//nolint:") {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// literalLines returns the numbers of the lines that hold a raw string or a long literal.
func literalLines(code []byte) (numbers []int) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(code))
	s.Init(file, code, func(token.Position, string) {}, 0)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return numbers
		}
		if tok != token.STRING || lit[0] != '`' && len(lit) <= maxColumns/2 {
			continue
		}
		first := file.Line(pos)
		for n := range strings.Count(lit, "\n") + 1 {
			numbers = append(numbers, first+n)
		}
	}
}
