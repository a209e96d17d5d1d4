// Package memory keeps records in the memory of one process: for tests, examples and
// programs whose users can enrol again after every restart.
//
//	m, err := mfa.New(mfa.Config{Store: memory.New(), …})
//
// Nothing survives the process, and a second process sees nothing of it: used codes,
// failure tallies and locks start afresh with every restart, so what protects a real
// sign-in belongs in a durable store such as storage/sqlstore.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/internal/swaps"
)

var (
	_ storage.Store        = (*Store)(nil)
	_ storage.Lister       = (*Store)(nil)
	_ storage.BatchSwapper = (*Store)(nil)
)

// Store is a [storage.Store], a [storage.Lister] and a [storage.BatchSwapper] in memory. Make one
// with [New]; it is safe for concurrent use. It must not be copied.
type Store struct {
	mu      sync.RWMutex
	records map[string]storage.Record

	// keys holds the keys of records in ascending order, or is stale. Only insertions and
	// deletions make it so, which leaves a walk that rewrites every record (re-encryption)
	// linear in the number of records.
	keys  []string
	stale bool
}

// New returns an empty Store.
func New() *Store { return &Store{records: make(map[string]storage.Record)} }

// Get implements [storage.Store].
func (s *Store) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := begin(ctx, storage.CheckKey(key)); err != nil {
		return storage.Record{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	rec, ok := s.records[key]
	if !ok {
		return storage.Record{}, storage.ErrNotFound
	}
	return storage.Record{Revision: rec.Revision, Data: bytes.Clone(rec.Data)}, nil
}

// Swap implements [storage.Store].
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := begin(ctx, storage.CheckSwap(key, old, next)); err != nil {
		return err
	}
	next = clone(next)
	s.mu.Lock()
	defer s.mu.Unlock()
	// A missing record has the revision "", which no stored record has.
	if s.records[key].Revision != old {
		return storage.ErrConflict
	}
	// A key is a string and cannot change under us, but it may be a small part of a large
	// one (a request, say) that the map would then keep alive.
	if old == "" {
		key = strings.Clone(key)
		s.stale = true
	}
	s.records[key] = next
	return nil
}

// Delete implements [storage.Store].
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := begin(ctx, storage.CheckDelete(key, old)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Revision != old {
		return storage.ErrConflict
	}
	delete(s.records, key)
	s.stale = true
	return nil
}

// SwapBatch implements [storage.BatchSwapper].
func (s *Store) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) (swapped []bool, err error) {
	if err := begin(ctx, swaps.Check(old, next)); err != nil {
		return nil, err
	}
	swapped = make([]bool, len(old))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range old {
		if s.records[e.Key].Revision == e.Record.Revision {
			s.records[e.Key], swapped[i] = clone(next[i]), true
			s.stale = s.stale || e.Record.Revision == ""
		}
	}
	return swapped, nil
}

// List implements [storage.Lister]. A limit below one is an error that wraps
// [storage.ErrInvalid]. The cursor is the last key of the page before.
func (s *Store) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	if limit < 1 {
		err = fmt.Errorf("%w: limit %d, want at least 1", storage.ErrInvalid, limit)
	}
	if err := begin(ctx, err); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale {
		s.keys = slices.AppendSeq(s.keys[:0], maps.Keys(s.records))
		slices.Sort(s.keys)
		s.stale = false
	}
	last := string(cursor)
	from, found := slices.BinarySearch(s.keys, max(prefix, last))
	if found && last >= prefix {
		from++
	}
	for _, key := range s.keys[from:] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		if len(page) == limit {
			return page, storage.Cursor(page[limit-1].Key), nil
		}
		page = append(page, storage.Entry{Key: key, Record: clone(s.records[key])})
	}
	return page, "", nil
}

// begin prefers the context's error: an operation that was cancelled is not checked further.
func begin(ctx context.Context, invalid error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if invalid != nil {
		return fmt.Errorf("memory: %w", invalid)
	}
	return nil
}

func clone(r storage.Record) storage.Record {
	revision := storage.Revision(strings.Clone(string(r.Revision)))
	return storage.Record{Revision: revision, Data: bytes.Clone(r.Data)}
}
