package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/internal/texts"
)

// Bodies are the bodies of pages that another package has. Their texts are beside ours.
type Bodies struct {
	catalogs *catalogs
	parsed   *template.Template // never executed, so that it can be cloned
	mu       sync.Mutex
	pages    map[string]*template.Template
}

// Body is one body to render: a file without ".html", in a language.
type Body struct {
	Lang, Name string
	Data       any
}

// NewBodies parses the templates of files, which may call the functions and the blocks of the
// pages of this package. The texts of overrides, which may be nil, are laid over ours, as with
// [New], and kinds are named as there. A text of a group is refused if there is none like it; [New]
// refuses those of the other groups.
func NewBodies(files, overrides fs.FS, group string, kinds ...Kind) (*Bodies, error) {
	base, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	b := &Bodies{pages: map[string]*template.Template{}}
	if b.catalogs, err = readCatalogs(overrides); err != nil {
		return nil, err
	}
	if b.catalogs.looks, err = describe(kinds); err != nil {
		return nil, &KindError{err}
	}
	if err := checkGroup(group, b.catalogs.overlaid()); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, err
	}
	english := b.catalogs.english()
	b.parsed = template.New("").Funcs(funcsOf(english))
	for _, name := range append([]string{"parts.html"}, names...) {
		text, err := fs.ReadFile(overlay{files, base}, name)
		if err == nil {
			_, err = b.parsed.New(name).Parse(string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("ui: %s: %w", name, err)
		}
	}
	return b, nil
}

// funcsOf are the functions of bodies.
func funcsOf(c *catalog) template.FuncMap {
	funcs := (&Renderer{}).funcs(c)
	funcs["has"] = c.has
	return funcs
}

// checkGroup refuses texts of an overlay that are in a group and that no body shows.
func checkGroup(group string, overlaid []*catalog) error {
	var f faults
	for _, c := range overlaid {
		for _, e := range c.own {
			if strings.HasPrefix(e.Key, group) {
				f.add("texts/%s.json:%d: no page has a text %q%s", c.lang, e.Line, e.Key,
					didYouMean(e.Key, texts.Get(texts.English).Keys()))
			}
		}
	}
	return f.err()
}

// language is lang, or English if there are no texts in it.
func (b *Bodies) language(lang string) string {
	if slices.Contains(b.catalogs.langs, lang) {
		return lang
	}
	return texts.English
}

// page returns the templates of a language, which the first call for it copies.
func (b *Bodies) page(lang string) (*template.Template, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[lang] == nil {
		set, err := b.parsed.Clone()
		if err != nil {
			return nil, err
		}
		b.pages[lang] = set.Funcs(funcsOf(b.catalogs.get(lang)))
	}
	return b.pages[lang], nil
}

// Render returns a body. After an error there is none.
func (b *Bodies) Render(body Body) (template.HTML, error) {
	var out bytes.Buffer
	set, err := b.page(b.language(body.Lang))
	if err == nil {
		err = set.ExecuteTemplate(&out, body.Name+".html", body.Data)
	}
	if err != nil {
		return "", fmt.Errorf("ui: %w", err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // rendered by html/template
}

// Text returns a text in the language of body, under the key that is its Name. Data fills the
// placeholder "name".
func (b *Bodies) Text(body Body) (string, error) {
	return b.catalogs.get(b.language(body.Lang)).text(body.Name, "name", fmt.Sprint(body.Data))
}
