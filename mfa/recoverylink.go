package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
)

const (
	// setupTTL is how long a link to set up a new device is good.
	setupTTL = time.Hour
)

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
	return m.sendSetup(ctx, c.Subject, func(rec *record.Record, now time.Time) error {
		if err := c.Answerable(rec, now, m.cfg.ChallengeTTL); err != nil {
			return err
		}
		return m.lockedOut(rec, c, now)
	}, Event{})
}

// SendRecoveryLink sends such a link for an administrator or for the application, also to a
// user who has not enrolled yet: it then permits the enrolment of a first factor.
func (a Admin) SendRecoveryLink(ctx context.Context, u User) (*Delivery, error) {
	m := a.m
	if err := a.authorizeFor(ctx, "send-recovery-link", u); err != nil {
		return nil, err
	}
	return m.sendSetup(ctx, u.compact(), func(rec *record.Record, _ time.Time) error {
		if rec.Fresh && u.Enrolled {
			return ErrRecordMissing
		}
		return nil
	}, Event{Actor: a.actor.name, Note: a.reason})
}

func (m *Manager) sendSetup(ctx context.Context, s token.Subject, may func(*record.Record, time.Time) error, by Event) (*Delivery, error) {
	clock := m.now()
	link := record.Recovery{ID: record.Random16()}
	c := token.Claims{ID: link.ID, Issued: clock.UnixMilli(), Subject: s}
	var to []recipient
	err := m.update(ctx, s, clock, func(r *record.Record) (bool, error) {
		now := r.At(clock)
		if err := may(r, now); err != nil {
			return false, err
		}
		if to = m.destinations(r, s); len(to) == 0 {
			return false, fmt.Errorf("%w: no address of the person is known to be theirs", ErrNotAvailable)
		}
		if err := m.userSends(r, now); err != nil {
			return false, err
		}
		link.Expires = now.Add(setupTTL).UnixMilli()
		r.RecoveryLink = &link
		c.Epoch = r.Epoch[:]
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	sealed := factor.NewSecret(token.Seal(m.cfg.Keys, token.KindRecoveryLink, c))
	d := &Delivery{Expires: record.Instant(link.Expires)}
	var failed error
	sent := 0
	for _, r := range to {
		in := factor.NotifyInput{User: s.FactorUser(), State: r.state, Name: "setup.link", Time: clock, Remaining: -1, Link: sealed}
		err := callNotify(ctx, r.factor, in)
		m.emit(ctx, []Event{m.event(sendEvent(err), s, clock, func(e *Event) {
			e.Kind, e.Purpose, e.Reason, e.Actor, e.Note = r.factor.Kind(), string(token.PurposeRecover), "setup.link", by.Actor, by.Note
		})})
		if err != nil {
			failed = err
			continue
		}
		sent++
		d.Kind = r.factor.Kind()
		if i, ok := r.factor.(factor.Implier); ok && d.MaskedDestination == "" {
			_, d.MaskedDestination, _ = callImplied(i, factor.User{Email: string(r.state)})
		}
	}
	if sent == 0 {
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
func (s Session) OpenRecoveryLink(ctx context.Context, link factor.Secret) (*Challenge, error) {
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
	p, err := m.Policy(ctx, c.Subject.Scope())
	if err != nil {
		return nil, err
	}
	clock := m.now()
	var ch *Challenge
	err = m.update(ctx, c.Subject, clock, func(r *record.Record) (bool, error) {
		now := r.At(clock)
		if r.Fresh {
			return false, ErrRecordMissing
		}
		if err := c.SameRecord(r); err != nil {
			return false, err
		}
		if r.RecoveryLink == nil || r.RecoveryLink.ID != c.ID || now.UnixMilli() >= r.RecoveryLink.Expires {
			return false, ErrTokenExpired
		}
		r.RecoveryLink = nil
		next := token.ClaimsOf(c.Subject, p, token.PurposeRecover, now)
		next.Bind, next.Epoch, next.Linked = s.id.Bind(), r.Epoch[:], true
		if !m.hasOwn(r) {
			// The link has proven an address that is known to be the user's.
			next.Proof = authority.Proof{Origin: authority.OriginImplied, Level: factor.LevelWeak, Time: now.UnixMilli()}
			ch = &Challenge{Next: NextEnroll, Kinds: m.enrollableBy(r, &next, next.Proof)}
			ch.Grant, ch.Expires = m.grantToken(&next)
			ch.token = token.New(m.cfg.Keys, token.KindMustEnroll, next)
			return true, nil
		}
		expires := now.Add(m.cfg.ChallengeTTL)
		r.Recovery = &record.Recovery{ID: next.ID, Expires: expires.UnixMilli()}
		options := m.options(r, m.recoveries(nil, r, &next), "", now)
		ch = &Challenge{Next: NextVerify, Options: options, token: token.New(m.cfg.Keys, token.KindChallenge, next),
			Expires: expires, LockedUntil: m.lockedUntil(r, options, now)}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	m.emit(ctx, []Event{m.event("setup.opened", c.Subject, clock, func(e *Event) { e.Reason = string(ch.Next) })})
	return ch, nil
}

// RecoveryUser returns the ID, the Tenant and the UserType of the user for whom a recovery link
// is. The page that asks before [Session.OpenRecoveryLink] calls it. It changes nothing, and the
// user has proven nothing.
func (m *Manager) RecoveryUser(link factor.Secret) (User, error) {
	c, err := token.Open(m.cfg.Keys, token.KindRecoveryLink, link.Reveal(), token.SessionID{})
	if err != nil {
		return User{}, err
	}
	if c.Expired(m.now(), setupTTL) {
		return User{}, ErrTokenExpired
	}
	return User{ID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType}, nil
}
