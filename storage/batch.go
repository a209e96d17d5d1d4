package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// BatchSwapper is an optional capability of a Store, for re-encryption and imports, never for
// safety: it does in one call what many calls of Store.Swap do.
type BatchSwapper interface {
	// SwapBatch makes next[i] the record under old[i].Key, for each i, if the present revision is
	// that of old[i].Record ("" = there must be no record). It reports which of the swaps it made.
	// It looks at no other field of the old record. A batch may have any size, 0 included.
	//
	// Each swap is atomic and durable, as by Store.Swap. The batch is neither: a reader may see a
	// part of it. A swap that it reports as not made has changed nothing: the present revision was
	// another one, or the database gave way to another writer. After an error each of the swaps
	// may or may not have happened, and the result is nil.
	//
	// A key that comes twice, an argument outside the limits, or two lists of unequal length are
	// ErrInvalid. An error that wraps errors.ErrUnsupported is returned by a store that finds
	// that it has no such statement. After both, nothing was tried.
	SwapBatch(ctx context.Context, old []Entry, next []Record) (swapped []bool, err error)
}

// UpdateEach is Update for records that the caller has read before, such as a page of
// [Lister.List]. It writes them with one call of the store if that is a [BatchSwapper], and
// otherwise one after the other. decide is given the place of the record in entries. An error ends
// the update; the changes to other records may then have been made.
//
// decide is given a record without another read. One that another writer changed meanwhile is
// decided again from a read, alone, and so is one that comes twice. What decide leaves alone stays,
// even if the record has changed since.
func (u *Updater) UpdateEach(
	ctx context.Context, entries []Entry, decide func(i int, data []byte) (Change, error),
) error {
	remaining, err := u.swapBatch(ctx, entries, decide)
	for _, r := range remaining {
		if err == nil {
			err = u.update(ctx, entries[r.i].Key, r.known, func(data []byte) (Change, error) {
				return decide(r.i, data)
			})
		}
	}
	return err
}

// remaining is an entry that is to be updated alone, from what is known of it or from a read.
type remaining struct {
	i     int
	known *Record
}

// swapBatch makes the changes that one call can make, and returns the entries that remain.
func (u *Updater) swapBatch(
	ctx context.Context, entries []Entry, decide func(i int, data []byte) (Change, error),
) ([]remaining, error) {
	all := make([]remaining, len(entries))
	for i := range entries {
		all[i] = remaining{i, &entries[i].Record}
	}
	store, ok := u.store.(BatchSwapper)
	if !ok {
		return all, nil
	}
	b, err := newBatch(entries, decide)
	if err != nil || len(b.old) == 0 {
		return b.remain, err
	}
	swapped, err := store.SwapBatch(ctx, b.old, b.next)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return all, nil
	case err == nil && len(swapped) != len(b.old):
		err = fmt.Errorf("%w: the store reported on %d swaps of %d", ErrInvalid, len(swapped),
			len(b.old))
	}
	if err != nil {
		return nil, err
	}
	for j, made := range swapped {
		if !made {
			b.remain = append(b.remain, remaining{i: b.at[j]})
		}
	}
	return b.remain, nil
}

// batch is what one call is to swap. at has the places of its records in the entries.
type batch struct {
	old    []Entry
	next   []Record
	at     []int
	remain []remaining
}

// newBatch decides about entries.
func newBatch(
	entries []Entry, decide func(i int, data []byte) (Change, error),
) (b batch, err error) {
	seen := make(map[string]bool, len(entries))
	for i, e := range entries {
		if seen[e.Key] {
			b.remain = append(b.remain, remaining{i: i})
			continue
		}
		seen[e.Key] = true
		if err := e.Record.whole(); err != nil {
			return batch{}, err
		}
		change, err := decide(i, e.Record.Data)
		switch {
		case err != nil:
			return batch{}, err
		case change.Delete:
			b.remain = append(b.remain, remaining{i, &entries[i].Record})
			continue
		case change.Data == nil:
			continue
		}
		next := Record{Revision: Revision(rand.Text()), Data: change.Data}
		if err := CheckSwap(e.Key, e.Record.Revision, next); err != nil {
			return batch{}, err
		}
		b.old, b.next, b.at = append(b.old, e), append(b.next, next), append(b.at, i)
	}
	return b, nil
}
