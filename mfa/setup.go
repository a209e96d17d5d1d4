package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	sealSetup = "setup"
	// setupTTL is how long a link to set up a new device is good.
	setupTTL = time.Hour
)

// setup is the one set-up link of a person that is good.
type setup struct {
	ID      [16]byte `cbor:"0,keyasint"`
	Expires int64    `cbor:"1,keyasint"`
}

// SetupRequest asks for a link to set up a new device.
type SetupRequest struct {
	Challenge ChallengeToken
	Purpose   Purpose // SignIn if empty
	Binding   string
}

// SendSetupLink sends a person who has passed the first factor, and says that their device is
// gone, a link to set up another: to every address known to be theirs, good for an hour and
// once, in place of an earlier one. It costs one send of the person's budget. The page that
// the link leads to calls OpenSetup. ErrNotAvailable means that no address is known.
func (m *Manager) SendSetupLink(ctx context.Context, r SetupRequest) (*Delivery, error) {
	c, err := m.openToken(sealChallenge, r.Challenge.Reveal(), r.Binding)
	if err != nil {
		return nil, err
	}
	if purpose := r.Purpose; c.Purpose != purpose && !(purpose == "" && c.Purpose == PurposeSignIn) {
		return nil, ErrToken
	}
	return m.sendSetup(ctx, c.Subject, func(rec *record, now time.Time) error {
		if err := c.answerable(rec, now, m.cfg.ChallengeTTL); err != nil {
			return err
		}
		return m.lockedOut(rec, c, now)
	}, Event{})
}

// SendSetupLinkTo sends such a link on behalf of an administrator or of the application, also
// to somebody who has not enrolled yet: it then opens the enrolment of a first factor.
func (m *Manager) SendSetupLinkTo(ctx context.Context, r AdminRequest) (*Delivery, error) {
	if err := m.authorizeFor(ctx, "send-setup", r); err != nil {
		return nil, err
	}
	return m.sendSetup(ctx, r.User.compact(), func(rec *record, _ time.Time) error {
		if rec.fresh && r.User.Enrolled {
			return ErrRecordMissing
		}
		return nil
	}, Event{Actor: r.Actor.name, Note: r.Reason})
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
	token := factor.NewSecret(m.newToken(sealSetup, c))
	d := &Delivery{Expires: instant(link.Expires)}
	var failed error
	sent := 0
	for _, r := range to {
		in := factor.NotifyInput{User: s.person(), State: r.state, Name: "setup.link", Time: clock, Remaining: -1, Link: token}
		err := callNotify(ctx, r.factor, in)
		m.emit(ctx, []Event{m.event(sendEvent(err), s, clock, func(e *Event) {
			e.Kind, e.Purpose, e.Reason, e.Actor, e.Note = r.factor.Kind(), PurposeRecover, "setup.link", by.Actor, by.Note
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

// OpenSetup takes the token of a set-up link, once, and begins what it is for, in the session
// of the browser that opened it. Call it when the person presses the button of the page that
// the link leads to, not when the page is fetched: mail systems fetch links.
//
// The answer is to Enroll the first factor, for somebody who has none; or else to Verify with
// purpose ReplaceFactor, by what a person recovers with (Options), after which the grant opens
// the enrolment of a replacement: what it replaces is good until then, and ends with it. There
// may be no Options; then RequestSupport is what is left, with the same challenge.
func (m *Manager) OpenSetup(ctx context.Context, link LinkToken, binding string) (*Challenge, error) {
	if err := checkBinding(binding); err != nil {
		return nil, err
	}
	c, err := m.openToken(sealSetup, link.Reveal(), "")
	if err != nil {
		return nil, err
	}
	p, err := m.Policy(ctx, c.Subject.Tenant, c.Subject.UserType)
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
		next := claimsOf(c.Subject, p, PurposeRecover, now)
		next.Bind, next.Epoch, next.Linked = bindTo(binding), r.Epoch[:], true
		if !r.hasOwn(m) {
			// The link has proven an address that is known to be the user's.
			next.Proof = proof{Origin: originImplied, Level: factor.LevelWeak, Time: now.UnixMilli()}
			ch = &Challenge{Next: NextEnroll, Kinds: m.enrollableBy(r, &next, next.Proof)}
			ch.Grant, ch.Expires = m.grantToken(&next)
			return true, nil
		}
		expires := now.Add(m.cfg.ChallengeTTL)
		r.Recovering = &setup{ID: next.ID, Expires: expires.UnixMilli()}
		options := m.options(r, m.recoveries(nil, r, &next), "", now)
		ch = &Challenge{Next: NextVerify, Options: options, Token: ChallengeToken{Secret: factor.NewSecret(m.newToken(sealChallenge, next))},
			Expires: expires, LockedUntil: m.lockedUntil(r, options, now)}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	m.emit(ctx, []Event{m.event("setup.opened", c.Subject, clock, func(e *Event) { e.Reason = string(ch.Next) })})
	return ch, nil
}

// SetupSubject tells whose set-up link a token is, for the page that asks before OpenSetup: it
// changes nothing, and the answer is no proof.
func (m *Manager) SetupSubject(link LinkToken) (id, tenant, userType string, err error) {
	c, err := m.openToken(sealSetup, link.Reveal(), "")
	if err != nil {
		return "", "", "", err
	}
	if c.expired(m.now(), setupTTL) {
		return "", "", "", ErrTokenExpired
	}
	return c.Subject.ID, c.Subject.Tenant, c.Subject.UserType, nil
}
