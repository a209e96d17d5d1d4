package main

import (
	"context"
	"time"
)

// notify implements mfa.Config.Notify: it sends users notices of changes. Without a mail server
// they are in the outbox at once. A mail server may be slow or unreachable, so notices are sent
// beside the request and tried again.
func (a *app) notify(ctx context.Context, tell func(context.Context) error) {
	if a.cfg.smtp == "" {
		_ = tell(ctx)
		return
	}
	a.later(ctx, tell)
}

// later does work beside the request, up to four times. The end of the request does not end it.
func (a *app) later(r context.Context, work func(context.Context) error) {
	jobs := context.WithValue(a.jobs, languageKey{}, languageOf(r))
	a.background.Go(func() {
		for wait := time.Second; ; wait *= 4 {
			ctx, cancel := context.WithTimeout(jobs, 30*time.Second)
			err := work(ctx)
			cancel()
			if err == nil || wait > time.Minute {
				return // an event in the log has the last failure
			}
			select {
			case <-a.jobs.Done():
				return
			case <-time.After(wait):
			}
		}
	})
}
