package mfa

import (
	"context"
	"errors"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/authority"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/mfa/policy"
)

// maxClockSkew is how far the application's clock may be ahead of this one. A first factor
// from the future is not fresh.
const maxClockSkew = time.Minute

// Begin opens a challenge for a user who has passed the first factor, or says that nothing
// needs to be asked. It reads the record once. It writes the record in four cases only: a device
// is remembered, whose token changes with every use; an address is undeliverable; the policy gives
// the user time from now on; or an exception lets the user in, which is noted for each session.
//
// With [Session.ManageFactors] the policy's mode does not matter. A user with factors proves one.
// A user without any is given a grant to enrol the first, if the first factor was given minutes
// ago ([Session.FirstFactorAt]); otherwise Begin returns ErrFirstFactorRequired.
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
	r, sealed, err := m.readSealedOrNew(ctx, who.Key(), clock)
	if err != nil {
		return nil, err
	}
	if r.Fresh && s.user.Enrolled {
		return nil, ErrRecordMissing
	}
	now := r.At(clock)
	c := token.ClaimsOf(who, p, s.purpose, now)
	c.Bind, c.Epoch = s.id.Bind(), r.IssuedUnder()
	if s.purpose == token.PurposeSignIn {
		c.Remember = p.Remember.Milliseconds()
	}
	first := authority.Proof{Origin: authority.OriginFirst,
		Time: s.firstFactorTime(now, clock).UnixMilli()}
	o, err := m.view(r, &c, now).Begin(p, first)
	if errors.Is(err, factor.ErrUndeliverable) {
		return nil, m.noteUndeliverable(ctx, who, now, err)
	}
	if err != nil {
		return nil, err
	}
	if o, err = s.noteOpening(ctx, r, o, &c, p, clock); err != nil {
		return nil, err
	}
	if o.Next == decide.Respond {
		c.Seen = m.recent.keep(who, sealed)
	}
	ch := m.challenge(o, c, now)
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

// noteOpening writes what an opening begins: the use of an exception, or the time in which a user
// may put off an enrolment.
func (s Session) noteOpening(
	ctx context.Context, r *record.Record, o decide.Opening, c *token.Claims, p policy.Policy,
	clock time.Time,
) (decide.Opening, error) {
	switch {
	case o.Excepted:
		return s.useException(ctx, *c, p, clock)
	case !o.Respite.Until.IsZero() && r.Postponement().Asked == 0:
		return s.startRespite(ctx, c, p, clock)
	default:
		return o, nil
	}
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

// challenge returns what a user has to do, with the token for it.
func (m *Manager) challenge(o decide.Opening, c token.Claims, now time.Time) *Challenge {
	switch o.Next {
	case decide.Respond:
		return &Challenge{Next: NextVerify, Options: m.options(o.Options),
			LockedUntil: o.LockedUntil, Expires: now.Add(m.cfg.ChallengeTTL),
			token: token.New(m.cfg.Keys, token.KindChallenge, c)}
	case decide.EnrollFirst:
		ch := &Challenge{Next: NextEnroll, Kinds: o.Kinds,
			token: token.New(m.cfg.Keys, token.KindMustEnroll, o.Grant)}
		ch.Grant, ch.Expires = m.grant(o.Grant)
		ch.PostponeUntil, ch.PostponesRemaining = o.Respite.Until, o.Respite.Times
		return ch
	default:
		return &Challenge{Next: NextDone, EnrollBy: o.EnrollBy, ExceptionEnds: o.ExceptionEnds}
	}
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

// noteUndeliverable records, at most once a day, that an address kept the user from signing in,
// so that the report counts it. It returns the cause, or the error of the store.
func (m *Manager) noteUndeliverable(
	ctx context.Context, s token.Subject, now time.Time, cause error,
) error {
	e, err := update(ctx, m, s, now, func(r *record.Record) ([]Event, bool, error) {
		if r.Undeliverable != 0 && now.UnixMilli() < r.Undeliverable+warnEvery.Milliseconds() {
			return nil, false, nil
		}
		r.Undeliverable = now.UnixMilli()
		return []Event{m.event("address.undeliverable", s, now, nil)}, true, nil
	})
	if err != nil {
		return err
	}
	m.emit(ctx, e)
	return cause
}

func (m *Manager) event(name string, s token.Subject, now time.Time, more func(*Event)) Event {
	e := Event{Name: name, Time: now, UserID: s.ID, Tenant: s.Tenant, UserType: s.UserType,
		Remaining: -1}
	if more != nil {
		more(&e)
	}
	return e
}
