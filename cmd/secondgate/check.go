package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// finding is one thing that was looked at.
type finding struct {
	Check string `json:"check"`
	// Result is "ok", "problem", or "unknown".
	Result string `json:"result"`
	Detail string `json:"detail,omitempty"`
}

const (
	resultOK      = "ok"
	resultProblem = "problem"
	resultUnknown = "unknown"
)

type checkOptions struct{ replica, clean bool }

func checkFlags(f *flag.FlagSet, c *call) {
	f.BoolVar(&c.checking.replica, "replica", false,
		"look at a replica, which takes no writes: at its clock, its settings and its reads")
	f.BoolVar(&c.checking.clean, "clean", false,
		"delete what checks and load tests left that were killed, and check nothing; none of them "+
			"must run on the same store")
}

// refuseCheck refuses to delete from a replica.
func refuseCheck(c *call) error {
	if c.checking.replica && c.checking.clean {
		return fmt.Errorf("-clean needs a store that takes writes, and -replica names none; %w",
			errUsage)
	}
	return nil
}

// check looks at the store that an application is to run on, or runs on.
func check(ctx context.Context, c *call) error {
	if c.checking.clean {
		return c.cleanScratch(ctx, c.opened.Store, anyScratch)
	}
	looks := []func(context.Context, *call) ([]finding, error){checkClock, checkSettings,
		checkLatency, checkRules}
	if c.checking.replica {
		looks = append(looks[:2:2], checkReads)
	}
	var found []finding
	for _, look := range looks {
		more, err := look(ctx, c)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	if err := c.writeFindings(found); err != nil {
		return err
	}
	problems := 0
	for _, f := range found {
		if f.Result == resultProblem {
			problems++
		}
	}
	if problems > 0 {
		return fmt.Errorf("%w: %d problems", errFound, problems)
	}
	return nil
}

func (c *call) writeFindings(found []finding) error {
	if c.json {
		return writeJSON(c, map[string]any{"checks": found})
	}
	t := c.table("Nothing was looked at.", "CHECK", "RESULT", "DETAIL")
	for _, f := range found {
		t.row(f.Check, f.Result, f.Detail)
	}
	return t.flush()
}

// maxClockDifference is less than the time step of an authenticator app.
const maxClockDifference = 10 * time.Second

// checkClock compares this machine's clock with the database's. One of the two may be wrong where
// the machines of the application are, too.
func checkClock(ctx context.Context, c *call) ([]finding, error) {
	before := time.Now()
	theirs, ok, err := c.opened.clock(ctx)
	after := time.Now()
	switch {
	case err != nil:
		return nil, fmt.Errorf("the database's clock: %w", err)
	case !ok:
		return []finding{{"clock", resultOK, "the database has no clock of its own"}}, nil
	}
	f := finding{"clock", resultOK, ""}
	difference := max(before.Sub(theirs), theirs.Sub(after), 0)
	f.Detail = fmt.Sprintf("%s from the database's", difference.Round(time.Millisecond))
	if difference > maxClockDifference {
		f.Result = resultProblem
		f.Detail += "; codes of authenticator apps are incorrect where a clock is wrong"
	}
	return []finding{f}, nil
}

// checkSettings looks at what decides whether an acknowledged write survives a power cut.
func checkSettings(ctx context.Context, c *call) (found []finding, err error) {
	list, err := c.opened.settings(ctx)
	if err != nil {
		return nil, fmt.Errorf("the database's settings: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		want, ok := durable[name]
		if !ok {
			continue
		}
		f := finding{name, resultOK, list[name]}
		switch {
		case list[name] == "":
			f.Result, f.Detail = resultUnknown, "the database does not show it; want "+want.keeps[0]
		case !slices.Contains(want.keeps, strings.ToLower(list[name])):
			f.Result = resultProblem
			f.Detail += ", want " + want.keeps[0] + ": " + want.risk
		}
		found = append(found, f)
	}
	return found, nil
}

// latencyRounds is how often a record is read and written to see how long it takes.
const latencyRounds = 200

// checkLatency measures reads and writes of one record, one after the other. A sign-in has two of
// each.
func checkLatency(ctx context.Context, c *call) (found []finding, err error) {
	key, old := anyScratch+"latency/"+rand.Text(), storage.Revision("")
	defer func() { err = errors.Join(err, c.clearCheck(ctx, key)) }()
	var reads, writes []time.Duration
	for range latencyRounds {
		began := time.Now()
		next := storage.Record{Revision: storage.Revision(rand.Text()), Data: make([]byte, 1024)}
		if err := c.opened.Swap(ctx, key, old, next); err != nil {
			return nil, err
		}
		written := time.Now()
		if _, err := c.opened.Get(ctx, key); err != nil {
			return nil, err
		}
		reads, writes = append(reads, time.Since(written)), append(writes, written.Sub(began))
		old = next.Revision
	}
	return []finding{{"read", resultOK, spread(reads)}, {"write", resultOK, spread(writes)}}, nil
}

// clearCheck deletes the record of a measurement, also after an interrupt and after a write whose
// result is unknown.
func (c *call) clearCheck(ctx context.Context, key string) error {
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), clearTimeout)
	defer cancel()
	if _, err := clearScratch(lasting, c.opened.Store, key, func(int) {}); err != nil {
		return fmt.Errorf("a scratch record remains, and check -clean deletes it: %w", err)
	}
	return nil
}

// checkReads measures reads of a record that is not there, and writes nothing.
func checkReads(ctx context.Context, c *call) (found []finding, err error) {
	key := anyScratch + "latency/" + rand.Text()
	var reads []time.Duration
	for range latencyRounds {
		began := time.Now()
		_, err := c.opened.Get(ctx, key)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, err
		}
		reads = append(reads, time.Since(began))
	}
	return []finding{{"read", resultOK, spread(reads)},
		{"write", resultUnknown, "a replica takes no writes; check its primary too"}}, nil
}

// spread says how long most of some calls took.
func spread(took []time.Duration) string {
	slices.Sort(took)
	return fmt.Sprintf("median %s, 99 %% within %s", quantile(took, 0.5), quantile(took, 0.99))
}

// quantile returns the duration below which a share of the sorted durations lies.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := min(len(sorted)-1, int(share*float64(len(sorted))))
	return sorted[at].Round(10 * time.Microsecond)
}

// checkConnections is how many connections each of the three stores of the kit has at most: a
// database that serves an application has few to spare.
const checkConnections = 5

// checkRules runs the conformance kit on scratch records.
func checkRules(ctx context.Context, c *call) (found []finding, err error) {
	var others []opened
	defer func() {
		for _, o := range others {
			_ = o.close()
		}
	}()
	for rule, broken := range storagetest.Check(ctx, func() (storage.Store, error) {
		o, err := openStore(ctx, c.store, toWrite)
		if err != nil {
			return nil, err
		}
		others = append(others, o)
		if e, ok := o.engine.(sqlEngine); ok {
			e.db.SetMaxOpenConns(checkConnections)
		}
		return o.Store, nil
	}) {
		f := finding{"rule " + rule, resultOK, ""}
		if broken != nil {
			f.Result, f.Detail = resultProblem, broken.Error()
		}
		found = append(found, f)
	}
	return found, ctx.Err()
}
