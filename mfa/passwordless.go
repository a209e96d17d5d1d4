package mfa

import (
	"bytes"
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/secret"
)

// Passwordless is a sign-in without a first factor, in one session of the application, before
// the user is known. [Manager.Passwordless] returns one.
type Passwordless struct {
	m  *Manager
	id token.SessionID
}

// Passwordless returns the handle for signing in without a first factor, by a passkey. It does
// no I/O. The session ID is any string that only this session presents, 1 to 512 bytes.
func (m *Manager) Passwordless(sessionID string) Passwordless {
	return Passwordless{m, token.NewSessionID(sessionID)}
}

// Begin opens a challenge of a kind before the user is known. It reads and writes no record, so
// that requests without a user cost nothing. What the browser is asked is in Challenge.Prompt.
// ErrNotAvailable means that the kind cannot say who a user is.
func (p Passwordless) Begin(ctx context.Context, kind string) (*Challenge, error) {
	m := p.m
	if err := p.id.Check(); err != nil {
		return nil, err
	}
	if !m.setup.Passwordless(kind) {
		return nil, fmt.Errorf("%w: this kind does not identify a user", ErrNotAvailable)
	}
	now := m.now()
	is, err := m.callIssue(ctx, m.factors[kind].(factor.Identifier),
		factor.IssueInput{Discoverable: true, Now: now})
	if err != nil {
		return nil, err
	}
	until := now.Add(m.cfg.ChallengeTTL)
	if is.Expires.Before(until) {
		until = is.Expires
	}
	c := token.Claims{ID: record.Random16(), Issued: now.UnixMilli(), Purpose: token.PurposeSignIn,
		Bind: p.id.Bind(), Kinds: []string{kind},
		Code: &record.Code{Keep: is.Keep, Issued: now.UnixMilli(), Expires: until.UnixMilli()}}
	return &Challenge{Next: NextVerify, Prompt: is.Prompt, Expires: until,
		token: token.New(m.cfg.Keys, token.KindPasswordless, c)}, nil
}

// Verify verifies a response that names its user, in place of the first factor and the second.
// A nil error, and only that, means that the response was correct, that it proves two factors,
// that the user's policy permits it, and that this has been recorded. A user signs in once by
// each challenge.
//
// Verify calls lookup with the ID and the tenant of the user whom the response names, and
// lookup returns that user as the application knows them now. The call proves nothing, since
// the response has not been verified yet. Its error ends the sign-in, and Verify returns it as
// it is.
//
// A failed attempt is not counted, because anyone can make one and there is nothing to guess. It
// gives an error that wraps factor.ErrIncorrect, ErrExpired or ErrReplayed. While the user is
// locked or the kind is disabled, correct responses are refused as well. ErrUnknownFactor means
// that no user has the instance, and ErrNotAvailable that the policy requires a password first.
func (p Passwordless) Verify(
	ctx context.Context, ch *Challenge, response secret.Text,
	lookup func(ctx context.Context, named User) (User, error),
) (*Verification, error) {
	if err := p.id.Check(); err != nil {
		return nil, err
	}
	if ch == nil {
		return nil, ErrToken
	}
	m := p.m
	c, err := ch.token.Open(m.cfg.Keys, token.KindPasswordless, p.id)
	if err != nil {
		return nil, err
	}
	if len(c.Kinds) != 1 || !m.setup.Passwordless(c.Kinds[0]) || c.Code == nil {
		return nil, ErrToken
	}
	f := m.factors[c.Kinds[0]].(factor.Identifier)
	text, err := m.normalize(f, response)
	if err != nil {
		return nil, err
	}
	now := m.now()
	if now.UnixMilli() >= c.Code.Expires {
		return nil, ErrTokenExpired
	}
	named, err := callIdentify(f, text)
	if err != nil {
		return nil, err
	}
	who, err := m.owner(ctx, identityKey(f.Kind(), named))
	if err != nil {
		return nil, err
	}
	s, err := m.admitPasswordless(ctx, c, who, lookup)
	if err != nil {
		return nil, err
	}
	missing := ErrUnknownFactor
	if s.Enrolled {
		missing = ErrRecordMissing
	}
	r, err := m.respond(ctx, &attempt{
		Response: decide.Response{Task: decide.Passwordless, Kind: f.Kind()}, factor: f, claims: c,
		text: text, named: named, missing: missing, opened: record.Instant(c.Issued), now: now})
	return r.verification, err
}

// namedInstances returns the IDs of the instances that a response names.
func namedInstances(r *record.Record, a *attempt) (ids []string) {
	f := a.factor.(factor.Identifier)
	for _, in := range r.Factors {
		if in.Kind != a.Kind {
			continue
		}
		if id, err := callIdentity(f, in.State); err == nil && bytes.Equal(id, a.named) {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// admitPasswordless completes the claims by the user, and returns the user as the application
// knows them, if the policy permits a sign-in without a password. The decision with the record
// finds out whether the policy allows the kind and the instance.
func (m *Manager) admitPasswordless(ctx context.Context, c *token.Claims, who identity,
	lookup func(context.Context, User) (User, error)) (User, error) {
	if lookup == nil {
		return User{}, configError("lookup is nil; return there the user whom the response names")
	}
	s, err := callLookup(ctx, lookup, who)
	if err != nil {
		return User{}, err
	}
	if err := s.check(); err != nil {
		return User{}, err
	}
	if s.ID != who.Subject || s.Tenant != who.Tenant {
		return User{}, fmt.Errorf("%w: lookup returned another user", factor.ErrMalformed)
	}
	p, err := m.Policy(ctx, s.scope())
	if err != nil {
		return User{}, err
	}
	if !p.Passwordless {
		return User{}, fmt.Errorf("%w: the policy wants the first factor", ErrNotAvailable)
	}
	c.Subject = s.compact()
	c.SetPolicy(p)
	return s, nil
}
