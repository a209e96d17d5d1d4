package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"regexp"
	"strings"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/done"
)

var (
	errNoStartTLS  = errors.New("smtp: no STARTTLS")
	errNoMechanism = errors.New("smtp: no known mechanism")
	errNoUTF8      = errors.New("smtp: no SMTPUTF8")
)

// classify turns an error, which may quote the recipient, into a SendError. What the server said
// comes first: it is known even if the context ended just after.
func classify(ctx context.Context, err error) *email.SendError {
	if r, ok := errors.AsType[*refusal](err); ok {
		return refused(r)
	}
	if ended := done.Err(ctx); ended != nil {
		return &email.SendError{Temporary: true, Reason: "no reply in time", Err: ended}
	}
	return brokenConnection(err)
}

// refused decides from a reply whose fault it is. The recipient or the mail is at fault only if
// the reply says so: the user has to use another address then, and no administrator hears of it.
func refused(r *refusal) *email.SendError {
	e := &email.SendError{Code: r.code, Temporary: r.code < 500}
	status := statusIn(r)
	switch e.Reason = ours(r, status); {
	case e.Reason != "":
	case r.step == stepRecipient && (e.Temporary || recipientsFault(r.code, status)):
		e.Reason, e.Rejected = "the server refused the recipient", !e.Temporary
	case r.step == stepRecipient:
		e.Reason = "the server refused this sender when it named the recipient"
	default:
		e.Reason = "the server refused the message"
		e.Rejected = !e.Temporary && (status == "" || mailsFault(status))
	}
	return e
}

// ours returns what the configuration may have to do with a refusal, or "".
func ours(r *refusal, status string) string {
	switch {
	case aboutHELO(r, status):
		return "the server refused the name in EHLO; Config.HELO may have to be set"
	case r.step <= stepStartTLS:
		return "the server refused the connection"
	case r.step == stepAuth && (r.code == 535 || r.code == 534 || r.code == 454):
		return "the server refused the user name and password, or the token" // RFC 4954 section 6
	case r.step == stepAuth:
		return "the server refused the authentication"
	case r.code == 530:
		return "the server wants a user name and password"
	case r.step == stepSender:
		return "the server refused the sender"
	case relaying(r):
		return "the server does not relay for this sender; it may want a user name and password, " +
			"or not know this host"
	}
	return ""
}

// status is an enhanced status code (RFC 3463), at the beginning of a reply, or in the form that
// qmail puts at its end: "(#5.7.1)". Anywhere else it could be an IP address.
var status = regexp.MustCompile(`^([245])\.(\d{1,3}\.\d{1,3})(?:\s|$)|` +
	`\(#([245])\.(\d{1,3}\.\d{1,3})\)`)

// statusIn returns the subject and the detail of the status in a reply, such as "1.1", or "". The
// undefined status, "0.0", says nothing (RFC 3463 section 3.1); some servers give no other.
func statusIn(r *refusal) string {
	m := status.FindStringSubmatch(r.text)
	if m == nil || int((m[1] + m[3])[0]-'0') != r.code/100 {
		return ""
	}
	if m[2]+m[4] == "0.0" {
		return ""
	}
	return m[2] + m[4]
}

// aboutHELO recognises the refusal of the name in EHLO. Most servers put it off until they are
// given a recipient, so that their logs name it; this is never the recipient's fault.
func aboutHELO(r *refusal, status string) bool {
	if r.step == stepHello && r.code >= 500 || r.step > stepHello && r.code == 504 &&
		status == "5.2" {
		return true
	}
	text := strings.ToLower(r.text)
	return r.step >= stepSender && (strings.Contains(text, "helo command rejected") ||
		strings.Contains(text, "helo/ehlo") || strings.Contains(text, "ehlo/helo"))
}

// relaying recognises, without a status, that a server takes no mail of this sender's for others.
func relaying(r *refusal) bool {
	return r.step == stepRecipient && r.code >= 500 &&
		strings.Contains(strings.ToLower(r.text), "relay")
}

// recipientsFault decides about a permanent refusal of RCPT (RFC 5321 section 4.2.2, RFC 3463
// section 3). 1 is about addresses, but for two details that are about the sender's; 2 is about
// the mailbox; 4.1 is what Microsoft says of a mailbox that is not there, and 4.4 that the domain
// has no server; 5.0 is what Hotmail says of both; 6 is about the conversion of addresses (6.7)
// and of contents. The rest is about us: 5 is the protocol, 7 is policy.
func recipientsFault(code int, status string) bool {
	subject, _, _ := strings.Cut(status, ".")
	switch {
	case status == "":
		return code >= 550 && code <= 553 || code == 556 // RFC 7504
	case status == "1.7" || status == "1.8":
		return false
	case status == "4.1" || status == "4.4" || status == "5.0" && code == 550:
		return true
	default:
		return subject == "1" || subject == "2" || subject == "6"
	}
}

// mailsFault decides about a permanent refusal of the text: the recipient, its mailbox, the size
// (3.4) or the content, and not that a policy takes the sender for another.
func mailsFault(status string) bool {
	return status == "3.4" || recipientsFault(0, status)
}

// brokenConnection is for a failure without a reply. Those that a change of the configuration
// removes are not temporary.
func brokenConnection(err error) *email.SendError {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		network     net.Error
		token       *tokenError
	)
	switch {
	case errors.As(err, &token):
		return &email.SendError{Temporary: true, Reason: "Config.Token returned no access token",
			Err: token.err}
	case errors.As(err, &certificate):
		return failure("the server's certificate is not trusted")
	case errors.As(err, &record):
		return failure("the server does not speak TLS on this port; Security may have to be " +
			"StartTLS")
	case errors.Is(err, errNoStartTLS):
		return failure("the server does not offer STARTTLS; Security may have to be TLS")
	case errors.Is(err, errNoMechanism):
		return failure("the server offers no authentication that this sender knows")
	case errors.Is(err, errNoUTF8):
		return rejected("the recipient has letters outside ASCII before the @, and the server " +
			"does not offer SMTPUTF8")
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
