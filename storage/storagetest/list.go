package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// listed fills a store and returns its keys, or no lister if the store is none.
func listed(ctx context.Context, sub *subject, under string) (storage.Lister, []string, error) {
	s := sub.open()
	lister, ok := s.(storage.Lister)
	if !ok {
		return nil, nil, nil
	}
	var all []string
	for _, ending := range alike {
		all = append(all, under+ending)
	}
	for i, k := range all {
		if err := is("create", s.Swap(ctx, k, "", rec("r", all[i])), nil); err != nil {
			return nil, nil, err
		}
	}
	return lister, all, nil
}

// often is how many times one entry may come in a walk before it counts as one without end.
// A database that scans by hash repeats entries while its table grows.
const often = 20

// walk follows a walk to its end and returns each entry once.
func walk(
	ctx context.Context, lister storage.Lister, prefix string, limit int,
) (map[string]storage.Record, error) {
	return follow(ctx, prefix, limit, func(storage.Cursor) (storage.Lister, error) {
		return lister, nil
	})
}

// follow asks before each page whom to ask for it.
func follow(
	ctx context.Context, prefix string, limit int,
	whom func(cursor storage.Cursor) (storage.Lister, error),
) (map[string]storage.Record, error) {
	found, times, cursor := map[string]storage.Record{}, map[string]int{}, storage.Cursor("")
	for empty := 0; ; {
		lister, err := whom(cursor)
		if err != nil {
			return nil, err
		}
		page, next, err := lister.List(ctx, prefix, cursor, limit)
		if err != nil {
			return nil, fmt.Errorf("page of %d: %w", limit, err)
		}
		for _, e := range page {
			switch times[e.Key]++; {
			case !strings.HasPrefix(e.Key, prefix):
				return nil, fmt.Errorf("the walk holds %s, which does not start with the prefix",
					show([]byte(e.Key)))
			case times[e.Key] > often:
				return nil, fmt.Errorf("%s came %d times: the walk does not end",
					show([]byte(e.Key)), often+1)
			}
			found[e.Key] = e.Record
		}
		if next == "" {
			return found, nil
		}
		if empty++; len(page) > 0 {
			empty = 0
		}
		// As many as a scan of millions of other keys gives.
		if empty > 1_000_000 {
			return nil, errors.New("a million empty pages in a row: the walk does not end")
		}
		cursor = next
	}
}

// lists expects a walk to have found the keys of want, each with its record, and no others.
func lists(what string, found map[string]storage.Record, want []string) error {
	for _, k := range want {
		r, ok := found[k]
		switch {
		case !ok:
			return fmt.Errorf("%s: %s is missing; %d keys of %d", what, show([]byte(k)), len(found),
				len(want))
		case r.Revision != "r" || !bytes.Equal(r.Data, []byte(k)):
			return fmt.Errorf("%s: entry %s has another record than its own", what, show([]byte(k)))
		}
	}
	for k := range found {
		if !slices.Contains(want, k) {
			return fmt.Errorf("%s: %s does not belong to it", what, show([]byte(k)))
		}
	}
	return nil
}

func listPrefix(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	// Each key is a prefix, with its wildcards and strange bytes, of some of the others.
	for _, ending := range append([]string{"", "no such key"}, alike...) {
		var want []string
		for _, k := range all {
			if strings.HasPrefix(k, under+ending) {
				want = append(want, k)
			}
		}
		what := fmt.Sprintf("list of prefix …%q", ending)
		found, err := walk(ctx, lister, under+ending, 1000)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := lists(what, found, want); err != nil {
			return err
		}
	}
	return nil
}

func listPages(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	for _, limit := range []int{1, 7, len(all) - 1, len(all), len(all) + 1} {
		what := fmt.Sprintf("walk in pages of %d", limit)
		found, err := walk(ctx, lister, under, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := lists(what, found, all); err != nil {
			return err
		}
	}
	page, _, err := lister.List(ctx, under, "", 1)
	if err != nil || len(page) > len(all)/2 {
		return fmt.Errorf("page of 1: %d entries, error %v", len(page), err)
	}
	return nil
}

func listResumed(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	// What goes away in front of the walk must not make it step over what comes behind.
	passing := func(i int) string { return fmt.Sprintf("%s\x00\x00%03d", under, i) }
	for i := range 50 {
		if err := is("create", sub.open().Swap(ctx, passing(i), "", rec("r", passing(i))),
			nil); err != nil {
			return err
		}
	}
	n := 0
	found, err := follow(ctx, under, 7, func(cursor storage.Cursor) (storage.Lister, error) {
		s := sub.open()
		if cursor != "" && n < 50 {
			if err := is("delete", s.Delete(ctx, passing(n), "r"), nil); err != nil {
				return nil, err
			}
			n++
		}
		lister, ok := s.(storage.Lister)
		if !ok {
			return nil, errors.New("one store lists, and another one of the same adapter does not")
		}
		return lister, nil
	})
	if err != nil {
		return fmt.Errorf("walk over several stores: %w", err)
	}
	for k := range found {
		if strings.HasPrefix(k, under+"\x00\x00") {
			delete(found, k)
		}
	}
	return lists("walk over several stores", found, all)
}

// listCurrent walks over records of which one was written again, one deleted, and one made anew.
func listCurrent(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	s, changed, gone, anew := sub.open(), all[0], all[1], all[2]
	err = first(
		func() error { return is("swap", s.Swap(ctx, changed, "r", rec("r2", "second")), nil) },
		func() error { return is("delete", s.Delete(ctx, gone, "r"), nil) },
		func() error { return is("delete", s.Delete(ctx, anew, "r"), nil) },
		func() error { return is("create", s.Swap(ctx, anew, "", rec("r3", "third")), nil) },
	)
	if err != nil {
		return err
	}
	found, err := walk(ctx, lister, under, 7)
	if err != nil {
		return fmt.Errorf("walk after writes: %w", err)
	}
	for k, want := range map[string]storage.Record{changed: rec("r2", "second"),
		anew: rec("r3", "third")} {
		if got := found[k]; got.Revision != want.Revision || !bytes.Equal(got.Data, want.Data) {
			return fmt.Errorf("walk after writes: %s has revision %q, want %q", show([]byte(k)),
				got.Revision, want.Revision)
		}
		delete(found, k)
	}
	return lists("walk after writes", found, all[3:])
}

func listArguments(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	page, next, err := lister.List(gone, under, "", len(all))
	if err := is("list with a cancelled context", err, context.Canceled); err != nil {
		return err
	}
	if len(page) > 0 || next != "" {
		return errors.New("list with a cancelled context returned a page")
	}
	for _, limit := range []int{0, -1} {
		_, _, err := lister.List(ctx, under, "", limit)
		if err := is(fmt.Sprintf("list with the limit %d", limit), err,
			storage.ErrInvalid); err != nil {
			return err
		}
	}
	// Everything there is: the whole database, so only a look at its start.
	for cursor, seen := storage.Cursor(""), 0; seen == 0; {
		page, next, err := lister.List(ctx, "", cursor, 3)
		if seen += len(page); err != nil || seen == 0 && next == "" {
			return fmt.Errorf("list of all keys: %d entries, error %v", len(page), err)
		}
		cursor = next
	}
	return nil
}
