package manager_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/transittest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// process is what a process does with a key file when it starts.
type process func() (*seal.Keyring, error)

// inVault makes a key file, encrypted by a transit engine that stands in for a vault.
func inVault(t testing.TB) (*transittest.Engine, process) {
	t.Helper()
	engine := transittest.New(t)
	vault := envelope.Transit{URL: engine.URL, Key: "secondgate",
		Token: func(context.Context) (secret.Text, error) {
			return secret.New(transittest.Token), nil
		}}
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, vault))
	return engine, func() (*seal.Keyring, error) { return envelope.Open(t.Context(), path, vault) }
}

// While the vault is down, a process that runs signs users in, enrols and sends as before. A
// process that starts then gets no keyring. With another keyring it signs nobody in, and no user
// counts as one without factors.
func TestKeysInAVault_SignInWhileTheVaultIsDown(t *testing.T) {
	engine, begin := inVault(t)
	store := memory.New()
	w := newWorld(t, func() storage.Store { return store })
	var err error
	w.keys, err = begin()
	require.NoError(t, err)
	m := w.manager(store)
	w.enrollAll(m)
	for _, kind := range kinds {
		engine.Down.Store(false)
		w.clock.Advance(time.Minute)
		ch := w.begin(m)
		engine.Down.Store(true)
		_, err := verify(t.Context(), m, ch, kind, w.correct(m, ch, kind))
		require.NoError(t, err, kind)
		w.clock.Advance(time.Minute)
		ch = w.begin(m)
		_, err = verify(t.Context(), m, ch, kind, secret.New("no such code"))
		require.Error(t, err, kind)
	}
	bob := &crowd{world: w}
	bob.enroll(store, 1)
	asked := engine.Calls.Load()

	keys, err := begin()
	require.ErrorIs(t, err, envelope.ErrVault)
	require.Nil(t, keys, "a process that starts now has no keys")
	require.Equal(t, asked+1, engine.Calls.Load(), "the other process does not ask the vault")
	other := newWorld(t, nil) // with a key of its own
	other.clock = w.clock
	ch, err := other.manager(store).Session(ann, binding).Begin(t.Context())
	require.Error(t, err)
	require.Nil(t, ch)

	engine.Down.Store(false)
	w.keys, err = begin()
	require.NoError(t, err)
	w.clock.Advance(time.Minute)
	m = w.manager(store)
	_, err = verify(t.Context(), m, w.begin(m), "totp", w.shown())
	require.NoError(t, err)
}

// BenchmarkVault is Begin and Verify of a code over the memory store, with keys that a vault has
// decrypted and with a key of the application, in turns. The vault is down in every other round.
// Nothing waits, so the processor time of a sign-in decides the throughput, also beside other work.
// of-own is the throughput as a share of that with the application's key, the median of all turns.
func BenchmarkVault(b *testing.B) {
	engine, begin := inVault(b)
	keys, err := begin()
	require.NoError(b, err)
	own := newCrowd(b, memory.New(), crowded)
	vault := &crowd{world: newWorld(b, nil)}
	vault.keys = keys
	vault.enroll(memory.New(), crowded)
	asked := engine.Calls.Load()
	for _, workers := range []int{1, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			var shares, each []float64
			for b.Loop() {
				engine.Down.Store(!engine.Down.Load())
				for range 10 { // what a turn leaves behind, such as garbage, meets both equally
					var took [4]time.Duration
					for i, c := range []*crowd{vault, own, own, vault} {
						took[i] = c.secondSteps(b, workers)
					}
					with := float64(took[0] + took[3])
					shares = append(shares, float64(took[1]+took[2])/with)
					each = append(each, with/(2*crowded))
				}
			}
			slices.Sort(shares)
			slices.Sort(each)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(each[len(each)/2], "cpu-ns/sign-in")
			b.ReportMetric(shares[len(shares)/2], "of-own")
		})
	}
	require.Equal(b, asked, engine.Calls.Load(), "no sign-in asks the vault")
}

// secondSteps signs every user in by Begin and Verify, and returns the processor time.
func (c *crowd) secondSteps(b testing.TB, workers int) time.Duration {
	b.Helper()
	c.clock.Advance(time.Minute)
	codes := make([]secret.Text, len(c.users))
	for i := range codes {
		codes[i] = c.code(i)
	}
	began := processorTime(b)
	_, _ = inParallel(b, workers, len(c.users), func(i int) error {
		session := c.m.Session(c.users[i], binding)
		ch, err := session.Begin(context.Background())
		if err == nil {
			_, err = session.Verify(context.Background(), ch, "totp", codes[i])
		}
		return err
	})
	return processorTime(b) - began
}
