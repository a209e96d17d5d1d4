package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// Resend sends the code of a pending enrolment again; the one before is superseded. It counts
// against the same rate limits as Send.
func (s Session) Resend(ctx context.Context, e *Enrollment) (*Delivery, error) {
	if e == nil {
		return nil, ErrToken
	}
	m := s.m
	c, err := s.open(token.KindEnrollment, e.token)
	if err != nil {
		return nil, err
	}
	p, err := m.readPending(ctx, c, m.now())
	if err != nil {
		return nil, err
	}
	f, ok := m.factors[p.Instance.Kind].(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	d, err := m.send(ctx, &sending{to: toEnrollment, factor: f, claims: c})
	if err != nil {
		return nil, err
	}
	return &d.Delivery, nil
}
