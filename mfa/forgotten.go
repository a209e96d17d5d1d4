package mfa

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/storage"
)

// Tokens that were made while a user had no record name no record, and would be valid again
// for a user who was deleted and has none any more. Delete therefore leaves a
// tombstone, which says nothing of the user: its key is a digest, its content a random ID and
// a time. As long as it stands, tokens for a user without a record carry its ID, and those
// that carry none, or another, are refused.
//
//	deletion        + tombstoneActive          + 2 × tombstoneActive
//	   |  new tokens carry its ID  |  new tokens carry none, both are valid  |  it is removed
//
// In the first span every token from before the deletion ends by itself, in the second every
// token that carries the ID.

const sealForgotten = "forgotten"

// tombstoneKey is where the tombstone of a record is. It does not name the user.
func tombstoneKey(recordKey string) string {
	h := sha256.Sum256([]byte("secondgate/1 forgotten\x00" + recordKey))
	return "f/" + base64.RawURLEncoding.EncodeToString(h[:])
}

// unborn is what a user without a record starts with.
func (m *Manager) unborn(
	ctx context.Context, recordKey string, now time.Time,
) (*record.Record, error) {
	t, err := m.tombstone(ctx, recordKey)
	if err != nil {
		return nil, err
	}
	r := record.New()
	if r.Tombstone = t; t == nil || t.Expired(now) {
		return r, nil
	}
	r.Epoch = record.BornUnder(t.ID[:])
	if t.Active(now) {
		r.Born = -1 // valid for no token that names nothing
	}
	return r, nil
}

// tombstone returns the tombstone of a record, or nil.
func (m *Manager) tombstone(ctx context.Context, recordKey string) (*record.Tombstone, error) {
	key := tombstoneKey(recordKey)
	rec, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	t, err := m.openTombstone(key, rec.Data)
	if err != nil {
		return nil, unavailable(err)
	}
	return t, nil
}

func (m *Manager) openTombstone(key string, data []byte) (*record.Tombstone, error) {
	plain, err := m.cfg.Keys.Open(sealForgotten, key, data)
	if err != nil {
		return nil, err
	}
	t := &record.Tombstone{}
	if err := cbor.Unmarshal(plain, t); err != nil {
		return nil, err
	}
	return t, nil
}

// bury leaves a tombstone, in place of an earlier one.
func (m *Manager) bury(ctx context.Context, recordKey string, now time.Time) error {
	key := tombstoneKey(recordKey)
	plain, err := record.Marshal(record.Tombstone{ID: record.Random8(), Time: now.UnixMilli()})
	if err != nil {
		return err
	}
	return m.records.Update(ctx, key, func([]byte) (storage.Change, error) {
		return storage.Change{Data: m.cfg.Keys.Seal(sealForgotten, key, plain)}, nil
	})
}

// stillborn takes a record away that was made while its user was being deleted: the
// tombstone was put up after the record's maker had looked for it.
func (m *Manager) stillborn(ctx context.Context, recordKey string, made *record.Record) error {
	t, err := m.tombstone(ctx, recordKey)
	if err != nil {
		return err
	}
	if t == nil || made.Tombstone != nil && t.ID == made.Tombstone.ID {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	err = m.records.Update(ctx, recordKey, func(data []byte) (storage.Change, error) {
		if data == nil {
			return storage.Change{}, nil
		}
		r, err := m.open(recordKey, data)
		if err != nil || r.Epoch != made.Epoch {
			return storage.Change{}, err
		}
		return storage.Change{Delete: true}, nil
	})
	if err == nil {
		err = errors.New("the user was deleted meanwhile")
	}
	return unavailable(err)
}
