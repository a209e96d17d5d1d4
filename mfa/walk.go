package mfa

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/storage"
)

// pageSize is how many records are asked for at once.
const pageSize = 200

// pagesAtOnce is how many pages are worked on at a time. A database commits several writes
// together, and has connections left for live traffic.
const pagesAtOnce = 8

// page is a part of a walk, and the cursor of what comes after it.
type page struct {
	entries []storage.Entry
	cursor  string
}

// pages walks the records under several prefixes, one after the other, from a cursor: the
// prefix that the walk is in, and the store's own cursor in it.
func (m *Manager) pages(
	ctx context.Context, cursor string, prefixes ...string,
) iter.Seq2[page, error] {
	return func(yield func(page, error) bool) {
		lister, ok := m.cfg.Store.(storage.Lister)
		if !ok {
			yield(page{}, fmt.Errorf("mfa: the store %T cannot list its records: %w", m.cfg.Store,
				errors.ErrUnsupported))
			return
		}
		i := 0
		if cursor != "" {
			i = slices.IndexFunc(prefixes, func(p string) bool {
				return strings.HasPrefix(cursor, p)
			})
			if i < 0 {
				yield(page{}, fmt.Errorf("%w: the cursor is not one of this walk",
					factor.ErrMalformed))
				return
			}
			cursor = cursor[len(prefixes[i]):]
		}
		for ; i < len(prefixes); i, cursor = i+1, "" {
			for {
				entries, next, err := lister.List(ctx, prefixes[i], storage.Cursor(cursor),
					pageSize)
				if err != nil {
					yield(page{}, unavailable(err))
					return
				}
				p := page{entries: entries}
				switch {
				case next != "":
					p.cursor = prefixes[i] + string(next)
				case i+1 < len(prefixes):
					p.cursor = prefixes[i+1]
				}
				if !yield(p, nil) {
					return
				}
				if cursor = string(next); next == "" {
					break
				}
			}
		}
	}
}

// severalPages yields what do returns for each page, in the order of the pages. It reads pages and
// calls do from other goroutines, for n pages at a time, and they have ended when it returns. A
// page that was begun is finished, also when the caller leaves the loop and after an error, which
// is the last that it yields. It panics if do does, so that the caller can recover.
func severalPages[R any](
	pages iter.Seq2[page, error], n int, do func(page) (R, error),
) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		// In the channel are all but the page that is waited for.
		begun, left := make(chan chan outcomeOf[R], n-1), make(chan struct{})
		var goroutines sync.WaitGroup
		defer goroutines.Wait()
		defer close(left)
		goroutines.Go(func() {
			defer close(begun)
			begin := func() (done chan outcomeOf[R], ok bool) {
				done = make(chan outcomeOf[R], 1)
				select {
				case begun <- done:
					return done, true
				case <-left:
					return nil, false
				}
			}
			failed := resultOf(func() (none R, err error) {
				for p, err := range pages {
					if err != nil {
						return none, err
					}
					done, ok := begin()
					if !ok {
						break
					}
					goroutines.Go(func() {
						done <- resultOf(func() (R, error) { return do(p) })
					})
				}
				return none, nil
			})
			if failed.err != nil || failed.panicked != nil {
				if done, ok := begin(); ok {
					done <- failed
				}
			}
		})
		for done := range begun {
			got := <-done
			if got.panicked != nil {
				panic(*got.panicked)
			}
			if !yield(got.value, got.err) || got.err != nil {
				return
			}
		}
	}
}

// outcomeOf is what a call returned, or what it panicked with.
type outcomeOf[R any] struct {
	value    R
	err      error
	panicked *any
}

// resultOf calls do, and recovers from its panic.
func resultOf[R any](do func() (R, error)) (o outcomeOf[R]) {
	defer func() {
		if p := recover(); p != nil {
			o.panicked = &p
		}
	}()
	o.value, o.err = do()
	return o
}
