package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Send sends a code for a challenge, or sends a new one; the code before is then superseded.
// To a user with several instances of the kind it sends to the one used last. For a kind that
// sends nothing, such as a passkey, it makes what Delivery.Prompt has for the user's client.
// It never resets a count.
//
// A *RateLimitError says when the next code may be sent, and a *factor.Problem that the factor
// does not send there. After an error that wraps ErrUnavailable the code may have been sent or
// not; send again.
func (s Session) Send(ctx context.Context, ch *Challenge, kind string) (*Delivery, error) {
	return s.send(ctx, ch, kind, "")
}

// SendTo is [Session.Send] to the instance of an option, for a user who has several of a kind.
func (s Session) SendTo(ctx context.Context, ch *Challenge, o Option) (*Delivery, error) {
	return s.send(ctx, ch, o.Kind, o.FactorID)
}

func (s Session) send(ctx context.Context, to *Challenge, kind, factorID string) (*Delivery, error) {
	m := s.m
	c, f, err := s.openFor(to, kind)
	if err != nil {
		return nil, err
	}
	ch, ok := f.(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	choose := func(r2 *record, now time.Time) (*instance, error) {
		if err := c.answerable(r2, now, m.cfg.ChallengeTTL); err != nil {
			return nil, err
		}
		return m.chooseInstance(r2, c, f, factorID, now)
	}
	return m.issue(ctx, &issuing{factor: ch, subject: c.Subject, purpose: string(c.Purpose), choose: choose,
		keep: func(r *record, in *instance, l live) {
			l.Challenge, l.Factor = c.ID, in.ID
			if r.Live == nil {
				r.Live = make(map[string]live)
			}
			if old, ok := r.Live[in.Kind]; ok && !f.Traits().SharedChallenge {
				r.supersede(in.Kind, old)
			}
			r.Live[in.Kind] = l
		}})
}

// chooseInstance is the instance to send to: the one asked for, else the latest used.
func (m *Manager) chooseInstance(r *record, c *claims, f factor.Factor, id string, now time.Time) (*instance, error) {
	if m.cfg.Lockout.Status(r.Lockout, f.Kind(), now).Disabled {
		return nil, &DisabledError{Kind: f.Kind()}
	}
	list, err := m.candidates(r, c)
	if err != nil {
		return nil, err
	}
	var chosen *instance
	for _, k := range list {
		if k.Kind == f.Kind() && (id == "" || id == k.ID) && (chosen == nil || k.Used > chosen.Used) {
			chosen = k.instance
		}
	}
	if chosen == nil {
		return nil, ErrNotAvailable
	}
	return chosen, nil
}

// issuing is what is issued, to whom and why.
type issuing struct {
	factor  factor.Challenger
	subject subject
	purpose string
	// confirming: the destination is not confirmed yet.
	confirming bool
	// link is put into the message, if it is not empty; silent leaves out the code.
	link   secret.Text
	silent bool
	// choose finds the instance to send to, or refuses; it runs again before the write.
	choose func(r *record, now time.Time) (*instance, error)
	// keep puts what is issued into the record.
	keep func(r *record, in *instance, l live)
	// events are what else happened with the write.
	events []Event
}

// issue makes a challenge, pays for it, commits it, and only then delivers it: a message
// cannot be rolled back. The narrowest allowance is looked at first: that of the user, which
// is in the record and is charged by the swap. Whatever refuses the message after a wider
// allowance was charged, the charge is taken back, since nothing is delivered then.
func (m *Manager) issue(ctx context.Context, s *issuing) (*Delivery, error) {
	clock := m.now()
	r, err := m.read(ctx, s.subject.key())
	if err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = m.unborn(ctx, s.subject.key(), clock); err != nil {
			return nil, err
		}
	}
	in, err := m.admitSend(r, s, r.at(clock))
	if err != nil {
		return nil, err
	}
	state := bytes.Clone(in.State)
	is, err := m.makeIssue(ctx, s, r, state, r.at(clock))
	if err != nil {
		return nil, err
	}
	d := &Delivery{Kind: s.factor.Kind(), MaskedDestination: in.Hint, Expires: is.Expires, Prompt: is.Prompt}
	sent := !is.Destination.IsZero() || !is.Payload.IsZero()
	var paid payments
	if sent {
		if err = m.userMaySend(r, r.at(clock)); err == nil {
			paid, err = m.pay(ctx, s, is.Destination, clock)
		}
	}
	var now time.Time
	if err == nil {
		now, err = m.commitIssue(ctx, s, is, state, clock, sent)
	}
	if err != nil {
		m.refund(ctx, paid)
		var over *RateLimitError
		if errors.As(err, &over) {
			m.emit(ctx, []Event{m.event("send.limited", s.subject, clock, func(e *Event) { e.Kind = d.Kind })})
		}
		return nil, err
	}
	m.emit(ctx, s.events)
	if !sent {
		return d, nil // the caller hands the prompt over
	}
	out := factor.Message{User: s.subject.person(), State: state, Payload: is.Payload,
		Purpose: s.purpose, Link: s.link, Expires: is.Expires, Time: now}
	if s.silent {
		out.Payload = secret.Text{}
	}
	err = callDeliver(ctx, s.factor, out)
	m.emit(ctx, []Event{m.event(sendEvent(err), s.subject, now, func(e *Event) {
		e.Kind, e.FactorID, e.Purpose = d.Kind, in.ID, s.purpose
	})})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// makeIssue asks the factor for a challenge. It has no effect outside.
func (m *Manager) makeIssue(
	ctx context.Context, s *issuing, r *record, state []byte, now time.Time,
) (*factor.Issue, error) {
	in := factor.IssueInput{User: s.subject.person(), State: bytes.Clone(state),
		Confirming: s.confirming, Now: now}
	if s.factor.Traits().SharedChallenge && !s.confirming {
		in.Instances = m.existing(r, s.factor.Kind())
	}
	return callIssue(ctx, s.factor, in)
}

// commitIssue writes down what was issued, and charges the user's own allowance.
func (m *Manager) commitIssue(
	ctx context.Context, s *issuing, is *factor.Issue, state []byte, clock time.Time, sent bool,
) (now time.Time, err error) {
	err = m.update(ctx, s.subject, clock, func(r *record) (bool, error) {
		now = r.at(clock)
		in, err := m.admitSend(r, s, now)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(in.State, state) {
			return false, unavailable(errors.New("the factor changed while a code was being made"))
		}
		if sent {
			if err := m.userSends(r, now); err != nil {
				return false, err
			}
		}
		r.Undeliverable = 0
		s.keep(r, in, live{Keep: is.Keep, Issued: now.UnixMilli(), Expires: is.Expires.UnixMilli()})
		return true, nil
	})
	return now, err
}

func sendEvent(err error) string {
	if err != nil {
		return "send.failed"
	}
	return "send.success"
}

func (m *Manager) admitSend(r *record, s *issuing, now time.Time) (*instance, error) {
	if st := m.cfg.Lockout.Status(r.Lockout, s.factor.Kind(), now); !st.LockedUntil.IsZero() {
		return nil, &LockedError{Until: st.LockedUntil, RetryAfter: st.LockedUntil.Sub(now)}
	}
	return s.choose(r, now)
}
