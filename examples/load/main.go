// Load signs users in to the demonstration over HTTP, as browsers do: with a password, an
// authenticator code and a session. It reports sign-ins per second, and how long each step took.
//
//	go run ./examples/nethttp -people 500 -data /tmp/acme &
//	go run ./examples/load -workers 16 -rounds 5
//
// In each round every user signs in once, as many at a time as there are workers. Before each
// round Load moves the demonstration clock to another time step, because a code is accepted once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil &&
		!errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to do but to say so
	}
}

// options are the command line.
type options struct {
	url             string
	workers, rounds int
}

func parseFlags(args []string, usage io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(usage)
	fs.StringVar(&o.url, "url", "http://localhost:8080",
		"`URL` of a running examples/nethttp in demonstration mode")
	fs.IntVar(&o.workers, "workers", 16, "how many users sign in at once")
	fs.IntVar(&o.rounds, "rounds", 3, "how often each user signs in")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if o.workers < 1 || o.rounds < 1 || fs.NArg() > 0 {
		return o, errors.New("-workers and -rounds are at least 1, and there are no other " +
			"arguments; see -help")
	}
	return o, nil
}

// run enrols all users, signs them in round by round, and reports on stdout.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	s := &server{base: strings.TrimRight(o.url, "/"), connections: o.workers}
	users, err := s.users(ctx)
	if err != nil {
		return err
	}
	l := &load{server: s, users: users, workers: o.workers, progress: &progress{out: stderr}}
	if err := l.enrollAll(ctx, stdout); err != nil {
		return err
	}
	var times timings
	for round := range o.rounds {
		step := fmt.Sprintf("round %d of %d", round+1, o.rounds)
		if err := l.signInAll(ctx, step, &times); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	times.report(stdout, o.workers)
	return nil
}

// load calls a function for every user, for several users at once.
type load struct {
	*server
	users    []*user
	workers  int
	progress *progress
}

// enrollAll enrols an authenticator app for each user.
func (l *load) enrollAll(ctx context.Context, stdout io.Writer) error {
	began := time.Now()
	err := l.each(ctx, "enrolling", func(u *user) error { return l.enroll(ctx, u) })
	if err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	fmt.Fprintf(stdout, "%d users enrolled an authenticator app in %.1f s\n", len(l.users),
		time.Since(began).Seconds())
	return nil
}

// signInAll signs each user in once, in a time step whose codes are not used yet.
func (l *load) signInAll(ctx context.Context, step string, times *timings) error {
	if err := l.advance(ctx); err != nil {
		return err
	}
	began := time.Now()
	err := l.each(ctx, step, func(u *user) error {
		took, err := l.signIn(ctx, u)
		if err == nil {
			times.add(took)
		}
		return err
	})
	times.total += time.Since(began)
	return err
}

// steps are the steps of a sign-in, in order. The last one is the whole sign-in.
var steps = [...]string{"password", "code", "sign-in"}

// timings collects how long the steps of each sign-in took.
type timings struct {
	mu    sync.Mutex
	steps [len(steps)][]time.Duration
	total time.Duration // of all rounds
}

func (t *timings) add(took [len(steps)]time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, d := range took {
		t.steps[i] = append(t.steps[i], d)
	}
}

// report prints the sign-ins per second, and a table of the steps.
func (t *timings) report(out io.Writer, workers int) {
	n := len(t.steps[0])
	fmt.Fprintf(out, "%d sign-ins in %.1f s with %d at once: %.1f a second\n", n,
		t.total.Seconds(), workers, float64(n)/t.total.Seconds())
	fmt.Fprintf(out, "%-10s %10s %10s %10s %10s\n", "step", "median", "90 %", "99 %", "most")
	for i, name := range steps {
		took := t.steps[i]
		slices.Sort(took)
		fmt.Fprintf(out, "%-10s %10s %10s %10s %10s\n", name, quantile(took, 0.5),
			quantile(took, 0.9), quantile(took, 0.99), quantile(took, 1))
	}
}

// quantile returns the duration below which a share of the sorted durations lies.
func quantile(sorted []time.Duration, share float64) time.Duration {
	at := min(len(sorted)-1, int(share*float64(len(sorted))))
	return sorted[at].Round(100 * time.Microsecond)
}

// each calls do for each user, as many at a time as there are workers. It stops at the first
// error, and names the user.
func (l *load) each(ctx context.Context, step string, do func(*user) error) error {
	var (
		wg    sync.WaitGroup
		next  atomic.Int64
		fault atomic.Pointer[error]
	)
	defer l.progress.end()
	for range l.workers {
		wg.Go(func() {
			for fault.Load() == nil && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(l.users) {
					return
				}
				if err := do(l.users[i]); err != nil {
					err = fmt.Errorf("%s: %w", l.users[i].Username, err)
					fault.CompareAndSwap(nil, &err)
				}
				l.progress.tick(step, len(l.users))
			}
		})
	}
	wg.Wait()
	if err := fault.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// progress prints how many users are done, on one line that it overwrites.
type progress struct {
	out  io.Writer
	mu   sync.Mutex
	done int
	last time.Time
}

func (p *progress) tick(step string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if now := time.Now(); now.Sub(p.last) > 200*time.Millisecond || p.done == of {
		p.last = now
		fmt.Fprintf(p.out, "\r%s: %d of %d users", step, p.done, of)
	}
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done > 0 {
		fmt.Fprintln(p.out)
	}
	p.done = 0
}
