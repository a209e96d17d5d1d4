package mfa

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// This file decides how many messages may be sent in an hour. The limits are, from the narrowest
// to the widest:
//
//   - The user's own is in the user's record. The swap that keeps what is sent charges it.
//   - Those of a destination, and of a kind and tenant, are records of their own, and shared.
//
// The narrowest refuses first, and a refusal writes nothing and charges no wider limit: no user's
// behaviour uses up another user's limit, or a tenant's. One message needs several writes, so the
// shared limits are charged before the user's record is written, and refunded when that refuses.
// Nothing is delivered before all of them are charged, so that none is ever exceeded.

// unverifiedPerDestination is how many codes an hour may go to an address or number that is not
// verified, for all users.
const unverifiedPerDestination = 20

const sealBudget = "budget"

func (b RateLimits) withDefaults() RateLimits {
	if b.PerUser == 0 {
		b.PerUser = 30
	}
	return b
}

// checkUserLimit refuses if the user's own limit is used up, and charges nothing.
func (m *Manager) checkUserLimit(r *record.Record, now time.Time) error {
	limit := m.cfg.RateLimits.PerUser
	if limit < 0 {
		return nil
	}
	if _, wait := r.Sends.Add(now, limit); wait > 0 {
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

// chargeUser charges the user's own limit, in a record that is about to be written. Every
// act by which a user can have a message sent goes through it.
func (m *Manager) chargeUser(r *record.Record, now time.Time) error {
	if err := m.checkUserLimit(r, now); err != nil {
		return err
	}
	if limit := m.cfg.RateLimits.PerUser; limit < 0 {
		r.Sends = nil
	} else {
		r.Sends, _ = r.Sends.Add(now, limit)
	}
	return nil
}

// sharedLimit is a limit that several users share.
type sharedLimit struct {
	key   string
	limit int
}

// sharedLimits returns the limits that a message is charged to besides the user's own, the
// narrowest first.
func (m *Manager) sharedLimits(s *sending, destination secret.Text) (list []sharedLimit) {
	limit := m.cfg.RateLimits.PerDestination
	if limit == 0 && s.confirming() {
		limit = unverifiedPerDestination
	}
	kind := s.factor.Kind()
	if limit > 0 && !destination.IsZero() {
		digest := m.cfg.Keys.Digest("destination", kind+"\x00"+destination.Reveal())
		list = append(list, sharedLimit{"b/d/" + base64.RawURLEncoding.EncodeToString(digest),
			limit})
	}
	if limit = m.cfg.RateLimits.PerKind; limit > 0 {
		list = append(list, sharedLimit{fmt.Sprintf("b/s/%s/%s", kind, s.claims.Subject.Tenant),
			limit})
	}
	return list
}

// charges are limits that were charged, each with the minute that it was charged for.
type charges []chargedLimit

type chargedLimit struct {
	key    string
	minute int64
}

// chargeShared charges the shared limits for one message: all of them, or none.
func (m *Manager) chargeShared(
	ctx context.Context, s *sending, destination secret.Text, now time.Time,
) (charged charges, err error) {
	list := m.sharedLimits(s, destination)
	if len(list) > 1 {
		// Looked at before the first is charged, so that a refusal does not write.
		for _, a := range list {
			if err := m.checkShared(ctx, a, now); err != nil {
				return nil, err
			}
		}
	}
	for _, a := range list {
		p, err := m.chargeOne(ctx, a, now)
		if err != nil {
			m.refund(ctx, charged)
			return nil, err
		}
		charged = append(charged, p)
	}
	return charged, nil
}

// checkShared refuses if a shared limit is used up.
func (m *Manager) checkShared(ctx context.Context, a sharedLimit, now time.Time) error {
	rec, err := m.records.Get(ctx, a.key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	var log record.SendLog
	if err == nil {
		log, err = m.openSends(a.key, rec.Data)
	}
	if err != nil {
		return unavailable(err)
	}
	if _, wait := log.Add(now, a.limit); wait > 0 {
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

// chargeOne charges one shared limit.
func (m *Manager) chargeOne(
	ctx context.Context, a sharedLimit, now time.Time,
) (p chargedLimit, err error) {
	c, err := swap(ctx, m.records, a.key, func(data []byte) (c chargeResult, _ storage.Change,
		err error) {
		log, err := m.openSends(a.key, data)
		if err != nil {
			return c, storage.Change{}, err
		}
		log, c.wait = log.Add(now, a.limit)
		if c.wait > 0 {
			return c, storage.Change{}, nil
		}
		c.charged = chargedLimit{a.key, log[len(log)-2]}
		change, err := m.sealSends(a.key, log)
		return c, change, err
	})
	switch {
	case err != nil:
		return chargedLimit{}, unavailable(err)
	case c.wait > 0:
		return chargedLimit{}, &RateLimitError{RetryAfter: c.wait}
	}
	return c.charged, nil
}

// chargeResult is what became of charging a limit: the charge, or how long to wait for one.
type chargeResult struct {
	charged chargedLimit
	wait    time.Duration
}

// refund gives back what was charged for a message that is not sent. It happens even if the
// caller has gone. What fails stays charged: it is not tried again, because it may have been
// done, and done twice it would let one message too many through.
func (m *Manager) refund(ctx context.Context, charged charges) {
	if len(charged) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, p := range charged {
		_ = m.records.Update(ctx, p.key, func(data []byte) (storage.Change, error) {
			log, err := m.openSends(p.key, data)
			if err != nil || data == nil {
				return storage.Change{}, err
			}
			return m.sealSends(p.key, log.Remove(p.minute))
		})
	}
}

func (m *Manager) openSends(key string, data []byte) (log record.SendLog, err error) {
	if data == nil {
		return nil, nil
	}
	plain, err := m.cfg.Keys.Open(sealBudget, key, data)
	if errors.Is(err, seal.ErrUnknownKey) {
		return nil, nil // sealed with a retired key, so more than an hour ago
	}
	if err == nil {
		err = cbor.Unmarshal(plain, &log)
	}
	if err == nil && len(log)%2 != 0 {
		err = record.ErrUnreadable
	}
	return log, err
}

func (m *Manager) sealSends(key string, log record.SendLog) (storage.Change, error) {
	if len(log) == 0 {
		return storage.Change{Delete: true}, nil
	}
	plain, err := record.Marshal(log)
	if err != nil {
		return storage.Change{}, err
	}
	return storage.Change{Data: m.cfg.Keys.Seal(sealBudget, key, plain)}, nil
}
