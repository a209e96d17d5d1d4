package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

const (
	// proofsNeeded is how many correct responses in a row enable a disabled kind.
	proofsNeeded = 3
	// proofSpacing is how far apart they are, so that one look at the user's screen, or one
	// relayed code, is not enough.
	proofSpacing = 30 * time.Second
	// proofWindow is how long one of them is remembered.
	proofWindow = time.Hour
)

// unlockProofs are correct responses of a disabled kind.
type unlockProofs struct {
	Count int   `cbor:"0,keyasint"`
	Last  int64 `cbor:"1,keyasint"`
}

// UnlockByProof takes a response of a kind that was disabled after too many failed attempts.
// Three correct responses in a row, at least 30 seconds and at most an hour apart, enable the
// kind again; remaining is how many it still takes, and 0 when the kind is enabled. It signs
// nobody in and does not use the challenge, which is responded to afterwards with Verify.
//
// A failed attempt is counted, locks like any other, and starts the row over. The errors are
// those of Verify, and these: a *LockedError before 30 seconds have passed; ErrNotAvailable
// for a kind that is not disabled, for one that is no possession (a PIN typed three times
// proves no more than once), and for one that sends, which sends nothing while it is disabled.
func (s Session) UnlockByProof(
	ctx context.Context, ch *Challenge, kind string, response secret.Text,
) (remaining int, err error) {
	m := s.m
	c, f, err := s.openFor(ch, kind)
	if err != nil {
		return 0, err
	}
	t := f.Traits()
	if _, sends := f.(factor.Challenger); t.Expensive || sends || t.Recovery || t.Knowledge {
		return 0, fmt.Errorf("%w: this kind is not unlocked by proof", ErrNotAvailable)
	}
	text, err := m.normalize(f, response)
	if err != nil {
		return 0, err
	}
	o, err := m.respond(ctx, &attempt{task: taskUnlock, factor: f, claims: c, text: text,
		opened: instant(c.Issued), now: m.now()})
	return o.remaining, err
}

// unlockSpaced refuses a correct response to a disabled kind that comes too soon after another.
func (r *record) unlockSpaced(kind string, now time.Time) error {
	p := r.Proofs[kind]
	next := time.UnixMilli(p.Last).Add(proofSpacing).UTC()
	if p.Count > 0 && now.Before(next) {
		return &LockedError{Until: next, RetryAfter: next.Sub(now)}
	}
	return nil
}
