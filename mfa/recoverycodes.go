package mfa

import (
	"context"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// RecoveryCodesSaved records that the user has said that recovery codes are saved: those of the
// set with the ID factorID (Confirmation.Factor), so that a page of an older set says nothing of
// the present one. It needs no grant, because it changes nothing of how the user signs in: the
// codes are valid since they were shown, and the user is no longer reminded of them.
// ErrNotAvailable means that the user has no such codes.
func (s Session) RecoveryCodesSaved(ctx context.Context, factorID string) error {
	if err := s.check(); err != nil {
		return err
	}
	m, who, clock := s.m, s.user.compact(), s.m.now()
	c := &token.Claims{Subject: who, Purpose: s.purpose}
	events, err := update(ctx, m, who, clock, func(r *record.Record) ([]Event, bool, error) {
		if r.Fresh && s.user.Enrolled {
			return nil, false, ErrRecordMissing
		}
		v := m.view(r, c, r.At(clock))
		in, write, err := v.CodesSaved(factorID)
		if err != nil || !write {
			return nil, false, err
		}
		return []Event{m.event("recovery.saved", who, v.Now, func(e *Event) {
			e.Kind, e.FactorID, e.Remaining = in.Kind, in.ID, in.Remaining
		})}, true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, events)
	return nil
}
