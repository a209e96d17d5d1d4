package mfatest

import (
	"context"
	"slices"
	"sync"
)

// Outbox is a sender that keeps what it is given, in memory. M is the message type of the
// factor: Outbox[email.Message] is an email.Sender, Outbox[sms.Message] an sms.Sender. The zero
// value is ready, and safe for concurrent use.
type Outbox[M any] struct {
	mu   sync.Mutex
	sent []M
	fail []error
}

// Send keeps m, or returns the error that FailNext asked for.
func (o *Outbox[M]) Send(ctx context.Context, m M) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.fail) > 0 {
		err := o.fail[0]
		o.fail = o.fail[1:]
		return err
	}
	o.sent = append(o.sent, m)
	return nil
}

// FailNext lets the next call of Send fail with err; calls of FailNext queue up.
func (o *Outbox[M]) FailNext(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = append(o.fail, err)
}

// All returns what was sent, oldest first.
func (o *Outbox[M]) All() []M {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sent)
}

// Last returns the latest message; ok is false if there is none.
func (o *Outbox[M]) Last() (m M, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) == 0 {
		return m, false
	}
	return o.sent[len(o.sent)-1], true
}
