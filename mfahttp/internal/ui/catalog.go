package ui

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// builtin are the languages of the built-in catalogues. The first is the fallback.
var builtin = [...]string{"en", "nl", "nb", "de"}

// maxCatalog bounds a catalogue; ours have about 30 KiB.
const maxCatalog = 1 << 20

// catalog is the texts of one language. Placeholders in them are {like-this}.
type catalog struct {
	lang  string
	texts map[string]string
	looks map[string]*look
	own   []entry // that English does not have
}

// entry is a text of a file.
type entry struct {
	key, text string
	line      int
}

// readCatalogs reads the built-in catalogues with the texts of overrides laid over them, and
// the languages that overrides adds. A text that a language does not have is the English one.
func readCatalogs(base, overrides fs.FS) ([]*catalog, error) {
	var list []*catalog
	for _, lang := range builtin {
		texts, err := readTexts(base, "texts/"+lang+".json")
		if err != nil {
			return nil, err
		}
		list = append(list, &catalog{lang: lang, texts: byKey(texts)})
	}
	if overrides == nil {
		return list, nil
	}
	own, err := fs.Glob(overrides, "texts/*.json")
	if err != nil {
		return nil, err
	}
	english := clone(list[0].texts)
	for _, name := range own {
		texts, err := readTexts(overrides, name)
		if err != nil {
			return nil, err
		}
		lang := strings.TrimSuffix(path.Base(name), ".json")
		i := slices.IndexFunc(list, func(c *catalog) bool { return c.lang == lang })
		if i < 0 {
			if !validTag(lang) {
				return nil, fmt.Errorf("ui: %s: the file must be named after a language, like "+
					"texts/fr.json", name)
			}
			i = len(list)
			list = append(list, &catalog{lang: lang, texts: map[string]string{}})
		}
		for _, e := range texts {
			if err := list[i].lay(e, english); err != nil {
				return nil, fmt.Errorf("ui: %s:%d: %w", name, e.line, err)
			}
		}
	}
	for _, c := range list[1:] {
		for key, text := range list[0].texts {
			if !c.has(key) {
				c.texts[key] = text
			}
		}
	}
	return list, nil
}

// lay lays a text over the one there is. It may leave a placeholder out, and cannot have one that
// no page fills.
func (c *catalog) lay(e entry, english map[string]string) error {
	ours, ok := english[e.key]
	if !ok {
		c.own = append(c.own, e)
	}
	for _, p := range placeholders(e.text) {
		if have := placeholders(ours); ok && !slices.Contains(have, p) {
			return fmt.Errorf("%q has {%s}, which is not filled in; there are %v", e.key, p, have)
		}
	}
	if e.key == "date.months" && len(strings.Fields(e.text)) != 12 {
		return errors.New("date.months must be twelve words")
	}
	c.texts[e.key] = e.text
	return nil
}

func byKey(list []entry) map[string]string {
	m := make(map[string]string, len(list))
	for _, e := range list {
		m[e.key] = e.text
	}
	return m
}

func clone(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

func readTexts(files fs.FS, name string) ([]entry, error) {
	b, err := fs.ReadFile(files, name)
	if err == nil && len(b) > maxCatalog {
		err = fmt.Errorf("%d bytes are too many", len(b))
	}
	if err != nil {
		return nil, fmt.Errorf("ui: %s: %w", name, err)
	}
	texts, at, err := parseTexts(b)
	if err != nil {
		line := 1 + bytes.Count(b[:min(at, len(b))], []byte("\n"))
		return nil, fmt.Errorf("ui: %s:%d: must be one JSON object of strings: %w", name, line, err)
	}
	return texts, nil
}

// parseTexts reads a JSON object of strings. After an error it returns where that is in b.
func parseTexts(b []byte) (list []entry, at int, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	line, counted := 1, 0
	next := func() (json.Token, error) {
		t, err := d.Token()
		at = int(d.InputOffset())
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = int(syntax.Offset)
		}
		return t, err
	}
	open, err := next()
	if err != nil || open != json.Delim('{') {
		return nil, at, cmp.Or(err, errors.New("it begins with something else"))
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := next()
		if err != nil {
			return nil, at, err
		}
		line += bytes.Count(b[counted:at], []byte("\n"))
		counted = at
		value, err := next()
		if err != nil {
			return nil, at, err
		}
		name := key.(string) // the decoder accepts no other key
		text, ok := value.(string)
		switch {
		case !ok:
			return nil, at, fmt.Errorf("the value of %q is not a string", name)
		case seen[name]:
			return nil, at, fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		list = append(list, entry{name, text, line})
	}
	if _, err := next(); err != nil {
		return nil, at, err
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		return nil, at, errors.New("something follows the object")
	}
	return list, at, nil
}

// placeholders returns the names of {placeholders} in order of appearance.
func placeholders(text string) (names []string) {
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			return names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names, text = append(names, name), after
	}
}

// has says whether there is a text, which may be empty.
func (c *catalog) has(key string) bool {
	_, ok := c.texts[key]
	return ok
}

// fill puts values for placeholders into a text. Values are never looked into, so that one
// which looks like a placeholder stays as it is.
func fill(text string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		v, known := values[name]
		if !ok || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(v)
		text = after
	}
}

// pairs reads the arguments of a text.
func pairs(args []any) (map[string]string, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("a text takes pairs of placeholder and value")
	}
	values := make(map[string]string, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		values[fmt.Sprint(args[i])] = fmt.Sprint(args[i+1])
	}
	return values, nil
}

// text returns a text with its placeholders filled. An unknown key is an error, so that a
// template which misspells one fails in the first test that renders it. With the placeholder n
// the text is the one of key+".one" or key+".other".
func (c *catalog) text(key string, args ...any) (string, error) {
	values, err := pairs(args)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	if n, ok := values["n"]; ok {
		if n == "1" {
			key += ".one"
		} else {
			key += ".other"
		}
	}
	text, ok := c.texts[key]
	if !ok {
		return "", fmt.Errorf("texts/%s.json has no %q", c.lang, key)
	}
	return fill(text, values), nil
}
