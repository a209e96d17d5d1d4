package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// mutant is one change of the code. It is compiled in, and its number switches it on.
type mutant struct {
	number         int
	file, function string
	line           int
	change         string
}

// String names a mutant without its line, so that a list of mutants survives other changes.
func (m mutant) String() string {
	return fmt.Sprintf("%s %s: %s", m.file, m.function, m.change)
}

// edit inserts text before the byte at an offset, in place of the next bytes.
type edit struct {
	at, cut int
	text    string
	place   int // among the edits of one offset: what ends there, an operator, what begins there
	depth   int // of two edits in one place, the outer one begins first and ends last
}

const (
	endsHere = iota
	operator
	beginsHere
)

// file instruments one file of a package.
type file struct {
	name     string
	code     []byte
	fset     *token.FileSet
	info     *types.Info
	syntax   *ast.File
	function string
	edits    []edit
	mutants  []mutant
	first    int // the number of the file's first mutant
}

// instrument returns the code with all its mutants, each of which a number switches on.
func (f *file) instrument() string {
	ast.PreorderStack(f.syntax, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			f.function = nameOf(n)
		case *ast.BlockStmt:
			f.statements(n.List)
		case *ast.CaseClause:
			f.cases(n, stack)
			f.statements(n.Body)
		case *ast.CommClause:
			f.statements(n.Body)
		case *ast.IfStmt:
			f.condition(n.Cond, true, true)
		case *ast.ForStmt:
			if n.Cond != nil {
				f.condition(n.Cond, false, true)
			}
		case *ast.AssignStmt:
			f.assigned(n)
		case *ast.ReturnStmt:
			f.results(n, stack)
		case *ast.BinaryExpr:
			f.binary(n)
		}
		return true
	})
	return f.apply()
}

func nameOf(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	return fmt.Sprint(t) + "." + d.Name.Name
}

// add notes a mutant and returns its number.
func (f *file) add(n ast.Node, format string, args ...any) int {
	m := mutant{number: f.first + len(f.mutants), file: f.name, function: f.function,
		line: f.fset.Position(n.Pos()).Line, change: fmt.Sprintf(format, args...)}
	f.mutants = append(f.mutants, m)
	return m.number
}

// text is the code of a node on one line.
func (f *file) text(n ast.Node) string {
	code := f.code[f.offset(n.Pos()):f.offset(n.End())]
	line := []rune(strings.Join(strings.Fields(string(code)), " "))
	if len(line) > 70 {
		line = append(line[:69], '…')
	}
	return "`" + string(line) + "`"
}

func (f *file) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *file) wrap(n ast.Node, before, after string) {
	depth := len(f.edits)
	f.edits = append(f.edits, edit{f.offset(n.Pos()), 0, before, beginsHere, depth},
		edit{f.offset(n.End()), 0, after, endsHere, -depth})
}

// statements leaves out one statement after the other, of those that declare nothing and on which
// no other depends to compile.
func (f *file) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || isBlank(s.Lhs) {
				continue
			}
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && fmt.Sprint(call.Fun) == "panic" {
				continue
			}
		case *ast.BranchStmt:
			if s.Tok != token.BREAK && s.Tok != token.CONTINUE {
				continue
			}
		case *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		default:
			continue
		}
		n := f.add(s, "without %s", f.text(s))
		f.wrap(s, fmt.Sprintf("if !mutantIs(%d) { ", n), " }")
	}
}

func isBlank(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool { return fmt.Sprint(e) != "_" })
}

// cases has the conditions of a switch without a tag.
func (f *file) cases(c *ast.CaseClause, stack []ast.Node) {
	if s, ok := stack[len(stack)-2].(*ast.SwitchStmt); ok && s.Tag == nil {
		for _, e := range c.List {
			f.condition(e, true, true)
		}
	}
}

// assigned has the conditions that a statement assigns.
func (f *file) assigned(s *ast.AssignStmt) {
	for _, e := range s.Rhs {
		if b, ok := ast.Unparen(e).(*ast.BinaryExpr); ok && isCondition(b.Op) {
			f.condition(e, true, true)
		}
	}
}

func isCondition(op token.Token) bool {
	switch op {
	case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return true
	}
	return false
}

