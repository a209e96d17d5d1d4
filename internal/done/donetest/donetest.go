// Package donetest has contexts for tests of what ends with a deadline.
package donetest

import (
	"context"
	"time"
)

// Unnoticed returns ctx with a deadline that is past and that it has not noticed: a socket that is
// given the deadline notices it at once.
func Unnoticed(ctx context.Context) context.Context { return unnoticed{ctx} }

type unnoticed struct{ context.Context }

func (unnoticed) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }

// Ending returns ctx and a function that ends it as a deadline does. A test calls it once that is
// done which a deadline would have to be long enough for.
func Ending(ctx context.Context) (_ context.Context, end func()) {
	e := ending{ctx, make(chan struct{})}
	return e, func() { close(e.done) }
}

type ending struct {
	context.Context
	done chan struct{}
}

func (e ending) Done() <-chan struct{} { return e.done }

func (e ending) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return e.Context.Err()
	}
}
