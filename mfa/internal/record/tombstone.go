package record

import (
	"crypto/sha256"
	"slices"
	"time"
)

// tombstoneActive is the longest life of a token that can be made without a record, a
// challenge or a grant, and somewhat more for clocks that differ.
const tombstoneActive = time.Hour + 5*time.Minute

// Tombstone is what is left of a user who was deleted.
type Tombstone struct {
	ID   [8]byte `cbor:"0,keyasint"`
	Time int64   `cbor:"1,keyasint"`
}

// Active reports whether new tokens carry the tombstone's ID.
func (t *Tombstone) Active(now time.Time) bool {
	return now.UnixMilli() < t.Time+tombstoneActive.Milliseconds()
}

// Expired reports whether no token is left that the tombstone could decide about.
func (t *Tombstone) Expired(now time.Time) bool {
	return now.UnixMilli() >= t.Time+2*tombstoneActive.Milliseconds()
}

// BornUnder is the epoch of a record whose first write is made under a tombstone. It is not
// the tombstone's ID itself, so that tokens made for the record differ from those made
// before there was one.
func BornUnder(id []byte) (epoch [8]byte) {
	h := sha256.Sum256(slices.Concat([]byte("secondgate/1 born\x00"), id))
	copy(epoch[:], h[:])
	return epoch
}

// IssuedUnder is what a token that is made for r carries as its epoch.
func (r *Record) IssuedUnder() []byte {
	switch {
	case !r.Fresh:
		return r.Epoch[:]
	case r.Tombstone != nil && r.Born != 0:
		return r.Tombstone.ID[:]
	default:
		return nil
	}
}
