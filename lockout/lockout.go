// Package lockout decides how many failed attempts lock, for how long, and when a kind is
// disabled. It is pure arithmetic on a [State] that its caller keeps: no
// clock, no store, no I/O. Most applications only fill in a [Config] and leave the rest to
// mfa.Manager.
//
// A [State] keeps two numbers for each kind of factor: tries, the failed attempts since the last
// success or lock, and the streak, the failed attempts since the last success. Tries lock for
// a while. The streak disables the kind: with a flat "five, then three minutes, for ever", a
// patient attacker guesses six digits within months (RFC 4226 section 7.3; NIST SP 800-63B-4
// section 3.2.2 requires to disable at 100).
//
// The Manager evaluates nothing while there is a lock. When the lock ends, tries start again from
// zero and the streak goes on. A success clears the kind that was used and no other: the failed
// attempts, the streak and the growing wait of every other kind stay as they were.
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

// Config says how many failed attempts are allowed. The zero value of each field is its default.
type Config struct {
	// Tries is how many failed attempts in one kind lock. Defaults to 5. Must be between 1 and 100.
	Tries int
	// Total is how many failed attempts over all kinds lock. Defaults to 10, or to Tries if that
	// is more. Must be between Tries and 1000.
	Total int
	// Wait is how long a lock lasts. Defaults to 3 minutes. Must be between 1 second and 24 hours.
	Wait time.Duration
	// Growth multiplies Wait for each lock before this one, up to MaxWait. The locks are
	// counted for each kind, since the last success of that kind; a lock of everything takes
	// the largest count. 0 and 1 mean that every lock lasts Wait. Must be at most 10.
	Growth float64
	// MaxWait bounds growing waits. Defaults to 1 hour, or to Wait if that is more. Must be at most
	// 24 hours.
	MaxWait time.Duration
	// KindOnly locks only the kind of the failed attempts, so that another can still be used.
	// By default a lock covers every kind. Total still locks every kind.
	KindOnly bool
	// DisableAfter is the streak at which the kind is disabled until the user enrols it again or
	// an administrator enables it. Defaults to 100. Must be between Tries and 100 (NIST SP
	// 800-63B-4 section 3.2.2).
	DisableAfter int
}

// WithDefaults returns c with defaults filled in, or an error that names the field that is
// not valid and its range.
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

// Tally counts the failed attempts in one kind. Times are Unix milliseconds, 0 for none.
type Tally struct {
	Tries       int   `cbor:"0,keyasint,omitempty"`
	Streak      int   `cbor:"1,keyasint,omitempty"`
	LockedUntil int64 `cbor:"2,keyasint,omitempty"`
	// Locks is how many locks that the kind had a part in have ended since its last success.
	Locks    int  `cbor:"3,keyasint,omitempty"`
	Disabled bool `cbor:"4,keyasint,omitempty"`
}

// State holds one user's failed attempts. The zero value is that of a user without any. It is
// data: copy it with Clone.
type State struct {
	Kinds       map[string]Tally `cbor:"0,keyasint,omitempty"`
	LockedUntil int64            `cbor:"1,keyasint,omitempty"`
	// Locks is read from states that an earlier version wrote, which counted the locks of all
	// kinds together. The first change moves the number to the kinds that have failed since
	// their last success, and sets it to 0.
	Locks int `cbor:"2,keyasint,omitempty"`
}

// Status says whether a user can respond with a kind now.
type Status struct {
	// LockedUntil is the end of the lock that covers the kind, or zero.
	LockedUntil time.Time
	// Disabled says that the kind is disabled, so that waiting does not help.
	Disabled bool
	// Remaining is how many failed attempts remain before a lock.
	Remaining int
}

// Status returns the status of kind at now. It changes nothing.
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

// Fail counts one failed attempt in kind at now, and returns the new state and the status of the
// kind in it. LockedUntil is set if this attempt locked, Disabled if it disabled the kind. The
// caller has called Status first: the responses of a locked user are not evaluated.
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
// happened since. A lock that the attempt caused ends with it, and so does a
// disabled kind. What others have counted since stays.
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
	if len(s.Kinds) == 0 && s.LockedUntil == 0 {
		return State{} // there is nothing to clear, as for most users
	}
	s = settle(s, now)
	delete(s.Kinds, kind)
	return s
}

// Unlock clears everything of kind, or everything of the user if kind is "".
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

// settle returns a copy of s in which expired locks have ended, and in which an
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
