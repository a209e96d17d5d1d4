package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// numbers is a store with counters at 1, and a page of them.
func numbers(t *testing.T, n int) (*mfatest.FaultyStore, *memory.Store, []storage.Entry) {
	t.Helper()
	inner := memory.New()
	u := storage.NewUpdater(inner)
	for i := range n {
		require.NoError(t, u.Update(t.Context(), fmt.Sprint("k", i), increment))
	}
	page, _, err := inner.List(t.Context(), "k", "", n+1)
	require.NoError(t, err)
	require.Len(t, page, n)
	return mfatest.NewFaultyStore(inner), inner, page
}

func values(t *testing.T, s storage.Store, page []storage.Entry) (data []string) {
	t.Helper()
	for _, e := range page {
		rec, err := s.Get(t.Context(), e.Key)
		if errors.Is(err, storage.ErrNotFound) {
			rec.Data = []byte("none")
		} else {
			require.NoError(t, err)
		}
		data = append(data, string(rec.Data))
	}
	return data
}

func each(_ int, data []byte) (storage.Change, error) { return increment(data) }

// A page takes one write. What another writer changed meanwhile is decided again from a read.
func TestUpdateEach_ReadsWhatLostItsRace(t *testing.T) {
	store, inner, page := numbers(t, 5)
	other := storage.NewUpdater(inner)
	require.NoError(t, other.Update(t.Context(), "k1", increment))
	rec, err := inner.Get(t.Context(), "k3")
	require.NoError(t, err)
	require.NoError(t, inner.Delete(t.Context(), "k3", rec.Revision))
	var decided []int
	err = storage.NewUpdater(store).UpdateEach(t.Context(), page,
		func(i int, data []byte) (storage.Change, error) {
			decided = append(decided, i)
			if data == nil {
				return storage.Change{}, nil
			}
			return increment(data)
		})
	require.NoError(t, err)
	require.Equal(t, []string{"2", "3", "2", "none", "2"}, values(t, inner, page))
	require.Equal(t, []int{0, 1, 2, 3, 4, 1, 3}, decided)
	require.Equal(t, 2, store.Calls(mfatest.OpGet))
	require.Equal(t, 2, store.Calls(mfatest.OpSwap), "the batch, and what lost its race")
}

// A record that comes twice on a page is changed by the first, and decided again for the second.
// Deletions are made one by one, and what is left alone takes no write.
func TestUpdateEach_ChangesDeletesAndLeavesAlone(t *testing.T) {
	store, inner, page := numbers(t, 4)
	page = append(page, page[0])
	err := storage.NewUpdater(store).UpdateEach(t.Context(), page,
		func(i int, data []byte) (storage.Change, error) {
			switch i {
			case 1:
				return storage.Change{Delete: true}, nil
			case 2:
				return storage.Change{}, nil
			}
			return increment(data)
		})
	require.NoError(t, err)
	require.Equal(t, []string{"3", "none", "1", "2", "3"}, values(t, inner, page))
	require.Equal(t, 2, store.Calls(mfatest.OpSwap), "the batch, and what came twice")
	require.Equal(t, 1, store.Calls(mfatest.OpDelete))

	require.NoError(t, storage.NewUpdater(store).UpdateEach(t.Context(), page[2:3],
		func(int, []byte) (storage.Change, error) { return storage.Change{}, nil }))
	require.NoError(t, storage.NewUpdater(store).UpdateEach(t.Context(), nil, each))
	require.Equal(t, 2, store.Calls(mfatest.OpSwap), "there is nothing to write")

	require.NoError(t, storage.NewUpdater(store).UpdateEach(t.Context(), page[2:4],
		func(int, []byte) (storage.Change, error) { return storage.Change{Delete: true}, nil }))
	require.Equal(t, []string{"3", "none", "none", "none", "3"}, values(t, inner, page))
}

// The caller learns of an error, after which some changes may have been made.
func TestUpdateEach_ReportsErrors(t *testing.T) {
	store, inner, page := numbers(t, 3)
	u, boom := storage.NewUpdater(store), errors.New("boom")
	require.ErrorIs(t, u.UpdateEach(t.Context(), page,
		func(i int, data []byte) (storage.Change, error) {
			if i == 2 {
				return storage.Change{}, boom
			}
			return increment(data)
		}), boom)
	require.ErrorIs(t, u.UpdateEach(t.Context(), page,
		func(i int, data []byte) (storage.Change, error) {
			return storage.Change{Data: make([]byte, i*storage.MaxDataLen)}, nil
		}), storage.ErrInvalid)
	require.ErrorIs(t, u.UpdateEach(t.Context(), []storage.Entry{{Key: "k0"}}, each),
		storage.ErrInvalid, "a record without a revision is none that was read")
	require.Equal(t, []string{"1", "1", "1"}, values(t, inner, page))

	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: boom})
	require.ErrorIs(t, u.UpdateEach(t.Context(), page, each), boom)
	require.Equal(t, []string{"2", "2", "2"}, values(t, inner, page))
	require.Equal(t, 1, store.Calls(mfatest.OpSwap), "nothing is written again")
}

// Of records that are written one after the other, those after an error stay as they are.
func TestUpdateEach_EndsAtAnError(t *testing.T) {
	store, inner, page := numbers(t, 3)
	boom := errors.New("boom")
	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: boom})
	require.ErrorIs(t, storage.NewUpdater(three{store}).UpdateEach(t.Context(), page, each), boom)
	require.Equal(t, []string{"1", "1", "1"}, values(t, inner, page))
}

// short reports the result of fewer swaps than it was given.
type short struct{ storage.Store }

func (short) SwapBatch(context.Context, []storage.Entry, []storage.Record) ([]bool, error) {
	return []bool{true}, nil
}

func TestUpdateEach_RefusesAReportThatIsTooShort(t *testing.T) {
	_, inner, page := numbers(t, 3)
	err := storage.NewUpdater(short{inner}).UpdateEach(t.Context(), page, each)
	require.ErrorIs(t, err, storage.ErrInvalid)
}

// three is a store of three methods.
type three struct{ storage.Store }

// A store without batches, or one that finds that it has none, takes one write for each record, and
// no read.
func TestUpdateEach_WritesOneByOneWithoutBatches(t *testing.T) {
	for _, hide := range []bool{false, true} {
		store, inner, page := numbers(t, 3)
		var s storage.Store = mfatest.NewFaultyStore(three{store})
		if hide {
			s = three{store}
		}
		require.NoError(t, storage.NewUpdater(s).UpdateEach(t.Context(), page, each))
		require.Equal(t, []string{"2", "2", "2"}, values(t, inner, page))
		require.Equal(t, 3, store.Calls(mfatest.OpSwap))
		require.Zero(t, store.Calls(mfatest.OpGet))
	}
}
