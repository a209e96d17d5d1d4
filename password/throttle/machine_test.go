package throttle_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/password/throttle"
)

// flooded runs body while n connections sign in with correct passwords, which cost nothing
// but the machine's time.
func (b *bench) flooded(n int, a func(connection int) attempt, body func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	for c := range n {
		b.wg.Go(func() {
			for ctx.Err() == nil {
				if busy(b.try(ctx, a(c), nil)) {
					time.Sleep(500 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(5 * time.Second)
	body()
	cancel()
	b.wg.Wait()
}

// A machine that many networks keep busy serves a browser with a pass next, and one without a
// pass though many have one.
func TestThrottle_BusyMachineServesPassesInTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		within := func(limit time.Duration, a attempt) {
			t.Helper()
			began := time.Now()
			require.NoError(t, b.try(t.Context(), a, nil))
			require.Less(t, time.Since(began), limit)
		}
		pass, _ := b.NewPass("7")
		networks := func(c int) attempt {
			return attempt{Name: fmt.Sprint("own", c), Client: fmt.Sprint(c)}
		}
		b.flooded(2000, networks, func() {
			for range 20 {
				within(5*hash, attempt{Name: "ann", Client: "home", Account: "7", Pass: pass})
			}
		})
		passes := func(c int) attempt {
			account := fmt.Sprint("own", c)
			pass, _ := b.NewPass(account)
			return attempt{Name: account, Client: "x", Account: account, Pass: pass}
		}
		b.flooded(200, passes, func() {
			for range 20 {
				within(5*hash, attempt{Name: "ann", Client: "home"})
			}
		})
	})
}

// givesUp is a context that ends when an attempt begins to wait, after what it does first.
type givesUp struct {
	context.Context
	first func()
	err   error
}

func (c *givesUp) Err() error { return c.err }

func (c *givesUp) Done() <-chan struct{} {
	c.first()
	c.err = context.Canceled
	done := make(chan struct{})
	close(done)
	return done
}

// A place that is granted to an attempt in the moment in which it gives up is not lost.
func TestThrottle_GivingUpLosesNoPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *throttle.Config) { c.MaxConcurrent, c.MaxWait = 1, 5*time.Second })
	at := attempt{Name: "ann", Client: "home"}
	for range 100 { // which of both it sees is chance
		end, ended := make(chan struct{}), make(chan struct{})
		begun := make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.Do(t.Context(), at, func(context.Context) error { close(begun); <-end; return nil })
		}()
		<-begun
		ctx := &givesUp{Context: t.Context(), first: func() { close(end); <-ended }}
		_ = b.Do(ctx, at, func(context.Context) error { return nil })
	}
	require.NoError(t, b.try(t.Context(), at, nil))
}
