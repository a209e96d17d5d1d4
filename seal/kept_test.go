package seal_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

// fewOwners and manyOwners are fewer and more than a keyring keeps anything for.
const (
	fewOwners  = 3
	manyOwners = 4 * seal.KeptLen
)

// What a keyring keeps changes no result: a keyring that has just been made, and so keeps nothing,
// opens what it seals and gives the same plaintext or the same error for every message, damaged or
// not.
func TestKeyring_OpensAsOneThatKeepsNothing(t *testing.T) {
	for _, owners := range []int{fewOwners, manyOwners} {
		t.Run(fmt.Sprintf("owners=%d", owners), func(t *testing.T) {
			key, older := seal.GenerateKey(), seal.GenerateKey()
			kr := ring(t, key, older)
			var wg sync.WaitGroup
			for worker := range 4 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(worker)))
					for range 200 {
						w := walk{t, kr, ring(t, key, older), ring(t, older)}
						w.step(r.IntN(owners), r.Uint32())
					}
				})
			}
			wg.Wait()
		})
	}
}

// walk compares a keyring with a new one of the same keys.
type walk struct {
	testing.TB
	kr, fresh, older *seal.Keyring
}

// step seals a message by one of several keyrings, and opens it several times, as it is and with
// one thing about it changed. choice says which.
func (w walk) step(owner int, choice uint32) {
	purposes := []seal.Purpose{"record", "challenge", "recordp"}
	to, name := purposes[choice%3], fmt.Sprintf("p/0//%d", owner)
	by := []*seal.Keyring{w.kr, w.kr, w.fresh, w.older}[choice>>2%4]
	plain := fmt.Appendf(nil, "%d %s", choice, name)
	sealed := by.Seal(to, name, plain)
	w.same(to, name, sealed)
	switch at := int(choice>>8) % len(sealed); choice >> 4 % 5 {
	case 0:
		bad := bytes.Clone(sealed)
		bad[at] ^= 1 << (choice >> 5 % 8)
		w.same(to, name, bad)
	case 1:
		w.same(to, name, sealed[:at])
	case 2:
		w.same(purposes[(choice+1)%3], name, sealed)
	case 3:
		w.same(to, name+"x", sealed)
	}
	w.same(to, name, sealed)
	got, err := w.kr.Open(to, name, sealed)
	if err != nil || !bytes.Equal(got, plain) {
		w.Errorf("got %q, %v, want %q", got, err, plain)
	}
}

func (w walk) same(to seal.Purpose, owner string, sealed []byte) {
	got, err := w.kr.Open(to, owner, sealed)
	want, wantErr := w.fresh.Open(to, owner, sealed)
	if err != wantErr || !bytes.Equal(got, want) { //nolint:errorlint // the very error
		w.Errorf("for %s of %s got %q, %v, want %q, %v", to, owner, got, err, want, wantErr)
	}
}

// An attacker without a key fills nothing: what is refused is not kept, whatever is wrong with it.
func TestOpen_KeepsNothingOfWhatItRefuses(t *testing.T) {
	key := seal.GenerateKey()
	kr, other := ring(t, key), ring(t, key)
	for i := range 50 {
		owner := fmt.Sprint("user-", i)
		sealed := other.Seal("record", owner, []byte("tulip"))
		for at := range sealed {
			bad := bytes.Clone(sealed)
			bad[at] ^= 1
			_, err := kr.Open("record", owner, bad)
			require.Error(t, err)
		}
		_, err := kr.Open("record", owner+"x", sealed)
		require.ErrorIs(t, err, seal.ErrWrongBinding)
	}
	ciphers, bindings := seal.Kept(kr)
	require.Zero(t, ciphers)
	require.Zero(t, bindings)
}

func TestKeyring_KeepsABoundedNumber(t *testing.T) {
	key := seal.GenerateKey()
	kr, other := ring(t, key), ring(t, key)
	for i := range manyOwners {
		owner := fmt.Sprint("user-", i)
		kr.Seal("record", owner, []byte("tulip"))
		_, err := kr.Open("record", owner, other.Seal("record", owner, []byte("rose")))
		require.NoError(t, err)
	}
	ciphers, bindings := seal.Kept(kr)
	require.LessOrEqual(t, ciphers, seal.KeptLen)
	require.LessOrEqual(t, bindings, seal.KeptLen)
}

// A rotation makes a new keyring, which keeps nothing of the old one's.
func TestNewKeyring_StartsWithNothingKept(t *testing.T) {
	old, fresh := seal.GenerateKey(), seal.GenerateKey()
	before := ring(t, old)
	sealed := before.Seal("record", "ann", []byte("tulip"))
	_, err := before.Open("record", "ann", sealed)
	require.NoError(t, err)
	after := ring(t, fresh, old)
	ciphers, bindings := seal.Kept(after)
	require.Zero(t, ciphers)
	require.Zero(t, bindings)
	_, err = ring(t, fresh).Open("record", "ann", sealed)
	require.ErrorIs(t, err, seal.ErrUnknownKey, "the retired key opens nothing any more")
}

// A message that is opened again costs the plaintext and nothing else.
func TestOpen_AllocatesThePlaintextAlone(t *testing.T) {
	kr := ring(t, seal.GenerateKey())
	sealed := kr.Seal("record", "ann", make([]byte, 900))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := kr.Open("record", "ann", sealed); err != nil {
			t.Fatal(err)
		}
	}), 1.0)
}
