package mfa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

// PasswordlessChallenge is a challenge for whoever answers it.
type PasswordlessChallenge struct {
	Token ChallengeToken
	// Prompt.Data is what the browser is to be asked.
	Prompt  Prompt
	Expires time.Time
}

// PasswordlessRequest answers a PasswordlessChallenge.
type PasswordlessRequest struct {
	Challenge ChallengeToken
	Binding   string
	Response  Secret
	// Subject returns the person whom the answer names, as the application knows them now. It
	// proves nothing that it is called: the answer has not been judged yet. Its error ends the
	// sign-in, and is found by errors.Is and errors.As in the one returned. Required.
	Subject func(ctx context.Context, tenant, id string) (Subject, error)
}

// BeginPasswordless opens a challenge of a kind before anybody is known. It needs no record
// and writes none, so that it costs nothing that strangers ask. ErrNotAvailable means that the
// kind cannot say who a person is.
func (m *Manager) BeginPasswordless(ctx context.Context, kind, binding string) (*PasswordlessChallenge, error) {
	if err := checkBinding(binding); err != nil {
		return nil, err
	}
	if !m.setup.Passwordless(kind) {
		return nil, fmt.Errorf("%w: this kind does not say who a person is", ErrNotAvailable)
	}
	now := m.now()
	is, err := callIssue(ctx, m.factors[kind].(factor.Identifier), factor.IssueInput{Anyone: true, Now: now})
	if err != nil {
		return nil, err
	}
	until := now.Add(m.cfg.ChallengeTTL)
	if is.Expires.Before(until) {
		until = is.Expires
	}
	c := claims{ID: random16(), Issued: now.UnixMilli(), Purpose: SignIn, Bind: bindTo(binding), Kinds: []string{kind},
		Live: &live{Keep: is.Keep, Issued: now.UnixMilli(), Expires: until.UnixMilli()}}
	return &PasswordlessChallenge{Token: ChallengeToken{Secret: NewSecret(m.newToken(sealPasswordless, c))}, Prompt: is.Prompt, Expires: until}, nil
}

// VerifyPasswordless judges an answer that says who it is from, in place of the first factor
// and the second. A nil error, and only that, means that it was right, that it proves two
// factors, that the person's policy lets them in so, and that this has been recorded. Each
// challenge is good for one success of a person.
//
// A wrong answer is not counted, because anybody can give one and there is nothing to guess;
// it gives an error wrapping ErrIncorrect, ErrExpired or ErrReplayed. While the person is
// locked or the kind stopped, right answers are refused as well. ErrUnknownFactor means that
// nobody has what answered, ErrNotAvailable that the policy wants a password first.
func (m *Manager) VerifyPasswordless(ctx context.Context, r PasswordlessRequest) (*Verification, error) {
	c, err := m.openToken(sealPasswordless, r.Challenge.Reveal(), r.Binding)
	if err != nil {
		return nil, err
	}
	if len(c.Kinds) != 1 || !m.setup.Passwordless(c.Kinds[0]) || c.Live == nil {
		return nil, ErrToken
	}
	f := m.factors[c.Kinds[0]].(factor.Identifier)
	response, err := m.normalize(f, r.Response)
	if err != nil {
		return nil, err
	}
	now := m.now()
	if now.UnixMilli() >= c.Live.Expires {
		return nil, ErrTokenExpired
	}
	named := f.Identify(response)
	if len(named) == 0 || len(named) > maxIdentity {
		return nil, fmt.Errorf("%w: the answer names no instance", ErrMalformed)
	}
	who, err := m.owner(ctx, identityKey(f.Kind(), named))
	if err != nil {
		return nil, err
	}
	if err := m.admitPasswordless(ctx, c, who, r.Subject); err != nil {
		return nil, err
	}
	var v *Verification
	err = m.take(ctx, &answer{
		factor: f, subject: c.Subject, purpose: SignIn, response: response, named: named, uncounted: true,
		opened: time.UnixMilli(c.Issued).UTC(), now: now,
		find: func(r *record, now time.Time) ([]target, error) {
			c.Epoch = r.Epoch[:] // the person was not known when the token was made
			if err := c.open(r, now, m.cfg.ChallengeTTL); err != nil {
				return nil, err
			}
			list, err := m.candidates(r, c)
			if err != nil {
				return nil, err
			}
			for _, k := range list {
				if k.Kind == f.Kind() && k.own && bytes.Equal(f.Identity(k.State), named) {
					return []target{{instance: k.instance, live: c.Live}}, nil
				}
			}
			return nil, ErrUnknownFactor // removed a moment ago
		},
		accept: func(r *record, t target, _ *factor.Verdict, now time.Time) []Event {
			r.spend(c.ID, c.Issued)
			r.Setup, r.Recovering = nil, nil
			v = m.verification(r, c, t.instance, now)
			v.Passwordless = true
			return m.verified(r, c, v, f.Traits().Class)
		},
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// admitPasswordless completes the claims by the person, if the policy lets them in so.
func (m *Manager) admitPasswordless(ctx context.Context, c *claims, who identity, lookup func(context.Context, string, string) (Subject, error)) error {
	if lookup == nil {
		return configError("PasswordlessRequest.Subject is nil; return there the person whom the answer names")
	}
	s, err := callSubject(ctx, lookup, who)
	if err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	if s.ID != who.Subject || s.Tenant != who.Tenant {
		return fmt.Errorf("%w: PasswordlessRequest.Subject returned another person", ErrMalformed)
	}
	p, err := m.Policy(ctx, s.Tenant, s.UserType)
	if err != nil {
		return err
	}
	if !p.Passwordless || !p.Allows(c.Kinds[0]) {
		return fmt.Errorf("%w: the policy wants the first factor", ErrNotAvailable)
	}
	rec, err := m.read(ctx, s.compact().key())
	switch {
	case err != nil:
		return err
	case rec == nil && s.Enrolled:
		return ErrStateLost
	case rec == nil:
		return ErrUnknownFactor
	}
	c.Subject, c.Kinds, c.Implicit, c.Keep = s.compact(), p.Kinds, p.Implicit, p.KeepImplicit
	c.Hold = p.RecoveryHold.Milliseconds()
	return nil
}

// passedOver makes the error and the events of a refused answer that is not counted. Nothing keeps
// such an answer from being given again, so the person is told of a copied device once a day at
// most; write says that this is to be remembered.
func (m *Manager) passedOver(r *record, a *answer, refusal error, now time.Time) (events []Event, write bool, _ error) {
	reason := "incorrect"
	switch weight(refusal) {
	case weightExpired:
		reason = "expired"
	case weightReplayed:
		reason = "replayed"
	case weightFailed:
		reason, refusal = "failed", unavailable(refusal)
	}
	events = []Event{m.event("verify.failure", a.subject, now, func(e *Event) {
		e.Kind, e.Purpose, e.Reason = a.factor.Kind(), a.purpose, reason
	})}
	if errors.Is(refusal, factor.ErrCloned) {
		e := m.cloned(a, "", now)
		if write = m.warn(r, now); write {
			e = m.notable(r, a.subject, "", e)
		}
		events = append(events, e)
	}
	return events, write, refusal
}
