package main

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Guesses at passwords are slowed per login, never refused for good: whoever knows the
// password gets in, however many wrong ones somebody else has tried. None of it touches
// the counters of the second factor.
const (
	throttleFree    = 10               // wrong passwords in a row at full speed
	throttleStep    = time.Second / 4  // between guesses, for each further one
	throttleMax     = 2 * time.Second  // between guesses, at most
	throttleQueue   = 20 * time.Second // of waiting guesses, at most
	throttleForget  = 15 * time.Minute // without a guess
	throttleEntries = 10_000
)

var errTooBusy = errors.New("too many sign-ins of one login at once")

// throttle remembers wrong passwords by login, also of logins that do not exist. It is kept
// in memory: a restart is no advantage worth having to a guesser.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]*throttled
}

type throttled struct {
	failures int
	next     time.Time // when the next guess may be judged
	seen     time.Time
}

func newThrottle() *throttle {
	return &throttle{now: time.Now, entries: make(map[string]*throttled)}
}

// wait takes the next turn of a login and waits for it.
func (t *throttle) wait(ctx context.Context, login string) error {
	d, ok := t.turn(login)
	if !ok {
		return errTooBusy
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// turn returns how long to wait, or false when too many wait already.
func (t *throttle) turn(login string) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[login]
	if e == nil || e.failures < throttleFree {
		return 0, true
	}
	now := t.now()
	wait := e.next.Sub(now)
	if wait > throttleQueue {
		return 0, false
	}
	from := now
	if wait > 0 {
		from = e.next
	}
	e.next = from.Add(min(throttleMax, throttleStep*time.Duration(1+e.failures-throttleFree)))
	return wait, true
}

// done says how a guess ended.
func (t *throttle) done(login string, right bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if right {
		delete(t.entries, login)
		return
	}
	now := t.now()
	e := t.entries[login]
	if e == nil {
		if len(t.entries) >= throttleEntries {
			t.sweep(now)
		}
		e = &throttled{}
		t.entries[login] = e
	}
	e.failures++
	e.seen = now
}

// sweep makes room: what is old goes, and if nothing is, whatever has failed least.
func (t *throttle) sweep(now time.Time) {
	least, victim := int(^uint(0)>>1), ""
	for login, e := range t.entries {
		if now.Sub(e.seen) > throttleForget {
			delete(t.entries, login)
		} else if e.failures < least {
			least, victim = e.failures, login
		}
	}
	if len(t.entries) >= throttleEntries {
		delete(t.entries, victim)
	}
}
