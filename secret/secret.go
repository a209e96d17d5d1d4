// Package secret has the types for what must not reach a log: codes, tokens, PINs, keys. Text holds
// text, and Bytes holds bytes.
// The whole library uses it, so that an application reveals a secret in one way:
//
//	code := secret.New(r.PostFormValue("code"))
//	slog.Info("received", "code", code) // prints [redacted]
//	send(code.Reveal())
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Text holds text that must not reach a log. Every way of printing or encoding it gives
// "[redacted]", also in a field that package fmt cannot see into, because the text is behind a
// pointer. The zero value is empty.
type Text struct{ text *string }

// New returns a Text that holds text.
func New(text string) Text {
	if text == "" {
		return Text{}
	}
	return Text{&text}
}

// Reveal returns the text.
func (t Text) Reveal() string {
	if t.text == nil {
		return ""
	}
	return *t.text
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t.text == nil }

// String returns "[redacted]".
func (t Text) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]" for package slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText keeps the text as it is, so that a request or a configuration can be decoded
// into a Text.
func (t *Text) UnmarshalText(text []byte) error {
	*t = New(string(text))
	return nil
}

// Bytes holds bytes that must not reach a log, such as the state of a factor. Every way of
// printing or encoding it gives "[redacted]". It is a slice, so that a []byte can be assigned to it
// and package bytes can read it. Package fmt calls no method of a field that is not exported, so
// that such a field wants a [Text] instead.
type Bytes []byte

// String returns "[redacted]".
func (b Bytes) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (b Bytes) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]" for package slog.
func (b Bytes) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (b Bytes) MarshalText() ([]byte, error) { return []byte(redacted), nil }
