package trail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// Config configures a Trail.
type Config struct {
	// Log keeps the entries. Required.
	Log Log
	// Key signs checkpoints: the private key that ed25519.GenerateKey makes. Required, and the same
	// in all processes. Keep it outside the database. Auditors need the public key alone.
	Key secret.Bytes
	// Origin names the trail in checkpoints, such as "acme.example/trail". Required; without
	// spaces, line ends and "+".
	Origin string
	// Client returns from where the request of a context comes. Nil keeps nothing of it.
	Client func(ctx context.Context) Client
	// Interval is how long Run collects entries for one write. Defaults to 100 milliseconds. Must
	// be at most 10 seconds.
	Interval time.Duration
	// Anchor keeps a checkpoint where an attacker who can write to the log cannot: it is what
	// shows that the trail was cut off. Run calls it for the newest one, at most once in
	// AnchorInterval, and when it ends. After an error it is called again within a second. Nil
	// keeps none.
	Anchor func(ctx context.Context, checkpoint string) error
	// AnchorInterval is how long Run waits at least between two calls of Anchor. Defaults to one
	// minute.
	AnchorInterval time.Duration
	// Logger receives errors of the log and of Anchor. Nil means slog.Default().
	Logger *slog.Logger
}

// waiting bounds the entries in memory, beside those of the batch that is written. When the log
// fails for longer, [Trail.Events] waits until its context ends, and the event is lost; an entry
// trail.lost says how many.
const waiting = 10000

// batchLen bounds one write.
const batchLen = 500

// Trail writes entries. It is safe for concurrent use.
type Trail struct {
	cfg    Config
	public ed25519.PublicKey
	sign   func(*Entry) string

	queue chan Entry
	flush chan chan error

	mu   sync.Mutex
	lost int

	// What follows belongs to the goroutine of Run.
	pending  []Entry
	seen     Entry
	anchored time.Time
	anchor   string
}

// New returns a Trail, or an error that names the field of cfg that is not valid.
func New(cfg Config) (*Trail, error) {
	cfg.Interval = cmp.Or(cfg.Interval, 100*time.Millisecond)
	cfg.AnchorInterval = cmp.Or(cfg.AnchorInterval, time.Minute)
	cfg.Logger = cmp.Or(cfg.Logger, slog.Default())
	switch {
	case cfg.Log == nil:
		return nil, errors.New("trail: Log is nil; use OpenFile or NewTable")
	case len(cfg.Key) != ed25519.PrivateKeySize:
		return nil, errors.New("trail: Key is no key of ed25519.GenerateKey")
	case cfg.Origin == "" || strings.ContainsAny(cfg.Origin, " \t\r\n+"):
		return nil, errors.New("trail: Origin is empty, or has a space or a +")
	case cfg.Interval < 0 || cfg.Interval > 10*time.Second:
		return nil, errors.New("trail: Interval is not between 0 and 10 seconds")
	}
	key := ed25519.PrivateKey(bytes.Clone(cfg.Key))
	cfg.Key = nil // a Trail that is printed has none
	return &Trail{cfg: cfg, public: key.Public().(ed25519.PublicKey),
		sign:  func(e *Entry) string { return signCheckpoint(key, cfg.Origin, e) },
		queue: make(chan Entry, waiting), flush: make(chan chan error)}, nil
}

// Events returns a function for mfa.Config.Events that keeps every event and passes it to next.
// A nil next receives nothing.
func (t *Trail) Events(next func(context.Context, mfa.Event)) func(context.Context, mfa.Event) {
	return func(ctx context.Context, e mfa.Event) {
		if next != nil {
			next(ctx, e)
		}
		entry, err := entryOf(ctx, e, t.cfg.Client)
		if err != nil {
			t.cfg.Logger.ErrorContext(ctx, "an event is not in the audit trail", "error", err)
			return
		}
		select {
		case t.queue <- entry:
			return
		default:
		}
		select {
		case t.queue <- entry:
		case <-ctx.Done():
			t.mu.Lock()
			t.lost++
			t.mu.Unlock()
		}
	}
}

// Run writes entries until ctx ends, then writes what remains within five seconds. Call it in one
// goroutine of each process. It returns what it could not write then, or nil.
func (t *Trail) Run(ctx context.Context) error {
	// When an entry or a checkpoint that is not kept is tried again, though no other event follows.
	var again <-chan time.Time
	for {
		if ctx.Err() != nil {
			return t.end(ctx) // at once: of several cases that are ready, select takes any
		}
		var done chan error
		queue := t.queue
		if len(t.pending) >= batchLen {
			queue = nil // while the log fails, no more is kept than the queue has room for
		}
		select {
		case <-ctx.Done():
			return t.end(ctx)
		case done = <-t.flush:
		case <-again:
		case e := <-queue:
			t.pending = append(t.pending, e)
			done = t.collect(ctx)
		}
		err := t.writeAll(ctx)
		if done != nil {
			done <- err
		}
		if err != nil {
			t.report(ctx, "the audit trail is not written", err)
			pause(ctx, time.Second)
			again = time.After(0)
			continue
		}
		wait, err := t.keepAnchor(ctx, false)
		if err != nil {
			t.report(ctx, "a checkpoint of the audit trail is not kept", err)
		}
		if wait > 0 {
			again = time.After(wait)
		}
	}
}

// end writes and anchors what remains when the context of Run has ended.
func (t *Trail) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := t.writeAll(ctx)
	for err == nil && len(t.queue) > 0 { // what came meanwhile
		err = t.writeAll(ctx)
	}
	_, notKept := t.keepAnchor(ctx, true)
	return errors.Join(err, notKept)
}

func (t *Trail) report(ctx context.Context, text string, err error) {
	if ctx.Err() == nil {
		t.cfg.Logger.ErrorContext(ctx, text, "error", err)
	}
}

// collect waits for more entries for a while, or until a caller of Flush waits.
func (t *Trail) collect(ctx context.Context) (done chan error) {
	timer := time.NewTimer(t.cfg.Interval)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case done = <-t.flush:
	}
	return done
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Flush waits until every event before the call is written. Run must run.
func (t *Trail) Flush(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case t.flush <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
