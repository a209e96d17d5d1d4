package mfatest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/storagetest"
)

var errFault = errors.New("the connection is gone")

func ExampleFaultyStore() {
	ctx := context.Background()
	store := mfatest.NewFaultyStore(memory.New())
	errNetwork := errors.New("the connection is gone")

	// The first write is made, but its caller cannot know that.
	store.Inject(mfatest.OpSwap, 1, mfatest.Fault{After: errNetwork})
	fmt.Println(store.Swap(ctx, "alice", "", storage.Record{Revision: "r1", Data: []byte("one")}))

	rec, err := store.Get(ctx, "alice")
	fmt.Printf("%s %v, %d swap\n", rec.Data, err, store.Calls(mfatest.OpSwap))
	// Output:
	// the connection is gone
	// one <nil>, 1 swap
}

// Without faults it is as good a store as the one inside.
func TestFaultyStore_ConformsWithoutFaults(t *testing.T) {
	store := mfatest.NewFaultyStore(memory.New())
	storagetest.Run(t, func(*testing.T) storage.Store { return store })
}

func record(revision storage.Revision) storage.Record {
	return storage.Record{Revision: revision, Data: []byte("x")}
}

// opBatch is a batch of one swap, which a FaultyStore counts as a swap.
const opBatch mfatest.Op = "batch"

// call runs op on the record "k", which has revision "r1".
func call(ctx context.Context, s *mfatest.FaultyStore, op mfatest.Op) error {
	var err error
	switch op {
	case mfatest.OpGet:
		var r storage.Record
		if r, err = s.Get(ctx, "k"); err != nil && (r.Revision != "" || r.Data != nil) {
			return fmt.Errorf("a record came with the error %w", err)
		}
	case mfatest.OpSwap:
		err = s.Swap(ctx, "k", "r1", record("r2"))
	case mfatest.OpDelete:
		err = s.Delete(ctx, "k", "r1")
	case mfatest.OpList:
		var page []storage.Entry
		if page, _, err = s.List(ctx, "", "", 1); err != nil && page != nil {
			return fmt.Errorf("a page came with the error %w", err)
		}
	case opBatch:
		var swapped []bool
		swapped, err = s.SwapBatch(ctx, []storage.Entry{{Key: "k", Record: record("r1")}},
			[]storage.Record{record("r2")})
		if err != nil && swapped != nil {
			return fmt.Errorf("a result came with the error %w", err)
		}
		if err == nil && !swapped[0] {
			err = storage.ErrConflict
		}
	}
	return err
}

func TestFaultyStore_FailsBeforeAndAfterTheCall(t *testing.T) {
	for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpSwap, mfatest.OpDelete,
		mfatest.OpList, opBatch} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%v", op, after), func(t *testing.T) {
				ctx, inner := t.Context(), memory.New()
				if err := inner.Swap(ctx, "k", "", record("r1")); err != nil {
					t.Fatal(err)
				}
				s := mfatest.NewFaultyStore(inner)
				fault := mfatest.Fault{Before: errFault}
				if after {
					fault = mfatest.Fault{After: errFault}
				}
				counted := op
				if op == opBatch {
					counted = mfatest.OpSwap
				}
				s.Inject(counted, 1, fault)
				if err := call(ctx, s, op); !errors.Is(err, errFault) {
					t.Fatalf("error %v, want the fault", err)
				}
				now, err := inner.Get(ctx, "k")
				changed := errors.Is(err, storage.ErrNotFound) || now.Revision != "r1"
				if want := after && op != mfatest.OpGet && op != mfatest.OpList; changed != want {
					t.Errorf("the record was changed: %v, want %v", changed, want)
				}
				// The fault was for one call.
				err = call(ctx, s, op)
				if changed && !errors.Is(err, storage.ErrConflict) || !changed && err != nil {
					t.Errorf("the call after the fault: %v", err)
				}
				if n := s.Calls(counted); n != 2 || s.Pending() != 0 {
					t.Errorf("%d calls, %d pending, want 2 and 0", n, s.Pending())
				}
			})
		}
	}
}

func TestFaultyStore_QueuesFaults(t *testing.T) {
	ctx := t.Context()
	s := mfatest.NewFaultyStore(memory.New())
	other := errors.New("other")
	s.Inject(mfatest.OpSwap, 1, mfatest.Fault{}) // lets the first write pass
	s.Inject(mfatest.OpSwap, 2, mfatest.Fault{Before: storage.ErrConflict})
	s.Inject(mfatest.OpSwap, 0, mfatest.Fault{Before: errFault})
	s.Inject(mfatest.OpSwap, -1, mfatest.Fault{Before: other})
	if s.Pending() >= 0 {
		t.Errorf("pending %d, want it without end", s.Pending())
	}
	want := []error{nil, storage.ErrConflict, storage.ErrConflict, other, other, other}
	for i, want := range want {
		if err := s.Swap(ctx, "k", "", record("r1")); !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i, err, want)
		}
	}
	if _, err := s.Get(ctx, "k"); err != nil {
		t.Errorf("a read met a fault of writes: %v", err)
	}
	s.Heal()
	if err := s.Swap(ctx, "k", "r1", record("r2")); err != nil {
		t.Errorf("after Heal: %v", err)
	}
	if s.Calls(mfatest.OpSwap) != len(want)+1 || s.Pending() != 0 {
		t.Errorf("%d calls, %d pending", s.Calls(mfatest.OpSwap), s.Pending())
	}
}

// Run may use the store it was injected in, and is how a test makes a true conflict.
func TestFault_RunMayUseTheStore(t *testing.T) {
	ctx := t.Context()
	s := mfatest.NewFaultyStore(memory.New())
	if err := s.Swap(ctx, "k", "", record("r1")); err != nil {
		t.Fatal(err)
	}
	s.Inject(mfatest.OpSwap, 1, mfatest.Fault{Run: func(ctx context.Context, key string) {
		if err := s.Swap(ctx, key, "r1", record("faster")); err != nil {
			t.Error(err)
		}
	}})
	if err := s.Swap(ctx, "k", "r1", record("r2")); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("error %v, want a conflict with the faster writer", err)
	}
}

func TestFaultyStore_InParallel(t *testing.T) {
	s := mfatest.NewFaultyStore(memory.New())
	s.Inject(mfatest.OpGet, 20, mfatest.Fault{Before: errFault})
	var faults atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), "k"); errors.Is(err, errFault) {
				faults.Add(1)
			}
		})
	}
	wg.Wait()
	if faults.Load() != 20 || s.Calls(mfatest.OpGet) != 64 {
		t.Errorf("%d faults in %d calls, want 20 in 64", faults.Load(), s.Calls(mfatest.OpGet))
	}
}

func TestFaultyStore_OverAStoreWithoutList(t *testing.T) {
	s := mfatest.NewFaultyStore(struct{ storage.Store }{memory.New()})
	if _, _, err := s.List(t.Context(), "", "", 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
}

func TestFaultyStore_PanicsOnMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"no store": func() { mfatest.NewFaultyStore(nil) },
		"unknown op": func() {
			mfatest.NewFaultyStore(memory.New()).Inject("put", 1, mfatest.Fault{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic: a test would run without the fault it asks for")
				}
			}()
			f()
		})
	}
}
