package ui

import (
	"fmt"
	"html/template"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// checker follows every branch of the templates with the types that they are given.
type checker struct {
	set      *template.Template
	funcs    template.FuncMap
	texts    []*catalog
	static   staticFiles
	faults   *faults
	seen     map[string]bool   // blocks by name and type
	reached  map[string]bool   // files that a page uses
	mine     map[string]bool   // texts and families that a template of the application names
	overlaid map[string]bool   // files of the application
	defined  map[string]string // built-in blocks, and the files that define them
}

// scope is the variables of one block.
type scope struct {
	tree *parse.Tree
	vars []variable
}

type variable struct {
	name string
	is   reflect.Type
}

// definitions are the built-in blocks and the files that define them.
func definitions(base fs.FS) map[string]string {
	found := map[string]string{}
	for _, name := range list(base, "*.html") {
		b, _ := fs.ReadFile(base, name) // it is embedded
		for part := range strings.SplitSeq(string(b), `{{define "`) {
			if block, _, ok := strings.Cut(part, `"}}`); ok && !strings.ContainsAny(block, "{\n") {
				found[block] = name
			}
		}
	}
	return found
}

// at is where a node is, as file and line.
func (s *scope) at(n parse.Node) string {
	where, _ := s.tree.ErrorContext(n)
	if i := strings.LastIndexByte(where, ':'); i > 0 {
		where = where[:i] // the column is that of the marked source
	}
	return where
}

// block checks a block that is given a value of a type; nil is any. from is where it is used.
func (c *checker) block(name string, dot reflect.Type, from *scope, n parse.Node) {
	key := fmt.Sprint(name, " ", dot)
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	t := c.set.Lookup(name)
	if t == nil || t.Tree == nil {
		switch file := c.defined[name]; {
		case file != "":
			c.faults.add("%s:1: it must define the block %q, which %s uses", file, name, from.at(n))
		default:
			c.faults.add("%s: no block %q; the blocks are %s%s", from.at(n), name,
				strings.Join(sortedKeys(c.defined), ", "),
				didYouMean(name, sortedKeys(c.defined)))
		}
		return
	}
	c.reached[t.Tree.ParseName] = true
	s := &scope{tree: t.Tree, vars: []variable{{"$", dot}}}
	c.walk(s, t.Tree.Root, dot)
}

func (c *checker) walk(s *scope, n parse.Node, dot reflect.Type) {
	depth := len(s.vars)
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			c.walk(s, child, dot)
		}
		return // a variable of a list lives as long as what is around it
	case *parse.ActionNode:
		c.pipe(s, n.Pipe, dot)
		return
	case *parse.IfNode:
		c.pipe(s, n.Pipe, dot)
		c.branches(s, &n.BranchNode, dot, dot)
	case *parse.WithNode:
		c.branches(s, &n.BranchNode, c.pipe(s, n.Pipe, dot), dot)
	case *parse.RangeNode:
		over := c.pipe(s, n.Pipe, dot)
		key, element := elements(over)
		switch decl := n.Pipe.Decl; len(decl) {
		case 1:
			s.set(decl[0].Ident[0], element)
		case 2:
			s.set(decl[0].Ident[0], key)
			s.set(decl[1].Ident[0], element)
		}
		c.branches(s, &n.BranchNode, element, dot)
	case *parse.TemplateNode:
		var given reflect.Type
		if n.Pipe != nil {
			given = c.pipe(s, n.Pipe, dot)
		}
		c.block(n.Name, given, s, n)
	}
	s.vars = s.vars[:depth]
}

func (c *checker) branches(s *scope, b *parse.BranchNode, then, otherwise reflect.Type) {
	depth := len(s.vars)
	c.walk(s, b.List, then)
	s.vars = s.vars[:depth]
	if b.ElseList != nil {
		c.walk(s, b.ElseList, otherwise)
	}
	s.vars = s.vars[:depth]
}

// elements are what a range over a type gives.
func elements(t reflect.Type) (key, element reflect.Type) {
	if t == nil {
		return nil, nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return reflect.TypeFor[int](), t.Elem()
	case reflect.Map:
		return t.Key(), t.Elem()
	case reflect.Int:
		return t, t
	}
	return nil, nil
}

// set gives a variable that was declared last a type.
func (s *scope) set(name string, t reflect.Type) {
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			s.vars[i].is = t
			return
		}
	}
}

func (s *scope) get(name string) reflect.Type {
	for _, v := range slices.Backward(s.vars) {
		if v.name == name {
			return v.is
		}
	}
	return nil // the parser refuses it
}

