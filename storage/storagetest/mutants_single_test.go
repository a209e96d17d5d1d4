package storagetest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path"
	"strings"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// The mutants that one caller can find.

func absentMutants() map[string]*mutant {
	return map[string]*mutant{
		"creates for a revision": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if _, err := s.Get(ctx, key); errors.Is(err, storage.ErrNotFound) &&
				storage.CheckSwap(key, old, next) == nil {
				old = ""
			}
			return s.Swap(ctx, key, old, next)
		}},
		"deletes the absent": {del: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision) error {
			err := s.Delete(ctx, key, old)
			if _, now := s.Get(ctx, key); errors.Is(now, storage.ErrNotFound) &&
				errors.Is(err, storage.ErrConflict) {
				return nil
			}
			return err
		}},
		"two errors in one": {get: func(ctx context.Context, s storage.Store, key string,
		) (storage.Record, error) {
			r, err := s.Get(ctx, key)
			if errors.Is(err, storage.ErrNotFound) {
				err = errors.Join(err, storage.ErrConflict)
			}
			return r, err
		}},
		"a record beside an error": {get: func(ctx context.Context, s storage.Store, key string,
		) (storage.Record, error) {
			r, err := s.Get(ctx, key)
			if errors.Is(err, storage.ErrNotFound) {
				r = rec("r0", "none")
			}
			return r, err
		}},
	}
}

// writesRefused changes the data of a record although it returns ErrConflict.
func writesRefused(ctx context.Context, s storage.Store, key string, old storage.Revision,
	next storage.Record) error {
	err := s.Swap(ctx, key, old, next)
	now, _ := s.Get(ctx, key)
	if errors.Is(err, storage.ErrConflict) && old == "" && next.Revision != now.Revision {
		return errors.Join(err, force(ctx, s, key, next))
	}
	return err
}

// countsChangedRows takes data that is equal for a record that was not found.
func countsChangedRows(ctx context.Context, s storage.Store, key string, old storage.Revision,
	next storage.Record) error {
	if now, err := s.Get(ctx, key); err == nil && bytes.Equal(now.Data, next.Data) &&
		storage.CheckSwap(key, old, next) == nil {
		return storage.ErrConflict
	}
	return s.Swap(ctx, key, old, next)
}

// like swaps and deletes where f finds two revisions to be the same.
func like(f func(storage.Revision) storage.Revision) *mutant {
	present := func(ctx context.Context, s storage.Store, key string,
		old storage.Revision) storage.Revision {
		if now, err := s.Get(ctx, key); err == nil && old != "" && f(now.Revision) == f(old) {
			return now.Revision
		}
		return old
	}
	return &mutant{
		swap: func(ctx context.Context, s storage.Store, key string, old storage.Revision,
			next storage.Record) error {
			if err := storage.CheckSwap(key, old, next); err != nil {
				return err
			}
			return s.Swap(ctx, key, present(ctx, s, key, old), next)
		},
		del: func(ctx context.Context, s storage.Store, key string, old storage.Revision) error {
			if err := storage.CheckDelete(key, old); err != nil {
				return err
			}
			return s.Delete(ctx, key, present(ctx, s, key, old))
		},
	}
}

func revisionMutants() map[string]*mutant {
	return map[string]*mutant{
		"compares 32 bytes": like(func(r storage.Revision) storage.Revision {
			return r[:min(len(r), 32)]
		}),
		"compares the last 32 bytes": like(func(r storage.Revision) storage.Revision {
			return r[max(0, len(r)-32):]
		}),
		"pads": like(func(r storage.Revision) storage.Revision {
			return storage.Revision(strings.TrimRight(string(r), " "))
		}),
		"ends at a NUL": like(func(r storage.Revision) storage.Revision {
			before, _, _ := strings.Cut(string(r), "\x00")
			return storage.Revision(before)
		}),
		"keeps text": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			text := storage.Revision(strings.ToValidUTF8(string(next.Revision), "?"))
			if storage.CheckSwap(key, old, next) == nil && text != old {
				next.Revision = text
			}
			return s.Swap(ctx, key, old, next)
		}},
	}
}

