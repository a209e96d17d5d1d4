package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// This file has the languages of the example's own pages: English, and those of the files in texts,
// which are those of mfahttp. A page is in one language, so that it is in English as a whole where
// there is no file.

const inEnglish = "en"

// words are the texts of a language by the English ones.
type words map[string]string

// languages are the texts by language.
var languages = mustRead(files)

func mustRead(from fs.FS) map[string]words {
	all := map[string]words{inEnglish: nil}
	names, err := fs.Glob(from, "texts/*.json")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, name := range names {
		var w words
		b, err := fs.ReadFile(from, name)
		if err == nil {
			err = json.Unmarshal(b, &w)
		}
		if err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		all[strings.TrimSuffix(path.Base(name), ".json")] = w
	}
	return all
}

// text returns a text in the language, with values in place of %s and %d.
func (w words) text(english string, values ...any) string {
	s, ok := w[english]
	if !ok {
		s = english
	}
	if len(values) == 0 {
		return s
	}
	return fmt.Sprintf(s, values...)
}

// html is text for a template. A value that is HTML stays so.
func (w words) html(english string, values ...any) template.HTML {
	for i, v := range values {
		switch v := v.(type) {
		case template.HTML:
			values[i] = string(v)
		case string:
			values[i] = template.HTMLEscapeString(v)
		}
	}
	s := template.HTMLEscapeString(w.text(english))
	if len(values) > 0 {
		s = fmt.Sprintf(s, values...)
	}
	return template.HTML(s) //nolint:gosec // escaped
}

// own returns the language of the example's pages for one of mfahttp's.
func own(language string) string {
	if _, ok := languages[language]; !ok {
		return inEnglish
	}
	return language
}

// direction returns the value of the attribute dir for a language.
func direction(language string) string {
	if language == "ar" || language == "he" {
		return "rtl"
	}
	return "ltr"
}

// pageSet is a template in each language.
type pageSet map[string]*template.Template

// page parses a template that may use the parts.
func page(text string) pageSet {
	set := pageSet{}
	for language, w := range languages {
		t := template.New("").Funcs(template.FuncMap{"t": w.html, "bold": bold})
		set[language] = template.Must(template.Must(t.Parse(parts)).New("page").Parse(text))
	}
	return set
}

// bold returns a name of a user that stands out in a sentence.
func bold(name string) template.HTML {
	return template.HTML(`<strong id="who" dir="auto">` + template.HTMLEscapeString(name) +
		`</strong>`) //nolint:gosec // escaped
}

// language returns the language of the site's pages for a request.
func (s *site) language(r *http.Request) string { return own(s.gate.Language(r)) }

// visitorLanguage returns the language that a visitor of the site has, for an application that
// keeps other sessions.
func (s *site) visitorLanguage(r *http.Request) string {
	ctx, err := s.sessions.Load(r.Context(), "")
	if err != nil {
		return inEnglish
	}
	return s.language(r.WithContext(ctx))
}
