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
	err = m.respond(ctx, &attempt{
		factor: f, subject: c.Subject, purpose: c.Purpose, text: text,
		opened: time.UnixMilli(c.Issued).UTC(), now: m.now(), unlocking: true,
		find: func(r *record, now time.Time) ([]target, error) {
			if err := c.answerable(r, now, m.cfg.ChallengeTTL); err != nil {
				return nil, err
			}
			if next := time.UnixMilli(r.Proofs[kind].Last).Add(proofSpacing).UTC(); r.Proofs[kind].Count > 0 && now.Before(next) {
				return nil, &LockedError{Until: next, RetryAfter: next.Sub(now)}
			}
			return m.targets(r, c, f)
		},
		accept: func(r *record, t target, _ *factor.Verdict, now time.Time) []Event {
			delete(r.Live, kind)
			p := r.Proofs[kind]
			if now.UnixMilli() >= p.Last+proofWindow.Milliseconds() {
				p.Count = 0
			}
			p.Count, p.Last = p.Count+1, now.UnixMilli()
			remaining = proofsNeeded - p.Count
			name := "unlock.proof"
			if remaining == 0 {
				name = "lockout.unlocked"
				delete(r.Proofs, kind)
				r.Lockout = m.cfg.Lockout.Succeed(r.Lockout, kind, now)
			} else {
				if r.Proofs == nil {
					r.Proofs = make(map[string]unlockProofs)
				}
				r.Proofs[kind] = p
			}
			e := m.event(name, c.Subject, now, func(e *Event) {
				e.Kind, e.FactorID, e.Purpose, e.Remaining = kind, t.ID, string(c.Purpose), remaining
			})
			if remaining == 0 {
				e = m.withNotice(r, c.Subject, "", e)
			}
			return []Event{e}
		},
	})
	if err != nil {
		return 0, err
	}
	return remaining, nil
}
