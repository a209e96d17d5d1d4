package storage_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

func increment(data []byte) (storage.Change, error) {
	n, _ := strconv.Atoi(string(data))
	return storage.Change{Data: []byte(strconv.Itoa(n + 1))}, nil
}

// Several Updaters over one store are as several processes.
func TestUpdate_LosesNoWrite(t *testing.T) {
	store := memory.New()
	var wg sync.WaitGroup
	for range 4 {
		u := storage.NewUpdater(store)
		for range 16 {
			wg.Go(func() {
				for range 20 {
					if err := u.Update(context.Background(), "k", increment); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	rec, err := store.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "1280", string(rec.Data))
}

// In one process a burst for one key is decided one at a time: nothing is decided twice.
func TestUpdate_DecidesOneAtATimeInAProcess(t *testing.T) {
	u := storage.NewUpdater(memory.New())
	var decided int // guarded by the queue itself: the race detector watches
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			_ = u.Update(context.Background(), "k", func(data []byte) (storage.Change, error) {
				decided++
				return increment(data)
			})
		})
	}
	wg.Wait()
	require.Equal(t, 100, decided)
}

func TestUpdate_StartsAgainAfterAConflict(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	u := storage.NewUpdater(store)
	store.Inject(mfatest.OpSwap, 3, mfatest.Fault{Before: storage.ErrConflict})
	decided := 0
	require.NoError(t, u.Update(t.Context(), "k", func(data []byte) (storage.Change, error) {
		decided++
		return increment(data)
	}))
	require.Equal(t, 4, decided)
}

// A record that was read before is decided on without another read, unless it has changed since.
func TestUpdateEach_ReadsAfterAConflictOnly(t *testing.T) {
	inner := memory.New()
	store := mfatest.NewFaultyStore(inner)
	u := storage.NewUpdater(struct{ storage.Store }{store}) // which makes no batches
	require.NoError(t, u.Update(t.Context(), "k", increment))
	rec, err := store.Get(t.Context(), "k")
	require.NoError(t, err)
	reads := store.Calls(mfatest.OpGet)
	for i, want := range []string{"2", "3"} { // the second time it has changed
		require.NoError(t, u.UpdateEach(t.Context(), []storage.Entry{{Key: "k", Record: rec}},
			func(_ int, data []byte) (storage.Change, error) { return increment(data) }))
		require.Equal(t, reads+i, store.Calls(mfatest.OpGet))
		now, err := inner.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, want, string(now.Data))
	}
}

func TestUpdate_EndsAfterTooManyConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mfatest.NewFaultyStore(memory.New())
		store.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: storage.ErrConflict})
		u := storage.NewUpdater(store)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, u.Update(ctx, "k", increment), context.DeadlineExceeded)
		began := time.Now()
		require.ErrorIs(t, u.Update(t.Context(), "k", increment), storage.ErrContention)
		require.Less(t, time.Since(began), 99*64*time.Millisecond)
	})
}

func TestUpdate_ReportsOutcomes(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	u := storage.NewUpdater(store)
	ctx, boom := t.Context(), errors.New("boom")

	require.ErrorIs(t, u.Update(ctx, "k", func([]byte) (storage.Change, error) {
		return storage.Change{Data: []byte("x")}, boom
	}), boom)
	_, err := store.Get(ctx, "k")
	require.ErrorIs(t, err, storage.ErrNotFound, "nothing was written")

	require.NoError(t, u.Update(ctx, "k", func([]byte) (storage.Change, error) {
		return storage.Change{}, nil
	}))
	require.Zero(t, store.Calls(mfatest.OpSwap), "the zero Change writes nothing")

	require.NoError(t, u.Update(ctx, "k", increment))
	require.NoError(t, u.Update(ctx, "k", func([]byte) (storage.Change, error) {
		return storage.Change{Delete: true}, nil
	}))
	require.NoError(t, u.Update(ctx, "k", func(data []byte) (storage.Change, error) {
		require.Nil(t, data)
		return storage.Change{Delete: true}, nil
	}))

	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: boom})
	require.ErrorIs(t, u.Update(ctx, "k", increment), boom, "an ambiguous write is an error")
	store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: boom})
	require.ErrorIs(t, u.Update(ctx, "k", increment), boom, "a failed read is not absence")

	require.ErrorIs(t, u.Update(ctx, "", increment), storage.ErrInvalid)
	require.ErrorIs(t, u.Update(ctx, "k", func([]byte) (storage.Change, error) {
		return storage.Change{Data: make([]byte, storage.MaxDataLen+1)}, nil
	}), storage.ErrInvalid)
	done, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, u.Update(done, "k", increment), context.Canceled)
}

// Who waits for a turn leaves when its context is done, and the next one gets it.
func TestUpdate_WaitingHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := storage.NewUpdater(memory.New())
		inside, release := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- u.Update(context.Background(), "k", func(data []byte) (storage.Change, error) {
				close(inside)
				<-release
				return increment(data)
			})
		}()
		<-inside
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, u.Update(ctx, "k", increment), context.DeadlineExceeded)
		require.NoError(t, u.Update(t.Context(), "other", increment), "other keys do not wait")
		close(release)
		require.NoError(t, <-first)
		require.NoError(t, u.Update(t.Context(), "k", increment))
	})
}

func ExampleUpdater_Update() {
	u := storage.NewUpdater(memory.New())
	for range 3 {
		_ = u.Update(context.Background(), "counter", func(data []byte) (storage.Change, error) {
			return storage.Change{Data: append(data, '|')}, nil
		})
	}
	rec, _ := u.Get(context.Background(), "counter")
	fmt.Println(string(rec.Data))
	// Output: |||
}
