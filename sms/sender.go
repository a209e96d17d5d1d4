package sms

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Sender hands messages to a provider. Implementations are safe for concurrent use and
// honour ctx.
type Sender interface {
	// Send hands m to the provider, once: it never retries, since a person who is not
	// served asks again. A nil error means that the provider accepted the message, not that
	// it arrived. After an error the message may have been sent or not. Errors should be a
	// *SendError where something is known about the failure. What an error prints reaches
	// nobody but the caller of Send, because it may quote the message: of a *SendError the
	// factor prints Reason, Status and Temporary, of another error what a method
	// SendStatus() (code int, temporary bool) states. errors.As finds the error.
	Send(ctx context.Context, m Message) error
}

// SenderFunc is a function as a [Sender].
type SenderFunc func(ctx context.Context, m Message) error

// Send calls the function.
func (f SenderFunc) Send(ctx context.Context, m Message) error { return f(ctx, m) }

// Message is one text message. It prints and encodes as "[redacted]".
type Message struct {
	// To is the number in E.164 form.
	To string
	// Text is at most 160 characters of GSM-7, or 70 others; its last line must stay last.
	Text string
	// TTL is how long the code in Text is good; after it there is no use in delivering the
	// message. 0 means that it is not known.
	TTL time.Duration
}

const redacted = "[redacted]"

// String returns "[redacted]".
func (m Message) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (m Message) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText makes every encoder write "[redacted]".
func (m Message) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// SendError is a failure of [HTTPSender] and [Twilio], and may be one of any [Sender].
type SendError struct {
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// Code is the provider's own code for the failure, or "". For a log and for people who
	// look it up: providers change them.
	Code string
	// Reason tells failures apart:
	//
	//	unreachable  no answer came; the message may have been sent
	//	unavailable  the provider failed (5xx); the message may have been sent
	//	rate         too much was sent (429)
	//	credentials  the provider does not know the credentials (401, 403)
	//	number       the number cannot receive messages, or not from this account
	//	blocked      the person has told the provider to send nothing more
	//	refused      the provider refused for another reason
	//	reply        the answer was not one of this provider
	Reason string
	// Temporary says that the same message may succeed later. The others fail until
	// something is changed; those with the Reason "credentials", "refused" and "reply" are
	// worth waking an operator.
	Temporary bool
	// RetryAfter is how long the provider asked to wait, 0 if it did not say, at most a day.
	RetryAfter time.Duration
	// Cause is what happened to the connection, for errors.Is, or nil.
	Cause error
}

// Error holds no number, code, credential or address.
func (e *SendError) Error() string {
	var b strings.Builder
	b.WriteString("sms: message not sent: " + e.Reason)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != "" {
		b.WriteString(", code " + e.Code)
	}
	if e.Cause != nil {
		b.WriteString(", " + describe(e.Cause))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	return b.String()
}

// Format keeps Cause, which may quote an address, out of every verb.
func (e *SendError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText makes every encoder write the text of Error.
func (e *SendError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// SendStatus returns Status and Temporary, for the texts of errors and for logs.
func (e *SendError) SendStatus() (code int, temporary bool) { return e.Status, e.Temporary }

// Unwrap returns Cause.
func (e *SendError) Unwrap() error { return e.Cause }
