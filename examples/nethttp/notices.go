package main

import (
	"context"
	"time"
)

// notify implements mfa.Config.Notify: people are told of changes by mail. Into the outbox that
// is at once; a mail server may be slow or away for a while, so it is given some time beside the
// request, and a few tries.
func (a *app) notify(ctx context.Context, tell func(context.Context) error) {
	if a.cfg.smtp == "" {
		_ = tell(ctx)
		return
	}
	a.later(ctx, tell)
}

// later does work beside the request, whatever becomes of that.
func (a *app) later(_ context.Context, work func(context.Context) error) {
	a.background.Go(func() {
		for wait := time.Second; ; wait *= 4 {
			ctx, cancel := context.WithTimeout(a.jobs, 30*time.Second)
			err := work(ctx)
			cancel()
			if err == nil || wait > time.Minute {
				return // the last failure is in the log, as an event
			}
			select {
			case <-a.jobs.Done():
				return
			case <-time.After(wait):
			}
		}
	})
}
