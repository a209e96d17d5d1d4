package mfa

import (
	"context"
	"errors"
	"time"

	mathrand "math/rand/v2"

	"github.com/secondgate/secondgate/mfa/internal/decide"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

const (
	// settleTimeout is how long the write that settles a charge may take.
	settleTimeout = 5 * time.Second
	// The waits for another verification's lease grow from pollFirst to pollMost.
	pollFirst = 10 * time.Millisecond
	pollMost  = time.Second
)

// respondExpensive charges first: one swap counts a failed attempt before the factor runs, a
// second settles it. No two expensive responses of a user are verified at once, in any process:
// the charge is a lease.
func (m *Manager) respondExpensive(ctx context.Context, a *attempt) (reply, error) {
	turn, err := m.expensive.Lock(ctx, a.claims.Subject.Key())
	if err != nil {
		return reply{}, unavailable(err)
	}
	defer turn.Unlock()
	c, err := m.chargeInTurn(ctx, a)
	if err != nil || c.refused.Result != 0 {
		return m.conclude(ctx, a, decision{Outcome: c.refused}, err)
	}
	for {
		said := m.ask(ctx, a, c.Targets, a.now)
		if said.Refusal != nil && ctx.Err() != nil {
			said.Refusal = ctx.Err() // counted all the same: it may have been verified
		}
		s, err := m.settle(ctx, a, c.Charge, said)
		if err != nil || s.again == nil {
			return m.conclude(ctx, a, s.decision, err)
		}
		c.Targets = s.again
	}
}

// charged is a charge, or why there is none.
type charged struct {
	decide.Charge
	refused decide.Outcome
}

// chargeInTurn charges as soon as no other verification of the user is under way. It asks
// less and less often, and stops when a lease would have ended by the process's own time:
// the Manager's clock may stand still.
func (m *Manager) chargeInTurn(ctx context.Context, a *attempt) (charged, error) {
	wait, waited := pollFirst, time.Duration(0)
	for {
		c, err := m.charge(ctx, a)
		switch {
		case !errors.Is(err, decide.ErrVerifying):
			return c, err
		case waited >= decide.ChargeTTL:
			return charged{}, unavailable(err)
		}
		pause := wait/2 + mathrand.N(wait/2)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return charged{}, unavailable(ctx.Err())
		case <-timer.C:
		}
		waited, wait = waited+pause, min(2*wait, pollMost)
	}
}

// charge counts a failed attempt ahead and takes the lease.
func (m *Manager) charge(ctx context.Context, a *attempt) (charged, error) {
	id := record.Random8()
	return update(ctx, m, a.claims.Subject, a.now, func(r *record.Record) (charged, bool, error) {
		v, response := m.viewOf(r, a)
		c, refused, err := v.Charge(&response, id)
		return charged{c, refused}, err == nil && refused.Result == 0, err
	})
}

// settled is what became of a charge: a decision, or what the factor is to verify the response
// against again.
type settled struct {
	decision
	again []decide.Target
}

// settle ends the lease and makes of the charge what the factor says. After an error of the
// store the lease may stay until it expires.
func (m *Manager) settle(
	ctx context.Context, a *attempt, c decide.Charge, said decide.Said,
) (settled, error) {
	// Settled even if the caller has gone, so that the lease ends.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return update(ctx, m, a.claims.Subject, a.now, func(r *record.Record) (settled, bool, error) {
		v, response := m.viewOf(r, a)
		to := m.recipients(r, a.claims.Subject)
		o, again, err := v.Settle(&response, c, said)
		if err != nil {
			return settled{}, false, unavailable(err)
		}
		write := again == nil
		return settled{m.decided(r, a, o, to, write), again}, write, nil
	})
}
