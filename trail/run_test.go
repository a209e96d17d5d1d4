package trail_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

var errDown = errors.New("the log is down")

// Run collects what comes within an interval for one write, and a Flush waits for no interval.
func TestRun_WritesOnceInAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		time.Sleep(60 * time.Millisecond)
		p.event("bob")
		time.Sleep(41 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int{2}, log.batches, "the default is 100 ms")
		p.event("cas")
		synctest.Wait()
		began := time.Now()
		require.NoError(t, p.Flush(t.Context()))
		require.Zero(t, time.Since(began))
		require.NoError(t, p.Flush(t.Context()), "there is nothing to write")
		require.Equal(t, []string{"ann", "bob", "cas"}, verified(t, log))
		require.Empty(t, p.logs.String())
	})
}

// An event whose write failed is written as soon as the log works again, on a quiet system too.
func TestRun_WritesLaterWithoutAnotherEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{before: failing("Append", errDown)}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 3, strings.Count(p.logs.String(), errDown.Error()), "once a second")
		require.ErrorIs(t, p.Flush(t.Context()), errDown)
		log.breaks(nil, nil)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"ann"}, verified(t, log))
	})
}

// A batch that failed is longer when it is tried again. Only its new end is signed.
func TestRun_SignsOnlyTheEndOfALongerBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{before: failing("Append", errDown)}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.ErrorIs(t, p.Flush(t.Context()), errDown)
		p.event("bob")
		log.breaks(nil, nil)
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, []int{2}, log.batches)
		require.Equal(t, []string{"ann", "bob"}, verified(t, log))
		require.Empty(t, log.list()[0].Checkpoint)
	})
}

func TestRun_ReturnsWhatItCouldNotWriteAtTheEnd(t *testing.T) {
	errAnchor := errors.New("no room for checkpoints")
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log, Anchor: func(context.Context, string) error {
			return errAnchor
		}})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		log.breaks(failing("Last", errDown), nil)
		p.event("bob")
		synctest.Wait()
		err := p.end()
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, errAnchor)
		require.NotContains(t, p.logs.String(), errDown.Error(), "nothing failed before the end")
	})
}

// Several processes append to one log. What one wrote in between loses nothing of another.
func TestRun_AppendsBehindAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		one, other := start(t, trail.Config{Log: log}), start(t, trail.Config{Log: log})
		one.event("ann")
		require.NoError(t, one.Flush(t.Context()))
		log.breaks(func(call string) error {
			if call == "Append" {
				log.breaks(nil, nil) // the other appends
				other.event("bob")
				return other.Flush(t.Context())
			}
			return nil
		}, nil)
		one.event("cas")
		require.NoError(t, one.Flush(t.Context()))
		one.event("dan")
		require.NoError(t, one.Flush(t.Context()))
		require.Equal(t, []string{"ann", "bob", "cas", "dan"}, verified(t, log))
	})
}

// A log that says at each attempt that another process was first ends no write, and its error does
// not hold Run for long.
func TestRun_EndsAfterManyConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		log := &memory{before: func(call string) error {
			if call == "Append" {
				tries++
				return trail.ErrConflict
			}
			return nil
		}}
		p := start(t, trail.Config{Log: log})
		began := time.Now()
		p.event("ann")
		require.ErrorIs(t, p.Flush(t.Context()), trail.ErrConflict)
		require.Equal(t, 101, tries)
		require.Less(t, time.Since(began), 10*time.Second)
		require.Greater(t, time.Since(began), time.Second, "it waits for the others")

		log.breaks(nil, nil)
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, []string{"ann"}, verified(t, log))
	})
}

// A conflict is not tried again once the context of Run has ended, but by the end of Run.
func TestRun_EndsInAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries, ended := 0, make(chan struct{})
		p := start(t, trail.Config{Log: &memory{before: func(call string) error {
			if call != "Append" {
				return nil
			}
			if tries++; tries == 1 {
				<-ended
			}
			return trail.ErrConflict
		}}})
		p.event("ann")
		time.Sleep(time.Second)
		done := make(chan error)
		go func() { done <- p.end() }()
		synctest.Wait()
		close(ended)
		require.ErrorIs(t, <-done, trail.ErrConflict)
		require.LessOrEqual(t, tries, 102, "one, and those of the end")
	})
}

// Other faults than a conflict are no reason to write at once again.
func TestRun_TriesAnotherFaultOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		log := &memory{before: func(call string) error {
			if call == "Append" {
				tries++
				return errDown
			}
			return nil
		}}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.ErrorIs(t, p.Flush(t.Context()), errDown)
		require.Equal(t, 1, tries)
	})
}

// A process that writes alone reads no entry but the last.
func TestRun_NeedsNoReadOfItsOwnEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{before: failing("Read", errDown)}
		p := start(t, trail.Config{Log: log})
		for _, user := range []string{"ann", "bob"} {
			p.event(user)
			require.NoError(t, p.Flush(t.Context()))
		}
		log.breaks(nil, nil)
		other := start(t, trail.Config{Log: log})
		other.event("cas")
		require.NoError(t, other.Flush(t.Context()))
		log.breaks(failing("Read", errDown), nil)
		p.event("dan")
		require.ErrorIs(t, p.Flush(t.Context()), errDown, "whether it was rewritten is not known")
		log.breaks(nil, nil)
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, []string{"ann", "bob", "cas", "dan"}, verified(t, log))
	})
}

