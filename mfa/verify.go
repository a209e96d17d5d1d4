package mfa

import (
	"context"
	"fmt"

	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/secret"
)

// Verify verifies a response to a challenge. A nil error, and only that, means that the
// response was correct and that this has been recorded: a challenge, a sent code, a recovery
// code and a time step are each accepted once.
//
// A failed attempt gives an *AttemptError and has been counted. factor.ErrMalformed, ErrToken,
// ErrTokenExpired, ErrNotAvailable, *LockedError and *DisabledError mean that nothing was
// verified or counted.
//
// factor.ErrExpired means that the response was correct and came too late, or that it is a code
// of the user's which a later Send superseded, for this challenge or for another one. It is not
// counted, since it is no guess, and it does not sign the user in. Of superseded codes the last
// three are recognised, until an hour after they expired. Send again.
//
// factor.ErrPending means that the user has not decided yet, for a kind with Option.Polled. Nothing
// was counted or written: call Verify again in a few seconds, until what was sent expires.
//
// After ErrUnavailable the user is not signed in, and the response may have been counted or used.
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
	a := &attempt{Response: decide.Response{Task: decide.Verify, Kind: kind}, factor: f, claims: c,
		text: text, opened: record.Instant(c.Issued), now: m.now()}
	if s.remember != "" {
		a.Remember = &decide.NewDevice{Name: s.remember, ID: record.Random8(),
			Secret: record.Random16()}
	}
	r, err := m.respond(ctx, a)
	return r.verification, err
}

// UnlockByProof takes a response of a kind that was disabled after too many failed attempts.
// Three correct responses in a row, at least 30 seconds and at most an hour apart, enable the
// kind again; remaining is how many it still takes, and 0 when the kind is enabled. It does not
// sign the user in and does not use the challenge, which is responded to afterwards with Verify.
//
// A failed attempt is counted, locks like any other, and starts the row over. The errors are those
// of Verify. A *LockedError also means that 30 seconds have not passed yet. ErrNotAvailable also
// means that the kind is not disabled, or that it is no possession: a PIN typed three times proves
// no more than once. It is returned too for a kind that sends, which sends nothing while disabled.
func (s Session) UnlockByProof(
	ctx context.Context, ch *Challenge, kind string, response secret.Text,
) (remaining int, err error) {
	m := s.m
	c, f, err := s.openFor(ch, kind)
	if err != nil {
		return 0, err
	}
	k := m.rules.Kinds[kind]
	if k.Expensive || k.Sends || k.Recovery || k.Knowledge {
		return 0, fmt.Errorf("%w: this kind is not unlocked by proof", ErrNotAvailable)
	}
	text, err := m.normalize(f, response)
	if err != nil {
		return 0, err
	}
	r, err := m.respond(ctx, &attempt{Response: decide.Response{Task: decide.Unlock, Kind: kind},
		factor: f, claims: c, text: text, opened: record.Instant(c.Issued), now: m.now()})
	return r.remaining, err
}
