package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/storage/storagetest"
)

func Example() {
	ctx := context.Background()
	store := memory.New()

	// A write names the revision it replaces; "" means that there must be no record yet.
	fmt.Println(store.Swap(ctx, "alice", "", storage.Record{Revision: "r1", Data: []byte("one")}))
	fmt.Println(store.Swap(ctx, "alice", "", storage.Record{Revision: "r2", Data: []byte("two")}))
	fmt.Println(store.Swap(ctx, "alice", "r1", storage.Record{Revision: "r3",
		Data: []byte("three")}))
	// Output:
	// <nil>
	// storage: revision conflict
	// <nil>
}

func TestStore_Conforms(t *testing.T) {
	store := memory.New()
	storagetest.Run(t, func(*testing.T) storage.Store { return store })
}

// A walk that rewrites and deletes what it sees still sees every key once.
func TestList_WhileRecordsChange(t *testing.T) {
	ctx, store := t.Context(), memory.New()
	for i := range 100 {
		if err := store.Swap(ctx, fmt.Sprintf("k%03d", i), "", storage.Record{Revision: "r1",
			Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	after, seen := storage.Cursor(""), 0
	for {
		page, next, err := store.List(ctx, "k", after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range page {
			if want := fmt.Sprintf("k%03d", seen); e.Key != want {
				t.Fatalf("key %q, want %q", e.Key, want)
			}
			if i%2 == 0 {
				err = store.Swap(ctx, e.Key, "r1", storage.Record{Revision: "r2",
					Data: []byte("y")})
			} else {
				err = store.Delete(ctx, e.Key, "r1")
			}
			if err != nil {
				t.Fatal(err)
			}
			seen++
		}
		if next == "" {
			break
		}
		after = next
	}
	if seen != 100 {
		t.Errorf("saw %d keys, want 100", seen)
	}
}

func TestList_HonoursTheLimit(t *testing.T) {
	for _, limit := range []int{0, -1} {
		if _, _, err := memory.New().List(t.Context(), "", "", limit); !errors.Is(err,
			storage.ErrInvalid) {
			t.Errorf("limit %d: %v, want ErrInvalid", limit, err)
		}
	}
}

// BenchmarkSwap shows that the cost of a write does not grow with the number of users: the
// ratio is that of 200 thousand to one thousand, measured in turns.
func BenchmarkSwap(b *testing.B) {
	const turn = 256
	ctx, data := context.Background(), make([]byte, 2048)
	sizes := []int{1_000, 200_000}
	stores := make([]*memory.Store, len(sizes))
	for i, users := range sizes {
		stores[i] = memory.New()
		for u := range users {
			if err := stores[i].Swap(ctx, fmt.Sprint("user-", u), "", storage.Record{Revision: "r0",
				Data: data[:16]}); err != nil {
				b.Fatal(err)
			}
		}
	}
	elapsed := make([]float64, len(sizes))
	old, n := storage.Revision("r0"), 0
	b.ResetTimer()
	for b.Loop() {
		was := old
		for i, store := range stores {
			old = was
			start := b.Elapsed()
			for t := range turn {
				next := storage.Revision(fmt.Sprint("r", n*turn+t+1))
				if err := store.Swap(ctx, "user-7", old, storage.Record{Revision: next,
					Data: data}); err != nil {
					b.Fatal(err)
				}
				old = next
			}
			elapsed[i] += float64(b.Elapsed() - start)
		}
		n++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(elapsed[1]/float64(b.N*turn), "ns/swap")
	b.ReportMetric(elapsed[1]/elapsed[0], "200k-users/1k-users")
}
