package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"regexp"

	"github.com/secondgate/secondgate/internal/texts"
)

// Part is what the part of a page that a Kind brings is given.
type Part struct {
	// Data is the JSON of the prompt, or nil.
	Data any
	// Product is the application's name.
	Product string
	// MaskedDestination is where something was sent, or of what is enrolled.
	MaskedDestination string
	// Secret, URI and QR are those of the prompt of an enrolment; QR draws the URI.
	Secret, URI string
	QR          template.HTML
}

// partNames are the pages that a Kind can bring a part of, by the names of their templates.
var partNames = []string{"verify", "enrollment"}

// noPart matches what the Content-Security-Policy of the pages refuses, and what HTML does not
// allow in a form.
var noPart = regexp.MustCompile(`(?i)<(script|style|form|link|iframe)\b|\s(style|on[a-z]+)\s*=`)

// readParts reads the parts of pages of a kind for one language, and executes each without data,
// as a page does whose data have expired.
func (l *look) readParts(kind string, c *catalog) error {
	for _, name := range partNames {
		b, err := fs.ReadFile(l.files, name+".html")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		}
		if found := noPart.Find(b); found != nil {
			return fmt.Errorf("%s.html has %q: put scripts into script.js and styles into a "+
				"stylesheet of the application, and leave the form to the page", name, found)
		}
		t, err := template.New(name + ".html").Funcs(template.FuncMap{
			"t": func(key string, args ...any) (string, error) {
				return l.partText(c.lang, key, args...)
			},
		}).Parse(string(b))
		if err == nil {
			err = t.Execute(io.Discard, Part{})
		}
		if err != nil {
			return fmt.Errorf("%s.html, which must be complete without data: %w", name, err)
		}
		c.parts[kind+"/"+name] = t
	}
	return nil
}

// partText is a text of the kind's own for its part of a page.
func (l *look) partText(lang, key string, args ...any) (string, error) {
	s, ok := l.own(lang, key)
	if !ok {
		return "", fmt.Errorf("texts/%s.json has no %q", texts.English, key)
	}
	values, err := texts.Values(args)
	return texts.Fill(s, values), err
}

// part writes the part of a page that its kind brings, or nothing.
func (c *catalog) part(p Page) (template.HTML, error) {
	var kind, data string
	in := Part{Product: p.frame().Product}
	switch p := p.(type) {
	case Verify:
		kind, data, in.MaskedDestination = p.Option.Kind, p.Data, p.SentTo
	case Enrollment:
		kind, data, in.MaskedDestination = p.Kind, p.Data, p.MaskedDestination
		in.Secret, in.URI, in.QR = p.Secret, p.URI, p.QR
	}
	t := c.parts[kind+"/"+p.name()]
	if t == nil {
		return "", nil
	}
	if data != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(data)))
		d.UseNumber() // as the factor wrote it
		if err := d.Decode(&in.Data); err != nil {
			return "", fmt.Errorf("the data of %s are not JSON: %w", kind, err)
		}
	}
	var b bytes.Buffer
	err := t.Execute(&b, in)
	return template.HTML(b.String()), err //nolint:gosec // written by html/template
}
