package otelmfa

import (
	"context"
	"errors"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/sms"
)

// MailSender returns a sender that measures s.
func (t *Telemetry) MailSender(s email.Sender) email.Sender { return mailSender{t, s} }

// TextSender returns a sender that measures s.
func (t *Telemetry) TextSender(s sms.Sender) sms.Sender { return textSender{t, s} }

type mailSender struct {
	t    *Telemetry
	next email.Sender
}

func (s mailSender) Send(ctx context.Context, m email.Message) (err error) {
	ctx, end := s.t.begin(ctx, "secondgate.send.email")
	err = errPanicked
	defer func() { end(s.t.send, "kind", "email", mailResult(err)) }()
	return s.next.Send(ctx, m)
}

type textSender struct {
	t    *Telemetry
	next sms.Sender
}

func (s textSender) Send(ctx context.Context, m sms.Message) (err error) {
	ctx, end := s.t.begin(ctx, "secondgate.send.sms")
	err = errPanicked
	defer func() { end(s.t.send, "kind", "sms", textResult(err)) }()
	return s.next.Send(ctx, m)
}

func mailResult(err error) string {
	var failure *email.SendError
	if errors.As(err, &failure) {
		return failureResult(failure.Rejected, failure.Temporary)
	}
	return otherResult(err)
}

func textResult(err error) string {
	var failure *sms.SendError
	if errors.As(err, &failure) {
		rejected := failure.Rejected || failure.Reason == "number" || failure.Reason == "blocked"
		return failureResult(rejected, failure.Temporary)
	}
	return otherResult(err)
}

func failureResult(rejected, temporary bool) string {
	switch {
	case rejected:
		return "rejected"
	case temporary:
		return "temporary"
	}
	return resultError
}

// otherResult is that of an error of no type. A caller who hangs up has cancelled the call, which
// is no failure of what was called. A call that takes too long is a failure.
func otherResult(err error) string {
	switch {
	case err == nil:
		return resultOK
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return resultError
}
