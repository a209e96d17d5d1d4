// Package texts has every text that the library shows to users and administrators: on pages, in
// mails and in text messages, one file for each language. A language is read when it is first
// used, and never changes after that.
//
// A file is one JSON object of strings. The first part of a key is the group:
//
//	language.   the language itself: its name, its direction, whether it wants a review
//	admin.      the pages for administrators, of mfahttp/admin
//	mail.       mails, of packages email and password
//	sms.        text messages, of package sms
//	suggestion. questions that package questions suggests
//	date., time. and everything else: the pages of mfahttp
//
// {braces} in a text are placeholders. A text about a number {n} has one form for each category
// that the plural rules of the language have for whole numbers: "codes.one", "codes.few" and so on.
package texts

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// English is the language of users whose own there is no file of.
const English = "en"

//go:embed files/*.json
var embedded embed.FS

// library is the languages that there are files of, each with a reader that runs once.
var library = sync.OnceValue(func() map[string]func() *Language {
	files, err := embedded.ReadDir("files")
	if err != nil {
		panic(err) // they are embedded
	}
	all := make(map[string]func() *Language, len(files))
	for _, f := range files {
		tag := strings.TrimSuffix(f.Name(), ".json")
		all[tag] = sync.OnceValue(func() *Language { return read(tag) })
	}
	return all
})

// read reads a file. Tests read all by [Parse], which finds more faults and takes several times as
// long, so that it does not panic elsewhere.
func read(tag string) *Language {
	name := path.Join("files", tag+".json")
	b, err := embedded.ReadFile(name)
	if err != nil {
		panic(err)
	}
	l := New(tag, nil, nil)
	if err := json.Unmarshal(b, &l.texts); err != nil {
		panic(fmt.Errorf("texts: %s: %w", name, err))
	}
	return l
}

// tags is the list of the languages.
var tags = sync.OnceValue(func() []string {
	list := make([]string, 0, len(library()))
	for tag := range library() {
		list = append(list, tag)
	}
	slices.SortFunc(list, func(a, b string) int {
		switch {
		case a == English:
			return -1
		case b == English:
			return 1
		}
		return strings.Compare(a, b)
	})
	return list
})

// Tags returns the BCP 47 tags of the languages, English first. The caller owns the slice.
func Tags() []string { return slices.Clone(tags()) }

// Get returns the language of a tag as [Tags] spells it, or nil.
func Get(tag string) *Language {
	read, ok := library()[tag]
	if !ok {
		return nil
	}
	return read()
}

// For returns the language of a user's locale, which is a BCP 47 tag or empty. It is English if
// there is none.
func For(locale string) *Language {
	tag, ok := match(locale)
	if !ok {
		tag = English
	}
	return Get(tag)
}

// match finds a language of the library.
var match = sync.OnceValue(func() func(string) (string, bool) { return Matcher(tags()) })()

// Language is the texts of one language. Nothing changes one, so it is safe for concurrent use.
type Language struct {
	tag      string
	rules    language.Tag
	texts    map[string]string
	fallback *Language
}

// New makes a language of texts. A text that it does not have is that of fallback, which may be
// nil, with the plural rules of fallback.
func New(tag string, entries []Entry, fallback *Language) *Language {
	l := &Language{tag: tag, rules: language.Make(tag), fallback: fallback,
		texts: make(map[string]string, len(entries))}
	for _, e := range entries {
		l.texts[e.Key] = e.Text
	}
	return l
}

// Over returns a copy for pages: with other texts laid over it, another fallback, hyphens that keep
// "e-mail" and "sign-in" in one line, and the spaces that end no line in the language.
func (l *Language) Over(entries []Entry, fallback *Language) *Language {
	c := &Language{tag: l.tag, rules: l.rules, fallback: fallback,
		texts: make(map[string]string, len(l.texts)+len(entries))}
	for key, text := range l.texts {
		c.texts[key] = c.keepWords(keepHyphens(text))
	}
	for _, e := range entries {
		c.texts[e.Key] = c.keepWords(keepHyphens(e.Text))
	}
	return c
}

// Tag returns the BCP 47 tag.
func (l *Language) Tag() string { return l.tag }

// RightToLeft reports whether the language is written from right to left.
func (l *Language) RightToLeft() bool {
	dir, ok := l.texts["language.direction"]
	if !ok {
		return rightToLeft(l.rules)
	}
	return dir == "rtl"
}

// Direction returns "ltr" or "rtl", which is the value of the attribute dir.
func (l *Language) Direction() string {
	if l.RightToLeft() {
		return "rtl"
	}
	return "ltr"
}

// rightToLeft decides by the script.
func rightToLeft(tag language.Tag) bool {
	script, _ := tag.Script()
	return slices.Contains([]string{"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"},
		script.String())
}

// Has reports whether there is a text, which may be empty.
func (l *Language) Has(key string) bool {
	_, ok := l.Lookup(key)
	return ok
}

// Lookup returns a text with its placeholders as they are.
func (l *Language) Lookup(key string) (text string, ok bool) {
	for ; l != nil; l = l.fallback {
		if text, ok = l.texts[key]; ok {
			return text, true
		}
	}
	return "", false
}

// Keys returns the keys that the language itself has, in order.
func (l *Language) Keys() []string {
	keys := make([]string, 0, len(l.texts))
	for key := range l.texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
