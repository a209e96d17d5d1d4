package storagetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// Check tests the store that open returns as [Run] does, in a program instead of a test: before an
// application goes live on a database. It yields the name of each rule, and an error for one that
// is broken.
//
// Check calls open three times and closes nothing. It deletes the records that it wrote, and the
// last error, under the name "clean-up", says that some remain. A caller that leaves the loop skips
// the rules that follow, not the clean-up.
func Check(
	ctx context.Context, open func() (storage.Store, error),
) iter.Seq2[string, error] {
	return func(yield func(rule string, err error) bool) {
		c := &checking{}
		for range storesOfRule {
			s, err := open()
			if err != nil {
				yield("open", err)
				return
			}
			c.stores = append(c.stores, c.noted(s))
		}
		for _, r := range rules() {
			err := r.check(ctx, &subject{openStore: c.next})
			if err != nil {
				err = fmt.Errorf("%w (why it matters: %s)", err, r.why)
			}
			if !yield(r.name, err) {
				_ = c.cleanUp(ctx)
				return
			}
		}
		if err := c.cleanUp(ctx); err != nil {
			yield("clean-up", err)
		}
	}
}

// checking notes which keys were written.
type checking struct {
	stores []storage.Store
	used   int
	keys   sync.Map
}

func (c *checking) next() storage.Store {
	c.used++
	return c.stores[c.used%len(c.stores)]
}

// noted returns the store s, with what it can do besides, and notes what is written.
func (c *checking) noted(s storage.Store) storage.Store {
	n := noting{s, &c.keys}
	lister, lists := s.(storage.Lister)
	swapper, swaps := s.(storage.BatchSwapper)
	batches := notingBatches{swapper, &c.keys}
	switch {
	case lists && swaps:
		return struct {
			noting
			storage.Lister
			notingBatches
		}{n, lister, batches}
	case lists:
		return struct {
			noting
			storage.Lister
		}{n, lister}
	case swaps:
		return struct {
			noting
			notingBatches
		}{n, batches}
	}
	return n
}

type noting struct {
	storage.Store
	keys *sync.Map
}

func (n noting) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	n.keys.Store(key, nil)
	return n.Store.Swap(ctx, key, old, next)
}

type notingBatches struct {
	next  storage.BatchSwapper
	batch *sync.Map // keys
}

func (n notingBatches) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) ([]bool, error) {
	for _, e := range old {
		n.batch.Store(e.Key, nil)
	}
	return n.next.SwapBatch(ctx, old, next)
}

// cleanUp deletes what is there under the keys that were written, also after ctx is cancelled.
func (c *checking) cleanUp(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var problems []error
	c.keys.Range(func(k, _ any) bool {
		key := k.(string)
		if storage.CheckKey(key) != nil {
			return true // no store took it
		}
		if err := remove(ctx, c.stores[0], key); err != nil {
			problems = append(problems, fmt.Errorf("%s remains: %w", show([]byte(key)), err))
		}
		return len(problems) < 10
	})
	return errors.Join(problems...)
}

// remove deletes a record if there is one, within a minute.
func remove(ctx context.Context, s storage.Store, key string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := s.Get(ctx, key)
	if err == nil {
		err = s.Delete(ctx, key, r.Revision)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
