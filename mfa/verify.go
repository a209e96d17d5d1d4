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
	ctx context.Context, ch *Challenge, kind string, response factor.Secret,
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
		remember: s.remember, opened: record.Instant(c.Issued), now: m.now()})
	if err != nil {
		return nil, err
	}
	return o.verification, nil
}

// enrollmentRequired is what a correct response of a kind that the policy bans leads to.
func (m *Manager) enrollmentRequired(r *record.Record, c *token.Claims, in *record.Instance, now time.Time) *EnrollmentRequiredError {
	g := *c
	g.Epoch, g.Proof, g.Forced = r.Epoch[:], m.proofBy(r, in, now), c.Purpose == token.PurposeSignIn
	e := &EnrollmentRequiredError{Kinds: m.enrollableBy(r, &g, g.Proof)}
	e.Grant, e.GrantExpires = m.grantToken(&g)
	return e
}

// challengeTargets are what a response of a kind to a challenge is verified against.
func (m *Manager) challengeTargets(r *record.Record, c *token.Claims, f factor.Factor) (list []target, err error) {
	_, sends := f.(factor.Challenger)
	candidates, err := m.candidates(r, c)
	if err != nil {
		return nil, err
	}
	issued, asked := r.Codes[f.Kind()]
	asked = asked && sends && issued.Challenge == c.ID
	for _, k := range candidates {
		if k.Kind != f.Kind() {
			continue
		}
		t := target{Instance: k.Instance}
		// A code is valid for the challenge that asked for it and the instance it went to, if
		// it went to one.
		if asked && (issued.Factor == k.ID || f.Traits().SharedChallenge) {
			l := issued
			t.code = &l
		}
		list = append(list, t)
	}
	switch {
	case len(list) == 0:
		return nil, ErrNotAvailable
	case sends && f.Traits().SharedChallenge && list[0].code == nil:
		// Another challenge has asked since, or none has. The response may be correct for what was
		// asked before, and is no guess: it is not counted.
		return nil, fmt.Errorf("%w: nothing that was issued to this challenge is there to answer", factor.ErrExpired)
	}
	return list, nil
}

// verification is the proof that instance in was proven.
func (m *Manager) verification(r *record.Record, c *token.Claims, in *record.Instance, now time.Time) *Verification {
	f := m.factors[in.Kind]
	t := f.Traits()
	v := &Verification{UserID: c.Subject.ID, Tenant: c.Subject.Tenant, UserType: c.Subject.UserType,
		Purpose: string(c.Purpose), Kind: in.Kind, FactorID: in.ID, Time: now, AssuranceLevel: 1, RecoveryCodesRemaining: -1}
	if t.AMR != "" {
		v.AMR = append(make([]string, 0, 2), t.AMR)
	}
	if t.Class == factor.ClassPossession {
		v.AMR = append(v.AMR, "mfa")
	}
	if t.Class == factor.ClassPossession && t.Effective() >= factor.LevelStrong {
		v.AssuranceLevel = 2
	}
	if t.Effective() == factor.LevelPhishingResistant {
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
	if g.Proof.Origin == authority.OriginRecovery {
		v.EnrollKinds = m.enrollableBy(r, &g, g.Proof)
	}
	v.Grant, v.GrantExpires = m.grantToken(&g)
	return v
}

// proofBy is what a response of an instance proves.
func (m *Manager) proofBy(r *record.Record, in *record.Instance, now time.Time) authority.Proof {
	t := m.factors[in.Kind].Traits()
	p := authority.Proof{Origin: authority.OriginOwn, Level: t.Effective(), Time: now.UnixMilli()}
	switch {
	case r.Held(in.ID), t.Class == factor.ClassRecovery:
		p.Origin, p.Level = authority.OriginRecovery, authority.LevelRecovery
	case in.Implicit:
		p.Origin = authority.OriginImplied
	}
	return p
}

// grantToken is a grant of what c.Proof permits.
func (m *Manager) grantToken(c *token.Claims) (Grant, time.Time) {
	g := *c
	g.ID, g.Pending = record.Random16(), ""
	return Grant{token.New(m.cfg.Keys, token.KindGrant, g)}, c.Proof.Expires(m.lifetimes())
}

// recoveryLow is how few recovery codes are few.
const recoveryLow = 3
