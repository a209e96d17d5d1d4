package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// Enroll makes an instance of a kind whose Traits are AdminOnly, such as a temporary access
// code, for a user whom the administrator has identified. It takes the place of an earlier
// one. What it shows, in Prompt, is shown once, and cannot be looked up again. ErrNotAvailable
// means that the kind is not configured or is not for administrators to make.
func (a Admin) Enroll(ctx context.Context, u User, r EnrollRequest) (*Enrollment, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "enroll", u); err != nil {
		return nil, err
	}
	f := m.factors[r.Kind]
	if f == nil || !f.Traits().AdminOnly {
		return nil, fmt.Errorf("%w: no such kind that an administrator makes", ErrNotAvailable)
	}
	if err := checkEnroll(r); err != nil {
		return nil, err
	}
	clock, s := m.now(), u.compact()
	out, err := m.callEnroll(ctx, f, factor.EnrollInput{User: s.FactorUser(), Params: r.Params,
		Now: clock})
	if err != nil {
		return nil, err
	}
	in := record.Instance{ID: record.NewID(), Kind: r.Kind, Name: out.Name,
		MaskedDestination: out.MaskedDestination, State: out.State, Created: clock.UnixMilli()}
	e := &Enrollment{Kind: r.Kind, Prompt: out.Prompt}
	if f.Traits().Temporary {
		e.Expires = shownOf(f, out.State).Ends
	}
	event, err := update(ctx, m, s, clock, func(rec *record.Record) (Event, bool, error) {
		if rec.Fresh && u.Enrolled {
			return Event{}, false, ErrRecordMissing
		}
		rec.RemoveFactors(func(old record.Instance) bool { return old.Kind == in.Kind })
		if len(rec.Factors) >= record.MaxFactors {
			return Event{}, false, fmt.Errorf("%w: there are as many as there may be",
				ErrNotAvailable)
		}
		rec.Factors = append(rec.Factors, in)
		event := m.event("admin."+r.Kind, s, rec.At(clock), func(e *Event) {
			e.Kind, e.FactorID, e.Actor, e.Note = r.Kind, in.ID, a.actor.name, a.reason
		})
		return m.withNotice(rec, s, "", event), true, nil
	})
	if err != nil {
		return nil, err
	}
	m.emit(ctx, []Event{event})
	// The code is valid whether or not the user can be taken off the list of support.
	_, _ = m.closeCase(ctx, s)
	return e, nil
}
