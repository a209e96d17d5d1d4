package mfa

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

// recoveryLinkTTL is how long a recovery link is valid.
const recoveryLinkTTL = time.Hour

// SendRecoveryLink sends a user who has passed the first factor, and says that their device is
// lost, a link to set up another: to every address known to be theirs, valid for an hour and
// once, in place of an earlier one. It counts against the user's rate limit. The page that the
// link leads to calls [Session.OpenRecoveryLink]. ErrNotAvailable means that no address is
// known.
func (s Session) SendRecoveryLink(ctx context.Context, ch *Challenge) (*Delivery, error) {
	m := s.m
	c, err := s.openChallenge(ch)
	if err != nil {
		return nil, err
	}
	return m.sendRecoveryLink(ctx, &sending{to: toRecovery, claims: c}, Admin{})
}

// SendRecoveryLink sends such a link for an administrator or for the application, also to a
// user who has not enrolled yet: it then permits the enrolment of a first factor.
func (a Admin) SendRecoveryLink(ctx context.Context, u User) (*Delivery, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "send-recovery-link", u); err != nil {
		return nil, err
	}
	return m.sendRecoveryLink(ctx, &sending{to: toRecoveryFor, enrolled: u.Enrolled,
		claims: &token.Claims{Subject: u.compact()}}, a)
}

// admitRecoveryLink refuses a recovery link.
func (m *Manager) admitRecoveryLink(v decide.View, s *sending) error {
	if s.to == toRecoveryFor {
		if v.Record.Fresh && s.enrolled {
			return ErrRecordMissing
		}
		return nil
	}
	if err := v.Answerable(); err != nil {
		return err
	}
	return lockedOut(v)
}

// knownAddresses returns every address known to be the user's now; it is an error that there is
// none. An attacker may have the mailbox of an earlier one.
func (m *Manager) knownAddresses(r *record.Record, s token.Subject) ([]recipient, error) {
	to := m.destinations(r, s, false)
	if len(to) == 0 {
		return nil, fmt.Errorf("%w: no address is known to be the user's", ErrNotAvailable)
	}
	return to, nil
}

// sendRecoveryLink sends a recovery link to every known address. by is the administrator who
// sends it, or the zero Admin.
func (m *Manager) sendRecoveryLink(ctx context.Context, s *sending, by Admin) (*Delivery, error) {
	clock, who := m.now(), s.claims.Subject
	ours, err := m.Brand(ctx, who.Scope())
	if err != nil {
		return nil, err
	}
	s.link = token.Claims{ID: record.Random16(), Issued: clock.UnixMilli(), Subject: who}
	out, err := m.commitSend(ctx, s, nil, nil, clock)
	if err != nil {
		return nil, err
	}
	s.link.Epoch = out.epoch[:]
	in := factor.Message{User: who.FactorUser(), Event: "setup.link", Time: clock, Remaining: -1,
		Brand: ours,
		Link:  secret.New(token.Seal(m.cfg.Keys, token.KindRecoveryLink, s.link))}
	if s.to == toRecovery {
		in.User = awaiting(ctx, who)
	}
	d := &Delivery{Expires: out.Expires}
	var failed error
	delivered := 0
	for _, r := range out.recipients {
		in.State = r.state
		err := m.callNotify(ctx, r.factor, in)
		m.emit(ctx, []Event{m.event(sendEvent(err), who, clock, func(e *Event) {
			e.Kind, e.Purpose, e.Reason = r.factor.Kind(), string(token.PurposeRecover),
				"setup.link"
			e.Actor, e.Note = by.actor.name, by.reason
		})})
		if err != nil {
			failed = err
			continue
		}
		delivered++
		d.Kind = r.factor.Kind()
		if i, ok := r.factor.(factor.Implier); ok && d.MaskedDestination == "" {
			_, d.MaskedDestination, _ = callImplied(i, factor.User{Email: string(r.state)})
		}
	}
	if delivered == 0 {
		return nil, failed
	}
	return d, nil
}

// OpenRecoveryLink uses a recovery link, once, in the session of the browser that opened it,
// and begins what it is for. Call it when the user presses the button of the page that the
// link leads to, not when the page is fetched: mail systems fetch links.
//
// The challenge is to enrol a first factor, for a user who has none. Otherwise it is to
// verify, with [Session.Recovery], by what the user recovers with (Options); the grant then
// permits the enrolment of a replacement. What it replaces is valid until then, and ends with
// it. There may be no Options; then RequestSupport, with the same challenge, is what remains.
//
// A link that was sent before the application changed User.Email is ErrTokenExpired.
func (s Session) OpenRecoveryLink(ctx context.Context, link secret.Text) (*Challenge, error) {
	m := s.m
	if err := s.check(); err != nil {
		return nil, err
	}
	c, err := token.Open(m.cfg.Keys, token.KindRecoveryLink, link.Reveal(), token.SessionID{})
	if err != nil {
		return nil, err
	}
	if c.Subject.ID != s.user.ID || c.Subject.Tenant != s.user.Tenant {
		return nil, ErrToken
	}
	if s.movedSince(c) {
		return nil, ErrTokenExpired
	}
	p, err := m.Policy(ctx, c.Subject.Scope())
	if err != nil {
		return nil, err
	}
	clock := m.now()
	o, err := update(ctx, m, c.Subject, clock, func(r *record.Record) (openedLink, bool, error) {
		v := m.view(r, c, r.At(clock))
		next := token.ClaimsOf(c.Subject, p, token.PurposeRecover, v.Now)
		next.Bind, next.Epoch, next.Linked = s.id.Bind(), r.Epoch[:], true
		v.Vouched = m.vouched(&next)
		o, err := v.OpenRecovery(&next)
		return openedLink{o, next, v.Now}, true, err
	})
	if err != nil {
		return nil, err
	}
	ch := m.challenge(o.Opening, o.claims, o.now)
	m.emit(ctx, []Event{m.event("setup.opened", c.Subject, clock,
		func(e *Event) { e.Reason = string(ch.Next) })})
	return ch, nil
}

// movedSince reports whether the application vouched for an address when it had a link sent, and
// gives another one of the user's now. A handle that knows no address says nothing of it.
func (s Session) movedSince(c *token.Claims) bool {
	return c.Subject.Confirmed && c.Subject.Email != "" && s.user.Email != "" &&
		!strings.EqualFold(c.Subject.Email, s.user.Email)
}

// openedLink is what a recovery link began.
type openedLink struct {
	decide.Opening
	claims token.Claims
	now    time.Time
}

// RecoveryUser returns the ID, the Tenant and the UserType of the user for whom a recovery link
// is. The page that asks before [Session.OpenRecoveryLink] calls it. It changes nothing, and the
// user has proven nothing.
func (m *Manager) RecoveryUser(link secret.Text) (User, error) {
	c, err := token.Open(m.cfg.Keys, token.KindRecoveryLink, link.Reveal(), token.SessionID{})
	if err != nil {
		return User{}, err
	}
	if c.Expired(m.now(), recoveryLinkTTL) {
		return User{}, ErrTokenExpired
	}
	return User{ID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType}, nil
}
