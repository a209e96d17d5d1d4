package mfa

import (
	"context"
	"time"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// Postpone completes a sign-in that asks for an enrolment (NextEnroll) without one, where the
// user's policy permits it now. It counts this in the user's record, so that another browser or
// process does not begin to count anew, and each challenge serves once. After nil the user is
// signed in with the first factor alone.
//
// ErrNotAvailable means that the user must enrol, or has a factor to respond with by now.
func (s Session) Postpone(ctx context.Context, ch *Challenge) error {
	if err := s.check(); err != nil {
		return err
	}
	if ch == nil || s.purpose != token.PurposeSignIn {
		return ErrToken
	}
	c, err := s.open(token.KindMustEnroll, ch.token)
	if err != nil {
		return err
	}
	if c.Purpose != s.purpose {
		return ErrToken
	}
	m, who, clock := s.m, c.Subject, s.m.now()
	p, err := m.Policy(ctx, s.user.scope())
	if err != nil {
		return err
	}
	e, err := update(ctx, m, who, clock, func(r *record.Record) (Event, bool, error) {
		v := m.view(r, c, r.At(clock))
		err := v.Postpone(p)
		return m.event("enroll.postponed", who, v.Now, func(e *Event) {
			e.Purpose = string(c.Purpose)
		}), err == nil, err
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}

// startRespite notes that a sign-in has asked for an enrolment, from when the policy counts, and
// decides again what the user has to do: another sign-in may have asked first. c are the claims of
// the challenge, which are then for the record that the note has made.
func (s Session) startRespite(
	ctx context.Context, c *token.Claims, p policy.Policy, clock time.Time,
) (decide.Opening, error) {
	m, who := s.m, s.user.compact()
	_, err := update(ctx, m, who, clock, func(r *record.Record) (struct{}, bool, error) {
		return struct{}{}, m.view(r, c, r.At(clock)).StartRespite(p), nil
	})
	if err != nil {
		return decide.Opening{}, err
	}
	r, err := m.readOrNew(ctx, who.Key(), clock)
	if err != nil {
		return decide.Opening{}, err
	}
	now := r.At(clock)
	c.Epoch = r.IssuedUnder()
	return m.view(r, c, now).Begin(p, authority.Proof{Origin: authority.OriginFirst,
		Time: s.firstFactorTime(now, clock).UnixMilli()})
}
