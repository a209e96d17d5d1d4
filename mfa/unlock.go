package mfa

import (
	"context"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

const (
	// proofsNeeded is how many right answers in a row make a stopped kind good again.
	proofsNeeded = 3
	// proofSpacing is how far apart they are, so that one look at the person's screen, or one
	// relayed code, is not enough.
	proofSpacing = 30 * time.Second
	// proofWindow is how long one of them is remembered.
	proofWindow = time.Hour
)

// proofs are right answers to a stopped kind.
type unlockProofs struct {
	Count int   `cbor:"0,keyasint"`
	Last  int64 `cbor:"1,keyasint"`
}

// UnlockByProof takes an answer to a kind that was stopped after too many failures. Three right
// answers in a row, at least 30 seconds apart and at most an hour, make it good again; left
// is how many are still needed, 0 when it is. It signs nobody in, and does not spend the
// challenge, which is answered afterwards with Verify.
//
// A wrong answer is counted, locks like any other, and makes the row start over. The errors are
// those of Verify, with these meanings besides: *LockedError also before 30 seconds are over,
// and ErrNotAvailable for a kind that is not stopped, for those that are not possessions (a PIN
// typed three times proves no more than once), and for those that must send first, which send
// nothing while they are stopped.
func (s Session) UnlockByProof(
	ctx context.Context, ch *Challenge, kind string, response factor.Secret,
) (remaining int, err error) {
	m := s.m
	c, f, err := s.openFor(ch, kind)
	if err != nil {
		return 0, err
	}
	t := f.Traits()
	if _, sends := f.(factor.Challenger); t.Expensive || sends || t.Class != factor.ClassPossession {
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
