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

// confirmations sends confirmation links to many people, in the background, and tells how
// far it is and how each went.
type confirmations struct {
	wg      sync.WaitGroup
	mu      sync.Mutex
	running bool
	stopped bool
	stop    context.CancelFunc
	total   int
	results []sendResult
}

// sending sends to a stream of people, and yields how each went.
type sending func(ctx context.Context, actor mfa.Actor,
	users iter.Seq[mfa.User]) iter.Seq[email.Confirmed]

// sendResult is how one confirmation went.
type sendResult struct {
	Name, Type, Destination string
	Problem                 string // "" if it was sent
}

// progress is how far a run is.
type progress struct {
	Running     bool
	Stopped     bool
	Done, Total int
	Failed      int
	Results     []sendResult
}

// bulk is how the name of a run begins; who started it follows.
const bulkActor = "bulk of "

var errRunning = errors.New("confirmations are being sent already")

// start sends to everyone in the list, for who, whose proof has been checked; the run itself is
// a program's. One run at a time; it ends early with ctx, or by halt.
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
				break // those who are left were not sent anything
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

// halt stops the run that is under way, after the mail that is being sent.
func (c *confirmations) halt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		c.stopped = true
		c.stop()
	}
}

// wait returns when no run is under way.
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

// explainSend is what the owner reads; the cause is in the log.
func explainSend(err error) string {
	var (
		budget *mfa.RateLimitError
		locked *mfa.LockedError
	)
	switch {
	case errors.As(err, &locked):
		return "Locked after wrong answers; unlock first"
	case errors.As(err, &budget):
		return "Too many messages in the last hour; try again later"
	case errors.Is(err, email.ErrNoAddress):
		return "There is no address"
	case errors.Is(err, context.Canceled):
		return "Stopped, because the server is"
	case errors.Is(err, mfa.ErrForbidden):
		return "Not permitted"
	case errors.Is(err, factor.ErrMalformed):
		return "The address is not valid"
	default:
		return "Could not be sent; try again"
	}
}
