package email

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/secondgate/secondgate/internal/sendfail"
)

// Sender hands messages to a mail system. Implementations are safe for concurrent use.
type Sender interface {
	// Send hands m over, once: it never retries, because the user can ask for another code. A
	// nil error means that the mail system accepted the message, not that it arrived. After an
	// error the message may have been sent or not. Send honours ctx.
	//
	// An error that knows something about the failure is a *[SendError]. The factor prints
	// no text of an error, because it may quote the message (of a
	// *SendError it prints Code, Temporary and Rejected). errors.As finds the
	// error in what the Manager returns. Another error type states its reply code and whether
	// to try again by a method SendStatus() (code int, temporary bool).
	Send(ctx context.Context, m Message) error
}

// SenderFunc is a function that is a [Sender].
type SenderFunc func(ctx context.Context, m Message) error

// Send calls f.
func (f SenderFunc) Send(ctx context.Context, m Message) error { return f(ctx, m) }

// SendError is the error of a [Sender]. It says whose fault a failure is: the mail system's or the
// network's (Temporary: the same message may succeed later), the recipient's or the message's
// (Rejected), or, with neither, the configuration's: every message fails until an administrator
// changes something. Package sms has one of the same fields.
type SendError struct {
	// Code is the server's reply (RFC 5321 section 4.2), or an HTTP status. 0 means that no reply
	// came.
	Code int
	// ProviderCode is the provider's own code for the failure, or "". It is for logs:
	// providers change them.
	ProviderCode string
	// Reason says what failed, and quotes nothing of the message.
	Reason string
	// Temporary is true if the same message may succeed later. If no reply came, the message
	// may have been sent nevertheless.
	Temporary bool
	// Rejected is true if the server refuses this recipient or this message permanently. The
	// user needs another address.
	Rejected bool
	// RetryAfter is how long the provider asked to wait, at most a day. 0 means that it did
	// not say.
	RetryAfter time.Duration
	// Err is what happened to the connection, for errors.Is, or nil. It is never printed.
	Err error
}

// Error returns a text without recipient, code, link and credential, if Reason and
// ProviderCode have none.
func (e *SendError) Error() string { return sendfail.Error(*e).Text("email") }

// Format keeps Err, which may quote the recipient, out of every verb.
func (e *SendError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// MarshalText makes every encoder write the text of Error.
func (e *SendError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// SendStatus returns Code and Temporary, for the texts of errors and for logs.
func (e *SendError) SendStatus() (code int, temporary bool) { return e.Code, e.Temporary }

// Unwrap returns Err.
func (e *SendError) Unwrap() error { return e.Err }
