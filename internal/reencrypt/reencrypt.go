// Package reencrypt walks sealed records, so that each can be encrypted with the primary key, or
// removed once it has outlived its use.
package reencrypt

import (
	"context"
	"errors"
	"fmt"

	"github.com/secondgate/secondgate/storage"
)

// pageSize is how many records are asked for at once. It also bounds Each's unreadable records.
const pageSize = 200

// Decide says what becomes of the record under key. An error says that the record cannot be read;
// the change is then ignored, and the record stays. It may be called several times for a record,
// and must have no effect outside.
type Decide func(key string, data []byte) (storage.Change, error)

// Each has decide say what becomes of every record under the prefixes, in their order. It writes
// from the page that it has read, in one call for the page if the store is a
// storage.BatchSwapper; a record that has changed since is decided again from a read.
//
// The first 200 records that decide could not read are named in unreadable. err is an error of the
// store, which ends the walk; it wraps errors.ErrUnsupported if store is not a storage.Lister.
// records updates store.
func Each(
	ctx context.Context, store storage.Store, records *storage.Updater, decide Decide,
	prefixes ...string,
) (unreadable []error, err error) {
	lister, ok := store.(storage.Lister)
	if !ok {
		return nil, fmt.Errorf("the store %T cannot list: %w", store, errors.ErrUnsupported)
	}
	for _, prefix := range prefixes {
		for cursor := storage.Cursor(""); ; {
			entries, next, err := lister.List(ctx, prefix, cursor, pageSize)
			if err != nil {
				return unreadable, err
			}
			broken, err := update(ctx, records, entries, decide)
			if err != nil {
				return unreadable, err
			}
			unreadable = append(unreadable, broken[:min(len(broken), pageSize-len(unreadable))]...)
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return unreadable, nil
}

// update changes the records of one page, and returns why some could not be read.
func update(
	ctx context.Context, records *storage.Updater, entries []storage.Entry, decide Decide,
) (unreadable []error, err error) {
	failed := make([]error, len(entries))
	err = records.UpdateEach(ctx, entries, func(i int, data []byte) (storage.Change, error) {
		failed[i] = nil
		if data == nil {
			return storage.Change{}, nil
		}
		change, err := decide(entries[i].Key, data)
		if err != nil {
			failed[i] = fmt.Errorf("record %q: %w", entries[i].Key, err)
			return storage.Change{}, nil
		}
		return change, nil
	})
	if err != nil {
		return nil, err
	}
	for _, err := range failed {
		if err != nil {
			unreadable = append(unreadable, err)
		}
	}
	return unreadable, nil
}
