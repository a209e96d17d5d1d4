package token

import (
	"time"

	"github.com/secondgate/secondgate/mfa/internal/record"
)

// forgotten says whether a token was made before its user was deleted.
func (c *Claims) forgotten(r *record.Record) bool {
	return r.Tombstone != nil && c.Issued <= r.Tombstone.Time
}

// SameRecord says whether the record is the one that the token was made for. A token from
// before there was a record is valid for the record that its own use made, unless the user was
// deleted since.
func (c *Claims) SameRecord(r *record.Record) error {
	if r.Fresh {
		return c.sameFreshRecord(r)
	}
	epoch := string(r.Epoch[:])
	switch {
	case string(c.Epoch) == epoch, record.BornUnder(c.Epoch) == r.Epoch,
		len(c.Epoch) == 0 && r.Born >= c.Issued:
		return nil
	default:
		return ErrExpired
	}
}

// sameFreshRecord is sameRecord where there is no record, or none any more.
func (c *Claims) sameFreshRecord(r *record.Record) error {
	named := len(c.Epoch) > 0
	switch {
	case !named && r.Born == 0 && !c.forgotten(r),
		r.Tombstone != nil && string(c.Epoch) == string(r.Tombstone.ID[:]):
		return nil
	case named && !c.forgotten(r):
		return ErrRecordMissing
	default:
		return ErrExpired
	}
}

// Answerable refuses a challenge that a response can no longer be given to.
func (c *Claims) Answerable(r *record.Record, now time.Time, ttl time.Duration) error {
	if err := c.SameRecord(r); err != nil {
		return err
	}
	if c.Expired(now, ttl) || r.IsUsed(c.ID, c.Issued) {
		return ErrExpired
	}
	if c.Linked && (r.Recovery == nil || r.Recovery.ID != c.ID) {
		return ErrExpired // a password change, a sign-in or a later link has ended it
	}
	return nil
}