// condition makes a condition always true or always false, and likewise what it joins: what &&
// joins always true, and what || joins always false. The opposite is that of the whole.
func (f *file) condition(e ast.Expr, always, never bool) {
	e = ast.Unparen(e)
	tv := f.info.Types[e]
	if tv.Value != nil || !types.Identical(types.Default(tv.Type), types.Typ[types.Bool]) {
		return
	}
	if always {
		f.wrap(e, fmt.Sprintf("mutantTrue(%d, ", f.add(e, "%s is true", f.text(e))), ")")
	}
	if never {
		f.wrap(e, fmt.Sprintf("mutantFalse(%d, ", f.add(e, "%s is false", f.text(e))), ")")
	}
	if b, ok := e.(*ast.BinaryExpr); ok && (b.Op == token.LAND || b.Op == token.LOR) {
		f.condition(b.X, b.Op == token.LAND, b.Op == token.LOR)
		f.condition(b.Y, b.Op == token.LAND, b.Op == token.LOR)
	}
}

// results makes what a function returns no error, the opposite, or nothing.
func (f *file) results(s *ast.ReturnStmt, stack []ast.Node) {
	want := f.signature(stack).Results()
	if want.Len() != len(s.Results) {
		return
	}
	for i, e := range s.Results {
		tv, t := f.info.Types[e], want.At(i).Type()
		switch under := t.Underlying().(type) {
		case *types.Interface:
			if !tv.IsNil() && types.Identical(t, types.Universe.Lookup("error").Type()) {
				f.wrap(e, fmt.Sprintf("mutantNil(%d, ", f.add(e, "%s is nil", f.text(e))), ")")
			}
		case *types.Basic:
			f.basicResult(e, tv, t, under)
		case *types.Slice, *types.Map:
			if !tv.IsNil() && types.Identical(tv.Type, t) {
				f.zero(e)
			}
		}
	}
}

func (f *file) basicResult(e ast.Expr, tv types.TypeAndValue, t types.Type, under *types.Basic) {
	switch {
	case t == types.Typ[types.Bool] && tv.Value == nil:
		f.condition(e, true, true)
	case t == types.Typ[types.Bool] && tv.Value.String() == "true":
		f.wrap(e, fmt.Sprintf("mutantFalse(%d, ", f.add(e, "%s is false", f.text(e))), ")")
	case t == types.Typ[types.Bool]:
		f.wrap(e, fmt.Sprintf("mutantTrue(%d, ", f.add(e, "%s is true", f.text(e))), ")")
	case under.Info()&types.IsBoolean == 0 && tv.Value == nil && types.Identical(tv.Type, t):
		f.zero(e)
	}
}

func (f *file) zero(e ast.Expr) {
	f.wrap(e, fmt.Sprintf("mutantZero(%d, ", f.add(e, "%s is zero", f.text(e))), ")")
}

// signature is that of the innermost function.
func (f *file) signature(stack []ast.Node) *types.Signature {
	for _, n := range slices.Backward(stack) {
		switch n := n.(type) {
		case *ast.FuncLit:
			return f.info.Types[n].Type.(*types.Signature)
		case *ast.FuncDecl:
			return f.info.Defs[n.Name].Type().(*types.Signature)
		}
	}
	return types.NewSignatureType(nil, nil, nil, nil, nil, false)
}

// opposites are the functions that take an operator's place, and the operator of the mutant.
var opposites = map[token.Token]struct{ function, mutant string }{
	token.LSS: {"mutantLess", "<="},
	token.LEQ: {"mutantLessEqual", "<"},
	token.GTR: {"mutantGreater", ">="},
	token.GEQ: {"mutantGreaterEqual", ">"},
	token.ADD: {"mutantAdd", "-"},
	token.SUB: {"mutantSubtract", "+"},
	token.MUL: {"mutantMultiply", "/"},
	token.QUO: {"mutantDivide", "*"},
}

// binary moves the bound of a comparison by one, or inverts an operation on numbers.
func (f *file) binary(b *ast.BinaryExpr) {
	other, known := opposites[b.Op]
	x, y := f.info.Types[b.X], f.info.Types[b.Y]
	if !known || f.info.Types[b].Value != nil || !isNumber(x.Type) || !isNumber(y.Type) {
		return
	}
	n := f.add(b, "%s with %s", f.text(b), other.mutant)
	f.wrap(b, fmt.Sprintf("%s(%d, ", other.function, n), ")")
	f.edits = append(f.edits, edit{f.offset(b.OpPos), len(b.Op.String()), ",", operator, 0})
}

func isNumber(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsInteger|types.IsFloat) != 0
}

// apply returns the code with all edits.
func (f *file) apply() string {
	slices.SortStableFunc(f.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.place, b.place),
			cmp.Compare(a.depth, b.depth))
	})
	var out strings.Builder
	at := 0
	for _, e := range f.edits {
		out.Write(f.code[at:e.at])
		out.WriteString(e.text)
		at = e.at + e.cut
	}
	out.Write(f.code[at:])
	return out.String()
}
