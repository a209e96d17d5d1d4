package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// open says whether a challenge may still be answered.
func (c *claims) answerable(r *record, now time.Time, ttl time.Duration) error {
	if err := c.sameRecord(r); err != nil {
		return err
	}
	if c.expired(now, ttl) || r.isSpent(c.ID, c.Issued) {
		return ErrTokenExpired
	}
	if c.Linked && (r.Recovering == nil || r.Recovering.ID != c.ID) {
		return ErrTokenExpired // a password change, a sign-in or a later link has ended it
	}
	return nil
}

// Verify verifies a response to a challenge. A nil error, and only that, means that the
// response was correct and that this has been recorded: a challenge, a sent code, a recovery
// code and a time step are each accepted once.
//
// A failed attempt gives an *AttemptError and has been counted. factor.ErrMalformed, ErrToken,
// ErrTokenExpired, ErrNotAvailable, *LockedError and *DisabledError mean that nothing was
// verified or counted.
//
// factor.ErrExpired means that the response was correct and came too late, or that it is a
// code of the user's which a later Send superseded, for this challenge or for another one. It
// is not counted, since it is no guess, and it signs nobody in. Of superseded codes the last
// three are recognised, until an hour after they expired. Send again.
//
// After ErrUnavailable nobody is signed in, and the response may have been counted or used.
func (s Session) Verify(
	ctx context.Context, ch *Challenge, kind string, response secret.Text,
) (*Verification, error) {
	m := s.m
	c, f, err := s.openFor(ch, kind)
	if err != nil {
		return nil, err
	}
	text, err := m.normalize(f, response)
	if err != nil {
		return nil, err
	}
	if err := checkName(s.remember); err != nil {
		return nil, err
	}
	o, err := m.respond(ctx, &attempt{task: taskVerify, factor: f, claims: c, text: text,
		remember: s.remember, opened: instant(c.Issued), now: m.now()})
	if err != nil {
		return nil, err
	}
	return o.verification, nil
}

// enrollmentRequired is what a correct response of a kind that the policy bans leads to.
func (m *Manager) enrollmentRequired(r *record, c *claims, in *instance, now time.Time) *EnrollmentRequiredError {
	g := *c
	g.Epoch, g.Proof, g.Forced = r.Epoch[:], m.proofBy(r, in, now), c.Purpose == purposeSignIn
	e := &EnrollmentRequiredError{Kinds: m.enrollableBy(r, &g, g.Proof)}
	e.Grant, e.GrantExpires = m.grantToken(&g)
	return e
}

// challengeTargets are what a response of a kind to a challenge is verified against.
func (m *Manager) challengeTargets(r *record, c *claims, f factor.Factor) (list []target, err error) {
	_, sends := f.(factor.Challenger)
	candidates, err := m.candidates(r, c)
	if err != nil {
		return nil, err
	}
	issued, asked := r.Live[f.Kind()]
	asked = asked && sends && issued.Challenge == c.ID
	for _, k := range candidates {
		if k.Kind != f.Kind() {
			continue
		}
		t := target{instance: k.instance}
		// A code is valid for the challenge that asked for it and the instance it went to, if
		// it went to one.
		if asked && (issued.Factor == k.ID || f.Traits().SharedChallenge) {
			l := issued
			t.live = &l
		}
		list = append(list, t)
	}
	switch {
	case len(list) == 0:
		return nil, ErrNotAvailable
	case sends && f.Traits().SharedChallenge && list[0].live == nil:
		// Another challenge has asked since, or none has. The response may be correct for what was
		// asked before, and is no guess: it is not counted.
		return nil, fmt.Errorf("%w: nothing that was issued to this challenge is there to answer", factor.ErrExpired)
	}
	return list, nil
}

// verification is the proof that instance in was proven.
func (m *Manager) verification(r *record, c *claims, in *instance, now time.Time) *Verification {
	f := m.factors[in.Kind]
	t := f.Traits()
	v := &Verification{UserID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType,
		Purpose: string(c.Purpose), Kind: in.Kind, FactorID: in.ID, Time: now, AssuranceLevel: 1, RecoveryCodesRemaining: -1}
	if t.AMR != "" {
		v.AMR = append(make([]string, 0, 2), t.AMR)
	}
	if !t.Recovery && !t.Knowledge {
		v.AMR = append(v.AMR, "mfa")
	}
	if !t.Recovery && !t.Knowledge && t.Level >= factor.LevelStrong {
		v.AssuranceLevel = 2
	}
	if t.Level == factor.LevelPhishingResistant {
		v.ACR = "phr"
	}
	if t.Limited {
		v.RecoveryCodesRemaining = describe(f, in.State).Remaining
	}
	g := *c
	g.Epoch = r.Epoch[:]
	if g.Proof.Origin == 0 { // confirming an enrolment keeps the proof of the grant that opened it
		g.Proof = m.proofBy(r, in, now)
	}
	if g.Proof.Origin == originRecovery {
		v.EnrollKinds = m.enrollableBy(r, &g, g.Proof)
	}
	v.Grant, v.GrantExpires = m.grantToken(&g)
	return v
}

// proofBy is what a response of an instance proves.
func (m *Manager) proofBy(r *record, in *instance, now time.Time) proof {
	t := m.factors[in.Kind].Traits()
	p := proof{Origin: originOwn, Level: t.Level, Time: now.UnixMilli()}
	switch _, held := r.Holds[in.ID]; {
	case held, t.Recovery:
		p.Origin, p.Level = originRecovery, levelRecovery
	case in.Implicit:
		p.Origin = originImplied
	}
	return p
}

// grantToken is a grant of what c.Proof permits.
func (m *Manager) grantToken(c *claims) (Grant, time.Time) {
	g := *c
	g.ID, g.Pending = random16(), ""
	return Grant{m.keep(sealGrant, g)}, instant(c.Proof.Time).Add(c.Proof.ttl(&m.cfg))
}

// recoveryLow is how few recovery codes are few.
const recoveryLow = 3
