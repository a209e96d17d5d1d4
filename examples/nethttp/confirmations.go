package main

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
)

// confirmations sends links to many users in the background, and reports its progress and each
// result.
type confirmations struct {
	wg      sync.WaitGroup
	mu      sync.Mutex
	running bool
	stopped bool
	stop    context.CancelFunc
	total   int
	results []sendResult
}

// sending sends a link to each user of a stream, and yields the results.
type sending func(ctx context.Context, actor mfa.Actor,
	users iter.Seq[mfa.User]) iter.Seq[email.Confirmed]

// sendResult is the result for one user.
type sendResult struct {
	Name, Type, Destination string
	Problem                 string // "" if it was sent
}

// progress is the state of a run.
type progress struct {
	Running     bool
	Stopped     bool
	Done, Total int
	Failed      int
	Results     []sendResult
}

// bulkActor begins the name of the actor of a run. The ID of its administrator follows.
const bulkActor = "bulk of "

var errRunning = errors.New("confirmations are being sent already")

// start begins to send to each user in the list. The caller has checked the administrator's
// proof; the run acts as a program. Only one run is under way at a time. It ends early with ctx,
// or by halt.
func (c *confirmations) start(
	ctx context.Context, admin *administrator, list []account, send sending,
) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return errRunning
	}
	c.running, c.stopped, c.total, c.results = true, false, len(list), nil
	ctx, c.stop = context.WithCancel(ctx)
	subjects := func(yield func(mfa.User) bool) {
		for i := range list {
			if !yield(list[i].subject()) {
				return
			}
		}
	}
	stop := c.stop
	c.wg.Go(func() {
		defer stop()
		for sent := range send(ctx, mfa.System(bulkActor+admin.ID), subjects) {
			if errors.Is(sent.Err, context.Canceled) {
				break // nothing was sent to the remaining users
			}
			target := list[sent.Index]
			r := sendResult{Name: target.Name, Type: target.Type}
			if sent.Err != nil {
				r.Problem = explainSend(sent.Err)
			} else {
				r.Destination = sent.Delivery.MaskedDestination
			}
			c.mu.Lock()
			c.results = append(c.results, r)
			c.mu.Unlock()
		}
		c.mu.Lock()
		c.running = false
		c.mu.Unlock()
	})
	return nil
}

// halt ends the run that is under way after the current mail.
func (c *confirmations) halt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		c.stopped = true
		c.stop()
	}
}

// wait returns once no run is under way.
func (c *confirmations) wait() { c.wg.Wait() }

func (c *confirmations) progress() progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := progress{Running: c.running, Stopped: c.stopped, Done: len(c.results), Total: c.total}
	for i := len(c.results) - 1; i >= 0; i-- { // newest first
		if c.results[i].Problem != "" {
			p.Failed++
		}
		p.Results = append(p.Results, c.results[i])
	}
	return p
}

// explainSend returns the text that the owner reads about an error. The log has the cause.
func explainSend(err error) string {
	var (
		limited *mfa.RateLimitError
		locked  *mfa.LockedError
	)
	switch {
	case errors.As(err, &locked):
		return "Locked after failed attempts; unlock first"
	case errors.As(err, &limited):
		return "Too many messages in the last hour; try again later"
	case errors.Is(err, email.ErrNoAddress):
		return "This user has no address"
	case errors.Is(err, context.Canceled):
		return "Stopped, because the server stopped"
	case errors.Is(err, mfa.ErrForbidden):
		return "Not permitted"
	case errors.Is(err, factor.ErrMalformed):
		return "The address is not valid"
	default:
		return "Could not be sent; try again"
	}
}
