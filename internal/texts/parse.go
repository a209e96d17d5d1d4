package texts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Entry is a text of a file.
type Entry struct {
	Key, Text string
	Line      int
}

// ParseError is returned by [Parse].
type ParseError struct {
	Line int
	Err  error
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("%d: must be one JSON object of strings: %v", e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *ParseError) Unwrap() error { return e.Err }

// Parse reads a JSON object of strings. A key that is there twice is an error.
func Parse(b []byte) ([]Entry, error) {
	list, at, err := parse(b)
	if err != nil {
		return nil, &ParseError{1 + bytes.Count(b[:min(at, len(b))], []byte("\n")), err}
	}
	return list, nil
}

// parse returns where it was after an error.
func parse(b []byte) (list []Entry, at int, err error) {
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
		list = append(list, Entry{name, text, line})
	}
	if _, err := next(); err != nil {
		return nil, at, err
	}
	if _, err := next(); !errors.Is(err, io.EOF) {
		return nil, at, errors.New("something follows the object")
	}
	return list, at, nil
}
