package linearizability_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
)

// event is a deed with its outcome, and when it began and returned; if it did not return while
// the process lived, returned is 0.
type event struct {
	Process int
	Deed    deed
	Outcome outcome
	Called  int64
	Return  int64
}

// crowd is the processes that work on ann's record in one store, and what they did.
type crowd struct {
	t       testing.TB
	address string // of the store
	// patience is how long a deed waits for a store that does not reply.
	patience time.Duration
	// troubled: the store is made to fail, so that a process may have to wait before it can
	// start, and is in no hurry to ask again what just failed.
	troubled bool
	// nap is how long a process in trouble rests after each deed.
	nap  time.Duration
	stop atomic.Bool // ends the work early
	// abandon kills all processes, at once and without a word.
	life    context.Context
	abandon context.CancelFunc
	fault   string // that the store has, for those that work
	key     string
	users   *users

	// calm is held for reading during a deed. Time that passes for longer than clocks differ
	// passes between deeds.
	calm sync.RWMutex

	mu        sync.Mutex
	processes int
	alive     []*process
	history   []event
	conflicts int
}

func newCrowd(t testing.TB, address string) *crowd {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	life, abandon := context.WithCancel(t.Context())
	t.Cleanup(abandon)
	return &crowd{t: t, life: life, abandon: abandon, address: address,
		patience: 10 * time.Second, nap: time.Millisecond,
		key: hex.EncodeToString(seal.GenerateKey()), users: newUsers(seed)}
}

// work has n processes do a number of deeds each.
func (c *crowd) work(n, deeds int) {
	c.t.Helper()
	c.prepare()
	c.run(n, deeds)
}

// run is work on a record that is prepared. It may be called from any goroutine.
func (c *crowd) run(n, deeds int) {
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := c.client(deeds); err != nil {
				c.t.Error(err)
			}
		})
	}
	wg.Wait()
}

// look has a new process look at the user once more. In trouble it looks again until the store
// serves the read, such as after an election.
func (c *crowd) look() {
	c.t.Helper()
	p, err := c.startAtLast()
	require.NoError(c.t, err)
	d := c.users.look()
	r, err := p.do(d)
	for began := time.Now(); err == nil && c.troubled && r.Outcome.Said == nothing &&
		time.Since(began) < 2*time.Minute; {
		r, err = p.do(d)
	}
	require.NoError(c.t, err)
	require.Equal(c.t, okay, r.Outcome.Said, r.Outcome.Sight)
	c.history = append(c.history, event{Process: p.id, Deed: d, Outcome: r.Outcome,
		Called: r.Called, Return: r.Returned})
	require.NoError(c.t, c.end(p))
}

// prepare gives ann a record, and resets it, so that the history starts from a known one: it is
// what the model starts with. The codes sent for it belong to an hour that has passed.
func (c *crowd) prepare() {
	c.t.Helper()
	p, err := c.start("")
	require.NoError(c.t, err)
	past := noon - 2*time.Hour.Milliseconds()
	begun := p.must(c.t, deed{Do: "begin", At: past})
	p.must(c.t, deed{Do: "send", At: past, Token: begun.Token})
	p.must(c.t, deed{Do: "reset", At: noon})
	require.NoError(c.t, c.end(p))
}

// noUser is the model's first state.
var noUser = user{seen: noon}

func (p *process) must(t testing.TB, d deed) outcome {
	t.Helper()
	r, err := p.do(d)
	require.NoError(t, err)
	require.Equal(t, okay, r.Outcome.Said, "%v: %v", d, r.Outcome)
	return r.Outcome
}

// client does deeds one after the other, in a process, and in another when it was killed.
func (c *crowd) client(deeds int) error {
	p, err := c.startAtLast()
	for range deeds {
		if err != nil {
			return err
		}
		if c.stop.Load() {
			break
		}
		c.calm.RLock()
		d := c.users.next()
		e := event{Process: p.id, Deed: d, Called: monotonic()}
		p.busy.Store(true)
		r, lost := p.do(d)
		p.busy.Store(false)
		c.calm.RUnlock()
		if lost == nil {
			e.Outcome, e.Called, e.Return = r.Outcome, r.Called, r.Returned
			c.users.learn(d, r.Outcome)
		} else {
			e.Outcome.Said = unknown
			if err := c.end(p); err != nil || !p.killed.Load() {
				return errors.Join(lost, err)
			}
			p, err = c.startAtLast()
		}
		c.mu.Lock()
		c.history = append(c.history, e)
		c.conflicts += r.Conflicts
		c.mu.Unlock()
		c.rest()
	}
	if err != nil {
		return err
	}
	return c.end(p)
}

// rest lets time pass, for the clock of every user.
func (c *crowd) rest() {
	if c.troubled {
		time.Sleep(c.nap)
	}
	if nap := c.users.sleep(); nap > 0 {
		c.calm.Lock()
		c.users.wake(nap)
		c.calm.Unlock()
	}
}

// process is one of the crowd.
type process struct {
	id     int
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
	// busy: it has a deed to do. killed: it ended because the test wanted it to.
	busy, killed atomic.Bool
}

// startAtLast starts a process that works, if need be when the store is back.
func (c *crowd) startAtLast() (*process, error) {
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		p, err := c.start(c.fault)
		if err == nil || !c.troubled || c.stop.Load() || time.Since(began) > 2*time.Minute {
			return p, err
		}
	}
}

func (c *crowd) start(fault string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(c.life, exe)}
	// A program with the race detector else sleeps for a second before it ends.
	p.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"), storeVar+"="+
		c.address, keyVar+"="+c.key, faultVar+"="+fault, patienceVar+"="+c.patience.String())
	p.cmd.Stderr = &p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var ready reply
	if err := p.out.Decode(&ready); err != nil {
		return nil, fmt.Errorf("a process did not start: %w", errors.Join(err, c.end(p)))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.id = c.processes
	c.processes++
	c.alive = append(c.alive, p)
	return p, nil
}

func (p *process) do(d deed) (r reply, err error) {
	line, err := json.Marshal(d)
	if err != nil {
		return r, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return r, err
	}
	if err := p.out.Decode(&r); err != nil {
		return r, err
	}
	if r.N != d.N {
		return r, fmt.Errorf("was given deed %d when it asked for %d", r.N, d.N)
	}
	return r, nil
}

// end lets a process go: it ends when it has no more to read. One that was not killed ends in
// order, and without a data race that it noticed.
func (c *crowd) end(p *process) error {
	c.mu.Lock()
	c.alive = slices.DeleteFunc(c.alive, func(q *process) bool { return q == p })
	c.mu.Unlock()
	_ = p.in.Close()
	if err := p.cmd.Wait(); err != nil && !p.killed.Load() {
		return fmt.Errorf("process %d: %w: %s", p.id, err, p.stderr.String())
	}
	return nil
}

// kill ends a process in the middle of whatever it does, if any does something now.
func (c *crowd) kill() {
	for range 1000 {
		c.mu.Lock()
		for _, p := range c.alive {
			if p.busy.Load() && !p.killed.Swap(true) {
				_ = p.cmd.Process.Kill()
				c.mu.Unlock()
				return
			}
		}
		c.mu.Unlock()
		time.Sleep(50 * time.Microsecond)
	}
}
