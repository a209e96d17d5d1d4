package ui

import (
	"crypto/sha256"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
)

// Colours returns the path under Base+"static/" of the stylesheet that has a brand's accent
// colours, or "". Its name is made of the colours, so that a stylesheet never changes, has nothing
// of a tenant but these, and can be served by a process that has not seen the brand.
func (r *Renderer) Colours(c brand.Colours) string {
	if c == (brand.Colours{}) {
		return ""
	}
	return r.static.version + "/colours-" + strings.TrimPrefix(c.Light, "#") + "-" +
		strings.TrimPrefix(c.Dark, "#") + ".css"
}

var coloursName = regexp.MustCompile(`^colours-([0-9a-fA-F]{6})-([0-9a-fA-F]{6})\.css$`)

// coloursCSS is the stylesheet of two colours.
const coloursCSS = ":root { --sg-accent: #%s }\n@media (prefers-color-scheme: dark) { :root " +
	"{ --sg-a: #%[2]s; --sg-a-panel: color-mix(in srgb, #%[2]s 24%%, #181b21) } }\n"

// stylesheet returns the stylesheet of a name that Colours made. It is false for every other
// name, and for colours that a Brand cannot have.
func stylesheet(name string) ([]byte, bool) {
	m := coloursName.FindStringSubmatch(name)
	if m == nil || (brand.Brand{Accent: "#" + m[1], AccentDark: "#" + m[2]}).Check() != nil {
		return nil, false
	}
	return fmt.Appendf(nil, coloursCSS, m[1], m[2]), true
}

// maxBranded bounds how many sets of texts are kept.
const maxBranded = 256

// branded are the renderers of brands with texts of their own.
type branded struct {
	mutex sync.Mutex
	by    map[[sha256.Size]byte]*Renderer
}

// WithTexts returns a Renderer in which texts of a brand, by language and key, replace those of r.
// Its error names the language and the key that no page shows, or the placeholder that no page
// fills.
func (r *Renderer) WithTexts(own map[string]map[string]string) (*Renderer, error) {
	if len(own) == 0 {
		return r, nil
	}
	key := sum(own)
	r.branded.mutex.Lock()
	defer r.branded.mutex.Unlock()
	if have := r.branded.by[key]; have != nil {
		return have, nil
	}
	over, err := r.brandTexts(own)
	if err != nil {
		return nil, fmt.Errorf("ui: texts of the brand: %w", err)
	}
	made := &Renderer{files: r.files, langs: r.langs, match: r.match, parsed: r.parsed,
		kinds: r.kinds, pages: map[string]*template.Template{}, static: r.static, looks: r.looks,
		catalogs: newCatalogs(r.langs, over)}
	made.catalogs.looks = r.looks
	if r.branded.by == nil || len(r.branded.by) >= maxBranded {
		r.branded.by = map[[sha256.Size]byte]*Renderer{}
	}
	r.branded.by[key] = made
	return made, nil
}

// sum tells sets of texts apart.
func sum(own map[string]map[string]string) [sha256.Size]byte {
	h := sha256.New()
	for _, lang := range sortedKeys(own) {
		fmt.Fprintf(h, "%q{", lang)
		for _, key := range sortedKeys(own[lang]) {
			fmt.Fprintf(h, "%q:%q,", key, own[lang][key])
		}
		fmt.Fprint(h, "}")
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// brandTexts returns the texts of the overlay with those of a brand after them.
func (r *Renderer) brandTexts(own map[string]map[string]string) (map[string][]texts.Entry, error) {
	over := maps.Clone(r.catalogs.over)
	for _, lang := range sortedKeys(own) {
		if !slices.Contains(r.langs, lang) {
			return nil, fmt.Errorf("there is no language %q; there are %s", lang,
				strings.Join(r.langs, ", "))
		}
		have := r.catalogs.get(lang)
		list := slices.Clone(over[lang])
		for _, key := range sortedKeys(own[lang]) {
			if texts.Sent(key) { // on no page, but in the mails of the same brand
				if err := texts.CheckSent(lang, key, own[lang][key]); err != nil {
					return nil, err
				}
				continue
			}
			ours, base := builtIn(key)
			if !ours.Has(base) && !have.has(key) || !onPages(key) ||
				strings.HasPrefix(key, adminTexts) {
				return nil, fmt.Errorf("no page has a text %q%s", key,
					didYouMean(key, have.Keys()))
			}
			e := texts.Entry{Key: key, Text: own[lang][key]}
			if err := checkOverlaid(e); err != nil {
				return nil, fmt.Errorf("%s: %w", lang, err)
			}
			list = append(list, e)
		}
		over[lang] = list
	}
	return over, nil
}
