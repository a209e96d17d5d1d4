// Package customstore is a complete store over bbolt. docs/writing-a-store.md walks through it.
package customstore

import (
	"bytes"
	"context"
	"errors"

	"github.com/secondgate/secondgate/storage"
	"go.etcd.io/bbolt"
)

var bucket = []byte("secondgate")

// Store keeps a record as the length of the revision, the revision, and the data.
type Store struct{ db *bbolt.DB }

// New returns a Store in db, which the caller closes.
func New(db *bbolt.DB) (*Store, error) {
	return &Store{db}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key string) (rec storage.Record, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		rec, err = record(tx.Bucket(bucket).Get([]byte(key)))
		return errors.Join(ctx.Err(), storage.CheckKey(key), err)
	})
	if err == nil && rec.Revision == "" {
		return rec, storage.ErrNotFound
	}
	return rec, err
}

// record takes a value apart, which is bbolt's until the transaction ends. Without a value there
// is no record. A value that another program wrote is an error.
func record(v []byte) (rec storage.Record, err error) {
	if len(v) > 0 && v[0] > 0 && len(v) > 1+int(v[0]) {
		rec.Revision, rec.Data = storage.Revision(v[1:1+int(v[0])]), bytes.Clone(v[1+int(v[0]):])
	} else if v != nil {
		err = errors.New("customstore: a value is not a record")
	}
	return rec, err
}

// Swap implements storage.Store.
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	value := append([]byte{byte(len(next.Revision))}, string(next.Revision)+string(next.Data)...)
	return s.change(ctx, storage.CheckSwap(key, old, next), key, old, value)
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.change(ctx, storage.CheckDelete(key, old), key, old, nil)
}

// change compares and writes in one transaction. bbolt runs one at a time. A nil value deletes.
func (s *Store) change(
	ctx context.Context, invalid error, key string, old storage.Revision, value []byte,
) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		present, err := record(b.Get([]byte(key)))
		if err := errors.Join(ctx.Err(), invalid, err); err != nil {
			return err
		} else if present.Revision != old {
			return storage.ErrConflict
		} else if value == nil {
			return b.Delete([]byte(key))
		}
		return b.Put([]byte(key), value)
	})
}
