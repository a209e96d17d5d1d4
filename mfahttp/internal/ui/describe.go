package ui

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/internal/texts"
)

// maxFields bounds the form of a described kind: what was typed is kept in a cookie.
const maxFields = 8

// maxValue is the default and the largest MaxLength of a field, in characters.
const maxValue = 256

// kindTexts are the keys of the texts that a Kind may have, with the placeholders that each may
// have. A key is that of the pages' texts without the kind at its end. Keys that end with a dot
// stand for all that begin with it.
var kindTexts = map[string][]string{
	"name": nil, "about": nil, "strength": nil, "choose.have": nil,
	"enroll.title": nil, "enroll.text": nil, "enroll.button": nil,
	"enrollment.title": nil, "enrollment.text": nil, "enrollment.button": nil, "hint.name": nil,
	"send.title": nil, "send.text": nil, "send.button": nil, "send.again": nil,
	"verify.title": nil, "verify.text": {"product"}, "verify.button": nil,
	"response": nil, "response.hint": nil,
	"notice.incorrect": nil, "problem.form": nil, "problem.": nil,
	"notice.denied": nil, "notice.added": nil, "remove.text": nil, "lost.by": nil,
	"verify.lost": nil, "help.text": nil, "help.again": nil, "factors.change": nil,
	"field.": nil, "hint.": nil, "text.": nil,
}

// describe reads the descriptions of kinds.
func describe(kinds []Kind) (map[string]*look, error) {
	all := make(map[string]*look, len(looks)+len(kinds))
	for kind, l := range looks {
		all[kind] = l
	}
	for _, k := range kinds {
		if _, ok := looks[k.Kind]; ok {
			return nil, fmt.Errorf("%s is built in: replace its texts by Config.Templates", k.Kind)
		}
		if _, ok := all[k.Kind]; ok {
			return nil, fmt.Errorf("%s is described twice", k.Kind)
		}
		l, err := k.look()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.Kind, err)
		}
		all[k.Kind] = l
	}
	return all, nil
}

// look checks a description and reads its files.
func (k Kind) look() (*look, error) {
	if k.Files == nil {
		return nil, errors.New("the field Files is nil: it needs texts/en.json with the name of the kind")
	}
	l := &look{files: k.Files, texts: map[string]map[string]string{}}
	if err := l.readFields(k); err != nil {
		return nil, err
	}
	if err := l.readTexts(); err != nil {
		return nil, err
	}
	if icon, ok, err := l.file("icon.svg"); err != nil {
		return nil, err
	} else if ok {
		if l.icon, err = readIcon(icon); err != nil {
			return nil, fmt.Errorf("icon.svg: %w", err)
		}
	}
	var err error
	if _, l.shows, err = l.file("verify.html"); err != nil {
		return nil, err
	}
	if l.response.Type == "none" && !l.shows {
		return nil, errors.New(`the Response is "none": verify.html must have an input named code`)
	}
	if _, ok, err := l.file("script.js"); err != nil {
		return nil, err
	} else if ok {
		l.script = scripts + k.Kind + ".js"
	}
	return l, nil
}

