// Package ui renders the pages of mfahttp: templates, stylesheet, script and the texts in
// every language. It knows nothing of second factors but how they look; mfahttp fills in the
// view models of this package and serves what comes out.
//
//	r, err := ui.New(nil)
//	err = r.Render(w, ui.Link{Frame: ui.Frame{Base: "/mfa/", Product: "Acme"}, Token: token})
//
// # Replacing files
//
// Every file can be replaced by one of the same name in the fs.FS given to [New]; what is
// missing there comes from the built-in set. docs/templates.md lists the pages with their data,
// the functions and the blocks, and a test compares it with this package. A file of another name
// can be used by those that are replaced. New executes the pages that an overlay changes and
// refuses what would fail before users. The smallest replacements are made for it:
//
//   - Static files are read once, by [New]. "asset" puts their version, a hash of all of them, into
//     the path, as scripts import each other by relative URLs.
//   - static/theme.css is empty and is read after app.css. One line there changes the accent
//     colour: :root { --sg-accent: #7a1fa2 }. White text on it must be legible.
//   - brand.html is what stands at the top of every page, by default the product's name.
//   - texts/LANG.json holds texts by key. Those of a language we have are laid over ours, which
//     internal/texts has; a file of another language adds it, in English where it has no text.
//
// A page begins with {{template "head" (head .Frame "verify" "Title")}}, where the second word is
// the name of its file, and ends with {{template "foot" .}}. Templates are given the view model
// of their page and these functions:
//
//	t KEY [NAME VALUE]…        a text; with the name n the one for that number
//	gap                        what stands between two sentences
//	strong KEY [NAME VALUE]…   the same as HTML, values in bold
//	direction VALUE            "ltr" for a value without letters, otherwise "auto"
//	day KEY TIME               the same as t with {day} as a day in words
//	timer KEY SECONDS          the same with {time} as a running countdown
//	kindText KEY KIND …        the text KEY.KIND, or KEY.other for a kind without one
//	kind KIND                  the name of a kind
//	named KIND NAME            the name of an instance, in the language if no user chose it
//	duration SECONDS, date TIME, iso TIME
//	say FRAME PAGE             what the notice says, "" if there is none or a field says it
//	fieldError FRAME PAGE ID   what is wrong with a field, or ""
//	good NOTICE                whether it is about a success
//	field FRAME PAGE ID [HINT], response KIND ERROR   for the block "field"
//	waitNotice FRAME PAGE      for the block "wait-notice"
//	part PAGE                  what the kind of the page brings itself
//	script KIND                the script of a kind under static/, or ""
//	fields ENROLL              those that an enrolment asks for, for "field" or "select"
//	questions ENROLL           those about security questions, for "question"
//	entered FRAME ID           what was typed before
//	others VERIFY              the other ways worth showing
//	icon NAME, asset FILE      decoration, and the path of a file of static/ with its version
//	isolate VALUE, ltr VALUE   a name or a number, which does not reorder a sentence
//	groups KEY, otpauth URI    a key in fours, and a URI that may be a link
//
// # Promises
//
// Pages work without JavaScript: app.js adds countdowns, buttons to copy, show, download and
// print, and nothing else. Passkeys are the exception, since browsers have them for scripts
// alone; passkey.js is only on pages about them, which name another way. Where a user approves on
// another device, wait.js asks whether they have, and a button does without it. The work of
// administrators on many users is continued by steps.js, or by a button. The scripts import
// the modules of package js, which are static files below js/. No page has an inline script or
// style, or refers to another host. Values are escaped by html/template; texts are ours or the
// application's. Rendering never writes half a page, reads no clock, and is safe for
// concurrent use.
package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/secondgate/secondgate/internal/texts"
)

//go:embed files
var embedded embed.FS

// Renderer holds the pages, parsed once, and those of every language that was asked for.
type Renderer struct {
	files     fs.FS
	langs     []string                        // first is the fallback
	match     func(tag string) (string, bool) // finds one of langs
	catalogs  *catalogs
	parsed    *template.Template // never executed, so that it can be cloned
	kinds     []Kind
	mu        sync.Mutex                    // of pages and of the parts of looks
	pages     map[string]*template.Template // by language
	static    staticFiles
	looks     map[string]*look // of kinds
	openTexts []openText       // of the application's own
	branded   branded
}

