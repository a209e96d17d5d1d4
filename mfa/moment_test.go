package mfa_test

import (
	"context"
	"strings"
	"sync"

	"github.com/secondgate/secondgate/storage"
)

// momentStore runs something once, before a chosen access to a user's record.
type momentStore struct {
	storage.Store
	mu    sync.Mutex
	skip  int
	swap  bool
	do    func()
	every bool
	any   bool // whatever the record
}

// arm lets do happen before the next swap, or after skip reads have been made.
func (s *momentStore) arm(swap bool, skip int, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swap, s.skip, s.do = swap, skip, do
}

func (s *momentStore) at(key string, swap bool) {
	s.mu.Lock()
	do := s.do
	if do == nil || swap != s.swap || !s.any && !strings.HasPrefix(key, "p/") {
		s.mu.Unlock()
		return
	}
	if s.skip--; s.skip >= 0 {
		s.mu.Unlock()
		return
	}
	s.skip = 0
	s.do = nil
	s.mu.Unlock()
	do()
	if s.every {
		s.arm(swap, 0, do)
	}
}

func (s *momentStore) Get(ctx context.Context, key string) (storage.Record, error) {
	s.at(key, false)
	return s.Store.Get(ctx, key)
}

func (s *momentStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	s.at(key, true)
	return s.Store.Swap(ctx, key, old, next)
}
