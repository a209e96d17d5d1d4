package throttle

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
)

const (
	defaultPerName   = 10
	defaultPerClient = 100
	defaultPerPass   = 10
	defaultEvery     = time.Second / 2
	defaultMaxWait   = 20 * time.Second
	defaultPassTTL   = 90 * 24 * time.Hour

	// clientQueue is how many attempts of one client wait. It is more than PerClient, because
	// the places of correct passwords come back as fast as the machine hashes.
	clientQueue = 256
	// hashQueue is how many attempts wait to be hashed, and as many more with a pass.
	hashQueue = 1024
	// maxKeys bounds the names and the clients that are remembered. An attempt is refused
	// rather than another one's count forgotten. Only places that are taken or not yet
	// refilled are remembered, and the machine cannot hash so many in the time to refill.
	maxKeys = 1 << 16
	// maxPart bounds each part of an Attempt, in bytes.
	maxPart = 1024
)

// Config configures a Throttle. Its zero values are the defaults, except for Keys.
type Config struct {
	// Keys seals passes. Required. Processes with the same keys accept each other's passes.
	Keys *seal.Keyring
	// MaxConcurrent is how many passwords are verified at once. Set it to
	// HasherConfig.MaxConcurrent or less, so that attempts wait here, where the queue is fair.
	// Defaults to the number of processors. Must be at least 1.
	MaxConcurrent int
	// PerName is how many incorrect passwords for one name are verified without a wait.
	// Defaults to 10. Must be between 1 and 100.
	PerName int
	// PerClient is the same for one client, over all names. It is larger because many users
	// share one address. Defaults to 100. Must be between 1 and 10 000.
	PerClient int
	// PerPass is how many incorrect passwords are verified with one pass in its lifetime.
	// Defaults to 10. Must be between 1 and 100.
	PerPass int
	// Every is how long it takes to refill one place of a name or of a client. Defaults to
	// 500ms. Must be between 100ms and 1m.
	Every time.Duration
	// MaxWait is how long an attempt waits. MaxWait / Every is how many attempts for one name
	// wait at once. Defaults to 20s. Must be between 1s and 1m.
	MaxWait time.Duration
	// PassTTL is the lifetime of a pass. Defaults to 90 days. Must be between 1h and 365 days.
	PassTTL time.Duration
}

// Attempt describes who tries a password. Each part has at most 1024 bytes.
type Attempt struct {
	// Name is what the user typed, in the form in which names are compared (lower case, for
	// example), whether or not there is such an account. Required.
	Name string
	// Client is the network of the request: an IPv4 address, or the /64 of an IPv6 address.
	// Behind a proxy, take the address that your own proxy reports. Required.
	Client string
	// Account is the ID of the account that the name belongs to. Empty if there is none.
	Account string
	// Pass is what NewPass returned to this browser for the account. Empty if there is none.
	// A pass that is malformed, expired or another account's counts as none.
	Pass secret.Text
}

// BusyError is returned for an attempt that was not verified and not charged, because too many
// others wait. It says nothing about the password.
type BusyError struct {
	// RetryAfter is when a place may be free. It is at least a second.
	RetryAfter time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("throttle: too many attempts at once; retry after %s", e.RetryAfter)
}

// Throttle limits attempts. It is safe for concurrent use. Make one for the process.
type Throttle struct {
	cfg   Config
	start time.Time // for the monotonic clock

	mu      sync.Mutex // guards all below
	clients lines
	names   lines
	hashing line
	passes  passes
}

// New returns a Throttle, or an error that names the field of cfg to change.
func New(cfg Config) (*Throttle, error) {
	if cfg.Keys == nil {
		return nil, errors.New("throttle: Config.Keys is required")
	}
	defaults(&cfg)
	if cfg.MaxConcurrent < 1 {
		return nil, fmt.Errorf("throttle: Config.MaxConcurrent is %d, want at least 1",
			cfg.MaxConcurrent)
	}
	for _, c := range []struct {
		name     string
		n, limit int
	}{
		{"PerName", cfg.PerName, 100},
		{"PerClient", cfg.PerClient, 10_000},
		{"PerPass", cfg.PerPass, 100},
	} {
		if c.n < 1 || c.n > c.limit {
			return nil, fmt.Errorf("throttle: Config.%s is %d, want 1 to %d", c.name, c.n, c.limit)
		}
	}
	for _, c := range []struct {
		name           string
		d, least, most time.Duration
	}{
		{"Every", cfg.Every, 100 * time.Millisecond, time.Minute},
		{"MaxWait", cfg.MaxWait, time.Second, time.Minute},
		{"PassTTL", cfg.PassTTL, time.Hour, 365 * 24 * time.Hour},
	} {
		if c.d < c.least || c.d > c.most {
			return nil, fmt.Errorf("throttle: Config.%s is %s, want %s to %s", c.name, c.d, c.least,
				c.most)
		}
	}
	waiting := max(1, int(cfg.MaxWait/cfg.Every))
	return &Throttle{
		cfg:     cfg,
		start:   time.Now(),
		clients: newLines(limits{cfg.PerClient, cfg.Every, clientQueue}),
		names:   newLines(limits{cfg.PerName, cfg.Every, waiting}),
		hashing: line{limits: limits{cfg.MaxConcurrent, 0, hashQueue}},
		passes:  passes{limit: cfg.PerPass, of: make(map[string][]*passUse)},
	}, nil
}

