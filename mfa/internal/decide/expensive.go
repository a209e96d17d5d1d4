package decide

import (
	"bytes"
	"errors"
	"time"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides how an expensive response is counted before it is verified.

// ChargeTTL is how long an expensive verification may take before another is allowed. A process
// that died meanwhile blocks the user's kind that long, and no longer.
const ChargeTTL = 30 * time.Second

var (
	// ErrVerifying says that another expensive response of the user is being verified somewhere.
	ErrVerifying = errors.New("mfa: another response is being verified")
	// ErrChargeGone says that a charge was not there any more when it was to be settled.
	ErrChargeGone = errors.New("the verification took too long, " +
		"or an administrator changed the user meanwhile")
)

// Charge is what one process remembers of a failed attempt that it counted ahead, until the
// factor has verified the response.
type Charge struct {
	ID     [8]byte
	before lockout.State // before the attempt was counted
	after  lockout.State
	status lockout.Status // how the kind stands if the response turns out incorrect
	// Targets are copies, since the next turn of the update loop decodes the record anew.
	Targets []Target
}

// Charge counts a failed attempt ahead and takes the lease. Its error is ErrVerifying; its
// outcome is zero unless the response is refused.
func (v View) Charge(r *Response, id [8]byte) (Charge, Outcome, error) {
	found, refused := v.Admit(r)
	if c := v.Record.Charge; c != nil && v.Now.UnixMilli() < c.Expires {
		// Its lock may yet be undone, so it is not returned before the other response is verified.
		return Charge{}, Outcome{}, ErrVerifying
	}
	if refused.Result != 0 {
		return Charge{}, refused, nil
	}
	c := Charge{ID: id, Targets: detach(found), before: v.Record.Lockout}
	v.Record.Lockout, c.status = v.Lockout.Fail(v.Record.Lockout, r.Kind, v.Now)
	c.after = v.Record.Lockout.Clone()
	v.Record.Charge = &record.Charge{ID: id, Expires: v.Now.Add(ChargeTTL).UnixMilli()}
	return c, Outcome{}, nil
}

// Settle ends the lease and makes of the charge what the factor said. An incorrect response stays
// counted; one that was correct and too late is not, nor one that is not decided yet. A correct
// one is accepted; or, if what it was for has ended meanwhile (the challenge, the factor, the
// kind), it is refused, which is not counted, so that the charge is taken back.
//
// The factor's state may have changed meanwhile. Then again is what the factor is to verify the
// response against, under the same charge, and nothing is to be written. Its error is
// ErrChargeGone.
func (v View) Settle(r *Response, c Charge, said Said) (o Outcome, again []Target, err error) {
	rec := v.Record
	if rec.Charge == nil || rec.Charge.ID != c.ID {
		return Outcome{}, nil, ErrChargeGone
	}
	rec.Charge = nil
	if said.Refusal != nil && v.counts(r, said.Refusal) {
		return v.refuseCounted(r, said, c.status), nil, nil
	}
	// First, so that a correct response is not refused by the lock, or by the disabled kind, that
	// its own charge caused.
	rec.Lockout = lockout.TakeBack(rec.Lockout, c.before, c.after, r.Kind)
	if said.Refusal != nil && WeightOf(said.Refusal) != WeightPending {
		return v.uncounted(said.Refusal), nil, nil
	}
	found, refused := v.Admit(r)
	switch {
	case refused.Result != 0:
		return refused, nil, nil
	case said.Refusal != nil:
		return v.uncounted(said.Refusal), nil, nil
	}
	won := said.Target
	for _, t := range found {
		if t.ID == won.ID && t.Implicit == won.Implicit && bytes.Equal(t.State, won.State) {
			said.Target = t
			return v.accept(r, said), nil, nil
		}
	}
	return Outcome{}, detach(found), nil
}

// detach copies targets out of a record that the next turn will decode anew.
func detach(found []Target) []Target {
	out := make([]Target, len(found))
	for i, t := range found {
		in := *t.Instance
		in.State = bytes.Clone(t.State)
		out[i] = Target{Instance: &in, Others: t.Others}
		if t.Code != nil {
			code := *t.Code
			out[i].Code = &code
		}
	}
	return out
}
