package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable is an output in which nothing that a user, an administrator or a file has chosen
// controls the terminal: names, reasons and IDs come from them. A control character is written as
// JSON writes it, so that JSON says what it said before.
type printable struct{ io.Writer }

// Write implements io.Writer. Each call has whole characters.
func (p printable) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.Writer, escaped(string(b), "\n\t")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// output keeps the first error of a writer, so that no command says that it is done after what it
// wrote was lost.
type output struct {
	io.Writer
	mu  sync.Mutex
	err error
}

// Write implements io.Writer. After an error it writes nothing.
func (o *output) Write(b []byte) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		n, o.err = o.Writer.Write(b)
	}
	return n, o.err
}

// lost returns the error after which nothing was written.
func (o *output) lost() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// outputOf returns the output that keeps its first error, or an empty one.
func outputOf(w io.Writer) *output {
	if o, ok := raw(w).(*output); ok {
		return o
	}
	return new(output)
}

// raw returns the output for what controls the terminal itself, such as colours.
func raw(w io.Writer) io.Writer {
	if p, ok := w.(printable); ok {
		return p.Writer
	}
	return w
}

// escaped returns text without control characters, but for those that are kept.
func escaped(text, kept string) string {
	controls := func(r rune) bool {
		return r == utf8.RuneError || controlling(r) && !strings.ContainsRune(kept, r)
	}
	if !strings.ContainsFunc(text, controls) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i]) // a terminal may take it for a control of 8 bits
		case r != utf8.RuneError && controls(r):
			for _, half := range utf16.AppendRune(nil, r) {
				fmt.Fprintf(&b, `\u%04x`, half)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// The invisible characters that names of users need, in Persian and in emoji.
const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

// controlling reports whether a character moves the cursor, begins a sequence of ECMA-48, ends a
// line, changes the direction of what is beside it, or is not seen at all: with such a one in it,
// the ID of one user looks like that of another.
func controlling(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		unicode.Is(unicode.Cf, r) && r != nonJoiner && r != joiner
}
