package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// What is outside the limits is refused before a store sees it, whatever the store checks itself.
func TestUpdater_AsksNoStoreForWhatIsOutsideTheLimits(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	u := storage.NewUpdater(store)
	long := strings.Repeat("k", storage.MaxKeyLen+1)
	_, err := u.Get(t.Context(), long)
	require.ErrorIs(t, err, storage.ErrInvalid)
	require.ErrorIs(t, u.Update(t.Context(), long, increment), storage.ErrInvalid)
	require.Zero(t, store.Calls(mfatest.OpGet))
	require.ErrorIs(t, u.Update(t.Context(), "k", func([]byte) (storage.Change, error) {
		return storage.Change{Data: make([]byte, storage.MaxDataLen+1)}, nil
	}), storage.ErrInvalid)
	require.Zero(t, store.Calls(mfatest.OpSwap))
}

func TestUpdateEach_ReportsAFailedWrite(t *testing.T) {
	store, boom := mfatest.NewFaultyStore(memory.New()), errors.New("boom")
	u := storage.NewUpdater(store)
	require.NoError(t, u.Update(t.Context(), "k", increment))
	rec, err := u.Get(t.Context(), "k")
	require.NoError(t, err)
	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: boom})
	require.ErrorIs(t, u.UpdateEach(t.Context(), []storage.Entry{{Key: "k", Record: rec}},
		func(_ int, data []byte) (storage.Change, error) { return increment(data) }), boom)
}

// carelessStore always conflicts and honours no context. Its record has the revision given, and no
// data if it is empty.
type carelessStore struct {
	storage.Store
	revision storage.Revision
	empty    bool
	swaps    int
}

func (s *carelessStore) Get(context.Context, string) (storage.Record, error) {
	if s.empty {
		return storage.Record{Revision: s.revision}, nil
	}
	return storage.Record{Revision: s.revision, Data: []byte("1")}, nil
}

func (s *carelessStore) Swap(
	context.Context, string, storage.Revision, storage.Record,
) error {
	s.swaps++
	return storage.ErrConflict
}

func TestUpdate_EndsWithItsContextOverAStoreThatHonoursNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &carelessStore{revision: "r"}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, storage.NewUpdater(store).Update(ctx, "k", increment),
			context.DeadlineExceeded)
		require.Less(t, store.swaps, 100)
	})
}

func TestUpdate_RefusesARecordWithoutARevision(t *testing.T) {
	store := &carelessStore{}
	require.ErrorIs(t, storage.NewUpdater(store).Update(t.Context(), "k", increment),
		storage.ErrInvalid)
	require.Zero(t, store.swaps)
}

// No decision takes a record without data for none: that would read as "this user has no second
// factor".
func TestUpdate_RefusesARecordWithoutData(t *testing.T) {
	store := &carelessStore{revision: "r", empty: true}
	u := storage.NewUpdater(store)
	decide := func([]byte) (storage.Change, error) {
		t.Error("there is nothing to decide about")
		return storage.Change{}, nil
	}
	_, err := u.Get(t.Context(), "k")
	require.ErrorIs(t, err, storage.ErrInvalid)
	require.ErrorIs(t, u.Update(t.Context(), "k", decide), storage.ErrInvalid)
	for _, data := range [][]byte{nil, {}} {
		for _, u := range []*storage.Updater{u, storage.NewUpdater(memory.New())} {
			require.ErrorIs(t, u.UpdateEach(t.Context(), []storage.Entry{{Key: "k",
				Record: storage.Record{Revision: "r", Data: data}}},
				func(int, []byte) (storage.Change, error) { return decide(nil) }),
				storage.ErrInvalid)
		}
	}
	require.Zero(t, store.swaps)
}
