package mfa

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// challenge opens a challenge token and finds its factor.
func (m *Manager) challenge(token ChallengeToken, purpose Purpose, binding, kind string) (*claims, Factor, error) {
	c, err := m.openToken(sealChallenge, string(token), binding)
	if err != nil {
		return nil, nil, err
	}
	if c.Purpose != cmp.Or(purpose, SignIn) {
		return nil, nil, ErrToken
	}
	f := m.factors[kind]
	if f == nil {
		return nil, nil, fmt.Errorf("%w: no such kind", ErrNotAvailable)
	}
	return c, f, nil
}

// open says whether a challenge may still be answered.
func (c *claims) open(r *record, now time.Time, ttl time.Duration) error {
	if err := c.sameRecord(r); err != nil {
		return err
	}
	if c.over(now, ttl) || r.isSpent(c.ID, c.Issued) {
		return ErrTokenExpired
	}
	return nil
}

// Verify judges an answer to a challenge. A nil error, and only that, means that the answer
// was right and that this has been recorded: a challenge, a sent code, a recovery code and
// a time step are each good for one success. An answer that was judged and refused gives an
// *AttemptError and has been counted; ErrMalformed, ErrToken, ErrTokenExpired,
// ErrNotAvailable, *LockedError and *StoppedError were not judged and not counted.
//
// ErrExpired is not counted either, since it is no guess: the response was correct and came
// too late, or it is a code of the user that a later Send has replaced, for this challenge or
// for another one. Of these the last three are recognised, until an hour after they expired.
// Such a response gives no entry and clears nothing. Send again. After
// ErrUnavailable nobody is let in, and the answer may have been counted or consumed.
func (m *Manager) Verify(ctx context.Context, r VerifyRequest) (*Verification, error) {
	c, f, err := m.challenge(r.Challenge, r.Purpose, r.Binding, r.Kind)
	if err != nil {
		return nil, err
	}
	response, err := m.normalize(f, r.Response)
	if err != nil {
		return nil, err
	}
	if err := checkName(r.Remember); err != nil {
		return nil, err
	}
	var v *Verification
	remember := r.Remember
	err = m.take(ctx, &answer{
		factor: f, subject: c.Subject, purpose: c.Purpose, response: response,
		opened: time.UnixMilli(c.Issued).UTC(), now: m.now(),
		find: func(r *record, now time.Time) ([]target, error) {
			if err := c.open(r, now, m.cfg.ChallengeTTL); err != nil {
				return nil, err
			}
			return m.targets(r, c, f)
		},
		accept: func(r *record, t target, _ *factor.Verdict, now time.Time) []Event {
			r.spend(c.ID, c.Issued)
			delete(r.Live, f.Kind())
			v = m.verification(r, c, t.instance, now)
			events := m.verified(r, c, v, f.Traits().Class)
			if f.Traits().Class == factor.Recovery {
				return events
			}
			return append(events, m.remember(r, c, remember, v, now)...)
		},
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// targets are what an answer of the kind to this challenge is judged against.
func (m *Manager) targets(r *record, c *claims, f Factor) (list []target, err error) {
	_, sends := f.(factor.Challenger)
	issued, asked := r.Live[f.Kind()]
	asked = asked && sends && issued.Challenge == c.ID
	for _, k := range m.candidates(r, c) {
		if k.Kind != f.Kind() {
			continue
		}
		t := target{instance: k.instance}
		// A code is good for the challenge that asked for it and the instance it went to, if
		// it went to one.
		if asked && (issued.Factor == k.ID || f.Traits().Shared) {
			l := issued
			t.live = &l
		}
		list = append(list, t)
	}
	switch {
	case len(list) == 0:
		return nil, ErrNotAvailable
	case sends && f.Traits().Shared && list[0].live == nil:
		// Another challenge has asked since, or none has. The answer may be right for what was
		// asked before, and is no guess: it is not held against the person.
		return nil, fmt.Errorf("%w: nothing that was issued to this challenge is there to answer", ErrExpired)
	}
	return list, nil
}

// verification is the proof that instance in was proven.
func (m *Manager) verification(r *record, c *claims, in *instance, now time.Time) *Verification {
	f := m.factors[in.Kind]
	t := f.Traits()
	v := &Verification{SubjectID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType,
		Purpose: c.Purpose, Kind: in.Kind, FactorID: in.ID, Time: now, AssuranceLevel: 1, RecoveryLeft: -1}
	if t.AMR != "" {
		v.AMR = append(v.AMR, t.AMR)
	}
	if t.Class == factor.Possession {
		v.AMR = append(v.AMR, "mfa")
	}
	if t.Class == factor.Possession && t.Strong {
		v.AssuranceLevel = 2
	}
	if t.PhishingResistant {
		v.ACR = "phr"
	}
	if n, ok := f.(factor.Counter); ok {
		v.RecoveryLeft = n.Left(in.State)
	}
	s := scopeManage
	if t.Class == factor.Recovery {
		s = scopeReplace
	}
	v.Grant, v.GrantExpires = m.grant(r, c, s, level(t), now)
	return v
}

// level ranks what a proof is worth when factors are to be changed (NIST SP 800-63B-4
// section 4.1.2.1: binding needs the highest level the person has).
func level(t factor.Traits) int {
	switch {
	case t.Class == factor.Recovery:
		return 0
	case t.Strong:
		return 2
	default:
		return 1
	}
}

// grant is what a proof of that level opens from now on.
func (m *Manager) grant(r *record, c *claims, s scope, level int, now time.Time) (Grant, time.Time) {
	issued := now
	if proved := time.UnixMilli(c.Proved).UTC(); c.Scope == scopeManage && c.Level > level && now.Before(proved.Add(m.cfg.GrantTTL)) {
		level, issued = c.Level, proved // the stronger proof before, as long as it is fresh
	}
	g := *c
	g.ID, g.Issued, g.Epoch, g.Scope, g.Level, g.Pending, g.Proved = random16(), issued.UnixMilli(), r.Epoch[:], s, level, "", 0
	return Grant(m.newToken(sealGrant, g)), issued.Add(m.cfg.GrantTTL)
}

// recoveryLow is how few recovery codes are few.
const recoveryLow = 3

func (m *Manager) verified(r *record, c *claims, v *Verification, class factor.Class) []Event {
	if m.cfg.Events == nil && m.cfg.Notices == nil {
		return nil
	}
	mk := func(name string) Event {
		return m.event(name, c.Subject, v.Time, func(e *Event) {
			e.Kind, e.FactorID, e.Purpose, e.Left = v.Kind, v.FactorID, v.Purpose, v.RecoveryLeft
		})
	}
	events := []Event{mk("verify.success")}
	if v.Passwordless {
		events[0].Reason = "passwordless"
	}
	if class == factor.Recovery {
		events = append(events, m.notable(r, c.Subject, "", mk("recovery.used")))
	}
	if v.RecoveryLeft >= 0 && v.RecoveryLeft <= recoveryLow {
		events = append(events, m.notable(r, c.Subject, "", mk("recovery.low")))
	}
	return events
}