// pipe is the type of a pipeline, nil if it is not known.
func (c *checker) pipe(s *scope, p *parse.PipeNode, dot reflect.Type) reflect.Type {
	var t reflect.Type
	for i, cmd := range p.Cmds {
		t = c.command(s, cmd, dot, i > 0, t)
	}
	for _, v := range p.Decl {
		if p.IsAssign {
			if s.get(v.Ident[0]) != t {
				s.set(v.Ident[0], nil)
			}
			continue
		}
		s.vars = append(s.vars, variable{v.Ident[0], t})
	}
	return t
}

func (c *checker) command(
	s *scope, cmd *parse.CommandNode, dot reflect.Type, piped bool, last reflect.Type,
) reflect.Type {
	var given []reflect.Type
	for _, a := range cmd.Args[1:] {
		given = append(given, c.operand(s, a, dot))
	}
	if piped {
		given = append(given, last)
	}
	if f, ok := cmd.Args[0].(*parse.IdentifierNode); ok {
		c.named(s, cmd, f.Ident)
		return c.call(s, cmd, f.Ident, given)
	}
	return c.operand(s, cmd.Args[0], dot)
}

// operand is the type of what stands for a value.
func (c *checker) operand(s *scope, n parse.Node, dot reflect.Type) reflect.Type {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.FieldNode:
		return c.fields(s, n, dot, n.Ident)
	case *parse.VariableNode:
		return c.fields(s, n, s.get(n.Ident[0]), n.Ident[1:])
	case *parse.ChainNode:
		return c.fields(s, n, c.operand(s, n.Node, dot), n.Field)
	case *parse.PipeNode:
		return c.pipe(s, n, dot)
	case *parse.IdentifierNode:
		return c.call(s, n, n.Ident, nil)
	}
	return nil
}

// fields follows fields and methods from a type.
func (c *checker) fields(s *scope, n parse.Node, t reflect.Type, names []string) reflect.Type {
	for _, name := range names {
		if t == nil || t.Kind() == reflect.Interface {
			return nil
		}
		if m, ok := t.MethodByName(name); ok {
			t = m.Type.Out(0)
			continue
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
			continue
		case reflect.Struct:
			if f, ok := t.FieldByName(name); ok && f.IsExported() {
				t = f.Type
				continue
			}
			have := fieldNames(t)
			c.faults.add("%s: no field %s on %s; the fields are %s%s", s.at(n), name,
				typeName(t), strings.Join(have, ", "), didYouMean(name, have))
			return nil
		}
		c.faults.add("%s: no field %s on %s, which has no fields", s.at(n), name, typeName(t))
		return nil
	}
	return t
}

func typeName(t reflect.Type) string {
	if t.Name() != "" {
		if t.Kind() != reflect.Struct {
			return t.Name()
		}
		return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	}
	return t.String()
}

// fieldNames are the fields and methods that a template can use.
func fieldNames(t reflect.Type) (names []string) {
	var promoted []string
	for _, f := range reflect.VisibleFields(t) {
		switch {
		case !f.IsExported() || f.Anonymous:
		case len(f.Index) > 1:
			promoted = append(promoted, f.Name)
		default:
			names = append(names, f.Name)
		}
	}
	names = append(names, promoted...)
	for i := range t.NumMethod() {
		names = append(names, t.Method(i).Name)
	}
	return names
}

// call is the type that a function returns.
func (c *checker) call(
	s *scope, n parse.Node, name string, given []reflect.Type,
) reflect.Type {
	f, ok := c.funcs[name]
	if !ok {
		return builtinFunc(name, given)
	}
	t := reflect.TypeOf(f)
	fixed := t.NumIn()
	if t.IsVariadic() {
		fixed--
	}
	if len(given) < fixed || len(given) > fixed && !t.IsVariadic() {
		c.faults.add("%s: %s takes %d arguments, not %d", s.at(n), name, fixed, len(given))
		return t.Out(0)
	}
	for i, g := range given[:fixed] {
		want := t.In(i)
		if g == nil || g.AssignableTo(want) || g.Kind() == reflect.Pointer &&
			g.Elem().AssignableTo(want) || g.Kind() == reflect.Interface {
			continue
		}
		c.faults.add("%s: argument %d of %s must be %s, not %s", s.at(n), i+1, name,
			typeName(want), typeName(g))
	}
	return t.Out(0)
}

// builtinFunc is the type that a function of html/template returns.
func builtinFunc(name string, given []reflect.Type) reflect.Type {
	switch name {
	case "not", "eq", "ne", "lt", "le", "gt", "ge":
		return reflect.TypeFor[bool]()
	case "len":
		return reflect.TypeFor[int]()
	case "print", "printf", "println", "html", "js", "urlquery":
		return reflect.TypeFor[string]()
	case "and", "or":
		for _, g := range given {
			if g != given[0] {
				return nil
			}
		}
		return given[0]
	}
	return nil
}
