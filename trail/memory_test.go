package trail_test

import (
	"context"
	"crypto/ed25519"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

// memory is a log in memory, whose calls a test lets fail.
type memory struct {
	mu sync.Mutex
	// before and after return the error of a call, before it does anything and after it did.
	before, after func(call string) error

	entries []trail.Entry
	batches []int // how many entries each Append had
}

// breaks sets the faults that follow. Nil functions are no fault.
func (m *memory) breaks(before, after func(call string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.after = before, after
}

// fault returns the error that a test set for a call.
func (m *memory) fault(call string, after bool) error {
	m.mu.Lock()
	when := m.before
	if after {
		when = m.after
	}
	m.mu.Unlock()
	return fail(when, call)
}

func fail(when func(string) error, call string) error {
	if when == nil {
		return nil
	}
	return when(call)
}

// failing returns a fault of one call.
func failing(call string, err error) func(string) error {
	return func(c string) error {
		if c == call {
			return err
		}
		return nil
	}
}

func (m *memory) list() []trail.Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.entries)
}

// Last implements trail.Log.
func (m *memory) Last(context.Context) (trail.Entry, error) {
	list := m.list()
	if err := m.fault("Last", false); err != nil || len(list) == 0 {
		return trail.Entry{}, err
	}
	return list[len(list)-1], nil
}

// Read implements trail.Log.
func (m *memory) Read(_ context.Context, from int64) iter.Seq2[trail.Entry, error] {
	return m.walk("Read", func(e trail.Entry) bool { return e.Seq >= from })
}

// About implements trail.Log.
func (m *memory) About(_ context.Context, subject string) iter.Seq2[trail.Entry, error] {
	return m.walk("About", func(e trail.Entry) bool { return e.Subject == subject })
}

func (m *memory) walk(call string, which func(trail.Entry) bool) iter.Seq2[trail.Entry, error] {
	return func(yield func(trail.Entry, error) bool) {
		if err := m.fault(call, false); err != nil {
			yield(trail.Entry{}, err)
			return
		}
		for _, e := range m.list() {
			if which(e) && !yield(e, nil) {
				return
			}
		}
		if err := m.fault(call, true); err != nil {
			yield(trail.Entry{}, err)
		}
	}
}

// Append implements trail.Log.
func (m *memory) Append(_ context.Context, batch []trail.Entry) error {
	if err := m.fault("Append", false); err != nil {
		return err
	}
	m.mu.Lock()
	if int64(len(m.entries)) != batch[0].Seq-1 {
		m.mu.Unlock()
		return trail.ErrConflict
	}
	m.entries = append(m.entries, batch...)
	m.batches = append(m.batches, len(batch))
	m.mu.Unlock()
	return m.fault("Append", true)
}

// Erase implements trail.Log.
func (m *memory) Erase(_ context.Context, subject string, to int64) error {
	if err := m.fault("Erase", false); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.entries {
		if e := &m.entries[i]; e.Subject == subject && e.Seq <= to {
			e.Personal, e.Subject = nil, ""
		}
	}
	return nil
}

// process is a trail whose Run runs, in a bubble of synctest.
type process struct {
	*trail.Trail
	t    *testing.T
	logs *output
	end  func() error
}

// output is what a process logs, which a test reads while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var testKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func start(t *testing.T, cfg trail.Config) *process {
	t.Helper()
	p := &process{t: t, logs: &output{}}
	cfg.Key, cfg.Origin = secret.Bytes(testKey), origin
	cfg.Logger = slog.New(slog.NewTextHandler(p.logs, nil))
	var err error
	p.Trail, err = trail.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	p.end = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = p.end() })
	return p
}

// event keeps an event about a user.
func (p *process) event(user string) {
	p.Events(nil)(p.t.Context(), mfa.Event{Name: "verify.success", UserID: user, Tenant: "acme"})
}

// verified returns the users of a log that verifies, in order.
func verified(t *testing.T, log trail.Log) (users []string) {
	t.Helper()
	_, err := trail.Verify(log.Read(t.Context(), 1), trail.Verification{
		Key: testKey.Public().(ed25519.PublicKey), Origin: origin})
	require.NoError(t, err)
	for e, err := range log.Read(t.Context(), 1) {
		require.NoError(t, err)
		_, personal, err := e.Read()
		require.NoError(t, err)
		users = append(users, personal.User)
	}
	return users
}
