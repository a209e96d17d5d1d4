package mfa

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/report"
	"github.com/secondgate/secondgate/storage"
)

// Export reads the factors of all users, secrets in full, for a move to another installation or
// another system. It yields them page by page, from a cursor: "" at the beginning, and that of the
// last page after a walk that was cut off. Package exporting writes them to a file, and Import
// takes them over.
//
// What it yields is worth as much as the store and the keys together. So only a program ([System])
// with a reason may export, never an administrator in a session, whatever Config.Authorize says;
// Config.Authorize is asked as "export". Each user whose factors it yields is an event
// admin.export first, which names the program and the reason.
//
// Nothing that was used or counted goes along: no remembered device, no failed attempt, no lock, no
// used recovery code, no last time step. A factor stays behind if it is on hold after a recovery,
// if its kind is not configured here, or if its kind has nothing that can be imported; NotMoved
// says so. An address that the user did not enrol, and for which the application vouches, does not
// move either.
//
// The Config.Store must be a storage.Lister; otherwise the error wraps errors.ErrUnsupported. An
// error ends the walk, and comes with the cursor to take it up again. ErrForbidden means that the
// actor may not export, and factor.ErrMalformed that there is no reason. Beside live traffic, each
// user is exported as they are at some time during the walk.
func (a Admin) Export(ctx context.Context, cursor string) iter.Seq2[report.Export, error] {
	return func(yield func(report.Export, error) bool) {
		if err := a.mayExport(ctx); err != nil {
			yield(report.Export{Cursor: cursor}, err)
			return
		}
		for p, err := range a.m.pages(ctx, cursor, "p/") {
			if err != nil {
				yield(report.Export{Cursor: cursor}, err)
				return
			}
			if !yield(a.exportPage(ctx, p), nil) {
				return
			}
			cursor = p.cursor
		}
	}
}

func (a Admin) mayExport(ctx context.Context) error {
	if !a.actor.system {
		return fmt.Errorf("%w: only a program of the application may export secrets", ErrForbidden)
	}
	if strings.TrimSpace(a.reason) == "" {
		return fmt.Errorf("%w: an export of secrets needs a reason", factor.ErrMalformed)
	}
	return a.m.allowed(ctx, a.actor, AdminAction{Name: "export", Reason: a.reason})
}

// exportPage reads the users of a page, and makes their events.
func (a Admin) exportPage(ctx context.Context, p page) report.Export {
	m, now := a.m, a.m.now()
	out := report.Export{Cursor: p.cursor}
	var events []Event
	for _, e := range p.entries {
		s, r, err := m.openEntry(e)
		if err != nil {
			out.Unreadable = append(out.Unreadable, fmt.Errorf("%q: %w", e.Key, err))
			continue
		}
		u := m.exportUser(s, r, r.At(now))
		if len(u.Factors) == 0 && len(u.NotMoved) == 0 {
			continue
		}
		out.Users = append(out.Users, u)
		if len(u.Factors) > 0 {
			events = append(events, m.event("admin.export", s, now, func(e *Event) {
				e.Actor, e.Note = a.actor.name, a.reason
			}))
		}
	}
	m.emit(ctx, events)
	return out
}

// openEntry opens the record of a user whom its key names.
func (m *Manager) openEntry(e storage.Entry) (token.Subject, *record.Record, error) {
	tenant, ok := tenantOf(e.Key)
	if !ok {
		return token.Subject{}, nil, fmt.Errorf("%w: no key of a user", ErrUnavailable)
	}
	r, err := m.open(e.Key, e.Record.Data)
	if err != nil {
		return token.Subject{}, nil, err
	}
	return token.Subject{ID: strings.TrimPrefix(e.Key, token.Subject{Tenant: tenant}.Key()),
		Tenant: tenant, UserType: string(r.UserType)}, r, nil
}

// exportUser returns a user's factors as another installation imports them.
func (m *Manager) exportUser(
	s token.Subject, r *record.Record, now time.Time,
) report.ExportedUser {
	r.EndHolds(now)
	v := m.view(r, &token.Claims{Subject: s}, now)
	u := report.ExportedUser{ID: s.ID, Tenant: s.Tenant, UserType: s.UserType}
	for i := range r.Factors {
		in := &r.Factors[i]
		switch v.Export(in) {
		case decide.ExportImplied:
		case decide.ExportHeld:
			u.NotMoved = append(u.NotMoved, in.Kind+": it is on hold after a recovery")
		case decide.ExportMoves:
			m.exportFactor(in, &u)
		}
	}
	return u
}

// exportFactor adds a factor to those of the user, or the reason why it stays behind.
func (m *Manager) exportFactor(in *record.Instance, u *report.ExportedUser) {
	stays := func(why string) { u.NotMoved = append(u.NotMoved, in.Kind+": "+why) }
	f := m.factors[in.Kind]
	if f == nil {
		stays("the kind is not configured")
		return
	}
	with, ok := f.(importParams)
	if !ok {
		stays("the kind cannot be moved")
		return
	}
	params, err := callImportParams(f, with, in.State)
	switch {
	case err != nil:
		stays("it cannot be read")
	case params != nil:
		u.Factors = append(u.Factors, report.ExportedFactor{Kind: in.Kind, Name: in.Name,
			Params: params})
	}
}
