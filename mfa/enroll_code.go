package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
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
	clock, key := m.now(), c.Subject.Key()
	rec, err := m.read(ctx, key)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, ErrTokenExpired
	}
	p, err := m.pendingOf(rec, c, rec.At(clock))
	if err != nil {
		return nil, err
	}
	f, ok := m.factors[p.Instance.Kind].(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	is := m.confirmingSend(f, c)
	is.choose = func(r *record.Record, now time.Time) (*record.Instance, error) {
		p, err := m.pendingOf(r, c, now)
		if err != nil {
			return nil, err
		}
		return &p.Instance, nil
	}
	return m.issue(ctx, is)
}

// issueFirst puts a pending enrolment into the record, and sends what confirms it: in one
// write, so that an enrolment that may not be sent for changes nothing. admit refuses the
// enrolment, or dates it; begun runs with the write. c is what the enrolment's token says.
func (m *Manager) issueFirst(
	ctx context.Context, f factor.Challenger, c *token.Claims, p *record.Pending,
	admit func(r *record.Record, now time.Time) error, begun func(r *record.Record, now time.Time) []Event,
) (*Delivery, error) {
	s := m.confirmingSend(f, c)
	s.silent = p.Instance.Implicit
	s.choose = func(r *record.Record, now time.Time) (*record.Instance, error) {
		if err := admit(r, now); err != nil {
			return nil, err
		}
		m.addPending(r, *p)
		return &r.PendingByID(p.Instance.ID).Instance, nil
	}
	keep := s.keep
	s.keep = func(r *record.Record, in *record.Instance, l record.Code) {
		s.events = begun(r, time.UnixMilli(l.Issued).UTC())
		keep(r, in, l)
	}
	return m.issue(ctx, s)
}

// confirmingSend is what confirms the pending enrolment that c stands for: a code and a link,
// or, where it is silent, the link alone.
func (m *Manager) confirmingSend(f factor.Challenger, c *token.Claims) *issuing {
	s := &issuing{factor: f, subject: c.Subject, purpose: "confirm", confirming: true}
	s.keep = func(r *record.Record, in *record.Instance, l record.Code) {
		link := *c
		link.ID, link.Issued, link.Epoch, link.Bind = record.Random16(), l.Issued, r.Epoch[:], nil
		s.link = factor.NewSecret(token.Seal(m.cfg.Keys, token.KindLink, link))
		if p := r.PendingByID(in.ID); p != nil && !s.silent {
			if p.Code != nil && !f.Traits().SharedChallenge {
				r.Supersede(p.Instance.Kind, *p.Code)
			}
			p.Code = &l
		}
	}
	return s
}
