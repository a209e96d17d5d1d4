package linearizability_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
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
	fault   string // that the store has, for those that work
	key     string
	people  *people

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
	return &crowd{t: t, address: address, key: hex.EncodeToString(seal.GenerateKey()), people: newPeople(seed)}
}

// work has n processes do a number of deeds each.
func (c *crowd) work(n, deeds int) {
	c.t.Helper()
	c.prepare()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := c.client(deeds); err != nil {
				c.t.Error(err)
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.alive {
		p.end()
	}
	c.alive = nil
}

// prepare gives ann a record, and resets it, so that the history starts from a known one: it is
// what the model starts with. The codes sent for it are of an hour that has passed.
func (c *crowd) prepare() {
	c.t.Helper()
	p, err := c.start("")
	require.NoError(c.t, err)
	past := noon - 2*time.Hour.Milliseconds()
	begun := p.must(c.t, deed{Do: "begin", At: past})
	p.must(c.t, deed{Do: "send", At: past, Token: begun.Token})
	p.must(c.t, deed{Do: "reset", At: noon})
}

// nobody is the model's first state.
var nobody = person{seen: noon}

func (p *process) must(t testing.TB, d deed) outcome {
	t.Helper()
	r, err := p.do(d)
	require.NoError(t, err)
	require.Equal(t, okay, r.Outcome.Said, "%v: %v", d, r.Outcome)
	return r.Outcome
}

// client does deeds one after the other, in a process, and in another when it was killed.
func (c *crowd) client(deeds int) error {
	p, err := c.start(c.fault)
	for range deeds {
		if err != nil {
			return err
		}
		c.calm.RLock()
		d := c.people.next()
		e := event{Process: p.id, Deed: d, Called: monotonic()}
		r, lost := p.do(d)
		c.calm.RUnlock()
		switch {
		case lost != nil && !p.killed():
			return fmt.Errorf("process %d: %w: %s", p.id, lost, p.stderr.String())
		case lost != nil:
			e.Outcome.Said = unknown
			p, err = c.start(c.fault)
		default:
			e.Outcome, e.Called, e.Return = r.Outcome, r.Called, r.Returned
			c.people.learn(d, r.Outcome)
		}
		c.mu.Lock()
		c.history = append(c.history, e)
		c.conflicts += r.Conflicts
		c.mu.Unlock()
		if nap := c.people.sleep(); nap > 0 {
			c.calm.Lock()
			c.people.wake(nap)
			c.calm.Unlock()
		}
	}
	return nil
}

// process is one of the crowd.
type process struct {
	id     int
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer

	mu   sync.Mutex
	dead bool
}

func (c *crowd) start(fault string) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(c.t.Context(), exe)}
	p.cmd.Env = append(os.Environ(), storeVar+"="+c.address, keyVar+"="+c.key, faultVar+"="+fault)
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
		p.end()
		return nil, fmt.Errorf("a process did not start: %w: %s", err, p.stderr.String())
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
		return r, fmt.Errorf("was told of deed %d when it asked for %d", r.N, d.N)
	}
	return r, nil
}

// end lets the process go: it ends when it has no more to read.
func (p *process) end() {
	_ = p.in.Close()
	_ = p.cmd.Wait() // how it ends matters to nobody any more
}

// kill ends the process in the middle of whatever it does.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	return p.cmd.Process.Kill()
}

func (p *process) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}
