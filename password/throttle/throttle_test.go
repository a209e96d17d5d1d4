package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/seal"
)

// hash is how long a verification takes here. The tests run in bubbles of testing/synctest,
// where time passes when nobody can go on.
const hash = 20 * time.Millisecond

type attempt = throttle.Attempt

// bench is a Throttle, and a count of the passwords that were verified.
type bench struct {
	*throttle.Throttle
	t        *testing.T
	verified atomic.Int64
	wg       sync.WaitGroup
}

func newBench(t *testing.T, change func(*throttle.Config)) *bench {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	cfg := throttle.Config{Keys: keys, MaxConcurrent: 2}
	if change != nil {
		change(&cfg)
	}
	th, err := throttle.New(cfg)
	require.NoError(t, err)
	return &bench{Throttle: th, t: t}
}

// try makes an attempt whose verification ends in err.
func (b *bench) try(ctx context.Context, a attempt, err error) error {
	return b.Do(ctx, a, func(context.Context) error {
		b.verified.Add(1)
		time.Sleep(hash)
		return err
	})
}

// flood keeps n connections busy with incorrect passwords until the context ends.
func (b *bench) flood(ctx context.Context, n int, a func(connection, round int) attempt) {
	for c := range n {
		b.wg.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				if err := b.try(ctx, a(c, round), password.ErrIncorrect); busy(err) {
					select {
					case <-time.After(500 * time.Millisecond): // does not care for Retry-After
					case <-ctx.Done():
					}
				}
			}
		})
	}
}

// exhaust uses up the places of a name, each by another client.
func (b *bench) exhaust(name string) {
	b.t.Helper()
	for i := range 11 {
		ctx, cancel := context.WithTimeout(b.t.Context(), 700*time.Millisecond)
		_ = b.try(ctx, attempt{Name: name, Client: fmt.Sprint("other", i)}, password.ErrIncorrect)
		cancel()
	}
}

func busy(err error) bool {
	var b *throttle.BusyError
	return errors.As(err, &b)
}

func always(a attempt) func(int, int) attempt { return func(int, int) attempt { return a } }

// attack runs a flood for ten seconds before body, and until it returns.
func (b *bench) attack(n int, a func(int, int) attempt, body func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	b.flood(ctx, n, a)
	time.Sleep(10 * time.Second)
	body()
	cancel()
	b.wg.Wait()
}

func TestThrottle_ChargesBeforeVerifying(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(i int) attempt{
		"one client, one name": func(int) attempt { return attempt{Name: "ann", Client: "a"} },
		"many clients, one name": func(i int) attempt {
			return attempt{Name: "ann", Client: fmt.Sprint(i)}
		},
		"one client, many names": func(i int) attempt {
			return attempt{Name: fmt.Sprint(i), Client: "a"}
		},
		"no such name, no client": func(int) attempt {
			return attempt{Name: "?", Client: "unknown"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(c *throttle.Config) {
					c.PerName, c.PerClient, c.MaxConcurrent = 10, 10, 1000
				})
				var refused atomic.Int64
				for i := range 5000 {
					b.wg.Go(func() {
						if err := b.try(t.Context(), at(i), password.ErrIncorrect); busy(err) {
							refused.Add(1)
						}
					})
				}
				time.Sleep(hash / 2)
				require.EqualValues(t, 10, b.verified.Load(), "at once")
				for i := range 20 { // one more each half second, and not one besides
					time.Sleep(500 * time.Millisecond)
					require.LessOrEqual(t, b.verified.Load(), int64(10+i+1))
				}
				b.wg.Wait()
				require.EqualValues(t, 5000, b.verified.Load()+refused.Load())
				require.LessOrEqual(t, b.verified.Load(), int64(10+40))
			})
		})
	}
}

// The limit is exact however attempts come: incorrect and correct ones, cancelled, and failed
// for reasons that are no guess.
func TestThrottle_IncorrectVerdictsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PerClient = 10_000 })
		start := time.Now()
		var incorrect atomic.Int64
		for i := range 200 {
			b.wg.Go(func() {
				for round := range 50 {
					ctx, cancel := context.WithTimeout(t.Context(),
						time.Duration(i%7+1)*time.Second)
					ends := []error{password.ErrIncorrect, nil, errors.New("down"),
						password.ErrIncorrect}
					err := b.try(ctx, attempt{Name: "ann", Client: fmt.Sprint(i % 5)},
						ends[(i+round)%4])
					if errors.Is(err, password.ErrIncorrect) {
						took := time.Since(start)
						most := 10 + int64(took/(500*time.Millisecond))
						if n := incorrect.Add(1); n > most {
							t.Errorf("%d incorrect verdicts after %s, at most %d", n, took, most)
						}
					}
					cancel()
					time.Sleep(time.Duration(i%13) * 10 * time.Millisecond)
				}
			})
		}
		b.wg.Wait()
		require.Greater(t, incorrect.Load(), int64(20))
	})
}

