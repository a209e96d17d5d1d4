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

// held is a store whose first write waits, so that others are combined behind it.
type held struct {
	*memory.Store
	first, batch error // in place of what the write or the batch returns
	go1          chan struct{}
	begun        sync.Once
	batches      []int // how many writes each call had
}

func newHeld() *held { return &held{Store: memory.New(), go1: make(chan struct{})} }

func (h *held) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if h.first != nil {
		return h.first
	}
	return h.Store.Swap(ctx, key, old, next)
}

func (h *held) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) ([]bool, error) {
	h.begun.Do(func() { <-h.go1 })
	h.batches = append(h.batches, len(old))
	if h.batch != nil {
		return nil, h.batch
	}
	return h.Store.SwapBatch(ctx, old, next)
}

func record(text string) storage.Record {
	return storage.Record{Revision: storage.Revision("of " + text), Data: []byte(text)}
}

// swapAtOnce makes a record under each key, all of them at the same time, and returns the results.
func swapAtOnce(t *testing.T, h *held, keys ...string) []error {
	t.Helper()
	results := make([]error, len(keys))
	synctest.Test(t, func(t *testing.T) {
		h.go1 = make(chan struct{})
		s, end := combine(h)
		var writers sync.WaitGroup
		for i, key := range keys {
			writers.Go(func() {
				results[i] = s.Swap(t.Context(), key, "", record(fmt.Sprint(i)))
			})
		}
		synctest.Wait() // one call is on its way, and the others wait
		close(h.go1)
		writers.Wait()
		end()
	})
	return results
}

// Writes that wait are made with one call, and each has its own result.
func TestCombining_GivesEachWriteItsResult(t *testing.T) {
	h := newHeld()
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
	require.Less(t, len(h.batches), 10, "%v", h.batches)
}

// Of several writes on one key at once, one is made.
func TestCombining_MakesOneOfSeveralWrites(t *testing.T) {
	h := newHeld()
	var made int
	for _, err := range swapAtOnce(t, h, "a", "a", "b", "a", "b", "a") {
		if err == nil {
			made++
			continue
		}
		require.ErrorIs(t, err, storage.ErrConflict)
	}
	require.Equal(t, 2, made)
}

// After a failure each write may have been made or not, and each caller gets the error.
func TestCombining_GivesEachWriteTheFailure(t *testing.T) {
	h := newHeld()
	h.batch, h.first = errors.New("down"), errors.New("down")
	for _, err := range swapAtOnce(t, h, "a", "b", "c") {
		require.ErrorContains(t, err, "down")
	}
}

// A store that turns out to swap no batches makes each write by itself.
func TestCombining_WorksWithoutBatches(t *testing.T) {
	h := newHeld()
	h.batch = fmt.Errorf("no such statement: %w", errors.ErrUnsupported)
	for _, err := range swapAtOnce(t, h, "a", "b", "c", "d") {
		require.NoError(t, err)
	}
	plain := struct{ storage.Store }{memory.New()}
	s, end := combine(plain)
	require.Equal(t, plain, s)
	end()
}
