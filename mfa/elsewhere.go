package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// SendElsewhere mails the user of a pending enrolment a link to the security settings, for another
// device: a user on a remote desktop cannot scan a QR code there. The mail has no key, and its link
// permits nothing: the user signs in on the other device, and enrols there. It goes to the verified
// address of record alone, and counts against the user's rate limit. ErrNotAvailable means that
// there is no such address.
func (s Session) SendElsewhere(ctx context.Context, e *Enrollment) (*Delivery, error) {
	if e == nil {
		return nil, ErrToken
	}
	m := s.m
	c, err := s.open(token.KindEnrollment, e.token)
	if err != nil {
		return nil, err
	}
	kind, err := m.addressKind()
	if err != nil {
		return nil, err
	}
	f, notifies := m.factors[kind].(factor.Notifier)
	state, masked, err := callImplied(m.factors[kind].(factor.Implier), c.Subject.FactorUser())
	if err != nil {
		return nil, err
	}
	if !notifies || state == nil || !c.Subject.Confirmed {
		return nil, fmt.Errorf("%w: no verified address is known", ErrNotAvailable)
	}
	in := factor.Message{User: awaiting(ctx, c.Subject), State: state, Event: "setup.elsewhere",
		Time: m.now(), Remaining: -1}
	if in.Brand, err = m.Brand(ctx, c.Subject.Scope()); err != nil {
		return nil, err
	}
	in.Kind, err = update(ctx, m, c.Subject, in.Time, func(r *record.Record) (string, bool, error) {
		v := m.view(r, c, r.At(in.Time))
		p, err := v.Pending()
		if err == nil {
			err = m.chargeUser(r, v.Now)
		}
		if err != nil {
			return "", false, err
		}
		return p.Instance.Kind, true, nil
	})
	if err != nil {
		return nil, err
	}
	err = m.callNotify(ctx, f, in)
	m.emit(ctx, []Event{m.event(sendEvent(err), c.Subject, in.Time, func(e *Event) {
		e.Kind, e.Purpose, e.Reason = kind, "confirm", in.Event
	})})
	if err != nil {
		return nil, err
	}
	return &Delivery{Kind: kind, MaskedDestination: masked}, nil
}
