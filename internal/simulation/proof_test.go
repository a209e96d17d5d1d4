package simulation

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/storage"
)

// The tests of this file are about the simulation. internal/protections/simulation.txt has faults
// of the library that it finds.

// drawn are values that the library draws at random. Nothing is decided by what they are.
var drawn = regexp.MustCompile(`([0-9A-Z]{4}-){3}[0-9A-Z]{4}`)

func TestHistory_IsDecidedByItsSeed(t *testing.T) {
	brief.SkipOneGoroutine(t)
	for seed := range uint64(50) {
		inBubble(t, func(t *testing.T) {
			var logs [2]string
			for i := range logs {
				w, broken := whole(seed + 1).run()
				if broken != nil {
					t.Fatalf("seed %d: %s", seed+1, broken.says)
				}
				logs[i] = drawn.ReplaceAllString(strings.Join(w.log, "\n"), "code")
			}
			if logs[0] != logs[1] {
				t.Errorf("seed %d has two histories:\n%s\n\n%s", seed+1, logs[0], logs[1])
			}
		})
	}
}

// brokenStore is a store with one fault that no conforming one has.
type brokenStore struct {
	storage.Store
	fault string
	calls int
}

func (s *brokenStore) Get(ctx context.Context, key string) (storage.Record, error) {
	if s.calls++; s.fault == "forgets" && s.calls%50 == 0 {
		return storage.Record{}, storage.ErrNotFound
	}
	return s.Store.Get(ctx, key)
}

func (s *brokenStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	s.calls++
	switch {
	case s.fault == "acknowledges too early" && s.calls%20 == 0:
		return nil
	case s.fault == "ignores the revision":
		now, err := s.Store.Get(ctx, key)
		if err == nil {
			old = now.Revision
		} else if errors.Is(err, storage.ErrNotFound) {
			old = ""
		}
	}
	return s.Store.Swap(ctx, key, old, next)
}

func TestSimulation_FindsBrokenStores(t *testing.T) {
	for _, fault := range []string{"forgets", "acknowledges too early", "ignores the revision"} {
		t.Run(fault, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				for seed := uint64(1); seed < 1000; seed++ {
					h := whole(seed)
					h.wrap = func(s storage.Store) storage.Store {
						return &brokenStore{Store: s, fault: fault}
					}
					_, broken := h.run()
					if broken == nil {
						continue
					}
					t.Logf("seed %d: %s: %s", seed, broken.invariant, broken.says)
					least := h.shrink(broken.invariant)
					_, again := least.run()
					if again == nil || again.invariant != broken.invariant {
						t.Errorf("the reduced history breaks %v, want %q", again, broken.invariant)
					}
					if len(least.steps) >= length {
						t.Error("nothing was left out")
					}
					return
				}
				t.Error("1000 histories hold every invariant over it")
			})
		})
	}
}
