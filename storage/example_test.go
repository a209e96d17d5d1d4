package storage_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/storagetest"
)

// A store of one's own: three methods. This one keeps records in a map; storage/storagetest
// has the kit that every adapter must pass.
type mapStore struct {
	mu      sync.Mutex
	records map[string]storage.Record
}

var _ storage.Store = (*mapStore)(nil)

func (s *mapStore) Get(ctx context.Context, key string) (storage.Record, error) {
	if err := ctx.Err(); err != nil {
		return storage.Record{}, err
	}
	if err := storage.CheckKey(key); err != nil {
		return storage.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[key]
	if !ok {
		return storage.Record{}, storage.ErrNotFound
	}
	r.Data = append([]byte(nil), r.Data...) // callers own what they are given
	return r, nil
}

func (s *mapStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	if err := storage.CheckSwap(key, old, next); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // before anything is changed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Revision != old { // "" if there is none
		return storage.ErrConflict
	}
	next.Data = append([]byte(nil), next.Data...)
	s.records[key] = next
	return nil
}

func (s *mapStore) Delete(ctx context.Context, key string, old storage.Revision) error {
	if err := storage.CheckDelete(key, old); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // before anything is changed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Revision != old {
		return storage.ErrConflict
	}
	delete(s.records, key)
	return nil
}

func Example_writeYourOwnStore() {
	s := &mapStore{records: map[string]storage.Record{}}
	ctx := context.Background()
	fmt.Println(s.Swap(ctx, "k", "", storage.Record{Revision: "1", Data: []byte("a")}))
	fmt.Println(s.Swap(ctx, "k", "", storage.Record{Revision: "2", Data: []byte("b")}))
	fmt.Println(s.Swap(ctx, "k", "1", storage.Record{Revision: "2", Data: []byte("b")}))
	// Output:
	// <nil>
	// storage: revision conflict
	// <nil>
}

func TestExampleStore_Conforms(t *testing.T) {
	s := &mapStore{records: map[string]storage.Record{}}
	storagetest.Run(t, func(*testing.T) storage.Store { return s })
}
