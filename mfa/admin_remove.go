package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// Remove removes one factor of a user, such as a phone that is lost, and everything that was
// issued before: it is a reset of one factor. Also the last factor can be removed; the next
// sign-in then enrols anew where the policy requires a factor. ErrNotAvailable means that the
// user has no such factor. Addresses that are implied are not factors with an ID.
func (a Admin) Remove(ctx context.Context, u User, factorID string) error {
	m := a.m
	if err := a.authorizeFor(ctx, "remove", u); err != nil {
		return err
	}
	now, s := m.now(), u.compact()
	e, err := update(ctx, m, s, now, func(r *record.Record) (Event, bool, error) {
		if r.Fresh && u.Enrolled {
			return Event{}, false, ErrRecordMissing
		}
		in := r.Factor(factorID)
		if in == nil || in.Implicit {
			return Event{}, false, fmt.Errorf("%w: no such factor", ErrNotAvailable)
		}
		was := *in
		n := m.addressed(r, s, was.Name) // before the change takes an address away
		m.rules.EndFactors(r, func(i record.Instance) bool { return i.ID == was.ID })
		// The device may be an attacker's now, with a grant, or a challenge that it responds to.
		r.Void()
		return noticed(r, n, m.event("admin.remove", s, now, func(e *Event) {
			e.Kind, e.FactorID, e.Actor, e.Note = was.Kind, was.ID, a.actor.name, a.reason
		})), true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}

// Allowed asks Config.Authorize whether the actor may do what name says, for a package or an
// application that has more for administrators than the methods of Admin: lists of users,
// sessions. about is the user whom it concerns; with an empty ID it is about the tenant. Allowed
// asks for no proof: what changes something calls Check as well. Its error is ErrForbidden.
func (a Admin) Allowed(ctx context.Context, name string, about User) error {
	if name == "" || len(name) > maxActName {
		return fmt.Errorf("%w: an act has a name of at most %d bytes", ErrForbidden, maxActName)
	}
	return a.m.allowed(ctx, a.actor, AdminAction{Name: name, Reason: a.reason,
		UserID: about.ID, Tenant: about.Tenant, UserType: about.UserType})
}

const maxActName = 64
