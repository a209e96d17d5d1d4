package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/secondgate/secondgate/storage"
)

type loadOptions struct {
	users, workers, count int
	duration              time.Duration
	clean                 bool
}

// maxLoad bounds users, workers and sign-ins, so that a slip of the keyboard fills no disk.
const maxLoad = 1_000_000

func loadFlags(f *flag.FlagSet, c *call) {
	o := &c.loading
	jsonFlag(f, c)
	f.IntVar(&o.users, "users", 256, "how many scratch users sign in")
	f.IntVar(&o.workers, "workers", 16, "how many users sign in at once")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "for how long users sign in")
	f.IntVar(&o.count, "count", 0, "how many sign-ins are made, in place of -duration")
	f.BoolVar(&o.clean, "clean", false,
		"delete what load tests left that were killed, and test nothing; another load test on the "+
			"same store must not run")
}

// refuseLoad refuses what cannot be tested.
func refuseLoad(c *call) error {
	o := c.loading
	switch {
	case o.users < 1 || o.users > maxLoad:
		return fmt.Errorf("-users is 1 to %d; %w", maxLoad, errUsage)
	case o.workers < 1 || o.workers > o.users:
		return fmt.Errorf("-workers is 1 to the number of users; %w", errUsage)
	case o.count < 0 || o.count > 1000*maxLoad:
		return fmt.Errorf("-count is 1 to %d; %w", 1000*maxLoad, errUsage)
	case o.count == 0 && o.duration <= 0:
		return fmt.Errorf("-duration is positive; %w", errUsage)
	}
	return nil
}

// loadTest signs scratch users in, and deletes them, also if it is interrupted.
func loadTest(ctx context.Context, c *call) error {
	store, err := openStore(ctx, c.store, toWrite)
	if err != nil {
		return err
	}
	if c.loading.clean {
		err = c.cleanScratch(ctx, store.Store, scratchPrefix)
	} else {
		err = c.loadScratch(ctx, store.Store)
	}
	return errors.Join(err, store.close())
}

func (c *call) cleanScratch(ctx context.Context, store storage.Store, prefix string) error {
	shown := c.progress("records deleted", 0)
	n, err := clearScratch(ctx, store, prefix, shown.show)
	shown.end()
	if err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, map[string]int{"deleted": n})
	}
	if n == 0 {
		_, err = fmt.Fprintln(c.out, "There are no scratch records to delete.")
		return err
	}
	_, err = fmt.Fprintf(c.out, "%d scratch records deleted.\n", n)
	return err
}

// clearTimeout is how long the deletion of scratch records goes on after an interrupt.
const clearTimeout = time.Minute

// loadScratch runs the test on scratch records of its own.
func (c *call) loadScratch(ctx context.Context, store storage.Store) error {
	own := newScratch(store)
	result, err := c.measure(ctx, own)
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	shown := c.progress("records deleted", c.loading.users)
	_, left := clearScratch(lasting, store, own.prefix, shown.show)
	shown.end()
	if left != nil {
		left = fmt.Errorf("scratch records remain, and loadtest -clean deletes them: %w", left)
	}
	if err == nil {
		err = c.writeLoad(result)
	}
	switch {
	case left != nil:
		return errors.Join(err, left)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: interrupted", errPartly)
	case err != nil:
		return err
	case result.Errors > 0:
		return fmt.Errorf("%w: %d sign-ins failed, such as by: %w", errFound, result.Errors,
			result.failure)
	}
	return nil
}

// loadResult is what a load test measured.
type loadResult struct {
	Users          int     `json:"users"`
	Workers        int     `json:"workers"`
	Seconds        float64 `json:"seconds"`
	Pairs          int     `json:"pairs"`
	PairsPerSecond float64 `json:"pairs_per_second"`
	P50            float64 `json:"p50_ms"`
	P95            float64 `json:"p95_ms"`
	P99            float64 `json:"p99_ms"`
	Longest        float64 `json:"max_ms"`
	Errors         int     `json:"errors"`
	Conflicts      int     `json:"conflicts"`
	failure        error   // the first
}

// measure makes the users, and signs them in. An interrupt ends it without an error.
func (c *call) measure(ctx context.Context, own *scratch) (loadResult, error) {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	workers, err := newLoadWorkers(c.loading, own, secret)
	if err != nil {
		return loadResult{}, err
	}
	var done atomic.Int64
	if err := c.together(&done, "users made", c.loading.users, func(i int) error {
		return workers[i].makeUsers(ctx, &done)
	}); err != nil {
		return loadResult{}, err
	}
	done.Store(0)
	own.conflicts.Store(0)
	running := ctx
	if c.loading.count == 0 {
		var cancel context.CancelFunc
		running, cancel = context.WithTimeout(ctx, c.loading.duration)
		defer cancel()
	}
	began := time.Now()
	_ = c.together(&done, "sign-ins", c.loading.count, func(i int) error {
		workers[i].signIn(running, &done, c.loading.count)
		return nil
	})
	return c.sum(workers, time.Since(began), int(own.conflicts.Load())), nil
}

// together runs a function for each worker, and shows how many things are done of all.
func (c *call) together(
	done *atomic.Int64, what string, all int, run func(worker int) error,
) error {
	errs := make([]error, c.loading.workers)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = run(i) })
	}
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	shown := c.progress(what, all)
	defer shown.end()
	tick := time.NewTicker(terminalInterval)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return firstOf(errs)
		case <-tick.C:
			shown.show(int(done.Load()))
		}
	}
}

// firstOf returns the first error of several workers, who have the same one where a database fails.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// sum adds up what the workers measured.
func (c *call) sum(workers []*loadWorker, took time.Duration, conflicts int) loadResult {
	var all latencies
	r := loadResult{Users: c.loading.users, Workers: c.loading.workers, Seconds: took.Seconds(),
		Conflicts: conflicts}
	for _, w := range workers {
		all.merge(&w.took)
		r.Errors += w.errors
		if r.failure == nil {
			r.failure = w.failure
		}
	}
	r.Pairs, r.PairsPerSecond = all.all, float64(all.all)/took.Seconds()
	r.P50, r.P95 = milliseconds(all.within(0.5)), milliseconds(all.within(0.95))
	r.P99, r.Longest = milliseconds(all.within(0.99)), milliseconds(all.longest)
	return r
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

func (c *call) writeLoad(r loadResult) error {
	if c.json {
		return writeJSON(c, r)
	}
	t := c.table("Nothing was measured.", "PAIRS", "A SECOND", "P50", "P95", "P99", "MAX",
		"ERRORS", "CONFLICTS")
	cells := []string{strconv.Itoa(r.Pairs), strconv.FormatFloat(r.PairsPerSecond, 'f', 0, 64)}
	for _, ms := range []float64{r.P50, r.P95, r.P99, r.Longest} {
		cells = append(cells, strconv.FormatFloat(ms, 'f', 2, 64)+" ms")
	}
	t.row(append(cells, strconv.Itoa(r.Errors), strconv.Itoa(r.Conflicts))...)
	return t.flush()
}
