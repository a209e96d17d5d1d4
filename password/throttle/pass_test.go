package throttle_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/secret"
)

func TestThrottle_PassSkipsTheQueues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		pass, expires := b.NewPass("7")
		require.WithinDuration(t, time.Now().Add(90*24*time.Hour), expires, time.Second)
		require.Less(t, len(pass.Reveal()), 160)
		all := func(c, _ int) attempt { return attempt{Name: "ann", Client: fmt.Sprint(c % 500)} }
		b.attack(1000, all, func() {
			for range 50 { // without end, as long as they are correct
				began := time.Now()
				require.NoError(t, b.try(t.Context(),
					attempt{Name: "ann", Client: "1", Account: "7", Pass: pass}, nil))
				require.Less(t, time.Since(began), 5*hash)
			}
		})
		_, _, passes := b.Size()
		require.Zero(t, passes)
	})
}

// A pass is worth so many incorrect passwords in its lifetime, however many come at once, and
// then no more than none.
func TestThrottle_PassIsWorthTenGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.MaxConcurrent = 100 })
		pass, expires := b.NewPass("7")
		held := attempt{Name: "ann", Client: "bad", Account: "7", Pass: pass}
		b.exhaust("ann")
		b.verified.Store(0)
		for range 300 {
			b.wg.Go(func() { _ = b.try(t.Context(), held, password.ErrIncorrect) })
		}
		time.Sleep(hash / 2)
		require.EqualValues(t, 10, b.verified.Load())
		b.wg.Wait()

		b.verified.Store(0)
		time.Sleep(30 * 24 * time.Hour) // it is not refilled
		ctx, cancel := context.WithCancel(t.Context())
		b.flood(ctx, 24, always(attempt{Name: "ann", Client: "x"}))
		time.Sleep(10 * time.Second)
		began := time.Now()
		require.NoError(t, b.try(t.Context(), held, nil))
		require.Greater(t, time.Since(began), 400*time.Millisecond, "it waits like all others")
		fresh, _ := b.NewPass("7") // of the sign-in that follows
		held.Pass = fresh
		began = time.Now()
		require.NoError(t, b.try(t.Context(), held, nil))
		require.Less(t, time.Since(began), 2*hash)
		cancel()
		b.wg.Wait()

		time.Sleep(time.Until(expires))
		_, _, before := b.Size()
		require.Error(t, b.try(t.Context(), held, password.ErrIncorrect))
		_, _, after := b.Size()
		require.Equal(t, before, 1)
		require.LessOrEqual(t, after, 2)
	})
}

// A pass of the attacker's own account, a changed one and an expired one are none.
func TestThrottle_PassOfAnotherAccountIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PassTTL = 30 * 24 * time.Hour })
		old, expires := b.NewPass("7")
		time.Sleep(time.Until(expires))
		own, _ := b.NewPass("8")
		nobodys, _ := b.NewPass("")
		other, _ := newBench(t, nil).NewPass("7") // under another key
		good, _ := b.NewPass("7")
		changed := []byte(good.Reveal())
		changed[80] ^= 1
		skips := func(a attempt) bool {
			a.Client = "home"
			b.exhaust(a.Name)
			began := time.Now()
			require.NoError(t, b.try(t.Context(), a, nil))
			return time.Since(began) < 5*hash
		}
		for _, pass := range []secret.Text{
			secret.Text{}, secret.New("x"), secret.New("===="), own, old, other, nobodys,
			secret.New(string(changed)),
			secret.New(good.Reveal() + "\n"),
			secret.New(good.Reveal()[:9] + "\r\n" + good.Reveal()[9:]),
		} {
			require.False(t, skips(attempt{Name: "ann", Account: "7", Pass: pass}), "%q",
				pass.Reveal())
		}
		require.False(t, skips(attempt{Name: "nobody", Pass: nobodys}))
		require.True(t, skips(attempt{Name: "ann", Account: "7", Pass: good}))
	})
}

// An attacker with many stolen passes of one account gets the guesses of sixteen.
func TestThrottle_ManyPassesOfOneAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PerPass, c.Every = 3, time.Minute })
		var stolen []secret.Text
		for range 40 {
			pass, _ := b.NewPass("7")
			stolen = append(stolen, pass)
		}
		b.exhaust("ann")
		b.verified.Store(0)
		for range 4 {
			for _, pass := range stolen {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second/10)
				a := attempt{Name: "ann", Client: "x", Account: "7", Pass: pass}
				_ = b.try(ctx, a, password.ErrIncorrect)
				cancel()
			}
		}
		require.LessOrEqual(t, b.verified.Load(), int64(16*3))
	})
}
