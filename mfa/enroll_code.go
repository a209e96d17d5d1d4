package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// Resend sends the code of a pending enrolment again; the one before is superseded. It counts
// against the same rate limits as Send.
func (s Session) Resend(ctx context.Context, e *Enrollment) (*Delivery, error) {
	if e == nil {
		return nil, ErrToken
	}
	m := s.m
	c, err := s.open(sealEnrollment, e.token)
	if err != nil {
		return nil, err
	}
	clock, key := m.now(), c.Subject.key()
	rec, err := m.read(ctx, key)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, ErrTokenExpired
	}
	p, err := m.pendingOf(rec, c, rec.at(clock))
	if err != nil {
		return nil, err
	}
	f, ok := m.factors[p.In.Kind].(factor.Challenger)
	if !ok {
		return nil, fmt.Errorf("%w: nothing is sent for this kind", ErrNotAvailable)
	}
	is := m.confirmingSend(f, c)
	is.choose = func(r *record, now time.Time) (*instance, error) {
		p, err := m.pendingOf(r, c, now)
		if err != nil {
			return nil, err
		}
		return &p.In, nil
	}
	return m.issue(ctx, is)
}

// issueFirst puts a pending enrolment into the record, and sends what confirms it: in one
// write, so that an enrolment that may not be sent for changes nothing. admit refuses the
// enrolment, or dates it; begun runs with the write. c is what the enrolment's token says.
func (m *Manager) issueFirst(
	ctx context.Context, f factor.Challenger, c *claims, p *pending,
	admit func(r *record, now time.Time) error, begun func(r *record, now time.Time) []Event,
) (*Delivery, error) {
	s := m.confirmingSend(f, c)
	s.silent = p.In.Implicit
	s.choose = func(r *record, now time.Time) (*instance, error) {
		if err := admit(r, now); err != nil {
			return nil, err
		}
		m.addPending(r, *p)
		return &r.pendingByID(p.In.ID).In, nil
	}
	keep := s.keep
	s.keep = func(r *record, in *instance, l live) {
		s.events = begun(r, time.UnixMilli(l.Issued).UTC())
		keep(r, in, l)
	}
	return m.issue(ctx, s)
}

// confirmingSend is what confirms the pending enrolment that c stands for: a code and a link,
// or, where it is silent, the link alone.
func (m *Manager) confirmingSend(f factor.Challenger, c *claims) *issuing {
	s := &issuing{factor: f, subject: c.Subject, purpose: "confirm", confirming: true}
	s.keep = func(r *record, in *instance, l live) {
		link := *c
		link.ID, link.Issued, link.Epoch, link.Bind = random16(), l.Issued, r.Epoch[:], nil
		s.link = secret.New(m.sealToken(sealLink, link))
		if p := r.pendingByID(in.ID); p != nil && !s.silent {
			if p.Live != nil && !f.Traits().SharedChallenge {
				r.supersede(p.In.Kind, *p.Live)
			}
			p.Live = &l
		}
	}
	return s
}
