package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// batchRules are about stores that swap several records in one call.
func batchRules() []rule {
	return []rule{
		{"batch-conditions", "A batch that writes over a record which changed meanwhile undoes a " +
			"used code or a failed attempt; a swap that is reported as made and was not keeps a " +
			"retired encryption key in use.", batchConditions},
		{"batch-creates", "A batch that creates a record over another one drops what a user has, and " +
			"one that says so without having done it loses a user of an import.", batchCreates},
		{"batch-arguments", "A batch with an error in it must write nothing, or the caller takes " +
			"records for unchanged that are not.", batchArguments},
		{"batch-large", "A batch that is cut off at a limit of the database leaves users with " +
			"a retired encryption key, and nothing says so.", batchLarge},
		{"batch-race", "Of many simultaneous writes on one revision at most one may win, in a batch " +
			"or alone; each further winner is a guess that was not counted.", batchRace},
	}
}

// swapper opens a store, and returns no swapper if the store swaps no batches.
func swapper(ctx context.Context, sub *subject) (storage.Store, storage.BatchSwapper, error) {
	s := sub.open()
	b, ok := s.(storage.BatchSwapper)
	if !ok {
		return s, nil, nil
	}
	swapped, err := b.SwapBatch(ctx, nil, nil)
	if errors.Is(err, errors.ErrUnsupported) {
		return s, nil, nil
	}
	if err != nil || len(swapped) > 0 {
		return s, nil, fmt.Errorf("an empty batch: %d swaps, error %v, want none", len(swapped),
			err)
	}
	return s, b, nil
}

// from is the entry that a swap expects under a key.
func from(k string, old storage.Revision) storage.Entry {
	return storage.Entry{Key: k, Record: storage.Record{Revision: old}}
}

// createAll makes records with the revision r, whose data is their key.
func createAll(ctx context.Context, s storage.Store, keys ...string) error {
	for _, k := range keys {
		if err := is("create", s.Swap(ctx, k, "", rec("r", k)), nil); err != nil {
			return err
		}
	}
	return nil
}

func batchConditions(ctx context.Context, sub *subject) error {
	s, b, err := swapper(ctx, sub)
	if b == nil || err != nil {
		return err
	}
	under := key("")
	var old []storage.Entry
	for i, ending := range alike {
		revisions := []storage.Revision{"r", "r", "R", "r ", "r\x00", "other"}
		old = append(old, from(under+ending, revisions[i%len(revisions)]))
	}
	changed, gone, anew := under+"changed", under+"gone", under+"anew"
	all := []string{changed, gone, anew}
	for _, e := range old {
		all = append(all, e.Key)
	}
	err = first(
		func() error { return createAll(ctx, s, all...) },
		func() error { return is("swap", s.Swap(ctx, changed, "r", rec("r2", "second")), nil) },
		func() error { return is("delete", s.Delete(ctx, gone, "r"), nil) },
		func() error { return is("delete", s.Delete(ctx, anew, "r"), nil) },
		func() error { return is("create", s.Swap(ctx, anew, "", rec("r3", "third")), nil) },
	)
	if err != nil {
		return err
	}
	want := map[string]storage.Record{changed: rec("r2", "second"), anew: rec("r3", "third")}
	old = append(old, from(changed, "r"), from(gone, "r"), from(anew, "r"),
		from(under+"never", "r"))
	next := make([]storage.Record, len(old))
	for i, e := range old {
		next[i] = storage.Record{Revision: "next", Data: run(i, 256+i)}
		if _, other := want[e.Key]; !other {
			want[e.Key] = rec("r", e.Key)
		}
		if i < len(alike) && e.Record.Revision == "r" {
			want[e.Key] = storage.Record{Revision: "next", Data: slices.Clone(next[i].Data)}
		}
	}
	return swapAll(ctx, sub, b, old, next, want)
}

// swapAll swaps a batch, overwrites what it was given, and compares what is there with want.
func swapAll(
	ctx context.Context, sub *subject, b storage.BatchSwapper, old []storage.Entry,
	next []storage.Record, want map[string]storage.Record,
) error {
	swapped, err := b.SwapBatch(ctx, old, next)
	if err != nil || len(swapped) != len(old) {
		return fmt.Errorf("a batch of %d: %d results, error %v", len(old), len(swapped), err)
	}
	for i := range next {
		clear(next[i].Data)
	}
	return afterBatch(ctx, sub, old, swapped, want)
}

