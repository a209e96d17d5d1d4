package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// watched is a store that counts the writes of each call.
type watched struct {
	*memory.Store
	first, batch error // in place of what the write or the batch returns
	batches      []int // how many writes each call had
}

func newWatched() *watched { return &watched{Store: memory.New()} }

func (h *watched) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if h.first != nil {
		return h.first
	}
	return h.Store.Swap(ctx, key, old, next)
}

func (h *watched) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) ([]bool, error) {
	h.batches = append(h.batches, len(old))
	keys := make(map[string]bool)
	for _, e := range old {
		if keys[e.Key] {
			return nil, errors.New("two swaps of one record in a batch")
		}
		keys[e.Key] = true
	}
	if h.batch != nil {
		return nil, h.batch
	}
	return h.Store.SwapBatch(ctx, old, next)
}

func record(text string) storage.Record {
	return storage.Record{Revision: storage.Revision("of " + text), Data: []byte(text)}
}

// swapAtOnce makes a record under each key, all of them at the same time, and returns the results.
// The writes wait until all have been asked for, so that they are combined on any machine.
func swapAtOnce(t *testing.T, h *watched, keys ...string) []error {
	t.Helper()
	results := make([]error, len(keys))
	synctest.Test(t, func(t *testing.T) {
		c := newCombining(h, h)
		var writers sync.WaitGroup
		for i, key := range keys {
			writers.Go(func() {
				results[i] = c.Swap(t.Context(), key, "", record(fmt.Sprint(i)))
			})
		}
		synctest.Wait()
		end := c.start()
		writers.Wait()
		end()
	})
	return results
}

// Writes that wait are made with one call, and each has its own result.
func TestCombining_GivesEachWriteItsResult(t *testing.T) {
	h := newWatched()
	require.NoError(t, h.Store.Swap(t.Context(), "u7", "", record("there before")))
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprint("u", i))
	}
	results := swapAtOnce(t, h, keys...)
	for i, key := range keys {
		got, err := h.Get(t.Context(), key)
		require.NoError(t, err)
		if key == "u7" {
			require.ErrorIs(t, results[i], storage.ErrConflict)
			require.Equal(t, "there before", string(got.Data))
			continue
		}
		require.NoError(t, results[i])
		require.Equal(t, fmt.Sprint(i), string(got.Data))
	}
	require.Equal(t, maxCombined, h.batches[0], "%v", h.batches)
}

// Of several writes on one key at once, one is made.
func TestCombining_MakesOneOfSeveralWrites(t *testing.T) {
	h := newWatched()
	var made int
	for _, err := range swapAtOnce(t, h, "a", "a", "b", "a", "b", "a") {
		if err == nil {
			made++
			continue
		}
		require.ErrorIs(t, err, storage.ErrConflict)
	}
	require.Equal(t, 2, made)
	require.NotEmpty(t, h.batches)
}

// After a failure each write may have been made or not, and each caller gets the error.
func TestCombining_GivesEachWriteTheFailure(t *testing.T) {
	h := newWatched()
	h.batch, h.first = errors.New("down"), errors.New("down")
	for _, err := range swapAtOnce(t, h, "a", "b", "c") {
		require.ErrorContains(t, err, "down")
	}
	require.Equal(t, []int{3}, h.batches)
}

// A store that turns out to swap no batches makes each write by itself.
func TestCombining_WorksWithoutBatches(t *testing.T) {
	h := newWatched()
	h.batch = fmt.Errorf("no such statement: %w", errors.ErrUnsupported)
	for _, err := range swapAtOnce(t, h, "a", "b", "c", "d") {
		require.NoError(t, err)
	}
	plain := struct{ storage.Store }{memory.New()}
	s, end := combine(plain)
	require.Equal(t, plain, s)
	end()
}
