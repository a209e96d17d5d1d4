package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

func ring(t testing.TB, keys ...[]byte) *seal.Keyring {
	t.Helper()
	kr, err := seal.NewKeyring(keys[0], keys[1:]...)
	require.NoError(t, err)
	return kr
}

func TestSeal_IsOpenedByItsKey(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	for _, n := range []int{0, 1, 31, 2048, 65000} {
		plain := make([]byte, n)
		_, _ = rand.Read(plain)
		sealed := kr.Seal("record", "ann", plain)
		require.Len(t, sealed, n+seal.Overhead)
		got, err := kr.Open("record", "ann", sealed)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
	}
}

func TestOpen_DistinguishesErrors(t *testing.T) {
	a, b := seal.GenerateKey(), seal.GenerateKey()
	kr := ring(t, a)
	sealed := kr.Seal("record", "ann", []byte("tulip"))
	open := func(kr *seal.Keyring, purpose seal.Purpose, owner string, data []byte) error {
		plain, err := kr.Open(purpose, owner, data)
		if err != nil {
			require.Nil(t, plain)
		}
		return err
	}
	require.ErrorIs(t, open(kr, "record", "bob", sealed), seal.ErrWrongBinding)
	require.ErrorIs(t, open(kr, "token", "ann", sealed), seal.ErrWrongBinding)
	require.ErrorIs(t, open(kr, "recorda", "nn", sealed), seal.ErrWrongBinding,
		"the border between purpose and owner holds")
	require.ErrorIs(t, open(ring(t, b), "record", "ann", sealed), seal.ErrUnknownKey)
	require.ErrorIs(t, open(kr, "", "ann", sealed), seal.ErrMalformed)
	for n := range seal.Overhead {
		require.ErrorIs(t, open(kr, "record", "ann", sealed[:n]), seal.ErrMalformed)
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			err := open(kr, "record", "ann", bad)
			require.Error(t, err, "bit %d of byte %d", bit, i)
			if i >= 17 { // after version, key id and binding
				require.ErrorIs(t, err, seal.ErrTampered)
			}
		}
	}
	require.ErrorIs(t, open(kr, "record", "ann", append(bytes.Clone(sealed), 0)), seal.ErrTampered)
}

func TestKeyring_RotatesKeys(t *testing.T) {
	old, fresh := seal.GenerateKey(), seal.GenerateKey()
	before := ring(t, old).Seal("record", "ann", []byte("tulip"))
	both := ring(t, fresh, old)
	got, err := both.Open("record", "ann", before)
	require.NoError(t, err)
	require.Equal(t, "tulip", string(got))
	require.False(t, both.Primary(before))
	after := both.Seal("record", "ann", got)
	require.True(t, both.Primary(after))
	_, err = ring(t, fresh).Open("record", "ann", after)
	require.NoError(t, err)
}

func TestSeal_IsNewEachTime(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	seen := make(map[string]bool)
	for range 1000 {
		s := string(kr.Seal("p", "o", []byte("x")))
		require.False(t, seen[s[17:]])
		seen[s[17:]] = true
	}
}

func TestNewKeyring_RefusesInvalidKeys(t *testing.T) {
	for _, keys := range [][][]byte{{nil}, {make([]byte, 31)}, {make([]byte, 33)},
		{make([]byte, 32)}, {bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{1}, 32)},
		{bytes.Repeat([]byte{1}, 32), {1}}} {
		_, err := seal.NewKeyring(keys[0], keys[1:]...)
		require.Error(t, err)
	}
}

// TestOpen_KnownVector pins the format: another implementation could be written from it.
func TestOpen_KnownVector(t *testing.T) {
	key, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	kr := ring(t, key)
	const sealed = "01e8aa75633d48af32d95f3d9ce53b5c10d5d57ea83cc14e7b020653858de341f878f19ab60297ceffadff7a52a231bcfc95f511433e349ef6c27ee3115c2372e83b"
	data, err := hex.DecodeString(sealed)
	require.NoError(t, err)
	got, err := kr.Open("record", "p/0//ann", data)
	require.NoError(t, err)
	require.Equal(t, "tulip", string(got))
}

func TestKeyring_PrintsNoKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xAB}, 32)
	kr := ring(t, key)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		s := fmt.Sprintf(verb, kr)
		require.NotContains(t, s, "abab")
		require.NotContains(t, s, "171, 171")
	}
}

func FuzzOpen(f *testing.F) {
	kr := ring(f, seal.GenerateKey())
	f.Add(kr.Seal("p", "o", []byte("x")))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := kr.Open("q", "o", data)
		if err == nil || (!errors.Is(err, seal.ErrMalformed) &&
			!errors.Is(err, seal.ErrUnknownKey) && !errors.Is(err, seal.ErrWrongBinding)) {
			t.Fatalf("got %v", err)
		}
	})
}

func ExampleNewKeyring() {
	old, fresh := seal.GenerateKey(), seal.GenerateKey()
	keys, err := seal.NewKeyring(fresh, old) // the new key first: it seals; both open
	if err != nil {
		panic(err)
	}
	sealed := keys.Seal("note", "ann", []byte("tulip"))
	_, err = keys.Open("note", "bob", sealed)
	fmt.Println(err)
	// Output: seal: sealed for another purpose or owner
}
