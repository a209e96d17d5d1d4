// Load drives the demonstration over HTTP as people do: password, authenticator code, session.
// It reports sign-ins per second, and how long each step took.
//
//	go run ./examples/nethttp -people 500 -data /tmp/acme &
//	go run ./examples/load -workers 16 -rounds 5
//
// In each round everybody signs in once, as many at a time as there are workers; then the
// demonstration clock moves on by a time step, because a code is good once.
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

// steps of a sign-in, in order; the last is the whole.
var steps = [...]string{"password", "code", "sign-in"}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("load", flag.ContinueOnError)
	fs.SetOutput(stderr)
	base := fs.String("url", "http://localhost:8080",
		"`URL` of a running examples/nethttp in demonstration mode")
	workers := fs.Int("workers", 16, "how many sign in at once")
	rounds := fs.Int("rounds", 3, "how often everybody signs in")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *workers < 1 || *rounds < 1 || fs.NArg() > 0 {
		return errors.New("-workers and -rounds are at least 1, and there are no other " +
			"arguments; see -help")
	}
	s := &server{base: strings.TrimRight(*base, "/"), connections: *workers}
	people, err := s.people(ctx)
	if err != nil {
		return err
	}
	progress := &progress{out: stderr}

	began := time.Now()
	if err := s.each(ctx, *workers, people, func(p *person) error {
		defer progress.tick("enrolling", len(people))
		return s.enroll(ctx, p)
	}); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	progress.end()
	fmt.Fprintf(stdout, "%d people enrolled an authenticator app in %.1f s\n", len(people),
		time.Since(began).Seconds())

	var (
		mu    sync.Mutex
		took  [len(steps)][]time.Duration
		total time.Duration
	)
	for round := range *rounds {
		if err := s.advance(ctx); err != nil {
			return err
		}
		began := time.Now()
		err := s.each(ctx, *workers, people, func(p *person) error {
			defer progress.tick(fmt.Sprintf("round %d of %d", round+1, *rounds), len(people))
			each, err := s.signIn(ctx, p)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for i, d := range each {
				took[i] = append(took[i], d)
			}
			return nil
		})
		total += time.Since(began)
		progress.end()
		if err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}

	n := len(took[0])
	fmt.Fprintf(stdout, "%d sign-ins in %.1f s with %d at once: %.1f a second\n", n,
		total.Seconds(), *workers, float64(n)/total.Seconds())
	fmt.Fprintf(stdout, "%-10s %10s %10s %10s %10s\n", "step", "median", "90 %", "99 %", "most")
	for i, name := range steps {
		slices.Sort(took[i])
		at := func(q float64) time.Duration {
			return took[i][min(n-1, int(q*float64(n)))].Round(100 * time.Microsecond)
		}
		fmt.Fprintf(stdout, "%-10s %10s %10s %10s %10s\n", name, at(0.5), at(0.9), at(0.99), at(1))
	}
	return nil
}

// each calls do for everybody, some at a time, and stops at the first error.
func (s *server) each(
	ctx context.Context, workers int, people []*person, do func(*person) error,
) error {
	var (
		wg    sync.WaitGroup
		next  atomic.Int64
		fault atomic.Pointer[error]
	)
	for range workers {
		wg.Go(func() {
			for fault.Load() == nil && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(people) {
					return
				}
				if err := do(people[i]); err != nil {
					err = fmt.Errorf("%s: %w", people[i].Username, err)
					fault.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := fault.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// progress is one line that is written over.
type progress struct {
	out  io.Writer
	mu   sync.Mutex
	done int
	last time.Time
}

func (p *progress) tick(what string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if now := time.Now(); now.Sub(p.last) > 200*time.Millisecond || p.done == of {
		p.last = now
		fmt.Fprintf(p.out, "\r%s: %d of %d people", what, p.done, of)
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
