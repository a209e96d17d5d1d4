package simulation

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/storage"
)

var (
	replay = flag.Uint64("seed", 0, "the seed of the one history to run, with its steps printed")
	number = flag.Uint64("histories", 0, "how many histories to run, and everything must occur; "+
		"defaults to 500, or 50 with the race detector, of which that is not asked, or 10 000 "+
		"with SECONDGATE_FULL")
	first = flag.Uint64("first", 1, "the seed of the first of them")
)

// length is how many steps a history has.
const length = 18

// preparation is how many of them give the users factors.
const preparation = 3

// history is one run of a world: its seed, and the steps that are taken of it.
type history struct {
	seed  uint64
	steps []int
	wrap  func(storage.Store) storage.Store
	// recent is mfa.Config.RecentRecords of its processes.
	recent int
}

func whole(seed uint64) history {
	h := history{seed: seed, steps: make([]int, length)}
	for i := range h.steps {
		h.steps[i] = i
	}
	return h
}

// run takes the steps of a history, and returns the invariant that broke, or nil. Each step draws
// from a source of its own, so that it stays the same when another is left out.
func (h history) run() (w *world, broken *violation) {
	w = newWorld(h)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case violation:
			broken = &p
		default:
			panic(p)
		}
	}()
	for _, i := range h.steps {
		w.Rand = rand.New(rand.NewPCG(h.seed, uint64(i)+1))
		s := stepOf(w)
		if i < preparation {
			s = step{"change", 0, (*world).change}
		}
		w.note("%d: %s", i, s.name)
		w.clearNotices()
		for _, a := range w.accounts {
			w.settleLocks(a)
		}
		s.run(w)
		for _, a := range w.accounts {
			w.sync(a)
		}
		w.bounded()
	}
	w.Rand = rand.New(rand.NewPCG(h.seed, length+1))
	for _, a := range w.accounts {
		w.home(a)
	}
	return w, nil
}

// shrink leaves out the steps that a violation of the same invariant does not take.
func (h history) shrink(invariant string) history {
	for n := max(1, len(h.steps)/2); n > 0; n /= 2 {
		for at := 0; at+n <= len(h.steps); {
			less := h
			less.steps = slices.Concat(h.steps[:at], h.steps[at+n:])
			if _, broken := less.run(); broken != nil && broken.invariant == invariant {
				h = less
			} else {
				at += n
			}
		}
	}
	return h
}

// report shrinks a history and says how to run it again.
func (h history) report(t *testing.T, broken *violation) {
	t.Helper()
	w, least := h.shrink(broken.invariant).run()
	t.Errorf("seed %d: %s: %s\n\n%s\n\nreplay: go test ./internal/simulation "+
		"-run %s -seed %d -v", h.seed, least.invariant, least.says, strings.Join(w.log, "\n"),
		strings.Split(t.Name(), "/")[0], h.seed)
}

// inBubble runs f with timers that take no time: what waits for another process waits for nothing.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

// histories returns how many histories to run, and whether everything that can happen must happen
// in them. The rarest does so about three times in ten thousand.
func histories() (n uint64, complete bool) {
	switch {
	case os.Getenv("SECONDGATE_LONG") != "":
		return 1_000_000, true
	case *number > 0:
		return *number, true
	case os.Getenv("SECONDGATE_FULL") != "":
		return 10_000, true
	case brief.WithRace():
		return 50, false
	}
	return 500, false
}

// TestSimulation_HoldsEveryInvariant runs 500 histories, or 50 with the race detector. With
// SECONDGATE_FULL, which make test sets, it runs 10 000, with SECONDGATE_LONG a million, and checks
// that everything that can happen has happened.
func TestSimulation_HoldsEveryInvariant(t *testing.T) {
	n, complete := histories()
	seen := runHistories(t, n, whole)
	if seen == nil || t.Failed() {
		return
	}
	for _, name := range mustOccur() {
		if seen[name] == 0 && complete {
			t.Errorf("%q has not occurred in %d histories", name, n)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%9d %s", seen[name], name)
	}
}

// The same holds in a fifth as many histories where each process keeps the record that it read
// last, until another user's takes its place.
func TestSimulation_HoldsEveryInvariantWithRecentRecords(t *testing.T) {
	n, _ := histories()
	runHistories(t, n/5, func(seed uint64) history {
		h := whole(seed)
		h.recent = 1
		return h
	})
}

// runHistories runs so many histories, and returns how often each thing has happened. It runs the
// one history of -seed, if there is one, and returns nil.
func runHistories(t *testing.T, n uint64, of func(seed uint64) history) map[string]int {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // the worlds are small and many
	if *replay > 0 {
		inBubble(t, func(t *testing.T) {
			h := of(*replay)
			w, broken := h.run()
			t.Log(strings.Join(w.log, "\n"))
			if broken != nil {
				h.report(t, broken)
			}
		})
		return nil
	}
	seen := simulate(t, *first, n, of)
	t.Logf("counted: %d histories, from seed %d on", n, *first)
	return seen
}

// simulate runs histories, with the seeds from the first one on, on all processors.
func simulate(
	t *testing.T, first, histories uint64, of func(seed uint64) history,
) map[string]int {
	t.Helper()
	var mu sync.Mutex
	seen := map[string]int{}
	lanes := uint64(runtime.GOMAXPROCS(0))
	t.Run("seeds", func(t *testing.T) {
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T) {
					for n := lane; n < histories && !t.Failed(); n += lanes {
						h := of(first + n)
						w, broken := h.run()
						if broken != nil {
							h.report(t, broken)
							return
						}
						mu.Lock()
						for name, n := range w.seen {
							seen[name] += n
						}
						mu.Unlock()
					}
				})
			})
		}
	})
	return seen
}

// mustOccur are the rows of the table of outcomes, the ways home, the faults and the levels of
// proof: a simulation without one of them proves nothing about it.
func mustOccur() (list []string) {
	for prefix, names := range map[string][]string{
		"outcome": {"Refused", "Locked", "Disabled", "Incorrect", "Replayed", "Failed", "Expired",
			"Pending", "Uncounted", "Verified", "EnrollmentRequired", "Confirmed", "Proven",
			"Enabled"},
		"home":           {"by own", "by recovery", "by administrator"},
		"fault":          {"read", "write", "lost reply", "conflict", "interrupted", "stale read"},
		"next":           {"done", "verify", "enroll"},
		"change refused": {"first", "implied", "own", "recovery"},
		"change":         {"enroll by first", "enroll by implied", "remove by own", "codes by own"},
		"thief by": {"the mailbox", "the phone number", "a recovery code", "a copied factor",
			"a phishing site", "a remembered device"},
	} {
		for _, name := range names {
			list = append(list, prefix+" "+name)
		}
	}
	return append(list, "restored", "rate limit")
}
