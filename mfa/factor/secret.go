package factor

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that must not reach a log: every way of printing or encoding it gives
// "[redacted]". Reveal, or a conversion to string, returns the text.
type Secret string

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Params are parameters of an enrolment by name. Some of them are secret (a PIN), so they
// print and encode as "[redacted]"; index the map for a value.
type Params map[string]string

// Format writes "[redacted]" for every verb.
func (Params) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Params) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (Params) MarshalText() ([]byte, error) { return []byte(redacted), nil }
