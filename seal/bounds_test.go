package seal_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

func TestSeal_RefusesPurposesOfAnotherLength(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	longest := seal.Purpose(strings.Repeat("p", 255))
	sealed := kr.Seal(longest, "ann", []byte("tulip"))
	plain, err := kr.Open(longest, "ann", sealed)
	require.NoError(t, err)
	require.Equal(t, "tulip", string(plain))
	require.Panics(t, func() { kr.Seal("", "ann", nil) })
	require.Panics(t, func() { kr.Seal(longest+"p", "ann", nil) })
	_, err = kr.Open(longest+"p", "ann", sealed)
	require.ErrorIs(t, err, seal.ErrMalformed)
}

func TestOpen_RefusesOtherVersions(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	sealed := kr.Seal("record", "ann", nil)
	sealed[0]++
	_, err := kr.Open("record", "ann", sealed)
	require.ErrorIs(t, err, seal.ErrMalformed)
}

func TestKeyring_PrimaryOfShortText(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	sealed := kr.Seal("record", "ann", nil)
	require.True(t, kr.Primary(sealed), "an empty text has no byte more than the overhead")
	require.False(t, kr.Primary(sealed[:seal.Overhead-1]))
	require.False(t, kr.Primary(nil))
}

// TestDigest_KnownVector pins the digest, which is a part of keys in databases: HKDF-Expand with
// HMAC-SHA-512 (RFC 5869), the label and what is digested as its info.
func TestDigest_KnownVector(t *testing.T) {
	key, err := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	require.NoError(t, err)
	kr := ring(t, key)
	const digest = "d1df9e6afeef193eaf90e2be155988c4"
	require.Equal(t, digest, hex.EncodeToString(kr.Digest("index", "ann")))
	require.NotEqual(t, kr.Digest("index", "ann"), kr.Digest("index", "bob"))
	require.NotEqual(t, kr.Digest("index", "ann"), kr.Digest("other", "ann"))
}

func TestKeyring_PrintsHowManyKeys(t *testing.T) {
	kr := ring(t, bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32))
	require.Equal(t, "seal.Keyring(2 keys)", kr.String())
	require.Equal(t, kr.String(), fmt.Sprintf("%#v", kr))
}

// What was sealed or opened is kept, so that the next use of it derives nothing.
func TestKeyring_KeepsWhatItSealedAndOpened(t *testing.T) {
	key := seal.GenerateKey()
	sealer, opener := ring(t, key), ring(t, key)
	sealed := sealer.Seal("record", "ann", []byte("tulip"))
	ciphers, bindings := seal.Kept(sealer)
	require.Equal(t, [2]int{1, 1}, [2]int{ciphers, bindings}, "by Seal")
	_, err := opener.Open("record", "ann", sealed)
	require.NoError(t, err)
	ciphers, bindings = seal.Kept(opener)
	require.Equal(t, [2]int{1, 1}, [2]int{ciphers, bindings}, "by Open")
}
