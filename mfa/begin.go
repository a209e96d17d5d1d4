package mfa

import (
	"context"
	"errors"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// maxClockSkew is how far the application's clock may be ahead of this one. A first factor
// from the future is not fresh.
const maxClockSkew = time.Minute

// Begin opens a challenge for a user who has passed the first factor, or says that nothing
// needs to be asked. It reads the record once and writes nothing, unless a device is
// remembered, whose token changes with every use, or an address is undeliverable.
//
// With [Session.ManageFactors] the policy's mode does not matter: a user with factors proves
// one, and a user without any is given a grant to enrol the first, if the first factor was
// given minutes ago ([Session.FirstFactorAt]); otherwise Begin returns ErrFirstFactorRequired.
//
// ErrKindNotConfigured means that the user has a factor of a kind that this Manager does not
// have, and nothing else to respond with. factor.ErrUndeliverable means that all they have is an
// address that no message can be sent to. Neither is an invitation to enrol.
func (s Session) Begin(ctx context.Context) (*Challenge, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	m, who, clock := s.m, s.user.compact(), s.m.now()
	p, err := m.Policy(ctx, s.user.scope())
	if err != nil {
		return nil, err
	}
	r, err := m.readOrUnborn(ctx, s.user, clock)
	if err != nil {
		return nil, err
	}
	now := r.At(clock)
	c := token.ClaimsOf(who, p, s.purpose, now)
	c.Bind, c.Epoch = s.id.Bind(), r.IssuedUnder()
	if s.purpose == token.PurposeSignIn {
		c.Remember = p.Remember.Milliseconds()
	}
	first := authority.Proof{Origin: authority.OriginFirst, Time: s.firstFactorTime(now, clock).UnixMilli()}
	ch, err := m.challengeFor(r, &c, p, first, now)
	if errors.Is(err, factor.ErrUndeliverable) {
		return nil, m.noteUndeliverable(ctx, who, now, err)
	}
	if err != nil {
		return nil, err
	}
	if err := s.recogniseDevice(ctx, r, &c, ch, now); err != nil {
		return nil, err
	}
	if m.cfg.Events != nil {
		m.emit(ctx, []Event{m.event("challenge.begun", who, now, func(e *Event) {
			e.Purpose, e.Reason = string(s.purpose), string(ch.Next)
		})})
	}
	return ch, nil
}

// readOrUnborn returns the user's record, or what a user without one starts with.
func (m *Manager) readOrUnborn(ctx context.Context, u User, now time.Time) (*record.Record, error) {
	key := u.compact().Key()
	r, err := m.read(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case r != nil:
		return r, nil
	case u.Enrolled:
		return nil, ErrRecordMissing
	}
	return m.unborn(ctx, key, now)
}

// recogniseDevice lets a user in whose device is remembered.
func (s Session) recogniseDevice(
	ctx context.Context, r *record.Record, c *token.Claims, ch *Challenge, now time.Time,
) error {
	if ch.Next != NextVerify || s.device.IsZero() || c.Remember <= 0 || r.Devices == nil {
		return nil
	}
	if err := s.m.recognise(ctx, s.device, c, now, ch); err != nil {
		return err
	}
	if ch.Remembered {
		ch.Next, ch.Options, ch.token, ch.Expires = NextDone, nil, token.Token{}, time.Time{}
	}
	return nil
}

// challengeFor decides what the user has to do.
func (m *Manager) challengeFor(
	r *record.Record, c *token.Claims, p policy.Policy, first authority.Proof, now time.Time,
) (*Challenge, error) {
	own := m.hasOwn(r)
	if c.Purpose == token.PurposeSignIn && (p.Mode == policy.ModeOff || p.Mode == policy.ModeOptional && !own) {
		return &Challenge{Next: NextDone}, nil
	}
	list, err := m.candidates(r, c)
	if err != nil {
		return nil, err
	}
	options := m.options(r, list, p.Default, now)
	switch ordinary := hasOrdinary(options); {
	case ordinary, c.Purpose == token.PurposeRecover && len(options) > 0,
		!own && len(options) > 0 && m.holding(r, c).Implied == authority.ImpliedUndeliverable:
		return &Challenge{Next: NextVerify, Options: options, LockedUntil: m.lockedUntil(r, options, now),
			Expires: now.Add(m.cfg.ChallengeTTL), token: token.New(m.cfg.Keys, token.KindChallenge, *c)}, nil
	case own, c.Purpose == token.PurposeRecover, c.Purpose == token.PurposeStepUp:
		return nil, ErrNotAvailable
	case c.Purpose == token.PurposeSignIn && c.Grace:
		return &Challenge{Next: NextDone, EnrollBy: p.EnrollBy}, nil
	case first.Expired(now, m.lifetimes()):
		return nil, ErrFirstFactorRequired
	}
	c.Proof, c.Forced = first, c.Purpose == token.PurposeSignIn
	grant, expires := m.grantToken(c)
	return &Challenge{Next: NextEnroll, Kinds: m.enrollableBy(r, c, first), Grant: grant, Expires: expires,
		token: token.New(m.cfg.Keys, token.KindMustEnroll, *c)}, nil
}

// firstFactorTime is when the first factor was given. Begin is called as it is checked at a
// sign-in; for every other purpose only the application knows, and what is unknown is old.
func (s Session) firstFactorTime(now, clock time.Time) time.Time {
	at := s.firstFactor
	switch {
	case at.IsZero() && s.purpose == token.PurposeSignIn:
		return now
	case at.IsZero(), at.After(clock.Add(maxClockSkew)):
		return time.Unix(0, 0)
	case at.After(now):
		return now
	default:
		return at
	}
}

// noteUndeliverable records, at most once a day, that an address kept the user out, so that the
// report counts it. It returns the error to tell, or the store's.
func (m *Manager) noteUndeliverable(ctx context.Context, s token.Subject, now time.Time, cause error) error {
	var e []Event
	err := m.update(ctx, s, now, func(r *record.Record) (bool, error) {
		e = nil
		if r.Undeliverable != 0 && now.UnixMilli() < r.Undeliverable+warnEvery.Milliseconds() {
			return false, nil
		}
		r.Undeliverable = now.UnixMilli()
		e = []Event{m.event("address.undeliverable", s, now, nil)}
		return true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, e)
	return cause
}

func (m *Manager) event(name string, s token.Subject, now time.Time, more func(*Event)) Event {
	e := Event{Name: name, Time: now, UserID: s.ID, Tenant: s.Tenant, UserType: s.UserType, Remaining: -1}
	if more != nil {
		more(&e)
	}
	return e
}
