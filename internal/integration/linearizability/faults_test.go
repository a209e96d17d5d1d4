package linearizability_test

import (
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
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
	{"nobody gets through", func(_ *servers.Server, p *servers.Proxy) {
		p.Refuse(true)
		p.Cut()
		moment()
		p.Refuse(false)
	}},
	{"the network hangs for longer than anybody waits", func(_ *servers.Server, p *servers.Proxy) {
		p.Hang(true)
		time.Sleep(patienceInTrouble + 100*time.Millisecond)
		p.Hang(false)
	}},
	// What was sent to it is done after those who sent it were told that it failed.
	{"the server sleeps for longer than anybody waits", func(s *servers.Server, _ *servers.Proxy) {
		s.Suspend()
		time.Sleep(patienceInTrouble + 100*time.Millisecond)
		s.Resume()
	}},
	{"the server is killed, and comes back", killAndStart},
	{"the server is stopped, and comes back", func(s *servers.Server, _ *servers.Proxy) {
		s.Stop()
		s.Start()
	}},
}

// slowAndCut cuts while most of those who wrote wait for the answer.
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
	s.Start()
}

const patienceInTrouble = 400 * time.Millisecond

func moment() { time.Sleep(time.Duration(20+mathrand.IntN(100)) * time.Millisecond) }

// behindProxy starts a server whose connections can be troubled.
func behindProxy(t testing.TB, e engine, options ...string) (*servers.Server, *servers.Proxy, *crowd) {
	t.Helper()
	server := e.start(t, options...)
	proxy := servers.NewProxy(t, server.Addr)
	return server, proxy, newCrowd(t, e.name+" "+proxy.Addr)
}

// during runs the crowd while do is at work.
func (c *crowd) during(do func()) {
	c.t.Helper()
	c.patience, c.troubled = patienceInTrouble, true
	c.prepare()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(processes, 1<<20)
	}()
	defer func() {
		c.stop.Store(true)
		<-done
	}()
	do()
}

// Whatever breaks, an answer that was given stays true, and one that was not given is either
// wholly done or not at all, soon or late.
func TestLinearizableInTrouble(t *testing.T) {
	rounds := 1
	if os.Getenv("SECONDGATE_LONG") != "" {
		rounds = 20
	}
	for _, e := range engines[1:] {
		t.Run(e.name, func(t *testing.T) {
			for range rounds {
				server, proxy, c := behindProxy(t, e)
				c.during(func() {
					for _, trouble := range troubles {
						moment()
						trouble.make(server, proxy)
						moment()
						c.kill()
					}
					moment()
				})
				c.requireGood(nothing, unknown)
			}
		})
	}
	// A file has no server to trouble; its processes can be killed.
	t.Run("sqlite", func(t *testing.T) {
		c := newCrowd(t, "sqlite "+filepath.Join(t.TempDir(), "records.db"))
		c.during(func() {
			for range 15 * rounds {
				moment()
				c.kill()
			}
		})
		c.requireGood(unknown)
	})
}

// requireGood fails the test unless the history is linearizable with what the store says in the
// end, and has outcomes of those kinds.
func (c *crowd) requireGood(kinds ...string) {
	c.t.Helper()
	c.look()
	requireOnce(c.t, c.history)
	began := time.Now()
	requireLinearizable(c.t, c.history)
	counts := c.outcomes()
	c.t.Logf("%d deeds: %v; checked in %s", len(c.history), counts, time.Since(began).Round(time.Millisecond))
	for _, k := range kinds {
		require.NotZero(c.t, counts[k], "no deed came to %q", k)
	}
}

func (c *crowd) outcomes() map[string]int {
	counts := make(map[string]int)
	for _, e := range c.history {
		counts[e.Outcome.Said]++
	}
	return counts
}

// A server that acknowledges what it has not kept is found out when it is killed.
func TestForgetfulServerIsRefused(t *testing.T) {
	server, proxy, c := behindProxy(t, engines[1], "-c", "synchronous_commit=off", "-c", "wal_writer_delay=10s")
	c.during(func() {
		time.Sleep(time.Second)
		killAndStart(server, proxy)
		time.Sleep(time.Second / 2)
	})
	result, _ := verdict(c.history, time.Minute)
	require.Equal(t, porcupine.Illegal, result)
}
