// Package sendfail is what the errors of all senders have in common. email.SendError and
// sms.SendError are converted to [Error], so that the three cannot differ in shape.
package sendfail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// Error has the fields of email.SendError and sms.SendError, which document them.
type Error struct {
	Code         int
	ProviderCode string
	Reason       string
	Temporary    bool
	Rejected     bool
	RetryAfter   time.Duration
	Err          error
}

// Text returns the error's text, which begins with the name of a package. It quotes Err in no
// way.
func (e Error) Text(pkg string) string {
	var b strings.Builder
	b.WriteString(pkg + ": message not sent")
	switch {
	case e.Temporary:
		b.WriteString(" (temporary)")
	case e.Rejected:
		b.WriteString(" (rejected)")
	}
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, ", status %d", e.Code)
	}
	if e.ProviderCode != "" {
		b.WriteString(", code " + e.ProviderCode)
	}
	if e.Err != nil {
		b.WriteString(", " + describe(e.Err))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %s", e.RetryAfter)
	}
	return b.String()
}

// describe says what is known of a failed connection in words of its own: the error's may
// quote what the server sent.
func describe(err error) string {
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() ||
		errors.Is(err, context.DeadlineExceeded) {
		return "timed out"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "host not found"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate not trusted"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return "connection failed"
}
