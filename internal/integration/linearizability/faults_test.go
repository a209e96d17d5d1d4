package linearizability_test

import (
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/servers"
)

// trouble is what happens to a server and its network while the crowd works.
type trouble struct {
	name string
	make func(s *servers.Server, p *servers.Proxy)
}

var troubles = []trouble{
	{"connections are cut", func(_ *servers.Server, p *servers.Proxy) {
		for range 5 {
			p.Cut()
			moment()
		}
	}},
	{"the network is slow, and then cut", slowAndCut},
	{"no connection gets through", func(_ *servers.Server, p *servers.Proxy) {
		p.Refuse(true)
		p.Cut()
		moment()
		p.Refuse(false)
	}},
	{"the network hangs for longer than any caller waits",
		func(_ *servers.Server, p *servers.Proxy) {
			p.Hang(true)
			time.Sleep(patienceInTrouble + 100*time.Millisecond)
			p.Hang(false)
		}},
	// What was sent to it is done after those who sent it saw it fail.
	{"the server sleeps for longer than any caller waits",
		func(s *servers.Server, _ *servers.Proxy) {
			s.Suspend()
			time.Sleep(patienceInTrouble + 100*time.Millisecond)
			s.Resume()
		}},
	{"the server is killed, and comes back", killAndStart},
	{"the server is down, and comes back", func(s *servers.Server, _ *servers.Proxy) {
		s.Stop()
		s.Start()
	}},
}

// slowAndCut cuts while most of those who wrote wait for the reply.
func slowAndCut(_ *servers.Server, p *servers.Proxy) {
	for range 5 {
		p.Delay(15 * time.Millisecond)
		moment()
		p.Cut()
		p.Delay(0)
	}
}

func killAndStart(s *servers.Server, _ *servers.Proxy) {
	s.Kill()
	// PostgreSQL's children are in sessions of their own and outlive it by a moment, in which it
	// does not start again.
	for range 500 {
		if !worksIn(s.Dir) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Start()
}

// worksIn says whether a process has its working directory in dir. Where there is no /proc, none
// is seen.
func worksIn(dir string) bool {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, l := range links {
		if at, err := os.Readlink(l); err == nil && strings.HasPrefix(at, dir) {
			return true
		}
	}
	return false
}

const patienceInTrouble = 400 * time.Millisecond

func moment() { time.Sleep(time.Duration(20+mathrand.IntN(100)) * time.Millisecond) }

// behindProxy starts a server whose connections can be troubled.
func behindProxy(
	t testing.TB, e engine, options ...string,
) (*servers.Server, *servers.Proxy, *crowd) {
	t.Helper()
	server := e.start(t, options...)
	proxy := servers.NewProxy(t, server.Addr)
	c := newCrowd(t, e.name+" "+proxy.Addr)
	c.patience = patienceInTrouble
	return server, proxy, c
}

// during runs the crowd while do is at work.
func (c *crowd) during(do func()) {
	c.t.Helper()
	c.troubled = true
	c.prepare()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(processes, 1<<20)
	}()
	finished := false
	defer func() {
		c.stop.Store(true)
		if !finished { // the test has failed, and a process may wait for a store that is gone
			c.abandon()
		}
		<-done
	}()
	c.await(50)
	do()
	finished = true
}

// await waits until so many more deeds have been done, as slowly as the machine does them.
func (c *crowd) await(deeds int) {
	for enough, began := c.done()+deeds, time.Now(); c.done() < enough &&
		time.Since(began) < 30*time.Second; {
		time.Sleep(time.Millisecond)
	}
}

// done counts the deeds that were done.
func (c *crowd) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.history)
}

// A test that fails ends, although processes wait for a store that never replies.
func TestCrowd_EndsWithAFailingTest(t *testing.T) {
	c := newCrowd(t, engines[0].address(t))
	c.t, c.fault = silent{t}, neverReplies
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.during(func() {
			for n := -1; n != c.done(); time.Sleep(300 * time.Millisecond) {
				n = c.done()
			}
			runtime.Goexit()
		})
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Minute):
		t.Fatal("the processes still wait")
	}
}

// silent is a test that expects the errors of a crowd.
type silent struct{ testing.TB }

func (silent) Error(...any) {}

// Whatever breaks, a reply that was given stays true, and one that was not given is either
// wholly done or not at all, soon or late.
func TestManager_IsLinearizableInOutages(t *testing.T) {
	for _, e := range engines[1:] {
		t.Run(e.name, func(t *testing.T) {
			untilSeen(t, []string{nothing, unknown}, func() *crowd {
				server, proxy, c := behindProxy(t, e)
				c.during(func() {
					for _, trouble := range troubles {
						trouble.make(server, proxy)
						c.await(50)
						c.kill()
						c.await(20)
					}
				})
				return c
			})
		})
	}
	// A file has no server to trouble; its processes can be killed.
	t.Run("sqlite", func(t *testing.T) {
		untilSeen(t, []string{unknown}, func() *crowd {
			c := newCrowd(t, engines[0].address(t))
			c.patience = patienceInTrouble
			c.during(func() {
				for range 15 {
					c.kill()
					c.await(50)
				}
			})
			return c
		})
	})
}

// untilSeen has crowds work until there were enough rounds and deeds with each of the outcomes.
// Each history must be linearizable with what the store says in the end.
func untilSeen(t *testing.T, outcomes []string, work func() *crowd) {
	t.Helper()
	unseen := slices.Clone(outcomes)
	decided := 0
	for n := 0; decided < rounds() || len(unseen) > 0; n++ {
		require.Less(t, n, rounds()+enough, "%d decided; no deed came to %q", decided, unseen)
		c := work()
		c.look()
		requireOnce(t, c.history)
		began := time.Now()
		if !requireLinearizable(t, c.history) {
			continue
		}
		decided++
		counts := c.outcomes()
		t.Logf("%d deeds: %v; checked in %s", len(c.history), counts,
			time.Since(began).Round(time.Millisecond))
		unseen = slices.DeleteFunc(unseen, func(k string) bool { return counts[k] > 0 })
	}
}

func (c *crowd) outcomes() map[string]int {
	counts := make(map[string]int)
	for _, e := range c.history {
		counts[e.Outcome.Said]++
	}
	return counts
}

// A server that acknowledges what it writes down up to half a minute later is found out when it
// is killed.
func TestHistory_OfAForgetfulServerIsRefused(t *testing.T) {
	untilRefused(t, func() *crowd {
		server, proxy, c := behindProxy(t, engines[2], "--innodb-flush-log-at-trx-commit=0",
			"--innodb-flush-log-at-timeout=30")
		c.during(func() {
			for range 2 {
				c.await(100)
				killAndStart(server, proxy)
				c.await(100)
			}
		})
		return c
	})
}