// afterBatch compares what a batch reported with what is there, through another store.
func afterBatch(
	ctx context.Context, sub *subject, old []storage.Entry, swapped []bool,
	want map[string]storage.Record,
) error {
	s := sub.open()
	for i, e := range old {
		if w := want[e.Key].Revision == "next"; swapped[i] != w {
			return fmt.Errorf("a batch reports %v for the swap of %s, want %v", swapped[i],
				show([]byte(e.Key)), w)
		}
		check := holds(ctx, "after the batch", s, e.Key, want[e.Key])
		if strings.HasSuffix(e.Key, "/gone") || strings.HasSuffix(e.Key, "/never") {
			check = isAbsent(ctx, "after the batch", s, e.Key)
		}
		if check != nil {
			return check
		}
	}
	return nil
}

// batchCreates creates records in a batch that also replaces one.
func batchCreates(ctx context.Context, sub *subject) error {
	s, b, err := swapper(ctx, sub)
	if b == nil || err != nil {
		return err
	}
	under := key("")
	there, changed, gone := under+"there", under+"changed", under+"again"
	err = first(
		func() error { return createAll(ctx, s, there, changed, gone) },
		func() error { return is("delete", s.Delete(ctx, gone, "r"), nil) },
	)
	if err != nil {
		return err
	}
	old := []storage.Entry{from(there, ""), from(changed, "r"), from(gone, "")}
	for _, ending := range alike {
		old = append(old, from(under+ending, ""))
	}
	next, want := make([]storage.Record, len(old)), map[string]storage.Record{}
	for i, e := range old {
		next[i] = storage.Record{Revision: "next", Data: run(i, 256+i)}
		want[e.Key] = storage.Record{Revision: "next", Data: slices.Clone(next[i].Data)}
	}
	want[there] = rec("r", there)
	return swapAll(ctx, sub, b, old, next, want)
}

