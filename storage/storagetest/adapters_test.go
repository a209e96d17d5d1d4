package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/storage"
)

// The adapters of TestRun_FindsEachFault, each with one fault.

// noList hides that memory can list, where a fault is not about that.
type noList struct{ storage.Store }

type lostUpdates struct{ storage.Store }

// Swap reads, decides and writes, with a gap in between that is as wide as it likes.
func (s lostUpdates) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := storage.CheckSwap(key, old, next); err != nil {
		return err
	}
	now, err := s.Get(ctx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if now.Revision != old {
		return storage.ErrConflict
	}
	yieldProcessor()
	return force(ctx, s.Store, key, next)
}

func (s lostUpdates) Delete(ctx context.Context, key string, old storage.Revision) error {
	now, err := s.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) || err == nil && now.Revision != old {
		if err := storage.CheckDelete(key, old); err != nil {
			return err
		}
		return storage.ErrConflict
	}
	yieldProcessor()
	if err := s.Store.Delete(ctx, key, old); !errors.Is(err, storage.ErrConflict) {
		return err
	}
	return nil
}

// force writes whatever is there.
func force(ctx context.Context, s storage.Store, key string, next storage.Record) error {
	for {
		now, err := s.Get(ctx, key)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if now.Revision == next.Revision {
			return nil
		}
		if err := s.Swap(ctx, key, now.Revision, next); !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
}

type noCondition struct{ storage.Store }

func (s noCondition) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := storage.CheckSwap(key, old, next); err != nil {
		return err
	}
	if _, err := s.Get(ctx, key); old == "" || err != nil {
		return s.Store.Swap(ctx, key, old, next)
	}
	return force(ctx, s.Store, key, next)
}

type upsert struct{ storage.Store }

func (s upsert) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := storage.CheckSwap(key, old, next); err == nil && old == "" {
		return force(ctx, s.Store, key, next)
	}
	return s.Store.Swap(ctx, key, old, next)
}

type foldRevision struct{ storage.Store }

func (s foldRevision) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if now, err := s.Get(ctx, key); err == nil && strings.EqualFold(string(now.Revision),
		string(old)) && next.Revision != old {
		old = now.Revision
	}
	return s.Store.Swap(ctx, key, old, next)
}

type mapKeys struct {
	storage.Store
	f func(string) string
}

func (s mapKeys) key(k string) string {
	if storage.CheckKey(k) != nil {
		return k
	}
	return s.f(k)
}

func (s mapKeys) Get(ctx context.Context, key string) (storage.Record, error) {
	return s.Store.Get(ctx, s.key(key))
}

func (s mapKeys) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.Store.Swap(ctx, s.key(key), old, next)
}

func (s mapKeys) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.Store.Delete(ctx, s.key(key), old)
}

// mapData keeps f of the data, which begins with a byte of its own so as not to be empty.
type mapData struct {
	storage.Store
	f func([]byte) []byte
}

func (s mapData) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	if err == nil {
		r.Data = r.Data[1:]
	}
	return r, err
}

func (s mapData) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := storage.CheckSwap(key, old, next); err != nil {
		return err
	}
	next.Data = s.f(next.Data)
	if len(next.Data) > storage.MaxDataLen {
		next.Data = next.Data[:storage.MaxDataLen]
	}
	return s.Store.Swap(ctx, key, old, next)
}

type unlimited struct{ storage.Store }

func (s unlimited) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	next.Data = next.Data[:min(len(next.Data), storage.MaxDataLen)]
	return s.Store.Swap(ctx, key, old, next)
}

// cached serves reads from what it saw or wrote itself.
type cached struct {
	storage.Store
	seen sync.Map
}

func (s *cached) Get(ctx context.Context, key string) (storage.Record, error) {
	if r, ok := s.seen.Load(key); ok && ctx.Err() == nil {
		r := r.(storage.Record)
		return storage.Record{Revision: r.Revision, Data: bytes.Clone(r.Data)}, nil
	}
	r, err := s.Store.Get(ctx, key)
	if err == nil {
		s.seen.Store(key, storage.Record{Revision: r.Revision, Data: bytes.Clone(r.Data)})
	}
	return r, err
}

func (s *cached) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.Store.Swap(ctx, key, old, next)
	switch {
	case err == nil:
		s.seen.Store(key, storage.Record{Revision: next.Revision, Data: bytes.Clone(next.Data)})
	case errors.Is(err, storage.ErrConflict):
		// It learns of a conflict, or its own callers would never get past one.
		s.seen.Delete(key)
	}
	return err
}

func (s *cached) Delete(ctx context.Context, key string, old storage.Revision) error {
	err := s.Store.Delete(ctx, key, old)
	if err == nil {
		s.seen.Delete(key)
	}
	return err
}

// lagging serves the first read after a write with what was there before it.
type lagging struct {
	storage.Store
	old sync.Map
}

func (s *lagging) Get(ctx context.Context, key string) (storage.Record, error) {
	if r, ok := s.old.LoadAndDelete(key); ok && ctx.Err() == nil {
		if r := r.(storage.Record); r.Revision != "" {
			return r, nil
		}
		return storage.Record{}, storage.ErrNotFound
	}
	return s.Store.Get(ctx, key)
}

func (s *lagging) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	was, _ := s.Store.Get(ctx, key)
	err := s.Store.Swap(ctx, key, old, next)
	if err == nil {
		s.old.Store(key, was)
	}
	return err
}

type hidesErrors struct{ storage.Store }

func (s hidesErrors) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	if err != nil && storage.CheckKey(key) == nil {
		return storage.Record{}, storage.ErrNotFound
	}
	return r, err
}