// file reads one of the files that need not be there.
func (l *look) file(name string) (b []byte, ok bool, err error) {
	b, err = fs.ReadFile(l.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	return b, err == nil, err
}

var (
	fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	// reserved are the fields that the forms have beside those of a kind, and the ids of the
	// pages.
	reserved = []string{"name", "password", "code", "return", "kind", "purpose", "factor",
		"remember", "main", "others"}
	fieldTypes = []string{"text", "password", "tel", "email", "url", "number", "date"}
	modes      = []string{"", "text", "numeric", "decimal", "tel", "email", "url", "search"}
	completes  = regexp.MustCompile(`^[a-z0-9 -]*$`)
)

func (l *look) readFields(k Kind) error {
	if len(k.Fields) > maxFields {
		return fmt.Errorf("%d Fields are too many: at most %d", len(k.Fields), maxFields)
	}
	for _, f := range k.Fields {
		in, err := f.read()
		switch _, twice := l.field(f.Name); {
		case err != nil:
			return fmt.Errorf("field %q: %w", f.Name, err)
		case !fieldName.MatchString(f.Name):
			return fmt.Errorf("field %q: a name is lower-case letters, digits and underscores",
				f.Name)
		case slices.Contains(reserved, f.Name):
			return fmt.Errorf("field %q: the page has one of this name: choose another", f.Name)
		case twice:
			return fmt.Errorf("field %q is there twice", f.Name)
		}
		in.Autocomplete = cmp.Or(in.Autocomplete, "off")
		l.fields = append(l.fields, in)
	}
	if len(l.fields) == 1 {
		l.main = l.fields[0].ID
	}
	if k.Response.Name != "" || k.Response.Optional || k.Response.MaxLength != 0 {
		return errors.New("the field Response: set only Type, InputMode and Autocomplete")
	}
	var err error
	if k.Response.Type == "none" {
		l.response = field{Type: "none"}
		return nil
	}
	if l.response, err = k.Response.read(); err != nil {
		return fmt.Errorf("the field Response: %w", err)
	}
	return nil
}

// read checks a field.
func (f Field) read() (field, error) {
	in := field{ID: f.Name, Type: cmp.Or(f.Type, "text"), Mode: f.InputMode,
		Autocomplete: f.Autocomplete, Required: !f.Optional, max: cmp.Or(f.MaxLength, maxValue)}
	in.Plain = in.Type == "text" && in.Mode == ""
	switch {
	case !slices.Contains(fieldTypes, in.Type):
		return in, fmt.Errorf("the type %q is none of %v", in.Type, fieldTypes)
	case !slices.Contains(modes, in.Mode):
		return in, fmt.Errorf("the input mode %q is none of %q", in.Mode, modes)
	case !completes.MatchString(in.Autocomplete):
		return in, fmt.Errorf("%q is no value of autocomplete", in.Autocomplete)
	case in.max < 1 || in.max > maxValue:
		return in, fmt.Errorf("MaxLength is %d, want 1 to %d", in.max, maxValue)
	}
	return in, nil
}

// readTexts reads the texts of every language that there is a file of.
func (l *look) readTexts() error {
	names, err := fs.Glob(l.files, "texts/*.json")
	if err != nil {
		return err
	}
	for _, name := range names {
		entries, err := readTexts(l.files, name)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := l.checkText(e.Key, e.Text); err != nil {
				return fmt.Errorf("%s:%d: %q: %w", name, e.Line, e.Key, err)
			}
		}
		lang := strings.TrimSuffix(strings.TrimPrefix(name, "texts/"), ".json")
		if !texts.ValidTag(lang) {
			return fmt.Errorf("%s: the file must be named after a language, like texts/de.json",
				name)
		}
		l.texts[lang] = make(map[string]string, len(entries))
		for _, e := range entries {
			l.texts[lang][e.Key] = e.Text
		}
	}
	if strings.TrimSpace(l.texts[texts.English]["name"]) == "" {
		return fmt.Errorf("texts/%s.json needs %q, the name of the kind", texts.English, "name")
	}
	for _, f := range l.fields {
		if strings.TrimSpace(l.texts[texts.English]["field."+f.ID]) == "" {
			return fmt.Errorf("texts/%s.json needs %q, the label of the field", texts.English,
				"field."+f.ID)
		}
	}
	return nil
}

// checkText decides whether a page asks for the key and fills in the placeholders.
func (l *look) checkText(key, text string) error {
	allowed, known := kindTexts[key]
	if about, name, ok := strings.Cut(key, "."); ok && !known {
		_, known = kindTexts[about+"."]
		if about == "field" || about == "hint" {
			_, known = l.field(name)
		}
	}
	if !known {
		return fmt.Errorf("no page has this text; there are %v", sortedKeys(kindTexts))
	}
	if strings.TrimSpace(text) == "" && key != "strength" {
		return errors.New("the text is empty: leave the key out")
	}
	for _, p := range texts.Placeholders(text) {
		// The kind's own part of a page fills in what it likes.
		if !slices.Contains(allowed, p) && !strings.HasPrefix(key, "text.") {
			return fmt.Errorf("{%s} is not filled in; there are %v", p, allowed)
		}
	}
	return nil
}