func deletesNothing(ctx context.Context, s storage.Store, key string, old storage.Revision) error {
	now, err := s.Get(ctx, key)
	if err == nil && now.Revision == old {
		return nil
	}
	return s.Delete(ctx, key, old)
}

// keyed keeps a record under f of its key.
func keyed(f func(string) string) *mutant {
	at := func(key string) string {
		if storage.CheckKey(key) != nil {
			return key
		}
		return f(key)
	}
	return &mutant{
		get: func(ctx context.Context, s storage.Store, key string) (storage.Record, error) {
			return s.Get(ctx, at(key))
		},
		swap: func(ctx context.Context, s storage.Store, key string, old storage.Revision,
			next storage.Record) error {
			return s.Swap(ctx, at(key), old, next)
		},
		del: func(ctx context.Context, s storage.Store, key string, old storage.Revision) error {
			return s.Delete(ctx, at(key), old)
		},
	}
}

func keyMutants() map[string]*mutant {
	return map[string]*mutant{
		"cleans paths": keyed(path.Clean),
		"composes accents": keyed(func(k string) string {
			return strings.ReplaceAll(k, "e\u0301", "\u00e9")
		}),
		"decodes escapes": keyed(func(k string) string {
			return strings.ReplaceAll(k, "%20", " ")
		}),
		"folds the Kelvin sign": keyed(func(k string) string {
			return strings.ReplaceAll(k, "\u212a", "K")
		}),
		"spells ß as ss": keyed(func(k string) string {
			return strings.ReplaceAll(k, "ß", "ss")
		}),
		"reads two quotes as one": keyed(func(k string) string {
			return strings.ReplaceAll(k, "''", "'")
		}),
	}
}

// keepsText replaces in the data what is not UTF-8.
func keepsText(ctx context.Context, s storage.Store, key string, old storage.Revision,
	next storage.Record) error {
	if storage.CheckSwap(key, old, next) == nil {
		next.Data = bytes.ToValidUTF8(next.Data, []byte("?"))
		next.Data = next.Data[:min(len(next.Data), storage.MaxDataLen)]
	}
	return s.Swap(ctx, key, old, next)
}

func limitMutants() map[string]*mutant {
	return map[string]*mutant{
		"half the data": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if len(next.Data) > storage.MaxDataLen/2 {
				return storage.ErrInvalid
			}
			return s.Swap(ctx, key, old, next)
		}},
		"a limit is a conflict": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if storage.CheckSwap(key, old, next) != nil {
				return storage.ErrConflict
			}
			return s.Swap(ctx, key, old, next)
		}},
		"no data deletes": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if len(next.Data) == 0 && old != "" {
				return s.Delete(ctx, key, old)
			}
			return s.Swap(ctx, key, old, next)
		}},
		"keeps the revision": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if old != "" && old == next.Revision {
				return nil
			}
			return s.Swap(ctx, key, old, next)
		}},
		"reads any key": {get: func(ctx context.Context, s storage.Store, key string,
		) (storage.Record, error) {
			if storage.CheckKey(key) != nil {
				return storage.Record{}, storage.ErrNotFound
			}
			return s.Get(ctx, key)
		}},
	}
}

func contextMutants() map[string]*mutant {
	return map[string]*mutant{
		"reads when cancelled": {get: func(_ context.Context, s storage.Store, key string,
		) (storage.Record, error) {
			return s.Get(context.Background(), key)
		}},
		"deletes when cancelled": {del: func(_ context.Context, s storage.Store, key string,
			old storage.Revision) error {
			return s.Delete(context.Background(), key, old)
		}},
		"an error of its own": {swap: func(ctx context.Context, s storage.Store, key string,
			old storage.Revision, next storage.Record) error {
			if ctx.Err() != nil {
				return errors.New("the connection is closed")
			}
			return s.Swap(ctx, key, old, next)
		}},
		"a timeout of its own": {get: func(ctx context.Context, s storage.Store, key string,
		) (storage.Record, error) {
			if at, bounded := ctx.Deadline(); bounded && ctx.Err() == nil &&
				time.Until(at) <= 0 {
				return storage.Record{}, os.ErrDeadlineExceeded // as a socket says it
			}
			return s.Get(ctx, key)
		}},
	}
}