func defaults(cfg *Config) {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&cfg.MaxConcurrent, runtime.GOMAXPROCS(0)}, {&cfg.PerName, defaultPerName},
		{&cfg.PerClient, defaultPerClient}, {&cfg.PerPass, defaultPerPass},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&cfg.Every, defaultEvery}, {&cfg.MaxWait, defaultMaxWait}, {&cfg.PassTTL, defaultPassTTL}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
}

// now is the time since New by the monotonic clock.
func (t *Throttle) now() time.Duration { return time.Since(t.start) }

// Do waits for the turn of an attempt and calls verify, in this goroutine. An error that wraps
// password.ErrIncorrect, and a panic, count as an incorrect password. After any other error
// the attempt is no guess and is not counted: verify must then disclose nothing about the
// password. Do returns the error of verify.
//
// A *BusyError means that verify was not called, because a queue is full or the wait took
// MaxWait. It is the same for names that exist and that do not. If ctx is done while the attempt
// waits, Do returns the error of ctx and verify was not called.
func (t *Throttle) Do(ctx context.Context, a Attempt, verify func(context.Context) error) error {
	if a.Name == "" || a.Client == "" {
		return errors.New("throttle: Attempt.Name and Attempt.Client are required")
	}
	if max(len(a.Name), len(a.Client), len(a.Account), len(a.Pass.Reveal())) > maxPart {
		return fmt.Errorf("throttle: a part of the Attempt has more than %d bytes", maxPart)
	}
	until := t.now() + t.cfg.MaxWait
	settle, err := t.admit(ctx, a, until)
	if err != nil {
		return err
	}
	failed := true
	defer func() { settle(failed) }()
	err = verify(ctx)
	failed = errors.Is(err, password.ErrIncorrect)
	return err
}

// admit takes the places of an attempt, its own first: the client's, then the name's, then one
// to hash. A refusal gives back what was taken before it.
func (t *Throttle) admit(ctx context.Context, a Attempt, until time.Duration) (func(bool), error) {
	if use := t.usePass(a); use != nil {
		err := t.enter(ctx, &t.hashing, "pass "+a.Account, true, until)
		if err != nil {
			t.settlePass(a.Account, use, false)
			return nil, err
		}
		return func(failed bool) {
			t.settlePass(a.Account, use, failed)
			t.leave(&t.hashing, false)
		}, nil
	}
	client, err := t.enterOf(ctx, &t.clients, a.Client, a.Name, until)
	if err != nil {
		return nil, err
	}
	name, err := t.enterOf(ctx, &t.names, a.Name, a.Client, until)
	if err != nil {
		t.leave(client, false)
		return nil, err
	}
	if err := t.enter(ctx, &t.hashing, a.Client, false, until); err != nil {
		t.leave(name, false)
		t.leave(client, false)
		return nil, err
	}
	return func(failed bool) {
		t.leave(name, failed)
		t.leave(client, failed)
		t.leave(&t.hashing, false)
	}, nil
}

// enterOf takes a place in the line of a key.
func (t *Throttle) enterOf(
	ctx context.Context, ls *lines, key, flow string, until time.Duration,
) (*line, error) {
	t.mu.Lock()
	l := ls.get(key, t.now())
	t.mu.Unlock()
	if l == nil {
		return nil, &BusyError{RetryAfter: max(time.Second, t.cfg.Every)}
	}
	err := t.enter(ctx, l, flow, false, until)
	t.mu.Lock()
	l.users--
	t.mu.Unlock()
	return l, err
}

// enter takes a place in a line, and waits for it until the end of its time.
func (t *Throttle) enter(
	ctx context.Context, l *line, flow string, fast bool, until time.Duration,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	w := l.join(flow, fast, t.now())
	t.mu.Unlock()
	for {
		t.mu.Lock()
		now := t.now()
		l.dispatch(now)
		state, wake, retry := w.state, min(l.next(now), until), l.retryAfter()
		t.mu.Unlock()
		switch {
		case state == granted:
			return nil
		case state == refused || now >= until:
			return t.withdraw(l, w, &BusyError{RetryAfter: retry})
		}
		timer := time.NewTimer(wake - now)
		select {
		case <-w.done:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return t.withdraw(l, w, ctx.Err())
		}
		timer.Stop()
	}
}

// withdraw takes an attempt that waited in vain out of a line, and returns why. A place that it
// was granted at the same moment goes to the next.
func (t *Throttle) withdraw(l *line, w *waiter, why error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch w.state {
	case granted:
		l.leave(false, t.now())
	case waits:
		l.queues[w.queue].remove(w)
	}
	return why
}

func (t *Throttle) leave(l *line, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.leave(failed, t.now())
}