// New parses the built-in files with those of overrides, which may be nil, laid over them, and
// reads how kinds look that are not built in. An error names the file that is wrong.
func New(overrides fs.FS, kinds ...Kind) (*Renderer, error) {
	base, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	r := &Renderer{files: overlay{overrides, base}, pages: map[string]*template.Template{},
		kinds: kinds}
	mine, err := readOwn(overrides)
	if err != nil {
		return nil, err
	}
	if r.catalogs, err = readCatalogs(overrides); err != nil {
		return nil, err
	}
	r.langs, r.match = r.catalogs.langs, texts.Matcher(r.catalogs.langs)
	if r.looks, err = describe(kinds); err != nil {
		return nil, &KindError{err}
	}
	if r.static, err = readStatic(overrides, r.looks); err != nil {
		return nil, err
	}
	r.catalogs.looks = r.looks
	if r.parsed, err = r.parse(mine, r.funcs(r.catalogs.english())); err != nil {
		return nil, err
	}
	// The texts of the application and of its kinds can be wrong. Ours are tested.
	for _, lang := range r.langs {
		if r.catalogs.over[lang] == nil && !r.describedIn(lang) {
			continue
		}
		if _, err := r.catalog(lang); err != nil {
			return nil, err
		}
	}
	if overrides != nil {
		if err := r.checkOwn(mine, base, r.parsed, r.catalogs.overlaid()); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// parse returns all templates, for all languages. Those of the built-in files are parsed once in a
// process.
func (r *Renderer) parse(mine *own, funcs template.FuncMap) (*template.Template, error) {
	trees, err := builtinTrees()
	if err != nil {
		return nil, err
	}
	names := append(slices.Collect(maps.Keys(trees)), mine.html...)
	slices.Sort(names)
	parsed := template.New("").Funcs(funcs)
	for _, name := range slices.Compact(names) { // what two files define is that of the latter
		if slices.Contains(mine.html, name) {
			if _, err := parsed.New(name).Parse(mine.source[name]); err != nil {
				return nil, parseError(err, funcs)
			}
			continue
		}
		for _, t := range sortedKeys(trees[name]) {
			if _, err := parsed.AddParseTree(t, trees[name][t]); err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
		}
	}
	return parsed, nil
}

// describedIn reports whether the description of a kind has texts in a language. All have English
// ones.
func (r *Renderer) describedIn(lang string) bool {
	return slices.ContainsFunc(r.kinds, func(k Kind) bool {
		return lang == texts.English || r.looks[k.Kind].texts[lang] != nil
	})
}

// catalog returns the texts of a language of langs, and the parts of the kinds in it. The first
// call for a language reads the parts.
func (r *Renderer) catalog(lang string) (*catalog, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.catalogs.get(lang)
	if c.parts != nil {
		return c, nil
	}
	c.parts = map[string]*template.Template{}
	for _, k := range r.kinds {
		if err := r.looks[k.Kind].readParts(k.Kind, c); err != nil {
			c.parts = nil
			return nil, &KindError{fmt.Errorf("%s: %w", k.Kind, err)}
		}
	}
	return c, nil
}

// page returns the templates of a language of langs. The first call for a language copies the
// parsed templates.
func (r *Renderer) page(lang string) (*template.Template, error) {
	c, err := r.catalog(lang)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if set := r.pages[lang]; set != nil {
		return set, nil
	}
	set, err := r.parsed.Clone()
	if err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	r.pages[lang] = set.Funcs(r.funcs(c))
	return r.pages[lang], nil
}

// KindError is returned by New for a Kind that is not valid.
type KindError struct{ Err error }

func (e *KindError) Error() string { return "ui: " + e.Err.Error() }

// Unwrap returns what is not valid.
func (e *KindError) Unwrap() error { return e.Err }

// Page is a view model of this package: one of the structs that have a [Frame].
type Page interface {
	frame() Frame
	name() string
}

// Render writes a page in the language of its Frame. After an error of a template nothing has
// been written.
func (r *Renderer) Render(w io.Writer, p Page) error {
	lang := p.frame().Lang
	if !slices.Contains(r.langs, lang) {
		lang = texts.English
	}
	set, err := r.page(lang)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, p.name()+".html", p); err != nil {
		return fmt.Errorf("ui: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// overlay opens what over has, and what base has of the rest.
type overlay struct{ over, base fs.FS }

func (o overlay) Open(name string) (fs.File, error) {
	if o.over != nil {
		f, err := o.over.Open(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return o.base.Open(name)
}
