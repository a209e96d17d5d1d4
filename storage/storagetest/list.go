package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

// listed fills a store and returns its keys in order, or no lister if the store is none.
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
	sort.Strings(all)
	return lister, all, nil
}

// lists expects a page to hold the keys of want, each with its record.
func lists(what string, page []storage.Entry, err error, want []string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for i, e := range page {
		switch {
		case i >= len(want):
			return fmt.Errorf("%s: %s after the %d keys wanted", what, show([]byte(e.Key)), len(want))
		case e.Key != want[i]:
			return fmt.Errorf("%s: entry %d is %s, want %s (ascending, byte for byte)", what, i, show([]byte(e.Key)), show([]byte(want[i])))
		case e.Record.Revision != "r" || !bytes.Equal(e.Record.Data, []byte(e.Key)):
			return fmt.Errorf("%s: entry %s has another record than its own", what, show([]byte(e.Key)))
		}
	}
	if len(page) < len(want) {
		return fmt.Errorf("%s: %d keys, want %d; the first missing is %s", what, len(page), len(want), show([]byte(want[len(page)])))
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
		page, err := lister.List(ctx, under+ending, "", len(all)+1)
		if err := lists(fmt.Sprintf("list of prefix …%q", ending), page, err, want); err != nil {
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
		var after string
		rest := all
		for {
			want := rest[:min(limit, len(rest))]
			page, err := lister.List(ctx, under, after, limit)
			if err := lists(fmt.Sprintf("page of %d after %s", limit, show([]byte(after))), page, err, want); err != nil {
				return err
			}
			if rest = rest[len(want):]; len(page) < limit {
				break
			}
			after = page[len(page)-1].Key
		}
	}
	// after need not be a key, nor have the prefix.
	gap := all[2] + "\x00\x01"
	for _, c := range []struct {
		what, after string
		want        []string
	}{
		{"after what is before all", "\x00", all},
		{"after the prefix itself", under, all},
		{"after what is no key", gap, all[sort.SearchStrings(all, gap):]},
		{"after what is behind all", "\xff\xff", nil},
	} {
		page, err := lister.List(ctx, under, c.after, len(all)+1)
		if err := lists("page "+c.what, page, err, c.want); err != nil {
			return err
		}
	}
	return nil
}

func listArguments(ctx context.Context, sub *subject) error {
	under := key("")
	lister, all, err := listed(ctx, sub, under)
	if lister == nil || err != nil {
		return err
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	page, err := lister.List(gone, under, "", len(all))
	if err := is("list with a cancelled context", err, context.Canceled); err != nil {
		return err
	}
	if len(page) > 0 {
		return errors.New("list with a cancelled context returned entries")
	}
	// Everything there is, from every key: the whole database, so only a look at its start.
	page, err = lister.List(ctx, "", "", 3)
	if err != nil || len(page) != 3 {
		return fmt.Errorf("list of the first three keys of all: %d entries, error %v", len(page), err)
	}
	if page[0].Key >= page[1].Key || page[1].Key >= page[2].Key {
		return errors.New("list of the first three keys of all: not in ascending order")
	}
	return nil
}
