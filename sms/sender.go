package sms

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/secondgate/secondgate/internal/sendfail"
)

// Sender hands messages to a provider. Implementations are safe for concurrent use.
type Sender interface {
	// Send hands m over, once: it never retries, because the user can ask for another code. A
	// nil error means that the provider accepted the message, not that it arrived. After an
	// error the message may have been sent or not. Send honours ctx.
	//
	// An error that knows something about the failure is a *[SendError]. The factor prints
	// no text of an error, because it may quote the message (of a
	// *SendError it prints Reason if it is one of the list, Code and Temporary). errors.As finds
	// the error in what the Manager returns. Another error type states its reply code and whether
	// to try again by a method SendStatus() (code int, temporary bool).
	Send(ctx context.Context, m Message) error
}

// SenderFunc is a function that is a [Sender].
type SenderFunc func(ctx context.Context, m Message) error

// Send calls f.
func (f SenderFunc) Send(ctx context.Context, m Message) error { return f(ctx, m) }

// Message is one text message. It prints and encodes as "[redacted]".
type Message struct {
	// To is the number in E.164 form.
	To string
	// Text is at most 160 characters of GSM-7, or 70 others; its last line must stay last.
	Text string
	// TTL is how long the code in Text is valid. After it, delivery is useless. 0 means that it
	// is not known.
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

// SendError is the error of a [Sender]: whether the same message may succeed later, whether the
// recipient or the message is at fault, or, with neither, that every message will fail until
// an administrator changes something. Package email has one of the same fields.
type SendError struct {
	// Code is the server's reply, such as an HTTP status of 429. 0 means that no reply came.
	Code int
	// ProviderCode is the provider's own code for the failure, or "". It is for logs:
	// providers change them.
	ProviderCode string
	// Reason says what failed, and quotes nothing of the message.
	//
	//	unreachable  no reply came; the message may have been sent
	//	unavailable  the provider failed (5xx); the message may have been sent
	//	rate         too much was sent (429)
	//	credentials  the provider does not know the credentials (401, 403)
	//	number       the number cannot receive messages, or not from this account
	//	blocked      the user has asked the provider to send nothing more
	//	refused      the provider refused for another reason
	//	reply        the reply was not one of this provider
	Reason string
	// Temporary is true if the same message may succeed later. If no reply came, the message
	// may have been sent nevertheless.
	Temporary bool
	// Rejected is true if the server refuses this recipient or this message permanently. The
	// user needs another telephone number.
	Rejected bool
	// RetryAfter is how long the provider asked to wait, at most a day. 0 means that it did
	// not say.
	RetryAfter time.Duration
	// Err is what happened to the connection, for errors.Is, or nil. It is never printed.
	Err error
}

// Error returns a text without recipient, code, link and credential, if Reason and
// ProviderCode have none.
func (e *SendError) Error() string { return sendfail.Error(*e).Text("sms") }

// Format keeps Err, which may quote the recipient, out of every verb.
func (e *SendError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText makes every encoder write the text of Error.
func (e *SendError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// SendStatus returns Code and Temporary, for the texts of errors and for logs.
func (e *SendError) SendStatus() (code int, temporary bool) { return e.Code, e.Temporary }

// Unwrap returns Err.
func (e *SendError) Unwrap() error { return e.Err }
