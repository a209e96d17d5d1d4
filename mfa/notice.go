package mfa

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/secondgate/secondgate/internal/plainname"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	// warnAfter is how many failed attempts in a row with one kind are worth a message, when no
	// lock follows; fewer are typing errors.
	warnAfter = 3
	// warnEvery is how often a user is notified, at most, that somebody knows their password.
	warnEvery = 24 * time.Hour
	// noticesADay is how many notices of one event a user is sent in 24 hours. An attacker with
	// the user's session, or with the password, can repeat most events without end. Each event
	// has its own limit, so that a flood of one of them hides no other.
	noticesADay = 10
)

// noticeTally counts the notices of one event since Start.
type noticeTally struct {
	Start int64 `cbor:"0,keyasint"`
	Count int   `cbor:"1,keyasint"`
}

// over says whether a tally counts for nothing any more. One that a clock which ran ahead left
// in the future does not.
func (t noticeTally) over(now time.Time) bool {
	ms := now.UnixMilli()
	return ms < t.Start || ms >= t.Start+(24*time.Hour).Milliseconds()
}

// notice is what the user is notified of.
type notice struct {
	to     []recipient
	person factor.User
	label  string
	link   secret.Text
}

// recipient is one destination of a user.
type recipient struct {
	factor factor.Notifier
	state  []byte
}

// recipients are all destinations known to be the user's: what they enrolled, what they
// verified, and the address that the application vouches for, whatever the policy allows
// them to sign in with. Nobody is notified without Config.Notify.
func (m *Manager) recipients(r *record, s subject) (list []recipient) {
	if m.cfg.Notify == nil {
		return nil
	}
	return m.destinations(r, s)
}

func (m *Manager) destinations(r *record, s subject) (list []recipient) {
	for _, kind := range m.kinds {
		f, ok := m.factors[kind].(factor.Notifier)
		if !ok {
			continue
		}
		add := func(state []byte) {
			same := func(r recipient) bool { return r.factor == f && bytes.EqualFold(r.state, state) }
			if !slices.ContainsFunc(list, same) {
				list = append(list, recipient{f, bytes.Clone(state)})
			}
		}
		if i, ok := f.(factor.Implier); ok && s.Confirmed {
			// What no message can be sent to is no destination. That it is so is for Begin to say.
			if state, _, err := callImplied(i, s.person()); err == nil && state != nil {
				add(state)
			}
		}
		for _, in := range r.Factors {
			if in.Kind == kind {
				add(in.State)
			}
		}
	}
	return list
}

// withNotice makes of an event one that the user is notified of, if eventRules says so and the
// user was not sent too many notices of it, at the destinations that r has now.
func (m *Manager) withNotice(r *record, s subject, label string, e Event) Event {
	return r.noticed(m.addressed(r, s, label), e)
}

// addressed is a notice to the destinations that r has now, or nil if there are none. A change
// that may take one of them away calls it before, and noticed after.
func (m *Manager) addressed(r *record, s subject, label string) *notice {
	to := m.recipients(r, s)
	if len(to) == 0 {
		return nil
	}
	return &notice{to: to, person: s.person(), label: label}
}

// noticed gives an event its notice, and counts that, unless the user was sent as many notices
// of this event as a day has. The event itself is made in any case.
func (r *record) noticed(n *notice, e Event) Event {
	e.notice = nil
	if n == nil || !notifies(e.Name) {
		return e
	}
	t := r.Notices[e.Name]
	if t.over(e.Time) {
		t = noticeTally{Start: e.Time.UnixMilli()}
	}
	if t.Count >= noticesADay {
		return e
	}
	t.Count++
	if r.Notices == nil {
		r.Notices = make(map[string]noticeTally)
	}
	r.Notices[e.Name] = t
	e.notice = n
	return e
}

// notableLast is notable with a record that is being deleted. One that cannot be read any more
// names no addresses; what the application vouches for is known nevertheless.
func (m *Manager) withLastNotice(data []byte, s subject, e Event) Event {
	r, err := m.open(s.key(), data)
	if err != nil {
		r = newRecord()
	}
	return m.withNotice(r, s, "", e)
}

// tellPerson hands a notice to Config.Notify, once for each destination.
func (m *Manager) notifyUser(ctx context.Context, e Event, n *notice) {
	for _, to := range n.to {
		in := factor.Message{User: n.person, State: to.state, Event: e.Name, Kind: e.Kind,
			Label: plainname.ForQuotation(n.label), Time: e.Time,
			Until: cmp.Or(e.LockedUntil, e.HeldUntil), Remaining: e.Remaining, Link: n.link}
		m.cfg.Notify(ctx, func(ctx context.Context) error {
			err := callNotify(ctx, to.factor, in)
			report := Event{Name: "notice.sent", Time: m.now(), UserID: e.UserID, Tenant: e.Tenant, UserType: e.UserType,
				Kind: to.factor.Kind(), Reason: e.Name, Remaining: -1}
			if err != nil {
				report.Name = "notice.failed"
			}
			m.emit(ctx, []Event{report})
			return err
		})
	}
}

// warn says whether the user is to be notified now that somebody has their password, and
// remembers that.
func (m *Manager) warn(r *record, now time.Time) bool {
	if m.cfg.Notify == nil || now.UnixMilli() < r.Warned+warnEvery.Milliseconds() && r.Warned != 0 {
		return false
	}
	r.Warned = now.UnixMilli()
	return true
}

// Cancel says that nobody will respond to a challenge any more: the user pressed "cancel", or
// the session in which it was begun ended. The challenge is used. If the user did not sign in
// otherwise, somebody knows their password; Config.Notify notifies the user, at most once a
// day. An expired challenge may be cancelled too; one that was responded to gives
// ErrTokenExpired.
func (s Session) Cancel(ctx context.Context, ch *Challenge) error {
	m := s.m
	c, err := s.openChallenge(ch)
	if err != nil {
		return err
	}
	clock := m.now()
	var events []Event
	err = m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if err := c.sameRecord(r); err != nil {
			return false, err
		}
		if r.isSpent(c.ID, c.Issued) || slices.ContainsFunc(r.Factors, func(in instance) bool { return in.Used > c.Issued }) {
			return false, ErrTokenExpired
		}
		// Of too many spent challenges the oldest is let go, and all before it with it: who knows
		// a password could end the person's sign-ins by giving up their own. One that cannot be
		// remembered ends by itself.
		r.tidy(now, m.cfg.ChallengeTTL)
		write := r.Spent.len() < maxSpent
		if write {
			r.spend(c.ID, c.Issued)
		}
		e := m.event("challenge.abandoned", c.Subject, now, func(e *Event) { e.Purpose = string(c.Purpose) })
		if c.Purpose == purposeSignIn && m.warn(r, now) {
			e = m.withNotice(r, c.Subject, "", e)
			write = true
		}
		events = []Event{e}
		return write, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, events)
	return nil
}
