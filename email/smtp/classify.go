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

// classify turns an error of the library, which may quote the recipient, into a SendError.
// What the server said comes first: it is known even if the context ended just after.
func classify(ctx context.Context, err error) *email.SendError {
	if send, ok := errors.AsType[*mail.SendError](err); ok && send.ErrorCode() != 0 {
		return refusedMail(send)
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok && reply.Code >= 400 {
		return refusedConnection(reply.Code)
	}
	if ctx.Err() != nil {
		return &email.SendError{Temporary: true, Reason: "no reply in time", Err: ctx.Err()}
	}
	return brokenConnection(err)
}

// refusedMail decides from the server's reply to a step of the mail whether the mail is at
// fault, and permanently.
func refusedMail(send *mail.SendError) *email.SendError {
	e := &email.SendError{Code: send.ErrorCode(), Temporary: send.ErrorCode() < 500}
	switch send.Reason {
	case mail.ErrSMTPRcptTo:
		e.Reason = "the server refused the recipient"
	case mail.ErrSMTPData, mail.ErrSMTPDataClose:
		e.Reason = "the server refused the message"
	default:
		e.Reason = "the server refused the sender"
		return e // the configuration is at fault, and not this mail
	}
	e.Rejected = !e.Temporary
	return e
}

// refusedConnection is for a reply before the mail: to the greeting or the authentication.
func refusedConnection(code int) *email.SendError {
	e := &email.SendError{Code: code, Temporary: code < 500,
		Reason: "the server refused the connection"}
	if code == 535 || code == 534 || code == 454 { // RFC 4954 section 6
		e.Reason = "the server refused the user name and password"
	}
	return e
}

// brokenConnection is for a failure without a reply. Those that a change of the configuration
// removes are not temporary.
func brokenConnection(err error) *email.SendError {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		network     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		return failure("the server's certificate is not trusted")
	case errors.As(err, &record):
		return failure("the server does not speak TLS on this port; Security may have to be " +
			"StartTLS")
	// go-mail has no error to compare with
	case strings.HasPrefix(err.Error(), "STARTTLS mode set to"):
		return failure("the server does not offer STARTTLS; Security may have to be TLS")
	case errors.Is(err, mail.ErrNoSupportedAuthDiscovered),
		err.Error() == "server does not support SMTP AUTH":
		return failure("the server offers no authentication that this sender knows")
	case errors.As(err, &network):
		return &email.SendError{Temporary: true, Reason: "the server cannot be reached"}
	default:
		return &email.SendError{Temporary: true, Reason: "the conversation with the server " +
			"broke off"}
	}
}

// failure is for what only a change of the configuration removes.
func failure(reason string) *email.SendError { return &email.SendError{Reason: reason} }

// rejected is for a recipient or a message that no server would be asked to take.
func rejected(reason string) *email.SendError {
	return &email.SendError{Reason: reason, Rejected: true}
}
