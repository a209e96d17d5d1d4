package reencrypt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/reencrypt"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

var errUnreadable = errors.New("unreadable")

// decide removes "stale", leaves "new" alone, cannot read "broken", and makes "new" of the rest.
func decide(_ string, data []byte) (storage.Change, error) {
	switch string(data) {
	case "stale":
		return storage.Change{Delete: true}, nil
	case "new":
		return storage.Change{}, nil
	case "broken":
		return storage.Change{Data: []byte("new")}, errUnreadable
	}
	return storage.Change{Data: []byte("new")}, nil
}

func fill(t *testing.T, store storage.Store, prefix string, n int, data string) {
	t.Helper()
	for i := range n {
		key := fmt.Sprintf("%s%s%03d", prefix, data, i)
		require.NoError(t, store.Swap(t.Context(), key, "",
			storage.Record{Revision: "first", Data: []byte(data)}))
	}
}

func each(t *testing.T, store storage.Store) ([]error, error) {
	t.Helper()
	return reencrypt.Each(t.Context(), store, storage.NewUpdater(store), decide, "a/", "b/")
}

func TestEach_ChangesWhatIsUnderThePrefixes(t *testing.T) {
	store := memory.New()
	fill(t, store, "a/", 450, "old")
	fill(t, store, "b/", 3, "old")
	fill(t, store, "b/", 2, "stale")
	fill(t, store, "b/", 2, "broken")
	fill(t, store, "c/", 1, "old")

	unreadable, err := each(t, store)
	require.NoError(t, err)
	require.Len(t, unreadable, 2)
	require.ErrorIs(t, unreadable[0], errUnreadable)
	require.EqualError(t, unreadable[0], `record "b/broken000": unreadable`)

	kept := map[string]int{}
	entries, next, err := store.List(t.Context(), "", "", 500)
	require.NoError(t, err)
	require.Empty(t, next)
	for _, e := range entries {
		kept[e.Key[:2]+string(e.Record.Data)]++
	}
	require.Equal(t, map[string]int{"a/new": 450, "b/new": 3, "b/broken": 2, "c/old": 1}, kept)
}

// A page takes one read and one write.
func TestEach_WritesFromThePage(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	fill(t, store, "a/", 150, "old")
	writes := store.Calls(mfatest.OpSwap)
	_, err := each(t, store)
	require.NoError(t, err)
	require.Zero(t, store.Calls(mfatest.OpGet))
	require.Equal(t, writes+1, store.Calls(mfatest.OpSwap))
}

// What another process changed meanwhile is decided again, and what it removed stays removed.
func TestEach_DecidesAgainAfterAConflict(t *testing.T) {
	inner := memory.New()
	store := mfatest.NewFaultyStore(inner)
	fill(t, store, "a/", 3, "old")
	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(ctx context.Context, _ string) {
		require.NoError(t, inner.Swap(ctx, "a/old000", "first",
			storage.Record{Revision: "second", Data: []byte("stale")}))
		require.NoError(t, inner.Swap(ctx, "a/old001", "first",
			storage.Record{Revision: "second", Data: []byte("broken")}))
		require.NoError(t, inner.Delete(ctx, "a/old002", "first"))
	}})
	unreadable, err := each(t, store)
	require.NoError(t, err)
	require.Len(t, unreadable, 1, "it became unreadable")
	entries, _, err := inner.List(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, "broken", string(entries[0].Record.Data))
}

func TestEach_EndsWithAnErrorOfTheStore(t *testing.T) {
	down := errors.New("down")
	for _, op := range []mfatest.Op{mfatest.OpList, mfatest.OpSwap} {
		store := mfatest.NewFaultyStore(memory.New())
		fill(t, store, "a/", 3, "old")
		store.Inject(op, 1, mfatest.Fault{Before: down})
		_, err := each(t, store)
		require.ErrorIs(t, err, down)
	}
	_, err := each(t, struct{ storage.Store }{memory.New()})
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// A store in which nothing can be read gives no list as long as itself.
func TestEach_BoundsWhatItNames(t *testing.T) {
	store := memory.New()
	fill(t, store, "a/", 450, "broken")
	unreadable, err := each(t, store)
	require.NoError(t, err)
	require.Len(t, unreadable, 200)
}
