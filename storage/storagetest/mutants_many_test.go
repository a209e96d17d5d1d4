package storagetest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/storage"
)

// The mutants that take several callers, a deadline or a walk to find.

// writesHalf writes the revision first, and the data only if there is time.
func writesHalf(ctx context.Context, s storage.Store, key string, old storage.Revision,
	next storage.Record) error {
	now, _ := s.Get(ctx, key)
	_, hurry := ctx.Deadline()
	if !hurry || old == "" || len(now.Data) == 0 || storage.CheckSwap(key, old, next) != nil {
		return s.Swap(ctx, key, old, next)
	}
	half := storage.Record{Revision: next.Revision, Data: now.Data}
	if err := s.Swap(ctx, key, old, half); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// saysYes reports a write as made that was cancelled.
func saysYes(ctx context.Context, s storage.Store, key string, old storage.Revision,
	next storage.Record) error {
	_, hurry := ctx.Deadline()
	if err := s.Swap(ctx, key, old, next); !hurry || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// lendsPages returns pages with one slice for the data of a record.
func lendsPages() *mutant {
	var mu sync.Mutex
	lent := map[string][]byte{}
	return &mutant{
		get: func(ctx context.Context, s storage.Store, key string) (storage.Record, error) {
			r, err := s.Get(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			if data, ok := lent[key+string(r.Revision)]; ok && err == nil {
				r.Data = bytes.Clone(data)
			}
			return r, err
		},
		list: func(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
			limit int) ([]storage.Entry, storage.Cursor, error) {
			page, next, err := s.List(ctx, prefix, cursor, limit)
			mu.Lock()
			defer mu.Unlock()
			for _, e := range page {
				lent[e.Key+string(e.Record.Revision)] = e.Record.Data
			}
			return page, next, err
		},
	}
}

// looksBefore reads before a create or a swap, and then writes whatever is there.
func looksBefore(creates bool) func(context.Context, storage.Store, string, storage.Revision,
	storage.Record) error {
	return func(ctx context.Context, s storage.Store, key string, old storage.Revision,
		next storage.Record) error {
		now, err := s.Get(ctx, key)
		if (old == "") != creates || storage.CheckSwap(key, old, next) != nil ||
			now.Revision != old || err != nil && !errors.Is(err, storage.ErrNotFound) {
			return s.Swap(ctx, key, old, next)
		}
		yieldProcessor()
		return force(ctx, s, key, next)
	}
}

func looksBeforeDelete(ctx context.Context, s storage.Store, key string,
	old storage.Revision) error {
	now, err := s.Get(ctx, key)
	if err != nil || now.Revision != old || storage.CheckDelete(key, old) != nil {
		return s.Delete(ctx, key, old)
	}
	yieldProcessor()
	if err := s.Delete(ctx, key, old); !errors.Is(err, storage.ErrConflict) {
		return err
	}
	return nil
}

// readsInTwoSteps reads the data, and then the revision of what may be a later version.
func readsInTwoSteps(ctx context.Context, s storage.Store, key string) (storage.Record, error) {
	first, err := s.Get(ctx, key)
	if err != nil {
		return first, err
	}
	yieldProcessor()
	second, err := s.Get(ctx, key)
	if err != nil {
		return second, err
	}
	return storage.Record{Revision: second.Revision, Data: first.Data}, nil
}

// yieldProcessor lets the other goroutines of a race go on.
func yieldProcessor() {
	for range 20 {
		runtime.Gosched()
	}
}

func listPrefixMutants() map[string]*mutant {
	return map[string]*mutant{
		"lists text alone": {list: func(ctx context.Context, s storage.Lister, prefix string,
			cursor storage.Cursor, limit int) ([]storage.Entry, storage.Cursor, error) {
			page, next, err := s.List(ctx, prefix, cursor, limit)
			return slices.DeleteFunc(page, func(e storage.Entry) bool {
				return strings.ToValidUTF8(e.Key, "") != e.Key
			}), next, err
		}},
		"ignores the case": {list: func(ctx context.Context, s storage.Lister, prefix string,
			cursor storage.Cursor, limit int) ([]storage.Entry, storage.Cursor, error) {
			page, next, err := s.List(ctx, prefix[:max(0, len(prefix)-1)], cursor, limit)
			return slices.DeleteFunc(page, func(e storage.Entry) bool {
				return len(e.Key) < len(prefix) || !strings.EqualFold(e.Key[:len(prefix)], prefix)
			}), next, err
		}},
	}
}

// neverEnds begins again after the last page.
func neverEnds(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
	limit int) ([]storage.Entry, storage.Cursor, error) {
	page, next, err := s.List(ctx, prefix, cursor, limit)
	if next == "" && len(page) > 0 && limit < 1000 {
		next = storage.Cursor(page[0].Key)
	}
	return page, next, err
}

// dropsLast leaves the last entry of a full page out.
func dropsLast(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
	limit int) ([]storage.Entry, storage.Cursor, error) {
	page, next, err := s.List(ctx, prefix, cursor, limit)
	if next != "" && len(page) > 1 {
		page = page[:len(page)-1]
	}
	return page, next, err
}

// listsStale lists from an index that no delete changes, or in which the first version stays.
func listsStale(firstVersion bool) *mutant {
	var mu sync.Mutex
	index := map[string]storage.Record{}
	remember := func(key string, next storage.Record) {
		mu.Lock()
		defer mu.Unlock()
		if _, known := index[key]; !known || !firstVersion {
			index[key] = storage.Record{Revision: next.Revision, Data: bytes.Clone(next.Data)}
		}
	}
	forget := func(key string) {
		mu.Lock()
		defer mu.Unlock()
		delete(index, key)
	}
	return &mutant{
		swap: func(ctx context.Context, s storage.Store, key string, old storage.Revision,
			next storage.Record) error {
			err := s.Swap(ctx, key, old, next)
			if err == nil {
				remember(key, next)
			}
			return err
		},
		del: func(ctx context.Context, s storage.Store, key string, old storage.Revision) error {
			err := s.Delete(ctx, key, old)
			if err == nil && firstVersion {
				forget(key)
			}
			return err
		},
		list: func(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
			limit int) ([]storage.Entry, storage.Cursor, error) {
			if _, _, err := s.List(ctx, prefix, "", limit); err != nil {
				return nil, "", err
			}
			mu.Lock()
			defer mu.Unlock()
			var page []storage.Entry
			for _, k := range slices.Sorted(maps.Keys(index)) {
				if strings.HasPrefix(k, prefix) && (cursor == "" || k > string(cursor)) {
					page = append(page, storage.Entry{Key: k, Record: index[k]})
				}
			}
			if len(page) <= limit {
				return page, "", nil
			}
			return page[:limit], storage.Cursor(page[limit-1].Key), nil
		},
	}
}

// noLimit takes a limit below one for no limit.
func noLimit(ctx context.Context, s storage.Lister, prefix string, cursor storage.Cursor,
	limit int) ([]storage.Entry, storage.Cursor, error) {
	if limit < 1 {
		limit = 1000
	}
	return s.List(ctx, prefix, cursor, limit)
}
