package mfa

import (
	"bytes"
	"context"
	"errors"
	"time"

	mathrand "math/rand/v2"

	"github.com/secondgate/secondgate/lockout"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

const (
	// chargeTTL is how long an expensive verification may take before another is allowed. A
	// process that died meanwhile blocks the user's kind that long, and no longer.
	chargeTTL = 30 * time.Second
	// settleTimeout is how long the write that settles a charge may take.
	settleTimeout = 5 * time.Second
	// The waits for another verification's lease grow from pollFirst to pollMost.
	pollFirst = 10 * time.Millisecond
	pollMost  = time.Second
)

// errJudging is returned by charge while another expensive response of the user is being
// verified somewhere.
var errJudging = errors.New("mfa: another response is being verified")

// charged is what one process remembers of a failed attempt that it counted ahead, until the
// verdict is there.
type charged struct {
	id     [8]byte
	kind   string
	before lockout.State // before the attempt was counted
	after  lockout.State
	st     lockout.Status // how the kind stands if the response turns out incorrect
	// targets are copies, since the next turn of the update loop decodes the record anew.
	targets []target
}

// takeExpensive charges first: one swap counts a failed attempt before the factor runs, a
// second settles it. No two expensive responses of a user are verified at once, in any
// process: the charge is a lease.
func (m *Manager) respondExpensive(ctx context.Context, a *attempt) (outcome, error) {
	unlock, err := m.expensive.Lock(ctx, a.claims.Subject.Key())
	if err != nil {
		return outcome{}, unavailable(err)
	}
	defer unlock()
	c, err := m.chargeInTurn(ctx, a)
	if err != nil {
		return m.conclude(ctx, a, outcome{}, err)
	}
	for {
		said := m.ask(ctx, a, c.targets, a.now)
		if said.refusal != nil && ctx.Err() != nil {
			said.refusal = ctx.Err() // counted all the same: it may have been verified
		}
		o, again, err := m.settle(ctx, a, c, said)
		if err != nil || !again {
			return m.conclude(ctx, a, o, err)
		}
	}
}

// chargeInTurn charges as soon as no other verification of the user is under way. It asks
// less and less often, and gives up when a lease would have ended by the process's own time:
// the Manager's clock may stand still.
func (m *Manager) chargeInTurn(ctx context.Context, a *attempt) (*charged, error) {
	wait, waited := pollFirst, time.Duration(0)
	for {
		c, err := m.charge(ctx, a)
		switch {
		case !errors.Is(err, errJudging):
			return c, err
		case waited >= chargeTTL:
			return nil, unavailable(err)
		}
		pause := wait/2 + mathrand.N(wait/2)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, unavailable(ctx.Err())
		case <-timer.C:
		}
		waited, wait = waited+pause, min(2*wait, pollMost)
	}
}

// charge counts a failed attempt ahead and takes the lease.
func (m *Manager) charge(ctx context.Context, a *attempt) (*charged, error) {
	c := &charged{id: record.Random8(), kind: a.factor.Kind()}
	err := m.update(ctx, a.claims.Subject, a.now, func(r *record.Record) (bool, error) {
		now := r.At(a.now)
		found, err := m.admit(r, a, now)
		if r.Charge != nil && now.UnixMilli() < r.Charge.Expires {
			// Its lock may yet be undone, so it is not returned before the other response is verified.
			return false, errJudging
		}
		if err != nil {
			return false, err
		}
		c.targets, c.before = detach(found), r.Lockout
		r.Lockout, c.st = m.cfg.Lockout.Fail(r.Lockout, c.kind, now)
		c.after = r.Lockout.Clone()
		r.Charge = &record.Charge{ID: c.id, Expires: now.Add(chargeTTL).UnixMilli()}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// settle ends the lease and makes of the charge what the verdict says. An incorrect response
// stays counted; one that was correct and too late is not. A correct one is accepted; or, if
// what it was for has ended meanwhile (the challenge, the factor, the kind), it is refused with
// that error, which is not counted, so that the charge is taken back. again says that the
// factor's state has changed meanwhile and that the factor is to be asked again, under the same
// charge. After an error of the store the lease may stay until it expires.
func (m *Manager) settle(
	ctx context.Context, a *attempt, c *charged, said answer,
) (o outcome, again bool, err error) {
	// Settled even if the caller has gone, so that the lease ends.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	won, refusal := said.target, said.refusal
	var ended error
	err = m.update(ctx, a.claims.Subject, a.now, func(r *record.Record) (bool, error) {
		o, again, ended = outcome{}, false, nil
		now := r.At(a.now)
		if r.Charge == nil || r.Charge.ID != c.id {
			return false, unavailable(errors.New("the verification took too long, " +
				"or an administrator changed the user meanwhile"))
		}
		r.Charge = nil
		if refusal != nil && weight(refusal) != weightExpired {
			o = m.refuseCounted(r, a, refusal, c.st, now)
			m.countNotices(r, a, &o)
			return true, nil
		}
		// First, so that a correct response is not refused by the lock or the stop that its own
		// charge caused.
		r.Lockout = lockout.TakeBack(r.Lockout, c.before, c.after, c.kind)
		if refusal != nil {
			o = outcome{result: resultExpired, at: now, err: refusal}
			return true, nil
		}
		found, err := m.admit(r, a, now)
		if ended = err; err != nil {
			return true, nil
		}
		for _, t := range found {
			if t.ID == won.ID && t.Implicit == won.Implicit && bytes.Equal(t.State, won.State) {
				said.target = t
				o = m.accept(r, a, said, now)
				m.countNotices(r, a, &o)
				return true, nil
			}
		}
		c.targets, again = detach(found), true
		return false, nil
	})
	if err == nil {
		err = ended
	}
	return o, again, err
}

// detach copies targets out of a record that the next turn will decode anew.
func detach(found []target) []target {
	out := make([]target, len(found))
	for i, t := range found {
		in := *t.Instance
		in.State = bytes.Clone(t.State)
		out[i] = target{Instance: &in, others: t.others}
		if t.code != nil {
			l := *t.code
			out[i].code = &l
		}
	}
	return out
}
