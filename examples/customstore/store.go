// Package customstore is a complete store over bbolt. docs/writing-a-store.md walks through it.
package customstore

import (
	"bytes"
	"cmp"
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
		v := tx.Bucket(bucket).Get([]byte(key)) // is bbolt's, until View returns
		if err := errors.Join(ctx.Err(), storage.CheckKey(key)); err != nil || v == nil {
			return cmp.Or(err, storage.ErrNotFound)
		}
		rec = storage.Record{Revision: storage.Revision(v[1 : 1+v[0]]),
			Data: bytes.Clone(v[1+v[0]:])}
		return nil
	})
	return rec, err
}

// Swap implements storage.Store.
func (s *Store) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	value := append([]byte{byte(len(next.Revision))}, string(next.Revision)+string(next.Data)...)
	return s.change(ctx, storage.CheckSwap(key, old, next), key, old, func(b *bbolt.Bucket) error {
		return b.Put([]byte(key), value)
	})
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, key string, old storage.Revision) error {
	return s.change(ctx, storage.CheckDelete(key, old), key, old, func(b *bbolt.Bucket) error {
		return b.Delete([]byte(key))
	})
}

// change compares and writes in one transaction. bbolt runs one at a time.
func (s *Store) change(
	ctx context.Context, invalid error, key string, old storage.Revision,
	write func(*bbolt.Bucket) error,
) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucket).Get([]byte(key))
		if err := errors.Join(ctx.Err(), invalid); err != nil {
			return err
		} else if v == nil && old != "" || v != nil && storage.Revision(v[1:1+v[0]]) != old {
			return storage.ErrConflict
		}
		return write(tx.Bucket(bucket))
	})
}
