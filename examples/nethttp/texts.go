package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// inEnglish is the language that the templates are written in.
const inEnglish = "en"

// words are the texts of a language by the English ones.
type words map[string]string

// text returns a text of the templates in the language, with values in place of %s and %d.
func (w words) text(english string, values ...any) string {
	s, ok := w[english]
	if !ok {
		s = keepHyphens(english)
	}
	if len(values) == 0 {
		return s
	}
	return fmt.Sprintf(s, values...)
}

// pages are the application's own templates, by language. Handler.Render puts them into the frame
// of mfahttp's pages, so that all of them look like one product.
type pages struct {
	byLanguage map[string]func() *template.Template
	// words are the texts of the languages that the application's pages are in: all those of
	// mfahttp.
	words map[string]words
}

// functions are what the templates of a language call.
func (w words) functions(language string) template.FuncMap {
	return template.FuncMap{
		"t":     w.text,
		"code":  code,
		"comma": func() string { return comma(language) },
		"when": func(t time.Time) string {
			return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
		},
		"iso": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day": day, "initial": initial,
	}
}

// code returns a text as HTML whose %s is something to type, in one line and from left to right.
func code(text, typed string) template.HTML {
	element := `<code dir="ltr">` + template.HTMLEscapeString(typed) + `</code>`
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(text), "%s", element)) //nolint:gosec // escaped
}

// comma returns what stands between the parts of a list in a language.
func comma(language string) string {
	switch language {
	case "ar":
		return "، "
	case "ja", "zh-Hans", "zh-Hant":
		return "、"
	}
	return ", "
}

func newPages() (*pages, error) {
	all, err := readWords()
	if err != nil {
		return nil, err
	}
	english, err := template.New("").Funcs(words(nil).functions(inEnglish)).ParseFS(files,
		"templates/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{map[string]func() *template.Template{}, all}
	for _, language := range append(slices.Collect(maps.Keys(all)), inEnglish) {
		p.byLanguage[language] = sync.OnceValue(func() *template.Template {
			t := template.Must(english.Clone()) // english itself is never executed
			return t.Funcs(all[language].functions(language))
		})
	}
	return p, nil
}

// in returns the templates in a language, or in English if there are none.
func (p *pages) in(language string) *template.Template {
	if t, ok := p.byLanguage[language]; ok {
		return t()
	}
	return p.byLanguage[inEnglish]()
}

// readWords reads the files of texts: nl.json is Dutch. A language that is added there is on the
// pages from then on.
func readWords() (map[string]words, error) {
	names, err := fs.Glob(files, "texts/*.json")
	if err != nil {
		return nil, err
	}
	all := make(map[string]words, len(names))
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var w words
		if err := json.Unmarshal(b, &w); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for english, text := range w {
			w[english] = keepHyphens(text)
		}
		all[strings.TrimSuffix(path.Base(name), ".json")] = w
	}
	return all, nil
}

// shortPart is a hyphen beside one to three letters of a word.
var shortPart = regexp.MustCompile(`((?:^|\PL)\pL{1,3})-(\pL)|(\pL)-(\pL{1,3}(?:\PL|$))`)

// keepHyphens returns a text whose lines do not end at the hyphen of a word like "e-mail" or
// "sign-in", as the texts of mfahttp do. Addresses and paths stay as they are.
func keepHyphens(text string) string {
	if !strings.Contains(text, "-") {
		return text
	}
	list := strings.Split(text, " ")
	for i, word := range list {
		if strings.Contains(word, "-") && !strings.ContainsAny(word, "@/") {
			list[i] = shortPart.ReplaceAllString(word, "$1$3\u2011$2$4")
		}
	}
	return strings.Join(list, " ")
}

// pageLanguage returns the language of the application's pages: that of the request, if they have
// texts in it, or else English for the whole page.
func (a *app) pageLanguage(r *http.Request) string {
	lang := a.gate.Language(r)
	if a.pages.words[lang] == nil {
		return inEnglish
	}
	return lang
}

type languageKey struct{}

// inLanguage returns the context of a request with the language of its pages, for mails that the
// request's own user gets.
func (a *app) inLanguage(r *http.Request) context.Context {
	return context.WithValue(r.Context(), languageKey{}, a.gate.Language(r))
}

// languageOf returns that language, or "".
func languageOf(ctx context.Context) string {
	language, _ := ctx.Value(languageKey{}).(string)
	return language
}

// say returns a text in a language, with values in place of %s.
func (p *pages) say(language, english string, values ...any) string {
	return p.words[language].text(english, values...)
}
