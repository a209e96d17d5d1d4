package mfatest

import (
	"context"
	"errors"
	"path"
	"reflect"
	"slices"
	"sync"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Outbox is a sender that keeps what it is given, in memory. M is the message type of the
// factor: Outbox[email.Message] is an email.Sender, Outbox[sms.Message] an sms.Sender. The zero
// value is ready, and safe for concurrent use. It is a [Device], too: the user who reads the
// messages.
type Outbox[M any] struct {
	mu   sync.Mutex
	sent []M
	fail []error
	read int // how many of sent Respond has read
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

// Kind returns the name of the package of M, which is the kind of the factor: "email" for
// email.Message, "sms" for sms.Message.
func (o *Outbox[M]) Kind() string { return path.Base(reflect.TypeFor[M]().PkgPath()) }

// Respond returns the code in the latest message, as [Code] finds it in the field Text of M. It
// returns an error if no message came since it was last called.
func (o *Outbox[M]) Respond(factor.Prompt) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.sent) == o.read {
		return "", errors.New("the Outbox has received no new message: is it the Sender of the " +
			"application's factor?")
	}
	o.read = len(o.sent)
	m := reflect.ValueOf(o.sent[o.read-1])
	if m.Kind() == reflect.Struct {
		if f := m.FieldByName("Text"); f.IsValid() && f.CanInterface() {
			switch text := f.Interface().(type) {
			case string:
				return codeIn(text)
			case secret.Text:
				return codeIn(text.Reveal())
			}
		}
	}
	return "", errors.New("the messages of the Outbox have no field Text that is a string or a " +
		"secret.Text")
}
