package mfa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfa/report"
)

// GrantException lets a user who has enrolled no factor sign in with the first factor alone, where
// the policy requires a second one. The exception ends at most 90 days from now, and takes the
// place of an earlier one. The reason of the handle is required, and so is the name of an
// approver of at most 256 bytes. It is neither the actor's nor the user's, in any spelling that
// reads the same. Config.Authorize receives it, and can refuse an approver without the authority.
//
// It ends by itself when the user enrols a factor, and with Reset, Remove and Delete. It counts
// at a sign-in and nowhere else: it proves nothing, so a step-up, a level and every change of
// factors ask for what they asked before. An address that the policy has as implicit is still
// asked for.
//
// ErrNotAvailable means that the user has a factor, or that Config.Profile accepts no exceptions
// ([policy.Setup.AcceptsExceptions]). Remove a factor that is lost first. Config.Authorize is
// asked as "grant-exception".
func (a Admin) GrantException(
	ctx context.Context, u User, approver string, ends time.Time,
) error {
	if err := a.MayGrantException(ctx, u, approver, ends); err != nil {
		return err
	}
	granted := record.Exception{Ends: ends.UnixMilli(), Reason: []byte(a.reason),
		Actor: []byte(a.actor.name), Approver: []byte(approver)}
	return a.exception(ctx, u, "admin.exception", func(r *record.Record, now time.Time) error {
		return a.m.rules.GrantException(r, granted, now)
	})
}

// MayGrantException checks what GrantException checks before it reads the user's record, and
// changes nothing: the reason and the approver, the actor's proof, and Config.Authorize. It is for
// a page that does something else around the act.
func (a Admin) MayGrantException(
	ctx context.Context, u User, approver string, ends time.Time,
) error {
	if err := u.check(); err != nil {
		return err
	}
	if a.reason == "" || plainname.Visible(approver) == "" || len(approver) > 256 {
		return fmt.Errorf("%w: an exception needs a reason, and an approver of at most 256 bytes",
			factor.ErrMalformed)
	}
	for _, own := range []string{a.actor.name, u.ID, u.Account, u.Email} {
		if plainname.Same(approver, own) {
			return fmt.Errorf("%w: neither the actor nor the user approves an exception",
				ErrForbidden)
		}
	}
	return a.m.authorize(ctx, a.actor, AdminAction{Name: "grant-exception", Reason: a.reason,
		UserID: u.ID, Tenant: u.Tenant, UserType: u.UserType, Approver: approver, Ends: ends})
}

// EndException ends a user's exception before its time. The next sign-in asks for what the policy
// requires. ErrNotAvailable means that there is none. Config.Authorize is asked as
// "end-exception".
func (a Admin) EndException(ctx context.Context, u User) error {
	if err := a.authorizeFor(ctx, "end-exception", u); err != nil {
		return err
	}
	end := func(r *record.Record, now time.Time) error {
		if r.ExceptionAt(now) == nil {
			return fmt.Errorf("%w: there is no exception", ErrNotAvailable)
		}
		r.Exception = nil
		return nil
	}
	return a.exception(ctx, u, "admin.exception-ended", end)
}

// exception changes a user's exception, in an event that has the one before or after.
func (a Admin) exception(
	ctx context.Context, u User, event string, change func(*record.Record, time.Time) error,
) error {
	m, s, clock := a.m, u.compact(), a.m.now()
	e, err := update(ctx, m, s, clock, func(r *record.Record) (Event, bool, error) {
		if r.Fresh && u.Enrolled {
			return Event{}, false, ErrRecordMissing
		}
		now, about := r.At(clock), r.Exception
		if err := change(r, now); err != nil {
			return Event{}, false, err
		}
		if r.Exception != nil {
			about = r.Exception
		}
		return m.withNotice(r, s, "", m.event(event, s, now, func(e *Event) {
			e.Actor, e.Note = a.actor.name, a.reason
			e.Approver, e.ExceptionEnds = string(about.Approver), record.Instant(about.Ends)
		})), true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}

// Exceptions returns the exceptions of a tenant's users that are in force, for a register. It
// reads every record of the tenant; the Config.Store must be a storage.Lister, otherwise the error
// wraps errors.ErrUnsupported. After any other error, of which one is that a record cannot be
// read, there may be more than the list has. Config.Authorize is asked as "exceptions".
func (a Admin) Exceptions(ctx context.Context, tenant string) ([]report.Exception, error) {
	m := a.m
	err := m.allowed(ctx, a.actor, AdminAction{Name: "exceptions", Reason: a.reason,
		Tenant: tenant})
	if err != nil {
		return nil, err
	}
	var list []report.Exception
	var unreadable error
	prefix := token.Subject{Tenant: tenant}.Key()
	for page, err := range m.pages(ctx, "", prefix) {
		if err != nil {
			return list, err
		}
		for _, e := range page.entries {
			r, err := m.open(e.Key, e.Record.Data)
			if err != nil {
				unreadable = errors.Join(unreadable, err)
				continue
			}
			s := token.Subject{ID: e.Key[len(prefix):], Tenant: tenant}
			if x := m.exceptionOf(r, s, r.At(m.now())); x != nil {
				list = append(list, *x)
			}
		}
	}
	return list, unreadable
}

// exceptionOf returns the exception of a user that is in force, or nil.
func (m *Manager) exceptionOf(
	r *record.Record, s token.Subject, now time.Time,
) *report.Exception {
	x := r.ExceptionAt(now)
	if x == nil || m.rules.HasOwn(r) {
		return nil
	}
	return &report.Exception{UserID: s.ID, Tenant: s.Tenant, UserType: string(r.UserType),
		Reason: string(x.Reason), Actor: string(x.Actor), Approver: string(x.Approver),
		Granted: record.Instant(x.Granted), Ends: record.Instant(x.Ends)}
}

// useException notes that an exception lets the user in, in the same step that decides it. Another
// process may have ended it meanwhile; then the opening is what is next without it.
func (s Session) useException(
	ctx context.Context, c token.Claims, p policy.Policy, clock time.Time,
) (decide.Opening, error) {
	type used struct {
		opening decide.Opening
		events  []Event
	}
	m, who := s.m, s.user.compact()
	u, err := update(ctx, m, who, clock, func(r *record.Record) (u used, write bool, err error) {
		now, claims := r.At(clock), c
		claims.Epoch = r.IssuedUnder()
		v := m.view(r, &claims, now)
		first := authority.Proof{Origin: authority.OriginFirst,
			Time: s.firstFactorTime(now, clock).UnixMilli()}
		if u.opening, err = v.Begin(p, first); err != nil || !u.opening.Excepted {
			return u, false, err
		}
		u.opening.ExceptionEnds = record.Instant(r.Exception.Ends)
		if write = v.UseException(); write {
			u.events = []Event{m.event("exception.used", who, v.Now, func(e *Event) {
				e.Purpose, e.Approver = string(c.Purpose), string(r.Exception.Approver)
				e.ExceptionEnds = u.opening.ExceptionEnds
			})}
		}
		return u, write, nil
	})
	if err == nil {
		m.emit(ctx, u.events)
	}
	return u.opening, err
}
