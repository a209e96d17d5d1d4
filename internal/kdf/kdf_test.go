package kdf_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/kdf"
)

func hasher(t testing.TB, p kdf.Params, atOnce int) *kdf.Hasher {
	t.Helper()
	h, err := kdf.New(p, atOnce)
	require.NoError(t, err)
	return h
}

func TestKDF_VerifiesWhatItHashed(t *testing.T) {
	h := hasher(t, kdf.Params{}, 0)
	a, err := h.Hash(t.Context(), "tulip")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$"), a)
	b, err := h.Hash(t.Context(), "tulip")
	require.NoError(t, err)
	require.NotEqual(t, a, b, "salted")
	require.NoError(t, h.Verify(t.Context(), "tulip", a))
	require.ErrorIs(t, h.Verify(t.Context(), "rose", a), kdf.ErrMismatch)
	require.ErrorIs(t, h.Verify(t.Context(), "tulip"+strings.Repeat("x", 1<<20), a),
		kdf.ErrMismatch)
	require.ErrorIs(t, h.Verify(t.Context(), strings.Repeat("x", 100)+"a",
		must(h.Hash(t.Context(), strings.Repeat("x", 100)+"b"))), kdf.ErrMismatch,
		"the whole value counts")
	require.False(t, h.NeedsRehash(a))
	other := hasher(t, kdf.Params{Memory: 12288, Time: 3, Threads: 1}, 0)
	require.True(t, other.NeedsRehash(a))
	require.NoError(t, other.Verify(t.Context(), "tulip", a),
		"old parameters are read from the hash")
}

func must(s string, err error) string {
	if err != nil {
		panic(err)
	}
	return s
}

func TestParams_WeakOnesAreRefused(t *testing.T) {
	for _, p := range []kdf.Params{{Memory: 19455, Time: 2, Threads: 1},
		{Memory: 47103, Time: 1, Threads: 1}, {Memory: 12287, Time: 3, Threads: 1},
		{Memory: 9215, Time: 4, Threads: 1}, {Memory: 7167, Time: 5, Threads: 1},
		{Memory: 19456, Time: 0, Threads: 1}, {Memory: 19456, Time: 2},
		{Memory: 1 << 21, Time: 2, Threads: 1}, {Memory: 19456, Time: 1000, Threads: 1}} {
		_, err := kdf.New(p, 0)
		require.Error(t, err, "%+v", p)
	}
	_, err := kdf.New(kdf.Params{}, -1)
	require.Error(t, err)
}

// A corrupted or hostile hash cannot ask for all memory, and is an error, never a match.
func TestVerify_RefusesHostileHashes(t *testing.T) {
	h := hasher(t, kdf.Params{}, 0)
	good, err := h.Hash(t.Context(), "tulip")
	require.NoError(t, err)
	for _, bad := range []string{"", "$", good + "$", strings.Replace(good, "m=19456", "m=4194304",
		1), strings.Replace(good, "t=2", "t=999999", 1),
		strings.Replace(good, "p=1", "p=0", 1), strings.Replace(good, "m=19456", "m=+19456", 1),
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), good[:len(good)-30], strings.Repeat("$", 300),
		strings.Replace(good, "m=19456", "m=99999999999999999999", 1),
		good + "\n", good[:len(good)-50] + "\r\n" + good[len(good)-50:]} {
		err := h.Verify(t.Context(), "tulip", bad)
		require.Error(t, err, bad)
		require.NotErrorIs(t, err, kdf.ErrMismatch, bad)
		require.True(t, h.NeedsRehash(bad))
	}
}

// A hash keeps its place for as long as it works.
func TestHash_KeepsItsPlace(t *testing.T) {
	h := hasher(t, kdf.Params{Memory: 19456, Time: 2, Threads: 1}, 1)
	works := 0
	h.During(func() {
		works++
		require.Equal(t, 1, h.Taken())
	})
	encoded, err := h.Hash(t.Context(), "tulip")
	require.NoError(t, err)
	require.NoError(t, h.Verify(t.Context(), "tulip", encoded))
	require.Equal(t, 2, works)
	require.Zero(t, h.Taken())
}

// No more hashes than allowed are computed at once, and who waits honours the context.
func TestKDF_LimitsHashesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hasher(t, kdf.Params{Memory: 7168, Time: 5, Threads: 1}, 1)
		release := h.Occupy()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := h.Hash(ctx, "tulip")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		release()
		_, err = h.Hash(t.Context(), "tulip")
		require.NoError(t, err)
	})
}

func FuzzVerify(f *testing.F) {
	h := hasher(f, kdf.Params{Memory: 7168, Time: 5, Threads: 1}, 0)
	f.Add(
		"$argon2id$v=19$m=7168,t=5,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0c29tZXM")
	f.Fuzz(func(t *testing.T, encoded string) {
		if strings.Contains(encoded, "m=") && !strings.Contains(encoded, "m=7168,") {
			return // well-formed, and slow on purpose
		}
		if h.Verify(t.Context(), "tulip", encoded) == nil {
			t.Fatalf("%q matches", encoded)
		}
	})
}
