package mfa

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

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

const (
	sealForgotten = "forgotten"
	// tombstoneActive is the longest life of a token that can be made without a record, a
	// challenge or a grant, and somewhat more for clocks that differ.
	tombstoneActive = time.Hour + 5*time.Minute
)

// tombstone is what is left of a user who was deleted.
type tombstone struct {
	ID   [8]byte `cbor:"0,keyasint"`
	Time int64   `cbor:"1,keyasint"`
}

func (t *tombstone) active(now time.Time) bool {
	return now.UnixMilli() < t.Time+tombstoneActive.Milliseconds()
}

func (t *tombstone) over(now time.Time) bool {
	return now.UnixMilli() >= t.Time+2*tombstoneActive.Milliseconds()
}

// tombstoneKey is where the tombstone of a record is. It does not name the user.
func tombstoneKey(recordKey string) string {
	h := sha256.Sum256([]byte("secondgate/1 forgotten\x00" + recordKey))
	return "f/" + base64.RawURLEncoding.EncodeToString(h[:])
}

// bornUnder is the epoch of a record whose first write is made under a tombstone. It is not
// the tombstone's ID itself, so that tokens made for the record are told from those made
// before there was one.
func bornUnder(id []byte) (epoch [8]byte) {
	h := sha256.Sum256(slices.Concat([]byte("secondgate/1 born\x00"), id))
	copy(epoch[:], h[:])
	return epoch
}

// unborn is what a user without a record starts with.
func (m *Manager) unborn(ctx context.Context, recordKey string, now time.Time) (*record, error) {
	t, err := m.tombstone(ctx, recordKey)
	if err != nil {
		return nil, err
	}
	r := newRecord()
	if r.tomb = t; t == nil || t.over(now) {
		return r, nil
	}
	r.Epoch = bornUnder(t.ID[:])
	if t.active(now) {
		r.Born = -1 // valid for no token that names nothing
	}
	return r, nil
}

// tombstone returns the tombstone of a record, or nil.
func (m *Manager) tombstone(ctx context.Context, recordKey string) (*tombstone, error) {
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

func (m *Manager) openTombstone(key string, data []byte) (*tombstone, error) {
	plain, err := m.cfg.Keys.Open(sealForgotten, key, data)
	if err != nil {
		return nil, err
	}
	t := &tombstone{}
	if err := cbor.Unmarshal(plain, t); err != nil {
		return nil, err
	}
	return t, nil
}

// bury leaves a tombstone, in place of an earlier one.
func (m *Manager) bury(ctx context.Context, recordKey string, now time.Time) error {
	key := tombstoneKey(recordKey)
	plain, err := cborEnc.Marshal(tombstone{ID: random8(), Time: now.UnixMilli()})
	if err != nil {
		return err
	}
	return m.records.Update(ctx, key, func([]byte) (storage.Change, error) {
		return storage.Change{Data: m.cfg.Keys.Seal(sealForgotten, key, plain)}, nil
	})
}

// stillborn takes a record away that was made while its user was being deleted: the
// tombstone was put up after the record's maker had looked for it.
func (m *Manager) stillborn(ctx context.Context, recordKey string, made *record) error {
	t, err := m.tombstone(ctx, recordKey)
	if err != nil {
		return err
	}
	if t == nil || made.tomb != nil && t.ID == made.tomb.ID {
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

// forgotten says whether a token was made before its user was deleted.
func (c *claims) forgotten(r *record) bool { return r.tomb != nil && c.Issued <= r.tomb.Time }

// issuedUnder is what a token that is made for r carries as its epoch.
func (r *record) issuedUnder() []byte {
	switch {
	case !r.fresh:
		return r.Epoch[:]
	case r.tomb != nil && r.Born != 0:
		return r.tomb.ID[:]
	default:
		return nil
	}
}

// sameRecord says whether the record is the one that the token was made for. A token from
// before there was a record is valid for the record that its own use made, unless the user was
// deleted since.
func (c *claims) sameRecord(r *record) error {
	if r.fresh {
		return c.sameFreshRecord(r)
	}
	epoch := string(r.Epoch[:])
	switch named := len(c.Epoch) > 0; {
	case string(c.Epoch) == epoch,
		named && bornUnder(c.Epoch) == r.Epoch,
		!named && r.Born >= c.Issued:
		return nil
	default:
		return ErrTokenExpired
	}
}

// sameFreshRecord is sameRecord where there is no record, or none any more.
func (c *claims) sameFreshRecord(r *record) error {
	named := len(c.Epoch) > 0
	switch {
	case !named && r.Born == 0 && !c.forgotten(r),
		named && r.tomb != nil && string(c.Epoch) == string(r.tomb.ID[:]):
		return nil
	case named && !c.forgotten(r):
		return ErrRecordMissing
	default:
		return ErrTokenExpired
	}
}
