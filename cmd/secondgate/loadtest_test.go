package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

func TestLatencies_AreWithinTwoPercent(t *testing.T) {
	var all, half latencies
	for i := range 1000 {
		l := &all
		if i%2 == 1 {
			l = &half
		}
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	all.merge(&half)
	for share, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond,
		0.95: 950 * time.Millisecond, 0.99: 990 * time.Millisecond, 1: time.Second} {
		got := all.within(share)
		if got < want || got > want+want/50+time.Millisecond {
			t.Errorf("%v: got %s, want %s", share, got, want)
		}
	}
	var none latencies
	if got := none.within(0.5); got != 0 {
		t.Errorf("of none: got %s", got)
	}
	none.add(0)
	none.add(1000 * time.Hour)
	if got := none.within(1); got > 1000*time.Hour || got < time.Hour {
		t.Errorf("beyond the classes: got %s", got)
	}
}

// put makes a record in a store.
func put(t *testing.T, s storage.Store, key string) {
	t.Helper()
	rec := storage.Record{Revision: storage.Revision(key), Data: []byte(key)}
	if err := s.Swap(t.Context(), key, "", rec); err != nil {
		t.Fatal(err)
	}
}

// Two load tests and the application share a store, and see nothing of each other.
func TestScratch_KeepsToItsPrefix(t *testing.T) {
	inner := memory.New()
	put(t, inner, "ann")
	first, second := newScratch(inner), newScratch(inner)
	put(t, first, "ann")
	put(t, second, "ann")
	if err := first.Delete(t.Context(), "ann", "ann"); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Get(t.Context(), "ann"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	put(t, first, "bob")
	if err := first.Swap(t.Context(), "bob", "", storage.Record{Revision: "2",
		Data: []byte("x")}); !errors.Is(err, storage.ErrConflict) || first.conflicts.Load() != 1 {
		t.Errorf("got %v and %d conflicts, want one", err, first.conflicts.Load())
	}
	n, err := clearScratch(t.Context(), inner, first.prefix, func(int) {})
	if n != 1 || err != nil {
		t.Errorf("deleted %d: %v", n, err)
	}
	for _, s := range []storage.Store{inner, second} {
		if _, err := s.Get(t.Context(), "ann"); err != nil {
			t.Error(err)
		}
	}
}

// wide lists all records, whatever prefix is asked for.
type wide struct{ *memory.Store }

func (w wide) List(
	ctx context.Context, _ string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	return w.Store.List(ctx, "", cursor, limit)
}

// A prefix that is not one of load tests, and a store that lists too much, delete no user.
func TestClearScratch_DeletesNoUser(t *testing.T) {
	inner := memory.New()
	put(t, inner, "ann")
	for _, prefix := range []string{"", "a", anyScratch, scratchPrefix} {
		if _, err := clearScratch(t.Context(), wide{inner}, prefix, func(int) {}); err == nil {
			t.Errorf("%q was cleared", prefix)
		}
	}
	for _, prefix := range []string{"", "a", "ann"} {
		if _, err := clearScratch(t.Context(), inner, prefix, func(int) {}); err == nil {
			t.Errorf("%q was cleared in a store that lists what it is to", prefix)
		}
	}
	if _, err := inner.Get(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
}
