package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/secondgate/secondgate/storage"
)

// anyScratch begins the keys of all records of the conformance kit, of checks and of load tests,
// and scratchPrefix those of load tests. No record of the application begins with it.
const (
	anyScratch    = "storagetest/"
	scratchPrefix = anyScratch + "loadtest/"
)

// isScratch reports whether a record is one of a check or of a load test. Such a record is sealed
// with no key of the application.
func isScratch(key string) bool { return strings.HasPrefix(key, anyScratch) }

// scratch keeps records under a prefix of its own in the store of an application, and neither
// reads nor changes any other.
type scratch struct {
	inner     storage.Store
	prefix    string
	conflicts atomic.Int64
}

var _ storage.Store = (*scratch)(nil)

// newScratch returns a store with a prefix that no other has.
func newScratch(inner storage.Store) *scratch {
	return &scratch{inner: inner, prefix: scratchPrefix + rand.Text() + "/"}
}

// Get implements storage.Store.
func (s *scratch) Get(ctx context.Context, key string) (storage.Record, error) {
	return s.inner.Get(ctx, s.prefix+key)
}

// Swap implements storage.Store, and counts conflicts.
func (s *scratch) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.inner.Swap(ctx, s.prefix+key, old, next)
	if errors.Is(err, storage.ErrConflict) {
		s.conflicts.Add(1)
	}
	return err
}

// Delete implements storage.Store.
func (s *scratch) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.inner.Delete(ctx, s.prefix+key, old)
}

// clearScratch deletes the records under the prefix of a store, and says how many are gone.
func clearScratch(
	ctx context.Context, store storage.Store, prefix string, show func(deleted int),
) (deleted int, err error) {
	lister, ok := store.(storage.Lister)
	if !ok {
		return 0, errors.New("the store cannot list its records")
	}
	if !isScratch(prefix) {
		return 0, errors.New("this is no prefix of scratch records")
	}
	for cursor := storage.Cursor(""); ; {
		page, next, err := lister.List(ctx, prefix, cursor, 1000)
		if err != nil {
			return deleted, err
		}
		for _, e := range page {
			if !strings.HasPrefix(e.Key, prefix) {
				return deleted, fmt.Errorf("the store lists a record that is not under %s", prefix)
			}
			// A page may have a record twice, and one that is gone is a conflict.
			err := store.Delete(ctx, e.Key, e.Record.Revision)
			if err != nil && !errors.Is(err, storage.ErrConflict) {
				return deleted, err
			}
			deleted++
			show(deleted)
		}
		if cursor = next; next == "" {
			return deleted, nil
		}
	}
}
