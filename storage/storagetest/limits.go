package storagetest

import (
	"context"
	"strings"

	"github.com/secondgate/secondgate/storage"
)

func limits(ctx context.Context, sub *subject) error {
	s := sub.open()
	k := key("limits")
	k += strings.Repeat("k", storage.MaxKeyLen-len(k))
	full := func(b int) storage.Record {
		revision := storage.Revision(run(b, storage.MaxRevisionLen))
		return storage.Record{Revision: revision, Data: run(b, storage.MaxDataLen)}
	}
	err := first(
		func() error {
			return is("create with everything at its limit", s.Swap(ctx, k, "", full(1)), nil)
		},
		func() error { return holds(ctx, "after it", s, k, full(1)) },
		func() error {
			return is("swap with everything at its limit", s.Swap(ctx, k, full(1).Revision,
				full(2)), nil)
		},
		func() error { return holds(ctx, "after it", s, k, full(2)) },
	)
	if err != nil {
		return err
	}
	if err := beyondLimits(ctx, s, k, full(2).Revision); err != nil {
		return err
	}
	return first(
		func() error { return holds(ctx, "after everything refused", s, k, full(2)) },
		func() error {
			return is("delete with everything at its limit", s.Delete(ctx, k, full(2).Revision),
				nil)
		},
	)
}

// beyondLimits checks that a store refuses arguments over the limits. There is a record under
// the longest key k, with the revision old.
func beyondLimits(ctx context.Context, s storage.Store, k string, old storage.Revision) error {
	next := rec("next", "x")
	long := storage.Revision(strings.Repeat("r", storage.MaxRevisionLen+1))
	swaps := []struct {
		what, key string
		old       storage.Revision
		next      storage.Record
	}{
		{"swap with a key too long", k + "k", "", next},
		{"swap with an empty key", "", "", next},
		{"swap with a long expected revision", k, long, next},
		{"swap to a revision too long", k, old, rec(long, "x")},
		{"swap to an empty revision", k, old, rec("", "x")},
		{"swap to the old revision", k, old, rec(old, "x")},
		{"swap to data too long", k, old, storage.Record{Revision: "next",
			Data: run(0, storage.MaxDataLen+1)}},
		{"swap to empty data", k, old, storage.Record{Revision: "next", Data: []byte{}}},
		{"swap to nil data", k, old, storage.Record{Revision: "next"}},
		{"create with data too long", key("new"), "", storage.Record{Revision: "next",
			Data: run(0, storage.MaxDataLen+1)}},
	}
	for _, c := range swaps {
		if err := is(c.what, s.Swap(ctx, c.key, c.old, c.next), storage.ErrInvalid); err != nil {
			return err
		}
	}
	return first(
		func() error {
			return is("delete with a key too long", s.Delete(ctx, k+"k", old), storage.ErrInvalid)
		},
		func() error {
			return is("delete with an empty key", s.Delete(ctx, "", old), storage.ErrInvalid)
		},
		func() error {
			return is("delete with a revision too long", s.Delete(ctx, k, long), storage.ErrInvalid)
		},
		func() error {
			return is("delete with an empty revision", s.Delete(ctx, k, ""), storage.ErrInvalid)
		},
		func() error {
			_, err := s.Get(ctx, k+"k")
			return is("get with a key too long", err, storage.ErrInvalid)
		},
		func() error {
			_, err := s.Get(ctx, "")
			return is("get with an empty key", err, storage.ErrInvalid)
		},
	)
}
