package storagetest

import (
	"bytes"
	"context"
	"slices"

	"github.com/secondgate/secondgate/storage"
)

// The mutants whose batches are wrong. bothStores is what they swap through.
type bothStores interface {
	storage.Store
	storage.BatchSwapper
}

// batchesWith returns a mutant whose batches call do for each swap that its arguments allow.
func batchesWith(
	do func(ctx context.Context, s storage.Store, e storage.Entry, next storage.Record) bool,
) *mutant {
	return &mutant{batch: func(ctx context.Context, s bothStores, old []storage.Entry,
		next []storage.Record) ([]bool, error) {
		if err := checked(ctx, s, old, next); err != nil {
			return nil, err
		}
		swapped := make([]bool, len(old))
		for i, e := range old {
			swapped[i] = do(ctx, s, e, next[i])
		}
		return swapped, nil
	}}
}

// checked returns the error that the store inside has for the arguments. It swaps nothing, because
// no record has the revision that it expects.
func checked(
	ctx context.Context, s bothStores, old []storage.Entry, next []storage.Record,
) error {
	none := slices.Clone(old)
	for i := range none {
		if r := none[i].Record.Revision; len(r) <= storage.MaxRevisionLen &&
			i < len(next) && r != next[i].Revision {
			none[i].Record.Revision = "no such revision"
		}
	}
	_, err := s.SwapBatch(ctx, none, next)
	return err
}

func batchConditionMutants() map[string]*mutant {
	return map[string]*mutant{
		"writes over changes": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			now, err := s.Get(ctx, e.Key)
			return err == nil && s.Swap(ctx, e.Key, now.Revision, next) == nil
		}),
		"creates the absent": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			return s.Swap(ctx, e.Key, e.Record.Revision, next) == nil ||
				s.Swap(ctx, e.Key, "", next) == nil
		}),
		"reports all as made": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			_ = s.Swap(ctx, e.Key, e.Record.Revision, next)
			return true
		}),
		"ignores the case of revisions": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			now, err := s.Get(ctx, e.Key)
			same := bytes.EqualFold([]byte(now.Revision), []byte(e.Record.Revision))
			return err == nil && same && s.Swap(ctx, e.Key, now.Revision, next) == nil
		}),
		"all or nothing": {batch: func(ctx context.Context, s bothStores, old []storage.Entry,
			next []storage.Record) ([]bool, error) {
			for _, e := range old {
				if now, err := s.Get(ctx, e.Key); err == nil && now.Revision != e.Record.Revision {
					return make([]bool, len(old)), checked(ctx, s, old, next)
				}
			}
			return s.SwapBatch(ctx, old, next)
		}},
		"reports how many": {batch: func(ctx context.Context, s bothStores, old []storage.Entry,
			next []storage.Record) ([]bool, error) {
			swapped, err := s.SwapBatch(ctx, old, next)
			slices.SortFunc(swapped, func(a, b bool) int {
				switch {
				case a == b:
					return 0
				case a:
					return -1
				}
				return 1
			})
			return swapped, err
		}},
	}
}

func batchCreateMutants() map[string]*mutant {
	return map[string]*mutant{
		"creates over what is there": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			old := e.Record.Revision
			if now, err := s.Get(ctx, e.Key); err == nil && old == "" {
				old = now.Revision
			}
			return s.Swap(ctx, e.Key, old, next) == nil
		}),
		"reports all creations as made": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			return s.Swap(ctx, e.Key, e.Record.Revision, next) == nil || e.Record.Revision == ""
		}),
		"creates nothing": batchesWith(func(ctx context.Context, s storage.Store,
			e storage.Entry, next storage.Record) bool {
			return e.Record.Revision != "" && s.Swap(ctx, e.Key, e.Record.Revision, next) == nil
		}),
	}
}

func batchArgumentMutants() map[string]*mutant {
	return map[string]*mutant{
		"writes before it checks": {batch: func(ctx context.Context, s bothStores,
			old []storage.Entry, next []storage.Record) ([]bool, error) {
			if len(old) > 0 && len(next) > 0 {
				_ = s.Swap(ctx, old[0].Key, old[0].Record.Revision, next[0])
			}
			return s.SwapBatch(ctx, old, next)
		}},
		"takes a key twice": {batch: func(ctx context.Context, s bothStores,
			old []storage.Entry, next []storage.Record) ([]bool, error) {
			if n := len(old) - 1; n > 0 && len(next) > n && old[0].Key == old[n].Key {
				swapped, err := s.SwapBatch(ctx, old[:n], next[:n])
				return append(swapped, false), err
			}
			return s.SwapBatch(ctx, old, next)
		}},
		"swaps when cancelled": {batch: func(_ context.Context, s bothStores,
			old []storage.Entry, next []storage.Record) ([]bool, error) {
			return s.SwapBatch(context.Background(), old, next)
		}},
		"a result beside an error": {batch: func(ctx context.Context, s bothStores,
			old []storage.Entry, next []storage.Record) ([]bool, error) {
			swapped, err := s.SwapBatch(ctx, old, next)
			if err != nil {
				swapped = make([]bool, len(old))
			}
			return swapped, err
		}},
	}
}

// cutsAtLimit swaps as many records as one statement has parameters for.
func cutsAtLimit(ctx context.Context, s bothStores, old []storage.Entry,
	next []storage.Record) ([]bool, error) {
	const most = 65535 / 4
	if len(old) <= most || len(old) != len(next) {
		return s.SwapBatch(ctx, old, next)
	}
	swapped, err := s.SwapBatch(ctx, old[:most], next[:most])
	return append(swapped, make([]bool, len(old)-most)...), err
}

// looksBeforeBatch compares the revisions, and then writes.
func looksBeforeBatch() *mutant {
	return batchesWith(func(ctx context.Context, s storage.Store, e storage.Entry,
		next storage.Record) bool {
		now, err := s.Get(ctx, e.Key)
		if err != nil || now.Revision != e.Record.Revision {
			return false
		}
		yieldProcessor()
		return force(ctx, s, e.Key, next) == nil
	})
}
