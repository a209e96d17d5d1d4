package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondgate/secondgate/internal/done/donetest"
	"github.com/secondgate/secondgate/storage"
)

func cancelled(ctx context.Context, sub *subject) error {
	s, k, none := sub.open(), key("context"), key("none")
	if err := is("create", s.Swap(ctx, k, "", rec("r1", "x")), nil); err != nil {
		return err
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	late, cancelLate := context.WithDeadline(ctx, time.Unix(1, 0))
	defer cancelLate()
	for _, c := range []struct {
		name string
		ctx  context.Context
		want error
	}{{"a cancelled context", gone, context.Canceled}, {"a deadline that is past", late,
		context.DeadlineExceeded}} {
		get := func(k string) error {
			_, err := s.Get(c.ctx, k)
			return err
		}
		err := first(
			func() error { return is("get with "+c.name, get(k), c.want) },
			func() error { return is("get of an absent key with "+c.name, get(none), c.want) },
			func() error {
				return is("swap with "+c.name, s.Swap(c.ctx, k, "r1", rec("r2", "y")), c.want)
			},
			func() error {
				return is("a conflicting swap with "+c.name, s.Swap(c.ctx, k, "r0", rec("r2", "y")),
					c.want)
			},
			func() error {
				return is("create with "+c.name, s.Swap(c.ctx, none, "", rec("r1", "y")), c.want)
			},
			func() error { return is("delete with "+c.name, s.Delete(c.ctx, k, "r1"), c.want) },
			func() error {
				return is("delete of an absent key with "+c.name, s.Delete(c.ctx, none, "r1"),
					c.want)
			},
			func() error { return holds(ctx, "after all that", s, k, rec("r1", "x")) },
			func() error { return isAbsent(ctx, "after all that", s, none) },
		)
		if err != nil {
			return err
		}
	}
	return unnoticedDeadline(ctx, s)
}

// unnoticedDeadline gives a store a context whose deadline only a client may notice, such as one
// that hands it to a socket. An error is the context's then, whatever the client calls it.
func unnoticedDeadline(ctx context.Context, s storage.Store) error {
	k, late := key("unnoticed"), donetest.Unnoticed(ctx)
	if err := is("create", s.Swap(ctx, k, "", rec("r1", "x")), nil); err != nil {
		return err
	}
	_, read := s.Get(late, k)
	swapped := s.Swap(late, key("unnoticed"), "", rec("r1", "x"))
	deleted := s.Delete(late, k, "r1")
	for what, err := range map[string]error{"get": read, "swap": swapped, "delete": deleted} {
		if err == nil {
			continue
		}
		if err := is(what+" at the moment of a deadline", err,
			context.DeadlineExceeded); err != nil {
			return err
		}
	}
	return nil
}

// cancelledInFlight gives writes up at various moments. This caller is the only writer, so a
// conflict would be a lie, and each record is one of the two it may be. A database may finish
// a write after it was cancelled, so each has a key of its own.
func cancelledInFlight(ctx context.Context, sub *subject) error {
	s := sub.open()
	before, after := rec("r1", "before"), rec("r2", "after")
	for i := range 60 {
		k := key("in-flight")
		if err := is("create", s.Swap(ctx, k, "", before), nil); err != nil {
			return err
		}
		soon, cancel := context.WithTimeout(ctx, time.Duration(i)*20*time.Microsecond)
		err := s.Swap(soon, k, before.Revision, after)
		cancel()
		if err == nil {
			if err := holds(ctx, "after a swap that succeeded before its deadline", s, k,
				after); err != nil {
				return err
			}
			continue
		}
		if err := is("swap by the only writer, with a deadline", err,
			context.DeadlineExceeded); err != nil {
			return err
		}
		got, err := s.Get(ctx, k)
		if err != nil {
			return fmt.Errorf("get after a swap that was cancelled: %w", err)
		}
		if got.Revision != before.Revision && got.Revision != after.Revision {
			return fmt.Errorf("get after a swap that was cancelled: revision %q", got.Revision)
		}
		records := map[storage.Revision]storage.Record{"r1": before, "r2": after}
		if want := records[got.Revision]; !bytes.Equal(got.Data, want.Data) {
			return fmt.Errorf("get after a swap that was cancelled: revision %s with data %s",
				got.Revision, show(got.Data))
		}
	}
	return nil
}

// aliasing changes every slice it gave or was given, and looks whether the store notices.
func aliasing(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("slices")
	given := bytes.Repeat([]byte("x"), 100)
	if err := is("create", s.Swap(ctx, k, "", storage.Record{Revision: "r1", Data: given}),
		nil); err != nil {
		return err
	}
	want := storage.Record{Revision: "r1", Data: bytes.Repeat([]byte("x"), 100)}
	if !bytes.Equal(given, want.Data) {
		return errors.New("swap changed the data it was given")
	}
	for i := range given {
		given[i] = 'y'
	}
	if err := holds(ctx, "after the caller changed the bytes given to a create", s, k,
		want); err != nil {
		return err
	}
	given = bytes.Repeat([]byte("z"), 100)
	want = storage.Record{Revision: "r2", Data: bytes.Clone(given)}
	if err := is("swap", s.Swap(ctx, k, "r1", storage.Record{Revision: "r2", Data: given}),
		nil); err != nil {
		return err
	}
	clear(given)
	if err := holds(ctx, "after the caller changed the bytes given to a swap", s, k,
		want); err != nil {
		return err
	}
	one, err := s.Get(ctx, k)
	if err != nil {
		return err
	}
	two, err := s.Get(ctx, k)
	if err != nil {
		return err
	}
	whole := one.Data[:cap(one.Data)]
	for i := range whole {
		whole[i] = 'w'
	}
	if !bytes.Equal(two.Data, want.Data) {
		return errors.New("two reads share their bytes")
	}
	if err := holds(ctx, "after the caller changed the bytes of a read", s, k, want); err != nil {
		return err
	}
	lister, ok := s.(storage.Lister)
	if !ok {
		return nil
	}
	page, err := walk(ctx, lister, k, 1)
	if err != nil || len(page) != 1 {
		return fmt.Errorf("list of one key: %d entries, error %v", len(page), err)
	}
	clear(page[k].Data)
	return holds(ctx, "after the caller changed the bytes of a list", s, k, want)
}

func readYourWrites(ctx context.Context, sub *subject) error {
	s, k := sub.open(), key("read")
	old := storage.Revision("")
	for i := range 50 {
		next := numbered(i, "")
		err := first(
			func() error { return is("swap", s.Swap(ctx, k, old, next), nil) },
			func() error { return holds(ctx, "directly after a swap", s, k, next) },
			func() error {
				if i%2 == 0 {
					return nil
				}
				return is("delete", s.Delete(ctx, k, next.Revision), nil)
			},
			func() error {
				if i%2 == 0 {
					return nil
				}
				return isAbsent(ctx, "directly after a delete", s, k)
			},
		)
		if err != nil {
			return err
		}
		if old = next.Revision; i%2 == 1 {
			old = ""
		}
	}
	return nil
}

func twoStores(ctx context.Context, sub *subject) error {
	a, b, k := sub.open(), sub.open(), key("two")
	const same = " (open must return stores on one and the same database)"
	old := storage.Revision("")
	for i := range 20 {
		next := numbered(i, "")
		err := first(
			func() error {
				return is("swap through one store"+same, a.Swap(ctx, k, old, next), nil)
			},
			func() error { return holds(ctx, "through the other store"+same, b, k, next) },
			func() error { return holds(ctx, "through the same store", a, k, next) },
			func() error {
				return is("create through the other store"+same, b.Swap(ctx, k, "", rec("r", "x")),
					storage.ErrConflict)
			},
			func() error {
				if old == "" {
					return nil
				}
				return is("swap with a past revision through the other store",
					b.Swap(ctx, k, old, rec("r", "x")), storage.ErrConflict)
			},
		)
		if err != nil {
			return err
		}
		old = next.Revision
		a, b = b, a
	}
	return first(
		func() error { return is("delete through one store", a.Delete(ctx, k, old), nil) },
		func() error { return isAbsent(ctx, "through the other store", b, k) },
		func() error {
			return is("swap of the deleted record through the other store",
				b.Swap(ctx, k, old, rec("r", "x")), storage.ErrConflict)
		},
		func() error {
			return is("create through the other store", b.Swap(ctx, k, "", rec("again", "x")), nil)
		},
		func() error { return holds(ctx, "through the first store", a, k, rec("again", "x")) },
	)
}
