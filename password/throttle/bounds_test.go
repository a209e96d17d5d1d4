package throttle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/seal"
)

func TestThrottle_HonoursTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.exhaust("ann")
		b.verified.Store(0)
		ctx, cancel := context.WithCancel(t.Context())
		errs := make(chan error)
		go func() { errs <- b.try(ctx, attempt{Name: "ann", Client: "home"}, nil) }()
		synctest.Wait()
		require.Equal(t, 1, b.Waiting("ann"))
		cancel()
		require.ErrorIs(t, <-errs, context.Canceled)
		require.Zero(t, b.Waiting("ann"))
		require.ErrorIs(t, b.try(ctx, attempt{Name: "ben", Client: "home"}, nil), context.Canceled)
		require.Zero(t, b.verified.Load())
	})
}

// An attacker with many networks takes every place that names have in memory. When those places are
// refilled, they keep nobody out any more.
func TestThrottle_AdmitsAgainAfterTooManyKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg := throttle.Config{Every: time.Minute}
		var err error
		cfg.Keys, err = seal.NewKeyring(seal.GenerateKey())
		require.NoError(t, err)
		full, err := throttle.New(cfg)
		require.NoError(t, err)
		try := func(key string) error {
			return full.Do(t.Context(), throttle.Attempt{Name: key, Client: key},
				func(context.Context) error { return password.ErrIncorrect })
		}
		full.Fill()
		var busy *throttle.BusyError
		require.ErrorAs(t, try("ann"), &busy)
		time.Sleep(2 * time.Minute)
		require.ErrorIs(t, try("ann"), password.ErrIncorrect)
		_, names, _ := full.Size()
		require.Equal(t, 1, names)
	})
}

// Memory does not grow with names, clients and passes that come and go.
func TestThrottle_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.MaxConcurrent = 1000 })
		for round := range 200 {
			for i := range 100 {
				b.wg.Go(func() {
					key := fmt.Sprint(round, ".", i)
					_ = b.try(t.Context(), attempt{Name: key, Client: key}, password.ErrIncorrect)
				})
			}
			b.wg.Wait()
			time.Sleep(time.Second)
		}
		clients, names, _ := b.Size()
		require.Less(t, clients, 500)
		require.Less(t, names, 500)

		for i := range throttle.MaxPasses + 100 {
			account := fmt.Sprint(i)
			pass, _ := b.NewPass(account)
			_ = b.Do(t.Context(), attempt{Name: "x", Client: "y", Account: account, Pass: pass},
				func(context.Context) error { return password.ErrIncorrect })
		}
		_, _, passes := b.Size()
		require.Equal(t, throttle.MaxPasses, passes)
	})
}

func TestNew_RefusesWhatIsOutOfBounds(t *testing.T) {
	t.Parallel()
	_, err := throttle.New(throttle.Config{})
	require.ErrorContains(t, err, "Config.Keys")
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	for field, change := range map[string]func(*throttle.Config){
		"MaxConcurrent": func(c *throttle.Config) { c.MaxConcurrent = -1 },
		"PerName":       func(c *throttle.Config) { c.PerName = 101 },
		"PerClient":     func(c *throttle.Config) { c.PerClient = -1 },
		"PerPass":       func(c *throttle.Config) { c.PerPass = 101 },
		"Every":         func(c *throttle.Config) { c.Every = time.Millisecond },
		"MaxWait":       func(c *throttle.Config) { c.MaxWait = time.Hour },
		"PassTTL":       func(c *throttle.Config) { c.PassTTL = time.Second },
	} {
		cfg := throttle.Config{Keys: keys}
		change(&cfg)
		_, err := throttle.New(cfg)
		require.ErrorContains(t, err, "Config."+field)
	}
	b := newBench(t, nil)
	require.Error(t, b.try(t.Context(), attempt{Client: "x"}, nil))
	require.Error(t, b.try(t.Context(), attempt{Name: "x"}, nil))
	require.Error(t, b.try(t.Context(), attempt{Name: strings.Repeat("x", 1025), Client: "x"}, nil))
	require.Zero(t, b.verified.Load())
}
