package ui

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// This file checks the files of an application that are laid over the built-in ones, so that New
// refuses what would fail only when a user sees the page. typecheck.go follows the names in the
// templates, and samplecheck.go executes them.

// maxFiles bounds what an overlay may have. One with more is the wrong directory.
const maxFiles = 1000

// maxFaults bounds how many faults one error names.
const maxFaults = 20

// views are the views of the pages by the names of their templates.
var views = map[string]reflect.Type{
	"verify": reflect.TypeFor[Verify](), "choose": reflect.TypeFor[Choose](),
	"enroll": reflect.TypeFor[Enroll](), "enrollment": reflect.TypeFor[Enrollment](),
	"factors": reflect.TypeFor[Factors](), "lost": reflect.TypeFor[Lost](),
	"setup": reflect.TypeFor[Setup](), "setupdone": reflect.TypeFor[Setup](),
	"remove": reflect.TypeFor[Remove](), "recovery": reflect.TypeFor[Recovery](),
	"link": reflect.TypeFor[Link](), "confirmed": reflect.TypeFor[Link](),
	"continue": reflect.TypeFor[Continue](), "error": reflect.TypeFor[Error](),
	"offer":          reflect.TypeFor[Offer](),
	"passkeysignals": reflect.TypeFor[PasskeySignals](),
	"passwordless":   reflect.TypeFor[Passwordless](), "page": reflect.TypeFor[Own](),
}

// own is the files of an application by name.
type own struct {
	html, static, texts []string
	source              map[string]string // of all but texts
}

// readOwn reads an overlay, and refuses files in places where none is read.
func readOwn(overrides fs.FS) (*own, error) {
	o := &own{source: map[string]string{}}
	if overrides == nil {
		return o, nil
	}
	files := 0
	err := fs.WalkDir(overrides, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if files++; files > maxFiles {
			return fmt.Errorf("more than %d files: give it a directory of templates alone",
				maxFiles)
		}
		hidden := name != "." && strings.HasPrefix(d.Name(), ".")
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir():
			return nil
		}
		return o.add(overrides, name)
	})
	if err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	return o, nil
}

func (o *own) add(overrides fs.FS, name string) error {
	dir, ext := path.Dir(name), path.Ext(name)
	switch {
	case dir == "texts" && ext == ".json":
		o.texts = append(o.texts, name)
		return nil
	case dir == "." && ext == ".html":
		o.html = append(o.html, name)
	case strings.HasPrefix(name, "static/"):
		o.static = append(o.static, strings.TrimPrefix(name, "static/"))
	default:
		return fmt.Errorf("%s: no page reads this file; there are templates such as verify.html, "+
			"texts such as texts/en.json, and files under static/", name)
	}
	b, err := fs.ReadFile(overrides, name)
	o.source[name] = string(b)
	return err
}

// faults collects what is wrong with an overlay.
type faults []error

func (f *faults) add(format string, args ...any) {
	err := fmt.Errorf("ui: "+format, args...)
	for _, have := range *f {
		if have.Error() == err.Error() {
			return
		}
	}
	*f = append(*f, err)
}

func (f faults) err() error {
	if len(f) > maxFaults {
		f = append(f[:maxFaults:maxFaults], fmt.Errorf("ui: and %d more", len(f)-maxFaults))
	}
	return errors.Join(f...)
}

// inline matches what the Content-Security-Policy of the pages blocks.
var inline = regexp.MustCompile(`(?i)<style\b|<script(\s[^>]*)?>|<[a-z][^<>]*\s(style|on[a-z]+)\s*=`)

var scriptSource = regexp.MustCompile(`(?i)\ssrc\s*=`)

// checkInline refuses inline scripts and styles, which browsers would not obey.
func (o *own) checkInline(f *faults) {
	for _, name := range o.html {
		for i, line := range strings.Split(o.source[name], "\n") {
			for _, found := range inline.FindAllString(line, -1) {
				script := strings.HasPrefix(strings.ToLower(found), "<script")
				if script && scriptSource.MatchString(found) {
					continue
				}
				f.add("%s:%d: an inline script or style, which the Content-Security-Policy of "+
					"the pages blocks: put it into a file under static/", name, i+1)
			}
		}
	}
}

// checkStatic refuses files under static/ whose names are a misspelling of a built-in one. The
// application's own pages can use files that no template mentions.
func (o *own) checkStatic(ours staticFiles, f *faults) {
	for _, name := range o.static {
		if _, ok := ours.content[name]; ok {
			continue
		}
		meant := didYouMean(name, sortedKeys(ours.content))
		mentioned := meant == ""
		for other, source := range o.source {
			mentioned = mentioned || other != "static/"+name && strings.Contains(source,
				path.Base(name))
		}
		if !mentioned {
			f.add("static/%s: it replaces no file, and no other file of yours mentions it%s",
				name, meant)
		}
	}
}

// list is the base names of files.
func list(files fs.FS, pattern string) []string {
	names, _ := fs.Glob(files, pattern) // the pattern is valid
	for i, n := range names {
		names[i] = path.Base(n)
	}
	return names
}

// checkOwn checks the overlay over a set of templates that has not been executed, in the language
// of a catalogue.
func (r *Renderer) checkOwn(o *own, base fs.FS, set *template.Template, all []*catalog) error {
	var f faults
	o.checkInline(&f)
	ours, err := builtinStatic()
	if err != nil {
		return err
	}
	o.checkStatic(ours, &f)
	if len(o.html) == 0 { // the templates are ours, and so is what they ask for
		c := &checker{texts: all, faults: &f, mine: map[string]bool{}}
		r.openTexts = c.checkKeys(all)
		return f.err()
	}
	marked, err := set.Clone()
	if err != nil {
		return fmt.Errorf("ui: %w", err)
	}
	for _, name := range o.html {
		if _, err := marked.New(name).Parse(markForms(name, o.source[name])); err != nil {
			return parseError(err, r.funcs(all[0]))
		}
	}
	c := &checker{set: marked, funcs: r.funcs(all[0]), texts: all, static: r.static,
		faults: &f, seen: map[string]bool{}, reached: map[string]bool{}, mine: map[string]bool{},
		overlaid: map[string]bool{}, defined: definitions(base)}
	for _, name := range o.html {
		c.overlaid[name] = true
	}
	for _, name := range sortedKeys(views) {
		c.block(name+".html", views[name], nil, nil)
	}
	for _, name := range o.html {
		if !c.reached[name] {
			f.add("%s: no page uses this file; the pages are %s%s", name,
				strings.Join(list(base, "*.html"), ", "),
				didYouMean(name, list(base, "*.html")))
		}
	}
	r.openTexts = c.checkKeys(all)
	if len(f) > 0 {
		return f.err()
	}
	checkSamples(marked, o, &f)
	return f.err()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

var unknownFunction = regexp.MustCompile(`function "[^"]*" not defined`)

// parseError is an error of html/template's parser, which names file and line, with the functions
// that there are.
func parseError(err error, funcs template.FuncMap) error {
	text := strings.TrimPrefix(err.Error(), "template: ")
	if unknownFunction.MatchString(text) {
		text += "; the functions are " + strings.Join(sortedKeys(funcs), ", ") +
			", and those of html/template"
	}
	return errors.New("ui: " + text)
}

// didYouMean is a hint at the nearest of some names, or "".
func didYouMean(name string, names []string) string {
	best, at := "", 3
	for _, n := range names {
		if d := distance(name, n); d < at {
			best, at = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance counts the letters that differ (Levenshtein).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := corner
			if a[i] != b[j] {
				next = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
