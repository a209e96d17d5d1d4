package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
)

// Bodies are the bodies of pages that another package has, with texts of its own beside ours.
type Bodies struct {
	langs []string
	pages map[string]*template.Template
	texts map[string]*catalog
}

// Body is one body to render: a file without ".html", in a language.
type Body struct {
	Lang, Name string
	Data       any
}

// NewBodies parses the templates of files, which may call the functions and the blocks of the
// pages of this package. files has texts/LANG.json for each of our languages. The texts of
// overrides, which may be nil, are laid over them, as with [New]. A text that begins like those of
// files, and that files does not have, is refused; [New] refuses the others.
func NewBodies(files, overrides fs.FS) (*Bodies, error) {
	base, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	catalogs, err := readCatalogs(joined{base, files}, overrides)
	if err != nil {
		return nil, err
	}
	if err := checkBodyKeys(files, catalogs); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, err
	}
	b := &Bodies{pages: map[string]*template.Template{}, texts: map[string]*catalog{}}
	r := &Renderer{}
	for _, c := range catalogs {
		set := template.New("").Funcs(r.funcs(c)).Funcs(template.FuncMap{"has": c.has})
		for _, name := range append([]string{"parts.html"}, names...) {
			text, err := fs.ReadFile(joined{base, files}, name)
			if err == nil {
				_, err = set.New(name).Parse(string(text))
			}
			if err != nil {
				return nil, fmt.Errorf("ui: %s: %w", name, err)
			}
		}
		b.langs = append(b.langs, c.lang)
		b.pages[c.lang], b.texts[c.lang] = set, c
	}
	return b, nil
}

// checkBodyKeys refuses texts of an overlay whose first word is that of texts of files, and which
// no body shows.
func checkBodyKeys(files fs.FS, catalogs []*catalog) error {
	texts, err := readTexts(files, "texts/"+builtin[0]+".json")
	if err != nil {
		return err
	}
	word := func(key string) string { word, _, _ := strings.Cut(key, "."); return word }
	words := map[string]bool{}
	for _, e := range texts {
		words[word(e.key)] = true
	}
	var f faults
	for _, c := range catalogs {
		for _, e := range c.own {
			if words[word(e.key)] {
				f.add("texts/%s.json:%d: no page has a text %q%s", c.lang, e.line, e.key,
					didYouMean(e.key, sortedKeys(byKey(texts))))
			}
		}
	}
	return f.err()
}

// language is lang, or English if there are no texts in it.
func (b *Bodies) language(lang string) string {
	if slices.Contains(b.langs, lang) {
		return lang
	}
	return b.langs[0]
}

// Render returns a body. After an error there is none.
func (b *Bodies) Render(body Body) (template.HTML, error) {
	var out bytes.Buffer
	set := b.pages[b.language(body.Lang)]
	if err := set.ExecuteTemplate(&out, body.Name+".html", body.Data); err != nil {
		return "", fmt.Errorf("ui: %w", err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // rendered by html/template
}

// Text returns a text in the language of body, under the key that is its Name. Data fills the
// placeholder "name".
func (b *Bodies) Text(body Body) (string, error) {
	return b.texts[b.language(body.Lang)].text(body.Name, "name", fmt.Sprint(body.Data))
}

// joined opens files of both, and adds the texts of the second to those of the first.
type joined struct{ base, more fs.FS }

func (j joined) Open(name string) (fs.File, error) { return overlay{j.more, j.base}.Open(name) }

// ReadFile returns the texts of both as one JSON object.
func (j joined) ReadFile(name string) ([]byte, error) {
	more, err := fs.ReadFile(j.more, name)
	if err != nil {
		return fs.ReadFile(j.base, name)
	}
	base, err := fs.ReadFile(j.base, name)
	if err != nil {
		return more, nil //nolint:nilerr // only the second has it
	}
	base, more = bytes.TrimSpace(base), bytes.TrimSpace(more)
	if !bytes.HasSuffix(base, []byte("}")) || !bytes.HasPrefix(more, []byte("{")) {
		return nil, fmt.Errorf("ui: %s is no JSON object", name)
	}
	return slices.Concat(base[:len(base)-1], []byte(","), more[1:]), nil
}
