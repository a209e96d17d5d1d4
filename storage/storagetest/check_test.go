package storagetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/storagetest"
)

func opens(s storage.Store) func() (storage.Store, error) {
	return func() (storage.Store, error) { return s, nil }
}

// remaining are the keys in a store.
func remaining(t *testing.T, s storage.Lister) (keys []string) {
	t.Helper()
	page, _, err := s.List(context.Background(), "", "", 1000)
	require.NoError(t, err)
	for _, e := range page {
		keys = append(keys, e.Key)
	}
	return keys
}

func TestCheck_LeavesNothingBehind(t *testing.T) {
	s, kept := memory.New(), 0
	require.NoError(t, s.Swap(t.Context(), "p/ann", "", storage.Record{Revision: "1",
		Data: []byte("x")}))
	for rule, err := range storagetest.Check(t.Context(), opens(s)) {
		require.NoError(t, err, rule)
		kept++
	}
	require.Greater(t, kept, 20)
	require.Equal(t, []string{"p/ann"}, remaining(t, s))
	for range storagetest.Check(t.Context(), opens(s)) {
		break
	}
	require.Equal(t, []string{"p/ann"}, remaining(t, s))
}

// overwrites is a store without conditions. It cannot list.
type overwrites struct{ storage.Store }

func (s overwrites) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.Store.Swap(ctx, key, old, next)
	if errors.Is(err, storage.ErrConflict) {
		return nil
	}
	return err
}

func TestCheck_FindsBrokenRules(t *testing.T) {
	broken := map[string]bool{}
	for rule, err := range storagetest.Check(t.Context(), opens(overwrites{memory.New()})) {
		if err != nil {
			require.ErrorContains(t, err, "why it matters")
			broken[rule] = true
		}
	}
	require.Contains(t, broken, "race-swap")
	require.NotContains(t, broken, "data")
}

func TestCheck_SaysThatTheStoreDoesNotOpen(t *testing.T) {
	down := errors.New("down")
	for rule, err := range storagetest.Check(t.Context(), func() (storage.Store, error) {
		return nil, down
	}) {
		require.Equal(t, "open", rule)
		require.ErrorIs(t, err, down)
	}
}
