package main

import (
	"context"
	"errors"
	"sync"

	"github.com/secondgate/secondgate/storage"
)

// maxCombined is how many writes one statement has at most.
const maxCombined = 256

// combining is a store that makes the writes of several goroutines with one call of the store
// inside. Each write is atomic and durable as before when it returns: what is combined is the
// round trip and the commit.
type combining struct {
	storage.Store
	batches storage.BatchSwapper
	writes  chan *combined
	// lone says that the store turned out to swap no batches. Only run uses it.
	lone bool
}

// combined is a write that waits for its result.
type combined struct {
	ctx  context.Context
	old  storage.Entry
	next storage.Record
	done chan error // has room for one
}

// combine returns a store that combines the writes to a store, and what ends it. A store that swaps
// no batches is returned as it is.
func combine(store storage.Store) (s storage.Store, end func()) {
	batches, ok := store.(storage.BatchSwapper)
	if !ok {
		return store, func() {}
	}
	c := newCombining(store, batches)
	return c, c.start()
}

func newCombining(store storage.Store, batches storage.BatchSwapper) *combining {
	return &combining{Store: store, batches: batches, writes: make(chan *combined, maxCombined)}
}

// start begins to make the writes, and returns what ends it. Until then they wait.
func (c *combining) start() (end func()) {
	var running sync.WaitGroup
	running.Go(c.run)
	return func() {
		close(c.writes)
		running.Wait()
	}
}

// Swap implements storage.Store. It must not be called after the end.
func (c *combining) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := errors.Join(ctx.Err(), storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	w := &combined{ctx: ctx, next: next, done: make(chan error, 1),
		old: storage.Entry{Key: key, Record: storage.Record{Revision: old}}}
	c.writes <- w
	// Not until ctx ends as well: next is the caller's again when Swap returns.
	return <-w.done
}

// run makes the writes until the end. While one call is on its way, the next one is collected.
func (c *combining) run() {
	var later *combined // a second write of one key
	for {
		first := later
		if later = nil; first == nil {
			var ok bool
			if first, ok = <-c.writes; !ok {
				return
			}
		}
		batch, keys := []*combined{first}, map[string]bool{first.old.Key: true}
	collect:
		for later == nil && len(batch) < maxCombined {
			select {
			case w, ok := <-c.writes:
				switch {
				case !ok:
					break collect // the next round sees it again
				case keys[w.old.Key]:
					later = w
				default:
					batch, keys[w.old.Key] = append(batch, w), true
				}
			default:
				break collect
			}
		}
		c.write(batch)
	}
}

// write makes writes in one call, and gives each its result.
func (c *combining) write(batch []*combined) {
	if len(batch) == 1 || c.lone {
		c.each(batch)
		return
	}
	old, next := make([]storage.Entry, len(batch)), make([]storage.Record, len(batch))
	for i, w := range batch {
		old[i], next[i] = w.old, w.next
	}
	// Its end is that of no caller alone. An interrupted import waits for this one statement.
	swapped, err := c.batches.SwapBatch(context.WithoutCancel(batch[0].ctx), old, next)
	if errors.Is(err, errors.ErrUnsupported) {
		c.lone = true
		c.each(batch)
		return
	}
	if err == nil && len(swapped) != len(batch) {
		err = errors.New("the store reported on another number of swaps")
	}
	for i, w := range batch {
		switch {
		case err != nil:
			w.done <- err
		case !swapped[i]:
			w.done <- storage.ErrConflict
		default:
			w.done <- nil
		}
	}
}

// each makes writes by themselves, at once.
func (c *combining) each(batch []*combined) {
	for _, w := range batch {
		go func() { w.done <- c.Store.Swap(w.ctx, w.old.Key, w.old.Record.Revision, w.next) }()
	}
}
