package keyed_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/keyed"
)

// One caller at a time has the turn of a key, also while turns are used for one key after
// another and callers stop waiting.
func TestMutex_OneCallerAtATime(t *testing.T) {
	const keys, workers, rounds = 3, 8, 2000
	var m keyed.Mutex
	var inside [keys]int // guarded by the turns: the race detector watches
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range rounds {
				key := (worker + i) % keys
				ctx := t.Context()
				if i%3 == 0 {
					ctx = stopped
				}
				turn, err := m.Lock(ctx, fmt.Sprint(key))
				if err != nil {
					continue
				}
				if inside[key]++; inside[key] != 1 {
					t.Error("two callers have one turn")
				}
				inside[key]--
				turn.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestMutex_AllocatesNothingAgain(t *testing.T) {
	var m keyed.Mutex
	require.Zero(t, testing.AllocsPerRun(100, func() {
		turn, err := m.Lock(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		turn.Unlock()
	}))
}
