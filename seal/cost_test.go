package seal_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

// A message shares two things with others: the HMAC that is keyed with the key, and the bytes that
// stand for its purpose and owner. Neither is made again for the next message.

func TestSeal_DerivesTheBindingOfAnOwnerOnce(t *testing.T) {
	const runs = 50
	kr, i := ring(t, seal.GenerateKey()), 0
	owners := make([]string, runs+1) // AllocsPerRun calls once more, to warm up
	for n := range owners {
		owners[n] = fmt.Sprint("user-", n)
	}
	others := testing.AllocsPerRun(runs, func() {
		kr.Seal("record", owners[i], nil)
		i++
	})
	same := testing.AllocsPerRun(runs, func() { kr.Seal("record", owners[0], nil) })
	require.Less(t, same, others)
}

func TestDigest_KeysNoHMACAgain(t *testing.T) {
	kr, key := ring(t, seal.GenerateKey()), seal.GenerateKey()
	keying := testing.AllocsPerRun(100, func() { hmac.New(sha512.New, key).Sum(nil) })
	require.Less(t, testing.AllocsPerRun(100, func() { kr.Digest("index", "ann") }), keying)
}

// A keyring keeps at most 3 MB for each key, also if owners are parts of long texts.
func TestKeyring_KeepsNoTextThatAnOwnerIsPartOf(t *testing.T) {
	const texts, length, most = 8, 1 << 20, 3 << 20
	kr := ring(t, seal.GenerateKey())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range texts {
		text := strings.Repeat("ann ", length/4)
		kr.Seal("record", text[:3], nil)
		kr.Seal(seal.Purpose(text[:3]), "ann", nil)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(most))
	runtime.KeepAlive(kr)
}

// The bytes of a derived key are overwritten where a later one would go.
func TestKeyring_LeavesNoDerivedKeyInItsBuffer(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	kr.Digest("index", "ann")
	require.Equal(t, make([]byte, sha512.Size), seal.LeftInMemory(kr))
	_, err := kr.Open("record", "ann", kr.Seal("record", "ann", []byte("tulip")))
	require.NoError(t, err)
	require.Equal(t, make([]byte, sha512.Size), seal.LeftInMemory(kr))
}
