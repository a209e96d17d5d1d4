package mfa

import (
	"context"
	"fmt"
	"slices"

	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

// Prefer sets the kind that the user is asked for first, before Policy.Default: one that the user
// has and that is no recovery kind. With "" the user prefers none. A preference changes the order
// of [Challenge].Options and nothing else, and has no effect once the user does not have the kind.
// Errors are those of Remove; ErrNotAvailable means that the user does not have the kind.
func (s Session) Prefer(ctx context.Context, g Grant, kind string) error {
	return s.setPreference(ctx, g, "factor.preferred", func(v decide.View, r *record.Record) error {
		list, err := v.Candidates()
		if err != nil {
			return err
		}
		has := func(k decide.Candidate) bool {
			return k.Kind == kind && !v.Kinds[kind].Recovery
		}
		if kind != "" && !slices.ContainsFunc(list, has) {
			return fmt.Errorf("%w: the user does not have the kind", ErrNotAvailable)
		}
		r.Preferred = kind
		return nil
	})
}

// UseImplied says whether an address that the user did not enrol is used beside other factors,
// where the policy keeps it (Policy.KeepImplicit). Turned off, it is not offered while the user has
// a stronger factor that the policy allows, and is not on hold or disabled; otherwise it is offered
// as before. ErrNotAvailable means that the user has nothing stronger to turn it off for.
func (s Session) UseImplied(ctx context.Context, g Grant, use bool) error {
	name := "implied.on"
	if !use {
		name = "implied.off"
	}
	return s.setPreference(ctx, g, name, func(v decide.View, r *record.Record) error {
		if !use && !v.CanTurnOffImplied() {
			return fmt.Errorf("%w: the user has nothing stronger", ErrNotAvailable)
		}
		r.NoImplied = !use
		return nil
	})
}

// setPreference changes what a user prefers, with a grant that permits changes to how the user
// signs in.
func (s Session) setPreference(ctx context.Context, g Grant, name string,
	set func(decide.View, *record.Record) error,
) error {
	m := s.m
	c, err := s.openGrant(g)
	if err != nil {
		return err
	}
	p, err := m.Policy(ctx, c.Subject.Scope())
	if err != nil {
		return err
	}
	clock := m.now()
	e, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (Event, bool, error) {
		v := m.view(r, c, r.At(clock))
		if _, err := v.Permits(authority.Request{Act: authority.ActManage}); err != nil {
			return Event{}, false, err
		}
		today := *c
		today.Purpose, today.Kinds = token.PurposeSignIn, p.Kinds
		today.Implicit, today.Keep = p.Implicit, true // also while it is turned off
		v = m.view(r, &today, v.Now)
		before := *r
		if err := set(v, r); err != nil {
			return Event{}, false, err
		}
		if before.Preferred == r.Preferred && before.NoImplied == r.NoImplied {
			return Event{}, false, nil
		}
		e := m.event(name, c.Subject, v.Now, func(e *Event) {
			if name == "factor.preferred" {
				e.Kind = r.Preferred
			}
		})
		if notifies(name) {
			e = m.withNotice(r, c.Subject, "", e)
		}
		return e, true, nil
	})
	if err == nil && e.Name != "" {
		m.emit(ctx, []Event{e})
	}
	return err
}
