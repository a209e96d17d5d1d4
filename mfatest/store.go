package mfatest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/secondgate/secondgate/storage"
)

// Op names an operation of a store.
type Op string

// The operations of [storage.Store], and the one of [storage.Lister]. A batch of a
// [storage.BatchSwapper] is one OpSwap.
const (
	OpGet    Op = "get"
	OpSwap   Op = "swap"
	OpDelete Op = "delete"
	OpList   Op = "list"
)

// Fault is what goes wrong with one call. Its fields apply in their order. The zero value lets
// the call pass, with which a test reaches the second write of an operation.
type Fault struct {
	// Run is called first, with no lock held. It may do what another process would do at
	// this moment: change the record behind the caller's back, move the clock, cancel.
	Run func(ctx context.Context, key string)

	// Before is returned without asking the store: nothing was read or written. Use
	// [storage.ErrConflict] here for a writer that was faster, and is now gone.
	Before error

	// After is returned once the store has done the call, whatever the store returned, as when
	// the connection breaks before the reply arrives: a write was made and looks failed.
	After error
}

// FaultyStore passes calls on to a store, except those that a test lets fail. Make one
// with [NewFaultyStore]; it is safe for concurrent use.
type FaultyStore struct {
	inner storage.Store

	mu    sync.Mutex
	calls map[Op]int
	plan  map[Op][]planned
}

type planned struct {
	fault Fault
	times int // negative: without end
}

var (
	_ storage.Store        = (*FaultyStore)(nil)
	_ storage.Lister       = (*FaultyStore)(nil)
	_ storage.BatchSwapper = (*FaultyStore)(nil)
)

// NewFaultyStore returns a FaultyStore that passes everything on to inner. It panics if
// inner is nil.
func NewFaultyStore(inner storage.Store) *FaultyStore {
	if inner == nil {
		panic("mfatest: NewFaultyStore needs a store; memory.New() is one")
	}
	return &FaultyStore{inner: inner, calls: make(map[Op]int), plan: make(map[Op][]planned)}
}

// Inject lets the next calls of op meet fault, as many as times says; a negative number
// means all of them, until [FaultyStore.Heal]. Faults of one operation form a queue: those
// injected first come first.
func (s *FaultyStore) Inject(op Op, times int, fault Fault) {
	switch op {
	case OpGet, OpSwap, OpDelete, OpList:
	default:
		panic(fmt.Sprintf("mfatest: Inject of %q; the operations are get, swap, delete and list",
			op))
	}
	if times == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan[op] = append(s.plan[op], planned{fault, times})
}

// Heal forgets all faults not yet met. The numbers of calls stay.
func (s *FaultyStore) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.plan)
}

// Calls returns how many calls of op there were, those that met a fault included.
func (s *FaultyStore) Calls(op Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// Pending returns how many injected faults are still to be met, negative if without end.
// A test that ends with some left did not test what it meant to.
func (s *FaultyStore) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, queue := range s.plan {
		for _, p := range queue {
			if p.times < 0 {
				return -1
			}
			n += p.times
		}
	}
	return n
}

// Get implements [storage.Store].
func (s *FaultyStore) Get(ctx context.Context, key string) (rec storage.Record, err error) {
	err = s.do(ctx, OpGet, key, func() (err error) {
		rec, err = s.inner.Get(ctx, key)
		return err
	})
	if err != nil {
		return storage.Record{}, err
	}
	return rec, nil
}

// Swap implements [storage.Store].
func (s *FaultyStore) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return s.do(ctx, OpSwap, key, func() error { return s.inner.Swap(ctx, key, old, next) })
}

// Delete implements [storage.Store].
func (s *FaultyStore) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.do(ctx, OpDelete, key, func() error { return s.inner.Delete(ctx, key, old) })
}

// List implements [storage.Lister]. If the store inside is no Lister, the error wraps
// [errors.ErrUnsupported]. A Fault's Run is given the prefix.
func (s *FaultyStore) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) (page []storage.Entry, next storage.Cursor, err error) {
	err = s.do(ctx, OpList, prefix, func() (err error) {
		lister, ok := s.inner.(storage.Lister)
		if !ok {
			return fmt.Errorf("mfatest: %T cannot list: %w", s.inner, errors.ErrUnsupported)
		}
		page, next, err = lister.List(ctx, prefix, cursor, limit)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return page, next, nil
}

// SwapBatch implements [storage.BatchSwapper]. If the store inside is no BatchSwapper, the error
// wraps [errors.ErrUnsupported], and no fault is met. A Fault's Run is given the first key, or "".
func (s *FaultyStore) SwapBatch(
	ctx context.Context, old []storage.Entry, next []storage.Record,
) (swapped []bool, err error) {
	swapper, ok := s.inner.(storage.BatchSwapper)
	if !ok {
		return nil, fmt.Errorf("mfatest: %T cannot swap batches: %w", s.inner,
			errors.ErrUnsupported)
	}
	key := ""
	if len(old) > 0 {
		key = old[0].Key
	}
	err = s.do(ctx, OpSwap, key, func() (err error) {
		swapped, err = swapper.SwapBatch(ctx, old, next)
		return err
	})
	if err != nil {
		return nil, err
	}
	return swapped, nil
}

func (s *FaultyStore) do(ctx context.Context, op Op, key string, call func() error) error {
	fault := s.next(op)
	if fault.Run != nil {
		fault.Run(ctx, key)
	}
	if fault.Before != nil {
		return fault.Before
	}
	err := call()
	if fault.After != nil {
		return fault.After
	}
	return err
}

// next counts a call and takes the fault that is its due.
func (s *FaultyStore) next(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[op]++
	queue := s.plan[op]
	if len(queue) == 0 {
		return Fault{}
	}
	fault := queue[0].fault
	if queue[0].times > 0 {
		queue[0].times--
	}
	if queue[0].times == 0 {
		s.plan[op] = queue[1:]
	}
	return fault
}
