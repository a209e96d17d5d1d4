// Package lockout decides how many wrong answers are too many, how long to wait, and when
// waiting no longer helps. It is pure arithmetic on a [State] that its caller keeps: no
// clock, no store, no I/O. Most applications only fill in a [Config] and leave the rest to
// mfa.Manager.
//
// For each kind of factor two numbers are kept: tries, the wrong answers since the last
// success or lock, and the streak, the wrong answers since the last success. Tries lock,
// for a while. The streak stops the kind for good: a flat "five, then three minutes, for
// ever" lets a patient guesser of six digits in within months (RFC 4226 section 7.3; NIST
// SP 800-63B-4 section 3.2.2 asks to disable at 100).
//
// While locked nothing is evaluated. When the lock ends, tries start again from zero; the
// streak goes on. A success clears the kind that was used and no other: the failed attempts,
// the streak and the growing wait of every other kind stay as they were.
package lockout

import (
	"fmt"
	"time"
)

// Defaults of Config.
const (
	DefaultTries        = 5
	DefaultTotal        = 10
	DefaultWait         = 3 * time.Minute
	DefaultDisableAfter = 100
)

// Config says how many wrong answers are allowed. The zero value is the default in every
// field.
type Config struct {
	// Tries is how many wrong answers in one kind lock; default 5, 1 to 100.
	Tries int
	// Total is how many wrong answers over all kinds lock; default 10 or Tries if that is
	// more; never less than Tries.
	Total int
	// Wait is how long a lock lasts; default 3 minutes, 1 second to 24 hours.
	Wait time.Duration
	// Growth multiplies Wait for each lock before this one, up to MaxWait. The locks are
	// counted for each kind, since the last success of that kind; a lock of everything takes
	// the largest count. 0 and 1 mean that every lock lasts Wait. Must be at most 10.
	Growth float64
	// MaxWait bounds growing waits; default 1 hour.
	MaxWait time.Duration
	// KindOnly locks only the kind that was guessed at, so that another can still be used.
	// By default a lock covers every kind. Total still locks every kind.
	KindOnly bool
	// DisableAfter is the streak at which the kind is stopped until it is enrolled again or
	// unlocked by an administrator; default 100, at most 100 (NIST SP 800-63B-4 section
	// 3.2.2), at least Tries.
	DisableAfter int
}

// WithDefaults returns c with defaults filled in, or an error that says which field is
// wrong and what it may be.
func (c Config) WithDefaults() (Config, error) {
	if c.Tries == 0 {
		c.Tries = DefaultTries
	}
	if c.Total == 0 {
		c.Total = max(DefaultTotal, c.Tries)
	}
	if c.Wait == 0 {
		c.Wait = DefaultWait
	}
	if c.Growth == 0 {
		c.Growth = 1
	}
	if c.MaxWait == 0 {
		c.MaxWait = max(time.Hour, c.Wait)
	}
	if c.DisableAfter == 0 {
		c.DisableAfter = DefaultDisableAfter
	}
	return c, c.check()
}

// check returns an error for the first field of c that is out of its range.
func (c Config) check() error {
	switch {
	case c.Tries < 1 || c.Tries > 100:
		return fmt.Errorf("lockout: Tries is %d, want 1 to 100", c.Tries)
	case c.Total < c.Tries || c.Total > 1000:
		return fmt.Errorf("lockout: Total is %d, want %d (Tries) to 1000", c.Total, c.Tries)
	case c.Wait < time.Second || c.Wait > 24*time.Hour:
		return fmt.Errorf("lockout: Wait is %s, want 1s to 24h", c.Wait)
	case !(c.Growth >= 1 && c.Growth <= 10):
		return fmt.Errorf("lockout: Growth is %g, want 1 to 10", c.Growth)
	case c.MaxWait < c.Wait || c.MaxWait > 24*time.Hour:
		return fmt.Errorf("lockout: MaxWait is %s, want Wait (%s) to 24h", c.MaxWait, c.Wait)
	case c.DisableAfter < c.Tries || c.DisableAfter > DefaultDisableAfter:
		return fmt.Errorf("lockout: DisableAfter is %d, want %d (Tries) to 100",
			c.DisableAfter, c.Tries)
	}
	return nil
}

// Tally counts the wrong answers of one kind. Times are Unix milliseconds, 0 for none.
type Tally struct {
	Tries       int   `cbor:"0,keyasint,omitempty"`
	Streak      int   `cbor:"1,keyasint,omitempty"`
	LockedUntil int64 `cbor:"2,keyasint,omitempty"`
	// Locks is how many locks that the kind had a part in have ended since its last success.
	Locks    int  `cbor:"3,keyasint,omitempty"`
	Disabled bool `cbor:"4,keyasint,omitempty"`
}

// State is what is remembered of one person's wrong answers. The zero value is a person
// who never failed. It is data: copy it with Clone.
type State struct {
	Kinds       map[string]Tally `cbor:"0,keyasint,omitempty"`
	LockedUntil int64            `cbor:"1,keyasint,omitempty"`
	// Locks is read from states that an earlier version wrote, which counted the locks of all
	// kinds together. The first change moves the number to the kinds that have failed since
	// their last success, and sets it to 0.
	Locks int `cbor:"2,keyasint,omitempty"`
}

// Status is what may happen with a kind now.
type Status struct {
	// LockedUntil is the end of the lock that covers the kind, or zero.
	LockedUntil time.Time
	// Stopped: waiting does not help.
	Disabled bool
	// Left is how many wrong answers remain before a lock.
	Remaining int
}

