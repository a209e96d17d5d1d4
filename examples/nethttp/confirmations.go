package main

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/secondgate/secondgate/mfa"
)

// confirmations sends confirmation links to one person or to many, in the background, and
// tells how far it is and how each went.
type confirmations struct {
	send func(ctx context.Context, who, whom *account) (*mfa.Delivery, error)

	mu      sync.Mutex
	wg      sync.WaitGroup
	running bool
	total   int
	results []sendResult
}

// sendResult is how one confirmation went.
type sendResult struct {
	Name, Type, Hint string
	Problem          string // "" if it was sent
}

// progress is how far a run is.
type progress struct {
	Running     bool
	Done, Total int
	Failed      int
	Results     []sendResult
}

var errRunning = errors.New("confirmations are being sent already")

// start sends to everyone in the stream. One run at a time; it ends early with ctx.
func (c *confirmations) start(ctx context.Context, who *account, total int, whom iter.Seq[*account]) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		return errRunning
	}
	c.running, c.total, c.results = true, total, nil
	c.wg.Go(func() {
		for p := range whom {
			if ctx.Err() != nil {
				break
			}
			r := sendResult{Name: p.Name, Type: p.Type}
			if d, err := c.send(ctx, who, p); err != nil {
				r.Problem = explainSend(err)
			} else {
				r.Hint = d.Hint
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

// wait returns when no run is under way.
func (c *confirmations) wait() { c.wg.Wait() }

func (c *confirmations) progress() progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := progress{Running: c.running, Done: len(c.results), Total: c.total}
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
	var budget *mfa.BudgetError
	switch {
	case errors.As(err, &budget):
		return "Too many messages in the last hour; try again later"
	case errors.Is(err, mfa.ErrForbidden):
		return "Not permitted"
	case errors.Is(err, mfa.ErrMalformed):
		return "The address is not valid"
	default:
		return "Could not be sent; try again"
	}
}
