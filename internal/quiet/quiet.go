// Package quiet makes errors whose text is the caller's own, over causes whose text is not to
// be printed: a sender's error may quote the message, and with it a code that still works, a
// link or a full address, in any encoding. A filter cannot find them all, so none of the text
// is passed on. errors.Is and errors.As reach the causes.
package quiet

import (
	"fmt"
	"io"
)

type quietError struct {
	text   string
	causes []error
}

// New returns an error that prints and encodes as text, and that unwraps to causes. Nil causes
// are left out.
func New(text string, causes ...error) error {
	e := &quietError{text: text}
	for _, c := range causes {
		if c != nil {
			e.causes = append(e.causes, c)
		}
	}
	return e
}

func (e *quietError) Error() string { return e.text }

// Unwrap returns the causes.
func (e *quietError) Unwrap() []error { return e.causes }

// Format keeps fmt from walking into the causes, whatever the verb.
func (e *quietError) Format(f fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(f, "%q", e.text)
		return
	}
	_, _ = io.WriteString(f, e.text)
}

// MarshalText makes encoders write the text.
func (e *quietError) MarshalText() ([]byte, error) { return []byte(e.text), nil }