// Status tells how kind stands at now. It changes nothing.
func (c Config) Status(s State, kind string, now time.Time) Status {
	ms, ended := now.UnixMilli(), s.LockedUntil != 0 && now.UnixMilli() >= s.LockedUntil
	if ended {
		s.LockedUntil = 0
	}
	total := 0
	for _, t := range s.Kinds {
		total += t.settle(ms, ended).Tries
	}
	t := s.Kinds[kind].settle(ms, ended)
	st := Status{Disabled: t.Disabled, Remaining: max(0, min(c.Tries-t.Tries, c.Total-total))}
	if until := max(s.LockedUntil, t.LockedUntil); until != 0 {
		st.LockedUntil, st.Remaining = time.UnixMilli(until).UTC(), 0
	}
	return st
}

// Fail counts one wrong answer in kind at now and returns the new state and how the kind
// then stands: LockedUntil is set if this answer locked, Stopped if it stopped the kind.
// The caller has asked Status first; a locked person's answers are not evaluated.
func (c Config) Fail(s State, kind string, now time.Time) (State, Status) {
	s = settle(s, now)
	t := s.Kinds[kind]
	t.Tries++
	t.Streak++
	t.Disabled = t.Disabled || t.Streak >= c.DisableAfter
	s.Kinds[kind] = t
	switch {
	case t.Tries >= c.Tries && c.KindOnly && total(s) < c.Total:
		t.LockedUntil = c.until(t.Locks, now)
		s.Kinds[kind] = t
	case t.Tries >= c.Tries, total(s) >= c.Total:
		s.LockedUntil = c.until(mostLocks(s), now)
	}
	st := c.Status(s, kind, now)
	return s, st
}

// TakeBack returns s without a failed attempt in kind that Fail counted, for a caller that
// counts before it evaluates and then finds that there was nothing to count. before is the
// state that Fail was given and after the state that it returned; s is after, with what has
// happened since. A lock or a stop that the attempt caused ends with it. What others have
// counted since stays.
func TakeBack(s, before, after State, kind string) State {
	s = s.Clone()
	if s.LockedUntil == after.LockedUntil && after.LockedUntil != before.LockedUntil {
		s.LockedUntil = 0
	}
	t, ok := s.Kinds[kind]
	if !ok {
		return s // a success or an administrator has cleared it since
	}
	was, is := before.Kinds[kind], after.Kinds[kind]
	if t.LockedUntil == is.LockedUntil && is.LockedUntil != was.LockedUntil {
		t.LockedUntil = 0
	}
	if is.Disabled && !was.Disabled && t.Streak == is.Streak {
		t.Disabled = false
	}
	t.Tries, t.Streak = max(0, t.Tries-1), max(0, t.Streak-1)
	if s.Kinds[kind] = t; t == (Tally{}) {
		delete(s.Kinds, kind)
	}
	return s
}

// Succeed counts a correct response in kind: it clears that kind's numbers, and no other's.
func (c Config) Succeed(s State, kind string, now time.Time) State {
	s = settle(s, now)
	delete(s.Kinds, kind)
	return s
}

// Unlock clears everything of kind, or of the whole person if kind is "".
func Unlock(s State, kind string) State {
	if kind == "" {
		return State{}
	}
	s = s.Clone()
	delete(s.Kinds, kind)
	return s
}

// Clone returns a copy that shares nothing with s.
func (s State) Clone() State {
	kinds := make(map[string]Tally, len(s.Kinds)+1)
	for k, t := range s.Kinds {
		kinds[k] = t
	}
	s.Kinds = kinds
	return s
}

// settle returns a copy of s in which locks that are over have ended, and in which an
// earlier version's number of locks is with the kinds that it may be about.
func settle(s State, now time.Time) State {
	s = s.Clone()
	ms, ended := now.UnixMilli(), s.LockedUntil != 0 && now.UnixMilli() >= s.LockedUntil
	if ended {
		s.LockedUntil = 0
	}
	most := mostLocks(s)
	for k, t := range s.Kinds {
		if t.Streak > 0 {
			t.Locks = max(t.Locks, s.Locks)
		}
		if ended && t.Tries > 0 {
			// Counted when the lock ends and not when it begins, so that a lock that is taken
			// back leaves nothing behind.
			t.Locks = most + 1
		}
		s.Kinds[k] = t.settle(ms, ended)
	}
	s.Locks = 0
	return s
}

// settle starts tries again from zero if the lock of everything ended, or the kind's own
// has at ms.
func (t Tally) settle(ms int64, ended bool) Tally {
	if t.LockedUntil != 0 && ms >= t.LockedUntil {
		if t.LockedUntil = 0; !ended && t.Tries > 0 {
			t.Locks++
		}
		ended = true
	}
	if ended {
		t.Tries = 0
	}
	return t
}

// mostLocks is the number that a lock of everything grows by: the largest of the kinds that
// have failed since their last success. Two kinds that are guessed at in turn do not each
// start at the shortest wait.
func mostLocks(s State) int {
	most := s.Locks
	for _, t := range s.Kinds {
		most = max(most, t.Locks)
	}
	return most
}

func total(s State) int {
	n := 0
	for _, t := range s.Kinds {
		n += t.Tries
	}
	return n
}

func (c Config) until(locks int, now time.Time) int64 {
	wait := float64(c.Wait)
	for range min(locks, 64) {
		wait *= c.Growth
		if wait >= float64(c.MaxWait) {
			wait = float64(c.MaxWait)
			break
		}
	}
	// Rounded up, so that a lock is never a fraction of a millisecond short.
	return now.Add(time.Duration(wait) + time.Millisecond - 1).UnixMilli()
}
