package ui

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/internal/texts"
)

// maxCatalog bounds a file of texts; ours have about 60 KiB.
const maxCatalog = 1 << 20

// catalog is the texts of one language. Placeholders in them are {like-this}.
type catalog struct {
	*texts.Language
	lang  string
	looks map[string]*look
	own   []texts.Entry                 // that English does not have
	parts map[string]*template.Template // of kinds, by kind and page
}

// elsewhere are the groups of texts that are on no page, so that an overlay cannot have them.
var elsewhere = []string{"mail.", "sms.", "suggestion."}

func onPages(key string) bool {
	return !slices.ContainsFunc(elsewhere, func(group string) bool {
		return strings.HasPrefix(key, group)
	})
}

// catalogs are the texts of every language. One that is not used is not read.
type catalogs struct {
	langs   []string                 // first is the fallback
	over    map[string][]texts.Entry // of the overlay, by language
	looks   map[string]*look         // of kinds
	english func() *catalog          // with the overlay
	mu      sync.Mutex
	made    map[string]*catalog
}

func newCatalogs(langs []string, over map[string][]texts.Entry) *catalogs {
	c := &catalogs{langs: langs, over: over, made: map[string]*catalog{}}
	c.english = sync.OnceValue(func() *catalog { return c.make(texts.English, nil) })
	return c
}

// readCatalogs reads the texts of overrides, which may be nil, and adds their languages to ours. A
// text that an added language does not have is the English one.
func readCatalogs(overrides fs.FS) (*catalogs, error) {
	c := newCatalogs(texts.Tags(), map[string][]texts.Entry{})
	if overrides == nil {
		return c, nil
	}
	own, err := fs.Glob(overrides, "texts/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range own {
		entries, err := readTexts(overrides, name)
		if err != nil {
			return nil, err
		}
		lang := strings.TrimSuffix(path.Base(name), ".json")
		if !slices.Contains(c.langs, lang) {
			if !texts.ValidTag(lang) {
				return nil, fmt.Errorf("ui: %s: the file must be named after a language, like "+
					"texts/sr.json", name)
			}
			c.langs = append(c.langs, lang)
		}
		for _, e := range entries {
			if err := checkOverlaid(e); err != nil {
				return nil, fmt.Errorf("ui: %s:%d: %w", name, e.Line, err)
			}
		}
		c.over[lang] = entries
	}
	return c, nil
}

// builtIn returns our English texts, and the key of one: that of English has no other categories
// than its own.
func builtIn(key string) (english *texts.Language, ours string) {
	english = texts.Get(texts.English)
	if base, ok := english.Counted(key); ok {
		return english, base + ".other"
	}
	return english, key
}

// checkOverlaid decides whether a text can be laid over the one there is. It may leave a
// placeholder out, and cannot have one that no page fills.
func checkOverlaid(e texts.Entry) error {
	english, key := builtIn(e.Key)
	ours, ok := english.Lookup(key)
	for _, p := range texts.Placeholders(e.Text) {
		if have := texts.Placeholders(ours); ok && !slices.Contains(have, p) {
			return fmt.Errorf("%q has {%s}, which is not filled in; there are %v", e.Key, p, have)
		}
	}
	if e.Key == "date.months" && len(strings.Fields(e.Text)) != 12 {
		return errors.New("date.months must be twelve words")
	}
	return nil
}

// get returns the texts of a language of langs.
func (c *catalogs) get(lang string) *catalog {
	english := c.english()
	if lang == texts.English {
		return english
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made[lang] == nil {
		c.made[lang] = c.make(lang, english)
	}
	return c.made[lang]
}

func (c *catalogs) make(lang string, english *catalog) *catalog {
	made := &catalog{lang: lang, looks: c.looks}
	var fallback *texts.Language
	if english != nil {
		fallback = english.Language
	}
	base, over := texts.Get(lang), c.over[lang]
	if base == nil {
		base = texts.New(lang, nil, nil)
	}
	made.Language = base.Over(over, fallback)
	for _, e := range over {
		if english, key := builtIn(e.Key); !english.Has(key) || !onPages(key) {
			made.own = append(made.own, e)
		}
	}
	return made
}

// overlaid returns the texts of English and of each language that the overlay has a file of.
func (c *catalogs) overlaid() []*catalog {
	list := []*catalog{c.get(texts.English)}
	for _, lang := range c.langs[1:] {
		if c.over[lang] != nil {
			list = append(list, c.get(lang))
		}
	}
	return list
}

func readTexts(files fs.FS, name string) ([]texts.Entry, error) {
	b, err := fs.ReadFile(files, name)
	if err == nil && len(b) > maxCatalog {
		err = fmt.Errorf("%d bytes are too many", len(b))
	}
	if err != nil {
		return nil, fmt.Errorf("ui: %s: %w", name, err)
	}
	entries, err := texts.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("ui: %s:%w", name, err)
	}
	return entries, nil
}

// has says whether there is a text, which may be empty.
func (c *catalog) has(key string) bool { return c.Has(key) }

// text returns a text with its placeholders filled, for a number if n is among them.
func (c *catalog) text(key string, args ...any) (string, error) { return c.Text(key, args...) }
