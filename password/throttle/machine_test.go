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

// A place that is granted to an attempt in the moment in which it is cancelled is not lost.
func TestThrottle_GivingUpLosesNoPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *throttle.Config) { c.MaxConcurrent, c.MaxWait = 1, 5*time.Second })
	at := attempt{Name: "ann", Client: "home"}
	for range 100 { // which of both it sees is chance
		end, ended := make(chan struct{}), make(chan struct{})
		begun := make(chan struct{})
		go func() {
			defer close(ended)
			_ = b.Do(t.Context(), at, func(context.Context) error {
				close(begun)
				<-end
				return nil
			})
		}()
		<-begun
		ctx := &givesUp{Context: t.Context(), first: func() { close(end); <-ended }}
		_ = b.Do(ctx, at, func(context.Context) error { return nil })
	}
	require.NoError(t, b.try(t.Context(), at, nil))
}

// waysOut are the ways in which an attempt is refused in the queue for a place to hash: the client
// cancels, its time ends, and the queue is full.
var waysOut = map[string]func(b *bench, a attempt) error{
	"the client gives up": func(b *bench, a attempt) error {
		ctx, cancel := context.WithTimeout(b.t.Context(), hash)
		defer cancel()
		return b.try(ctx, a, password.ErrIncorrect)
	},
	"MaxWait": func(b *bench, a attempt) error {
		return b.try(b.t.Context(), a, password.ErrIncorrect)
	},
	"a full queue": func(b *bench, a attempt) error {
		began := time.Now()
		err := b.try(b.t.Context(), a, password.ErrIncorrect)
		require.Zero(b.t, time.Since(began))
		return err
	},
}

// hashing runs body while another client's attempt keeps the one place to hash and, for the way
// out of a full queue, as many more wait as there is room for.
func (b *bench) hashing(way string, body func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	end := make(chan struct{})
	b.wg.Go(func() {
		_ = b.Do(ctx, attempt{Name: "another", Client: "another"},
			func(context.Context) error { <-end; return nil })
	})
	time.Sleep(hash)
	if way == "a full queue" {
		for i := range 1024 {
			pass, _ := b.NewPass(fmt.Sprint(i))
			for _, p := range []secret.Text{{}, pass} {
				b.wg.Go(func() {
					_ = b.try(ctx, attempt{Name: fmt.Sprint(i), Client: fmt.Sprint(i),
						Account: fmt.Sprint(i), Pass: p}, nil)
				})
			}
		}
		time.Sleep(hash)
	}
	body()
	cancel()
	close(end)
	b.wg.Wait()
}

// An attempt that is refused when it waits to be hashed gives back the places of its client and its
// name, however it is refused.
func TestThrottle_RefusalToHashCostsNothing(t *testing.T) {
	t.Parallel()
	for way, try := range waysOut {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(c *throttle.Config) {
					c.MaxConcurrent, c.PerClient, c.Every, c.MaxWait = 1, 10, time.Minute,
						time.Second
				})
				ann := attempt{Name: "ann", Client: "home"}
				b.hashing(way, func() {
					for range 300 {
						require.Error(t, try(b, ann))
					}
					require.Zero(t, b.verified.Load())
				})
				b.verified.Store(0)
				began := time.Now()
				for range 10 {
					require.ErrorIs(t, b.try(t.Context(), ann, password.ErrIncorrect),
						password.ErrIncorrect)
				}
				require.Equal(t, 10*hash, time.Since(began))
				require.True(t, busy(b.try(t.Context(), attempt{Name: "ann", Client: "x"}, nil)),
					"the name's places")
				require.True(t, busy(b.try(t.Context(), attempt{Name: "x", Client: "home"}, nil)),
					"the client's")
				require.EqualValues(t, 10, b.verified.Load())
			})
		})
	}
}

// The same holds for an attempt with a pass: the refusal uses up none of the ten guesses.
func TestThrottle_RefusalToHashCostsNoPass(t *testing.T) {
	t.Parallel()
	for way, try := range waysOut {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(c *throttle.Config) {
					c.MaxConcurrent, c.PerName, c.Every, c.MaxWait = 1, 1, time.Minute, time.Second
				})
				pass, _ := b.NewPass("7")
				ann := attempt{Name: "ann", Client: "home", Account: "7", Pass: pass}
				without := attempt{Name: "ann", Client: "home"}
				b.hashing(way, func() {
					for range 300 {
						require.Error(t, try(b, ann))
					}
				})
				require.ErrorIs(t, b.try(t.Context(), without, password.ErrIncorrect),
					password.ErrIncorrect)
				for range 10 {
					require.ErrorIs(t, b.try(t.Context(), ann, password.ErrIncorrect),
						password.ErrIncorrect)
				}
				require.True(t, busy(b.try(t.Context(), ann, nil)), "the pass is worth ten")
			})
		})
	}
}
