package kdftest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/kdf"
	"github.com/secondgate/secondgate/internal/kdf/kdftest"
)

// Only the default becomes cheap: weak parameters are refused as before.
func TestCheap_ChangesTheDefaultAlone(t *testing.T) {
	restore := kdftest.Cheap()
	h, err := kdf.New(kdf.Params{}, 0)
	require.NoError(t, err)
	hash, err := h.Hash(t.Context(), "tulip")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$"), hash)
	require.NoError(t, h.Verify(t.Context(), "tulip", hash))
	require.ErrorIs(t, h.Verify(t.Context(), "rose", hash), kdf.ErrMismatch)
	_, err = kdf.New(kdf.Params{Memory: 64, Time: 1, Threads: 1}, 0)
	require.Error(t, err)

	restore()
	h, err = kdf.New(kdf.Params{}, 0)
	require.NoError(t, err)
	require.True(t, h.NeedsRehash(hash), "the default is strong again")
}