func batchArguments(ctx context.Context, sub *subject) error {
	s, b, err := swapper(ctx, sub)
	if b == nil || err != nil {
		return err
	}
	one, two := key("one"), key("two")
	if err := createAll(ctx, s, one, two); err != nil {
		return err
	}
	good, next := from(one, "r"), rec("next", "x")
	long := strings.Repeat("r", storage.MaxRevisionLen+1)
	for _, c := range []struct {
		what string
		old  []storage.Entry
		next []storage.Record
	}{
		{"a key that comes twice", []storage.Entry{good, from(two, "r"), good},
			[]storage.Record{next, next, rec("other", "y")}},
		{"a record too few", []storage.Entry{good, from(two, "r")}, []storage.Record{next}},
		{"a record too many", []storage.Entry{good}, []storage.Record{next, next}},
		{"an empty key", []storage.Entry{good, from("", "r")}, []storage.Record{next, next}},
		{"a key too long", []storage.Entry{good,
			from(strings.Repeat("k", storage.MaxKeyLen+1), "r")}, []storage.Record{next, next}},
		{"an old revision too long", []storage.Entry{good, from(two, storage.Revision(long))},
			[]storage.Record{next, next}},
		{"a revision too long", []storage.Entry{good, from(two, "r")},
			[]storage.Record{next, rec(storage.Revision(long), "x")}},
		{"the old revision again", []storage.Entry{good, from(two, "r")},
			[]storage.Record{next, rec("r", "x")}},
		{"data too long", []storage.Entry{good, from(two, "r")}, []storage.Record{next,
			{Revision: "next", Data: run(0, storage.MaxDataLen+1)}}},
		{"no data", []storage.Entry{good, from(two, "r")},
			[]storage.Record{next, {Revision: "next"}}},
	} {
		swapped, err := b.SwapBatch(ctx, c.old, c.next)
		if err := refused("a batch with "+c.what, swapped, err, storage.ErrInvalid); err != nil {
			return err
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	swapped, err := b.SwapBatch(gone, []storage.Entry{good}, []storage.Record{next})
	return first(
		func() error {
			return refused("a batch with a cancelled context", swapped, err, context.Canceled)
		},
		func() error { return holds(ctx, "after batches refused", s, one, rec("r", one)) },
		func() error { return holds(ctx, "after batches refused", s, two, rec("r", two)) },
	)
}

// refused expects an error without a result.
func refused(what string, swapped []bool, err, target error) error {
	if err == nil || swapped == nil {
		return is(what, err, target)
	}
	return fmt.Errorf("%s: a result came with the error %w", what, err)
}

// largeBatch has more rows than a statement of any database that we know has parameters for, at
// four parameters for a row.
const largeBatch = 17_000

func batchLarge(ctx context.Context, sub *subject) error {
	s, b, err := swapper(ctx, sub)
	if b == nil || err != nil {
		return err
	}
	under := key("")
	old, next := make([]storage.Entry, largeBatch), make([]storage.Record, largeBatch)
	for i := range old {
		old[i] = from(fmt.Sprintf("%s%d", under, i), "r")
		next[i] = rec("next", "x")
	}
	there := []int{0, 1, 16_383, 16_384, largeBatch - 1}
	for _, i := range there {
		if err := createAll(ctx, s, old[i].Key); err != nil {
			return err
		}
	}
	swapped, err := b.SwapBatch(ctx, old, next)
	if err != nil || len(swapped) != len(old) {
		return fmt.Errorf("a batch of %d: %d results, error %v", len(old), len(swapped), err)
	}
	for i, made := range swapped {
		if want := slices.Contains(there, i); made != want {
			return fmt.Errorf("a batch of %d reports %v for swap %d, want %v", len(old), made, i,
				want)
		}
	}
	for _, i := range there {
		if err := holds(ctx, "after the batch", s, old[i].Key, next[i]); err != nil {
			return err
		}
	}
	return nil
}

// batchRace lets half of the racers swap several records at once, and the others one of them.
func batchRace(ctx context.Context, sub *subject) error {
	s, b, err := swapper(ctx, sub)
	if b == nil || err != nil {
		return err
	}
	for round := range rounds {
		old, err := raced(ctx, s, round%2 == 0)
		if err != nil {
			return err
		}
		won := make([][]bool, racers)
		for _, err := range race(sub, func(s storage.Store, i int) (err error) {
			won[i], err = raceBatch(ctx, s, i, old)
			return err
		}) {
			if err != nil {
				return fmt.Errorf("batches and swaps by %d callers at once: %w", racers, err)
			}
		}
		for j, e := range old {
			want := storage.Record{Revision: e.Record.Revision, Data: []byte(e.Key)}
			for i := range won {
				switch {
				case !won[i][j]:
				case want.Revision != e.Record.Revision:
					return fmt.Errorf("batches and swaps by %d callers at once: two succeeded",
						racers)
				default:
					want = numbered(i, "")
				}
			}
			check := holds
			if want.Revision == "" {
				check = func(ctx context.Context, what string, s storage.Store, key string,
					_ storage.Record) error {
					return isAbsent(ctx, what, s, key)
				}
			}
			if err := check(ctx, "after the race", s, e.Key, want); err != nil {
				return err
			}
		}
	}
	return nil
}

// raced returns what racers swap: records that are there, or that are to be created.
func raced(ctx context.Context, s storage.Store, there bool) (old []storage.Entry, err error) {
	under := key("")
	for j := range 8 {
		k := fmt.Sprint(under, j)
		if !there {
			old = append(old, from(k, ""))
			continue
		}
		old = append(old, from(k, "r"))
		if err := createAll(ctx, s, k); err != nil {
			return nil, err
		}
	}
	return old, nil
}

// raceBatch swaps as one racer does, and says which of the records it won.
func raceBatch(
	ctx context.Context, s storage.Store, i int, old []storage.Entry,
) (won []bool, err error) {
	if b, ok := s.(storage.BatchSwapper); ok && i/2%2 == 0 {
		next := slices.Repeat([]storage.Record{numbered(i, "")}, len(old))
		won, err = b.SwapBatch(ctx, old, next)
		if err == nil && len(won) != len(old) {
			err = fmt.Errorf("%d results for a batch of %d", len(won), len(old))
		}
		return won, err
	}
	won = make([]bool, len(old))
	j := i / 4 % len(old)
	err = s.Swap(ctx, old[j].Key, old[j].Record.Revision, numbered(i, ""))
	if errors.Is(err, storage.ErrConflict) {
		return won, nil
	}
	won[j] = err == nil
	return won, err
}