// Nothing is signed behind an entry that the key did not sign.
func TestRun_SignsNothingBehindAForgedEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		forged := log.list()[0]
		forged.Seq, forged.Checkpoint = 2, ""
		log.entries = append(log.entries, forged)
		fresh := start(t, trail.Config{Log: log})
		for _, p := range []*process{p, fresh} {
			p.event("bob")
			require.ErrorIs(t, p.Flush(t.Context()), trail.ErrRewritten)
		}
		require.Len(t, log.list(), 2)
	})
}

// The newest checkpoint is kept within an interval, though no event follows: an attacker would
// otherwise cut off the last acts of a quiet system.
func TestRun_KeepsTheNewestAnchorWithinAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, began := &memory{}, time.Now()
		type kept struct {
			after time.Duration
			seq   string
		}
		var mu sync.Mutex
		var anchors []kept
		all := func() []kept {
			mu.Lock()
			defer mu.Unlock()
			return anchors
		}
		p := start(t, trail.Config{Log: log, Anchor: func(_ context.Context, note string) error {
			mu.Lock()
			defer mu.Unlock()
			anchors = append(anchors, kept{time.Since(began), strings.Split(note, "\n")[1]})
			return nil
		}})
		for range 3 {
			p.event("ann")
			require.NoError(t, p.Flush(t.Context()))
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		require.Equal(t, []kept{{0, "1"}}, all())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []kept{{0, "1"}, {time.Minute, "3"}}, all(), "the default is a minute")
		require.NoError(t, p.end())
		require.Len(t, all(), 2, "the end keeps none twice")
	})
}

// A checkpoint that could not be kept is tried again each second.
func TestRun_TriesAnAnchorAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, tries := &memory{}, 0
		p := start(t, trail.Config{Log: log, Anchor: func(context.Context, string) error {
			if tries++; tries < 3 {
				return errors.New("no room for checkpoints")
			}
			return nil
		}})
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 3, tries)
		require.Equal(t, 2, strings.Count(p.logs.String(), "no room for checkpoints"))
		p.event("bob")
		require.NoError(t, p.Flush(t.Context()))
		require.NoError(t, p.end())
		require.Equal(t, 4, tries, "the end keeps the newest at once")
	})
}

// The end of Run is no failure of the log, and is not reported as one.
func TestRun_ReportsNoEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, ended := &memory{}, make(chan struct{})
		log.before = func(call string) error {
			if call != "Append" {
				return nil
			}
			log.breaks(nil, nil)
			<-ended
			return context.Canceled
		}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		time.Sleep(time.Second)
		done := make(chan error)
		go func() { done <- p.end() }()
		synctest.Wait()
		close(ended)
		require.NoError(t, <-done)
		require.Empty(t, p.logs.String())
		require.Equal(t, []string{"ann"}, verified(t, log))
	})
}

// Flush ends with its context, before Run takes it and while the log is slow.
func TestFlush_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, ended := &memory{}, make(chan struct{})
		log.before = func(call string) error {
			if call == "Append" {
				<-ended
			}
			return nil
		}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, p.Flush(ctx), context.DeadlineExceeded)
			cancel()
		}
		close(ended)
		require.NoError(t, p.Flush(t.Context()))
	})
}

// An event that JSON cannot hold is logged, and stops no other. Each goes to the next function.
func TestEvents_PassesEachEventOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		var passed []string
		events := p.Events(func(_ context.Context, e mfa.Event) {
			passed = append(passed, e.UserID)
		})
		events(t.Context(), mfa.Event{UserID: "ann", Time: time.Unix(math.MaxInt32*1000, 0)})
		events(t.Context(), mfa.Event{UserID: "bob"})
		require.NoError(t, p.Flush(t.Context()))
		require.Equal(t, []string{"ann", "bob"}, passed)
		require.Equal(t, []string{"bob"}, verified(t, log))
		require.Contains(t, p.logs.String(), "an event is not in the audit trail")
	})
}

// Two events that are the same have different hashes, so that nobody guesses an erased one.
func TestEvents_SaltsEachEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := start(t, trail.Config{Log: log})
		p.event("ann")
		p.event("ann")
		require.NoError(t, p.Flush(t.Context()))
		list := log.list()
		require.NotEqual(t, list[0].PersonalHash, list[1].PersonalHash)
		_, personal, err := list[0].Read()
		require.NoError(t, err)
		require.Len(t, personal.Salt, 16)
	})
}

func TestNew_RefusesIntervalsAndOriginsOutOfRange(t *testing.T) {
	try := func(origin string, interval time.Duration) error {
		_, err := trail.New(trail.Config{Log: &memory{}, Key: secret.Bytes(testKey),
			Origin: origin, Interval: interval})
		return err
	}
	require.NoError(t, try(origin, 0))
	require.NoError(t, try(origin, 10*time.Second))
	require.ErrorContains(t, try(origin, 10*time.Second+1), "Interval")
	require.ErrorContains(t, try(origin, -1), "Interval")
	for _, bad := range []string{"", "a b", "a\tb", "a\nb", "a+b"} {
		require.ErrorContains(t, try(bad, 0), "Origin")
	}
}
