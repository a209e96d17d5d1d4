package ui

import (
	"encoding/json"
	"errors"
	"fmt"
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
}

// readCatalogs reads the built-in catalogues with the texts of overrides laid over them, and
// the languages that overrides adds.
func readCatalogs(base, overrides fs.FS) ([]*catalog, error) {
	var list []*catalog
	for _, lang := range builtin {
		texts, err := readTexts(base, "texts/"+lang+".json")
		if err != nil {
			return nil, err
		}
		list = append(list, &catalog{lang: lang, texts: texts})
	}
	if overrides == nil {
		return list, nil
	}
	own, err := fs.Glob(overrides, "texts/*.json")
	if err != nil {
		return nil, err
	}
	english := list[0].texts
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
			list = append(list, &catalog{lang: lang, texts: clone(english)})
		}
		for key, text := range texts {
			// A text may leave a placeholder out, and cannot have one that no page fills. Unknown
			// keys belong to the application's own templates and kinds.
			if ours, ok := english[key]; ok {
				for _, p := range placeholders(text) {
					if !slices.Contains(placeholders(ours), p) {
						return nil, fmt.Errorf("ui: %s: %q has {%s}, which is not filled in; "+
							"there are %v", name, key, p, placeholders(ours))
					}
				}
			}
			list[i].texts[key] = text
		}
	}
	return list, nil
}

func clone(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

func readTexts(files fs.FS, name string) (map[string]string, error) {
	b, err := fs.ReadFile(files, name)
	if err == nil && len(b) > maxCatalog {
		err = fmt.Errorf("%d bytes are too many", len(b))
	}
	var texts map[string]string
	if err == nil {
		texts, err = parseTexts(b)
	}
	if err != nil {
		return nil, fmt.Errorf("ui: %s: %w", name, err)
	}
	return texts, nil
}

// parseTexts reads a JSON object of strings.
func parseTexts(b []byte) (map[string]string, error) {
	var texts map[string]string
	if err := json.Unmarshal(b, &texts); err != nil {
		return nil, fmt.Errorf("must be one JSON object of strings: %w", err)
	}
	if texts == nil {
		return nil, errors.New("must be one JSON object of strings")
	}
	return texts, nil
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