// 24 connections do not keep the correct password out: from another network it waits for one
// turn, from the same one until those before it had theirs.
func TestThrottle_AttackOnANameKeepsNoUserOut(t *testing.T) {
	t.Parallel()
	bad := attempt{Name: "ann", Client: "bad"}
	networks := func(each int) func(int, int) attempt {
		return func(c, _ int) attempt { return attempt{Name: "ann", Client: fmt.Sprint(c / each)} }
	}
	for name, c := range map[string]struct {
		attackers func(c, round int) attempt
		client    string
		within    time.Duration
	}{
		"one network":       {always(bad), "home", 1100 * time.Millisecond},
		"the same network":  {always(bad), "bad", 13 * time.Second},
		"24 networks":       {networks(1), "home", 13 * time.Second},
		"ten of one, of 24": {networks(10), "home", 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, nil)
				b.attack(24, c.attackers, func() {
					for range 12 {
						began := time.Now()
						require.NoError(t, b.try(t.Context(),
							attempt{Name: "ann", Client: c.client}, nil))
						require.LessOrEqual(t, time.Since(began), c.within)
					}
				})
			})
		})
	}
}

// A queue that one client fills has room for another.
func TestThrottle_FullQueueHasRoomForAnotherClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PerClient = 10_000 })
		b.attack(600, always(attempt{Name: "ann", Client: "bad"}), func() {
			require.Equal(t, 40, b.Waiting("ann"))
			began := time.Now()
			require.NoError(t, b.try(t.Context(), attempt{Name: "ann", Client: "home"}, nil))
			require.Less(t, time.Since(began), 1100*time.Millisecond)
		})
	})
}

// A client that guesses at all names keeps neither others nor the others behind its address out.
func TestThrottle_NoisyClientDelaysOnlyItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		names := func(c, round int) attempt {
			return attempt{Name: fmt.Sprint("n", c*10_000+round), Client: "office"}
		}
		b.attack(1000, names, func() {
			began := time.Now()
			require.NoError(t, b.try(t.Context(), attempt{Name: "ann", Client: "home"}, nil))
			require.Less(t, time.Since(began), 5*hash)
		})
		// Attempts at few names by the same address leave turns for another name.
		few := func(c, _ int) attempt {
			return attempt{Name: fmt.Sprint("f", c%5), Client: "office"}
		}
		b.attack(1000, few, func() {
			began := time.Now()
			require.NoError(t, b.try(t.Context(), attempt{Name: "ann", Client: "office"}, nil))
			require.Less(t, time.Since(began), 6*time.Second)
		})
	})
}

// A flood of correct passwords, which is charged to nobody, takes the machine's time from
// its own client.
func TestThrottle_CorrectPasswordsShareTheMachine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 900 {
			b.wg.Go(func() {
				for ctx.Err() == nil {
					if b.try(ctx, attempt{Name: fmt.Sprint("own", i), Client: "bad"}, nil) != nil {
						time.Sleep(50 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(5 * time.Second)
		began := time.Now()
		require.NoError(t, b.try(t.Context(), attempt{Name: "ann", Client: "home"}, nil))
		require.Less(t, time.Since(began), 5*hash)
		cancel()
		b.wg.Wait()
	})
}

// A refusal costs nothing: an attempt that was not verified keeps no place of its client or name.
func TestThrottle_RefusedAttemptsCostNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PerClient, c.Every = 40, time.Minute })
		b.exhaust("ann")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 300 {
			b.wg.Go(func() {
				err := b.try(ctx, attempt{Name: "ann", Client: "office"}, password.ErrIncorrect)
				if !busy(err) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("verified: %v", err)
				}
			})
		}
		b.wg.Wait()
		b.verified.Store(0)
		for i := range 40 { // each place of the client is there
			a := attempt{Name: fmt.Sprint("n", i), Client: "office"}
			require.ErrorIs(t, b.try(t.Context(), a, password.ErrIncorrect), password.ErrIncorrect)
		}
		require.True(t, busy(b.try(t.Context(), attempt{Name: "n", Client: "office"}, nil)))
		require.EqualValues(t, 40, b.verified.Load())
	})
}

// What is no guess is not counted, and a panic is.
func TestThrottle_CountsIncorrectPasswordsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *throttle.Config) { c.PerName, c.Every = 2, time.Minute })
		ann := attempt{Name: "ann", Client: "home"}
		down := errors.New("down")
		for range 20 {
			require.ErrorIs(t, b.try(t.Context(), ann, down), down)
			require.NoError(t, b.try(t.Context(), ann, nil))
		}
		wrapped := fmt.Errorf("x: %w", password.ErrIncorrect)
		require.ErrorIs(t, b.try(t.Context(), ann, wrapped), password.ErrIncorrect)
		require.Panics(t, func() {
			_ = b.Do(t.Context(), ann, func(context.Context) error { panic("damaged hash") })
		})
		began := time.Now()
		err := b.try(t.Context(), ann, nil)
		var over *throttle.BusyError
		require.ErrorAs(t, err, &over)
		require.Equal(t, 20*time.Second, time.Since(began), "MaxWait")
		require.GreaterOrEqual(t, over.RetryAfter, time.Second)
		time.Sleep(over.RetryAfter)
		require.NoError(t, b.try(t.Context(), ann, nil))
	})
}
