package mfatest

import (
	"sync"
	"time"
)

// Clock is a clock that moves only when a test moves it, forwards or back. Make one with
// [NewClock]; it is safe for concurrent use and must not be copied.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a Clock that stands at start. Times are given out in UTC and without a
// monotonic reading, so that they compare as a stored time does.
func NewClock(start time.Time) *Clock {
	c := new(Clock)
	c.Set(start)
	return c
}

// Now returns the time the clock stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d; a negative d steps it back, as a machine's clock may.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set puts the clock at t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.Round(0).UTC()
}
