package ui_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp/internal/ui"
)

var code = regexp.MustCompile("`([^`]+)`")

// table returns the rows of a document's table, by the heading of its first column.
func table(t *testing.T, first string) (rows [][]string) {
	t.Helper()
	b, err := os.ReadFile("../../../docs/templates.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(b), "\n| "+first+" | ")
	require.True(t, ok, first)
	_, rest, _ = strings.Cut(rest, "\n|---")
	for line := range strings.Lines(rest[strings.IndexByte(rest, '\n')+1:]) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows = append(rows, strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"))
	}
	return rows
}

// quoted are the words of a cell in backquotes.
func quoted(cell string) (words []string) {
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		words = append(words, m[1])
	}
	return words
}

// fieldsOf are the fields and methods of a type without those of what it embeds.
func fieldsOf(of, embedded reflect.Type) []string {
	return slices.DeleteFunc(ui.FieldNames(of), func(name string) bool {
		return of != embedded && slices.Contains(ui.FieldNames(embedded), name)
	})
}

// The document names every page with its fields and its forms, and no other.
func TestTemplatesDocument_NamesPages(t *testing.T) {
	pages, forms := map[string][]string{}, map[string]string{}
	for _, row := range table(t, "Template") {
		name := strings.TrimSuffix(quoted(row[0])[0], ".html")
		forms[name], pages[name] = row[2], quoted(row[3])
	}
	want := map[string][]string{}
	frame := reflect.TypeFor[ui.Frame]()
	for name, view := range ui.Views() {
		want[name] = fieldsOf(view, frame)
	}
	require.Equal(t, want, pages)
	for page, needed := range ui.Forms() {
		for action, inputs := range needed {
			action = regexp.MustCompile(`(a1|E1)\b`).ReplaceAllString(action, "ID")
			if strings.HasPrefix(action, "enroll/") {
				action = "enroll/KIND"
			}
			_, after, ok := strings.Cut(forms[page], "`"+action+"`")
			require.True(t, ok, "%s: %s", page, action)
			after, _, _ = strings.Cut(after, ";")
			for _, input := range inputs {
				require.Regexp(t, `\b`+input+`\b`, after, "%s: %s", page, action)
			}
		}
	}
}

// The document names every type that a field leads to, with its fields.
func TestTemplatesDocument_NamesTypes(t *testing.T) {
	documented := map[string][]string{}
	for _, row := range table(t, "Type") {
		documented[quoted(row[0])[0]] = quoted(row[2])
	}
	r, err := ui.New(nil)
	require.NoError(t, err)
	want, frame := map[string][]string{}, reflect.TypeFor[ui.Frame]()
	var follow func(of reflect.Type)
	follow = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of.PkgPath() != frame.PkgPath() {
			return
		}
		if !slices.Contains(viewTypes(), of) {
			want[ui.TypeName(of)] = fieldsOf(of, frame)
		}
		for _, f := range reflect.VisibleFields(of) {
			if f.Type != of {
				follow(f.Type)
			}
		}
	}
	for _, view := range viewTypes() {
		follow(view)
	}
	for _, f := range r.Funcs() {
		follow(reflect.TypeOf(f).Out(0))
	}
	require.Equal(t, want, documented)
}

func viewTypes() (list []reflect.Type) {
	for _, view := range ui.Views() {
		list = append(list, view)
	}
	return list
}

// The document names every function with the number of its arguments.
func TestTemplatesDocument_NamesFunctions(t *testing.T) {
	r, err := ui.New(nil)
	require.NoError(t, err)
	funcs, seen := r.Funcs(), 0
	for _, row := range table(t, "Function") {
		words := strings.Fields(quoted(row[0])[0])
		f, ok := funcs[words[0]]
		require.True(t, ok, words[0])
		fixed := 0
		for _, word := range words[1:] {
			if strings.ToUpper(word) == word && !strings.ContainsAny(word, "[]") {
				fixed++
			}
		}
		is := reflect.TypeOf(f)
		require.Equal(t, is.IsVariadic(), strings.HasSuffix(words[len(words)-1], "…"), words[0])
		if is.IsVariadic() {
			fixed++
		}
		require.Equal(t, is.NumIn(), fixed, words[0])
		seen++
	}
	require.Len(t, funcs, seen)
}

// The document names every block, static file and family of texts.
func TestTemplatesDocument_NamesFiles(t *testing.T) {
	blocks := map[string][]string{}
	for _, row := range table(t, "File") {
		blocks[quoted(row[0])[0]] = quoted(row[1])
	}
	names, err := filepath.Glob("files/*.html")
	require.NoError(t, err)
	want := map[string][]string{}
	define := regexp.MustCompile(`{{define "([^"]+)"}}`)
	for _, name := range names {
		for _, m := range define.FindAllStringSubmatch(file(t, filepath.Base(name)), -1) {
			want[filepath.Base(name)] = append(want[filepath.Base(name)], m[1])
		}
	}
	require.Equal(t, want, blocks)
	var static []string
	for _, row := range table(t, "Static file") {
		static = append(static, quoted(row[0])...)
	}
	require.ElementsMatch(t, newUI(t).StaticNames(), static)
	families := map[string]bool{}
	for key := range textsOf(t, "en") {
		word, _, _ := strings.Cut(key, ".")
		families[word] = true
	}
	documented := map[string]bool{}
	for _, row := range table(t, "Word") {
		for _, word := range quoted(row[0]) {
			documented[word] = true
		}
	}
	require.Equal(t, families, documented)
}
