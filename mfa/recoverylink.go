package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	sealSetup = "setup"
	// setupTTL is how long a link to set up a new device is good.
	setupTTL = time.Hour
)

// setup is the one recovery link of a user that is valid.
type setup struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
}

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
	return m.sendSetup(ctx, c.Subject, func(rec *record, now time.Time) error {
		if err := c.answerable(rec, now, m.cfg.ChallengeTTL); err != nil {
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
	return m.sendSetup(ctx, u.compact(), func(rec *record, _ time.Time) error {
		if rec.fresh && u.Enrolled {
			return ErrRecordMissing
		}
		return nil
	}, Event{Actor: a.actor.name, Note: a.reason})
}

func (m *Manager) sendSetup(ctx context.Context, s subject, may func(*record, time.Time) error, by Event) (*Delivery, error) {
	clock := m.now()
	link := setup{ID: random16()}
	c := claims{ID: link.ID, Issued: clock.UnixMilli(), Subject: s}
	var to []recipient
	err := m.update(ctx, s, clock, func(r *record) (bool, error) {
		now := r.at(clock)
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
		r.Setup = &link
		c.Epoch = r.Epoch[:]
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	token := secret.New(m.sealToken(sealSetup, c))
	d := &Delivery{Expires: instant(link.Expires)}
	var failed error
	sent := 0
	for _, r := range to {
		in := factor.Message{User: s.person(), State: r.state, Event: "setup.link", Time: clock, Remaining: -1, Link: token}
		err := callNotify(ctx, r.factor, in)
		m.emit(ctx, []Event{m.event(sendEvent(err), s, clock, func(e *Event) {
			e.Kind, e.Purpose, e.Reason, e.Actor, e.Note = r.factor.Kind(), string(purposeRecover), "setup.link", by.Actor, by.Note
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
func (s Session) OpenRecoveryLink(ctx context.Context, link secret.Text) (*Challenge, error) {
	m := s.m
	if err := s.check(); err != nil {
		return nil, err
	}
	c, err := m.openToken(sealSetup, link.Reveal(), sessionID{})
	if err != nil {
		return nil, err
	}
	if c.Subject.ID != s.user.ID || c.Subject.Tenant != s.user.Tenant {
		return nil, ErrToken
	}
	p, err := m.Policy(ctx, c.Subject.scope())
	if err != nil {
		return nil, err
	}
	clock := m.now()
	var ch *Challenge
	err = m.update(ctx, c.Subject, clock, func(r *record) (bool, error) {
		now := r.at(clock)
		if r.fresh {
			return false, ErrRecordMissing
		}
		if err := c.sameRecord(r); err != nil {
			return false, err
		}
		if r.Setup == nil || r.Setup.ID != c.ID || now.UnixMilli() >= r.Setup.Expires {
			return false, ErrTokenExpired
		}
		r.Setup = nil
		next := claimsOf(c.Subject, p, purposeRecover, now)
		next.Bind, next.Epoch, next.Linked = s.id.bind(), r.Epoch[:], true
		if !r.hasOwn(m) {
			// The link has proven an address that is known to be the user's.
			next.Proof = proof{Origin: originImplied, Level: factor.LevelWeak, Time: now.UnixMilli()}
			ch = &Challenge{Next: NextEnroll, Kinds: m.enrollableBy(r, &next, next.Proof)}
			ch.Grant, ch.Expires = m.grantToken(&next)
			ch.token = m.keep(sealMustEnroll, next)
			return true, nil
		}
		expires := now.Add(m.cfg.ChallengeTTL)
		r.Recovering = &setup{ID: next.ID, Expires: expires.UnixMilli()}
		options := m.options(r, m.recoveries(nil, r, &next), "", now)
		ch = &Challenge{Next: NextVerify, Options: options, token: m.keep(sealChallenge, next),
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
func (m *Manager) RecoveryUser(link secret.Text) (User, error) {
	c, err := m.openToken(sealSetup, link.Reveal(), sessionID{})
	if err != nil {
		return User{}, err
	}
	if c.expired(m.now(), setupTTL) {
		return User{}, ErrTokenExpired
	}
	return User{ID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType}, nil
}
