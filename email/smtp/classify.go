package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/secondgate/secondgate/email"
)

// classify turns an error of the library, which may quote the recipient, into an Error. What
// the server said comes first: it is known, also if the context was over just after.
func classify(ctx context.Context, err error) *Error {
	if send, ok := errors.AsType[*mail.SendError](err); ok && send.ErrorCode() != 0 {
		return refusedMail(send)
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok && reply.Code >= 400 {
		return refusedConnection(reply.Code)
	}
	if ctx.Err() != nil {
		return &Error{Temporary: true, what: ctx.Err().Error(), err: ctx.Err()}
	}
	return brokenConnection(err)
}

// refusedMail decides from the server's reply to a step of the mail whether the mail is at
// fault, and for good.
func refusedMail(send *mail.SendError) *Error {
	e := &Error{Code: send.ErrorCode(), Temporary: send.ErrorCode() < 500}
	switch send.Reason {
	case mail.ErrSMTPRcptTo:
		e.what = "the server refused the recipient"
	case mail.ErrSMTPData, mail.ErrSMTPDataClose:
		e.what = "the server refused the message"
	default:
		e.what = "the server refused the sender"
		return e // the configuration is at fault, and not this mail
	}
	if !e.Temporary {
		e.err = email.ErrRejected
	}
	return e
}

// refusedConnection is for a reply before the mail: to the greeting or the authentication.
func refusedConnection(code int) *Error {
	e := &Error{Code: code, Temporary: code < 500, what: "the server refused the connection"}
	if code == 535 || code == 534 || code == 454 { // RFC 4954 section 6
		e.what = "the server refused the user name and password"
	}
	return e
}

// brokenConnection is for a failure without a reply. Those that a change of the configuration
// removes are not temporary.
func brokenConnection(err error) *Error {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		network     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		return &Error{what: "the server's certificate is not trusted"}
	case errors.As(err, &record):
		return &Error{what: "the server does not speak TLS on this port; Security may have to be StartTLS"}
	case strings.HasPrefix(err.Error(), "STARTTLS mode set to"): // go-mail has no error to compare with
		return &Error{what: "the server does not offer STARTTLS; Security may have to be TLS"}
	case errors.Is(err, mail.ErrNoSupportedAuthDiscovered), err.Error() == "server does not support SMTP AUTH":
		return &Error{what: "the server offers no authentication that this sender knows"}
	case errors.As(err, &network):
		return &Error{Temporary: true, what: "the server cannot be reached"}
	default:
		return &Error{Temporary: true, what: "the conversation with the server broke off"}
	}
}
