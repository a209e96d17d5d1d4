package decide

import (
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides when correct responses in a row enable a kind that was disabled after too
// many failed attempts.

const (
	// proofsNeeded is how many correct responses in a row enable a disabled kind.
	proofsNeeded = 3
	// proofSpacing is how far apart they are, so that one look at the user's screen, or one
	// relayed code, is not enough.
	proofSpacing = 30 * time.Second
	// proofWindow is how long one of them is remembered.
	proofWindow = time.Hour
)

// admitUnlock refuses a response to a disabled kind that comes too soon after another correct one.
func (v View) admitUnlock(kind string) Outcome {
	if err := v.Answerable(); err != nil {
		return v.refused(err)
	}
	p := v.Record.UnlockProofs[kind]
	next := record.Instant(p.Last).Add(proofSpacing)
	if p.Count > 0 && v.Now.Before(next) {
		return Outcome{Result: Locked, At: v.Now, LockedUntil: next}
	}
	return Outcome{}
}

// acceptUnlock takes one of the correct responses in a row that enable a disabled kind.
func (v View) acceptUnlock(kind string) Outcome {
	r, now := v.Record, v.Now
	delete(r.Codes, kind)
	p := r.UnlockProofs[kind]
	if now.UnixMilli() >= p.Last+proofWindow.Milliseconds() {
		p.Count = 0
	}
	p.Count, p.Last = p.Count+1, now.UnixMilli()
	if p.Count < proofsNeeded {
		if r.UnlockProofs == nil {
			r.UnlockProofs = make(map[string]record.UnlockProofs)
		}
		r.UnlockProofs[kind] = p
		return Outcome{Result: Proven, Remaining: proofsNeeded - p.Count}
	}
	delete(r.UnlockProofs, kind)
	r.Lockout = v.Lockout.Succeed(r.Lockout, kind, now)
	return Outcome{Result: Enabled}
}
