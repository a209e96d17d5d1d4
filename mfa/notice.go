package mfa

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/client"
	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

const (
	// warnEvery is how often a user is notified, at most, of a request for support that is
	// repeated, and how often an undeliverable address is noted.
	warnEvery = 24 * time.Hour
)

// notice is what the user is notified of.
type notice struct {
	to    []recipient
	user  factor.User
	label string
	link  secret.Text
	// cause is the Cause of the factor.Message.
	cause string
}

// recipient is one destination of a user.
type recipient struct {
	factor factor.Notifier
	state  []byte
}

// recipients are all destinations known to be the user's: what they enrolled, what they
// verified, and the address that the application vouches for, whatever the policy allows
// them to sign in with. Without Config.Notify no user is notified.
func (m *Manager) recipients(r *record.Record, s token.Subject) (list []recipient) {
	if m.cfg.Notify == nil {
		return nil
	}
	return m.destinations(r, s, true)
}

// destinations are the recipients whether or not there is a Config.Notify. Without earlier they
// leave out an address that a link or a code has verified, where the application vouches for
// another one: a sign-in sends nothing there any more.
func (m *Manager) destinations(
	r *record.Record, s token.Subject, earlier bool,
) (list []recipient) {
	for _, kind := range m.kinds {
		f, ok := m.factors[kind].(factor.Notifier)
		if !ok {
			continue
		}
		add := func(state []byte) {
			same := func(r recipient) bool {
				return r.factor == f && bytes.EqualFold(r.state, state)
			}
			if !slices.ContainsFunc(list, same) {
				list = append(list, recipient{f, bytes.Clone(state)})
			}
		}
		vouched := false
		if i, ok := f.(factor.Implier); ok && s.Confirmed {
			// What no message can be sent to is no destination. That it is so is for Begin to say.
			state, _, err := callImplied(i, s.FactorUser())
			if vouched = err != nil || state != nil; err == nil && state != nil {
				add(state)
			}
		}
		for _, in := range r.Factors {
			if in.Kind == kind && (earlier || !in.Implicit || !vouched) {
				add(in.State)
			}
		}
	}
	return list
}

// withNotice makes of an event one that the user is notified of, if eventRules says so and the
// user was not sent too many notices of it, at the destinations that r has now.
func (m *Manager) withNotice(r *record.Record, s token.Subject, label string, e Event) Event {
	return noticed(r, m.addressed(r, s, label), e)
}

// addressed is a notice to the destinations that r has now, or nil if there are none. A change
// that may take one of them away calls it before, and noticed after.
func (m *Manager) addressed(r *record.Record, s token.Subject, label string) *notice {
	to := m.recipients(r, s)
	if len(to) == 0 {
		return nil
	}
	return &notice{to: to, user: s.FactorUser(), label: label}
}

// noticed gives an event its notice, and counts that, unless the user was sent as many notices
// of this event as a day has. The event itself is made in any case, and r is written with it.
func noticed(r *record.Record, n *notice, e Event) Event {
	e.notice, e.Write = nil, r.NextWrite(e.Time)
	if n != nil && notifies(e.Name) && r.CountNotice(e.Name, e.Time) {
		e.notice = n
	}
	return e
}

// causedBy sets what came before an event that follows from a challenge.
func (e Event) causedBy(c *token.Claims) Event {
	if e.notice != nil {
		e.notice.cause = causeOf(c)
	}
	return e
}

// causeOf says what permitted a challenge: its first factor, a recovery link, or a session that is
// signed in.
func causeOf(c *token.Claims) string {
	switch {
	case c.Linked:
		return "recovery-link"
	case c.Purpose == token.PurposeStepUp || c.Purpose == token.PurposeManage:
		return "session"
	default:
		return "first-factor"
	}
}

// quotable returns a short text as a notice may have it, or "".
func quotable(s string) string {
	if len(s) > 128 {
		return ""
	}
	return plainname.ForQuotation(s)
}

// withLastNotice is withNotice with a record that is being deleted. One that cannot be read any
// more names no addresses; what the application vouches for is known nevertheless.
func (m *Manager) withLastNotice(data []byte, s token.Subject, e Event) Event {
	r, err := m.open(s.Key(), data)
	if err != nil {
		r = record.New()
	}
	return m.withNotice(r, s, "", e)
}

// notifyUser hands a notice to Config.Notify, once for each destination.
func (m *Manager) notifyUser(ctx context.Context, e Event, n *notice) {
	from := client.Of(ctx)
	if e.Actor != "" {
		from = client.Client{} // an administrator's
	}
	from.Browser, from.Place = quotable(from.Browser), quotable(from.Place)
	for _, to := range n.to {
		in := factor.Message{User: n.user, State: to.state, Event: e.Name, Kind: e.Kind,
			Label: plainname.ForQuotation(n.label), Time: e.Time,
			Until: cmp.Or(e.LockedUntil, e.HeldUntil), Remaining: e.Remaining, Link: n.link,
			Cause: n.cause, Browser: from.Browser, Place: from.Place}
		m.cfg.Notify(ctx, func(ctx context.Context) error {
			err := m.sendNotice(ctx, to.factor, in)
			report := Event{Name: "notice.sent", Time: m.now(), UserID: e.UserID, Tenant: e.Tenant,
				UserType: e.UserType,
				Kind:     to.factor.Kind(), Reason: e.Name, Remaining: -1}
			if err != nil {
				report.Name = "notice.failed"
			}
			m.emit(ctx, []Event{report})
			return err
		})
	}
}

// sendNotice reads the brand each time, so that a repeated notice has one after a failure.
func (m *Manager) sendNotice(
	ctx context.Context, f factor.Notifier, in factor.Message,
) (err error) {
	if in.Brand, err = m.Brand(ctx, scopeOf(in.User)); err != nil {
		return err
	}
	return m.callNotify(ctx, f, in)
}

// Cancel ends a challenge that the user will not respond to: the user pressed "cancel", or
// the session in which it was begun ended. The challenge is used. If the user did not sign in
// otherwise, an attacker may know their password; Config.Notify notifies the user, at most once a
// day. An expired challenge may be cancelled too; one that was responded to gives
// ErrTokenExpired.
func (s Session) Cancel(ctx context.Context, ch *Challenge) error {
	m := s.m
	c, err := s.openChallenge(ch)
	if err != nil {
		return err
	}
	clock := m.now()
	e, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (Event, bool, error) {
		v := m.view(r, c, r.At(clock))
		write, warn, err := v.Cancel()
		if err != nil {
			return Event{}, false, err
		}
		e := m.event("challenge.abandoned", c.Subject, v.Now, func(e *Event) {
			e.Purpose = string(c.Purpose)
		})
		if warn {
			e = m.withNotice(r, c.Subject, "", e).causedBy(c)
		}
		return e, write, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, []Event{e})
	return nil
}