type hidesWriteErrors struct{ storage.Store }

func (s hidesWriteErrors) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.Store.Swap(ctx, key, old, next)
	if err != nil && storage.CheckSwap(key, old, next) == nil {
		return storage.ErrConflict
	}
	return err
}

type noContext struct{ storage.Store }

func (s noContext) Swap(
	_ context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.Store.Swap(context.Background(), key, old, next)
}

// keepsSlice keeps what it was given, and gives out copies.
type keepsSlice struct {
	storage.Store
	mu   sync.Mutex
	data map[string][]byte // by key and revision
}

func (s *keepsSlice) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	err := s.Store.Swap(ctx, key, old, next)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.data[key+"\x00"+string(next.Revision)] = next.Data
	}
	return err
}

func (s *keepsSlice) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.data[key+"\x00"+string(r.Revision)]; ok && err == nil {
		r.Data = bytes.Clone(kept)
	}
	return r, err
}

// lendsSlice keeps copies, and gives out the copy itself.
type lendsSlice struct {
	storage.Store
	mu   sync.Mutex
	data map[string][]byte
}

func (s *lendsSlice) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	if err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := key + "\x00" + string(r.Revision)
	if _, ok := s.data[at]; !ok {
		s.data[at] = r.Data
	}
	r.Data = s.data[at]
	return r, nil
}

// comparesData takes a past revision for the present one if their data is the same.
type comparesData struct {
	storage.Store
	mu  sync.Mutex
	was map[string][]byte // by key and revision
}

func (s *comparesData) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	now, _ := s.Store.Get(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.was[key+"\x00"+string(old)]; ok && bytes.Equal(was, sum(now.Data)) {
		old = now.Revision
	}
	err := s.Store.Swap(ctx, key, old, next)
	if err == nil {
		s.was[key+"\x00"+string(next.Revision)] = sum(next.Data)
	}
	return err
}

func sum(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

// tombstone takes the revision of a deleted record for a present one.
type tombstone struct {
	storage.Store
	mu   sync.Mutex
	last map[string]storage.Revision
}

func (s *tombstone) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[key]; ok && last == old && old != "" {
		old = ""
	}
	return s.Store.Swap(ctx, key, old, next)
}

func (s *tombstone) Delete(ctx context.Context, key string, old storage.Revision) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Store.Delete(ctx, key, old)
	if err == nil {
		s.last[key] = old
	}
	return err
}

type zeroRecord struct{ storage.Store }

func (s zeroRecord) Get(ctx context.Context, key string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	return r, err
}

type deletesAll struct{ storage.Store }

func (s deletesAll) Delete(ctx context.Context, key string, old storage.Revision) error {
	if now, err := s.Get(ctx, key); err == nil && storage.CheckDelete(key, old) == nil {
		old = now.Revision
	}
	return s.Store.Delete(ctx, key, old)
}

// likes takes a per cent sign in a prefix for a wildcard, as LIKE does.
type likes struct{ storage.Store }

func (s likes) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	prefix, _, _ = strings.Cut(prefix, "%")
	return s.Store.(storage.Lister).List(ctx, prefix, cursor, limit)
}

// byOffset pages as LIMIT and OFFSET do.
type byOffset struct{ storage.Store }

func (s byOffset) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	all, _, err := s.Store.(storage.Lister).List(ctx, prefix, "", 100000)
	if err != nil || limit < 1 {
		return nil, "", errors.Join(err, storage.ErrInvalid)
	}
	offset, _ := strconv.Atoi(string(cursor))
	page := all[min(offset, len(all)):min(offset+limit, len(all))]
	if offset+limit >= len(all) {
		return page, "", nil
	}
	return page, storage.Cursor(strconv.Itoa(offset + limit)), nil
}

// inclusive begins a page with the last entry of the page before.
type inclusive struct{ storage.Store }

func (s inclusive) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	page, next, err := s.Store.(storage.Lister).List(ctx, prefix, cursor, limit)
	if r, getErr := s.Get(ctx, string(cursor)); err == nil && getErr == nil {
		page = append([]storage.Entry{{Key: string(cursor), Record: r}}, page...)
		page = page[:min(len(page), limit)]
		if next != "" {
			next = storage.Cursor(page[len(page)-1].Key)
		}
	}
	return page, next, err
}

// exclusive steps over the first entry of each page but the first.
type exclusive struct{ storage.Store }

func (s exclusive) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	page, next, err := s.Store.(storage.Lister).List(ctx, prefix, cursor, limit)
	if cursor != "" && len(page) > 1 {
		page = page[1:]
	}
	return page, next, err
}

// allAtOnce knows no pages.
type allAtOnce struct{ storage.Store }

func (s allAtOnce) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	if limit < 1 {
		return nil, "", storage.ErrInvalid
	}
	return s.Store.(storage.Lister).List(ctx, prefix, cursor, 100000)
}

// ownCursors keeps the positions of its walks to itself.
type ownCursors struct {
	storage.Store
	at map[storage.Cursor]storage.Cursor
}

func (s *ownCursors) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	after, ok := s.at[cursor]
	if !ok && cursor != "" {
		return nil, "", storage.ErrInvalid
	}
	page, next, err := s.Store.(storage.Lister).List(ctx, prefix, after, limit)
	if next == "" {
		return page, "", err
	}
	cursor = storage.Cursor(strconv.Itoa(len(s.at) + 1))
	s.at[cursor] = next
	return page, cursor, err
}

type quietList struct{ storage.Store }

func (s quietList) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	page, next, _ := s.Store.(storage.Lister).List(ctx, prefix, cursor, limit)
	return page, next, nil
}
