package mfa

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage"
)

// Allowances for sending: how many messages may go out in an hour, from the narrowest to the
// widest.
//
//   - The user's own is in the user's record, and is charged by the swap that keeps what is
//     sent.
//   - Those of a destination, and of a kind and tenant, are records of their own.
//
// The narrowest refuses first, and a refusal writes nothing and costs nothing of a wider one:
// no user's behaviour uses up another user's allowance, or a tenant's. Several writes are
// needed for one message, so the wider ones are charged before the user's record is written,
// and are paid back when that refuses. Nothing is delivered before all of them are charged,
// so that none is ever exceeded.

// unconfirmedPerDestination is how many codes an hour may go to an address or number that
// nobody has verified, for all users.
const unconfirmedPerDestination = 20

const sealBudget = "budget"

func (b RateLimits) withDefaults() RateLimits {
	if b.PerUser == 0 {
		b.PerUser = 30
	}
	return b
}

// userMaySend looks at the user's own allowance, and charges nothing.
func (m *Manager) userMaySend(r *record, now time.Time) error {
	limit := m.cfg.RateLimits.PerUser
	if limit < 0 {
		return nil
	}
	if _, wait := r.Sends.add(now, limit); wait > 0 {
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

// userSends charges the user's own allowance, in a record that is about to be written. Every
// act by which a user can have a message sent goes through it.
func (m *Manager) userSends(r *record, now time.Time) error {
	if err := m.userMaySend(r, now); err != nil {
		return err
	}
	if limit := m.cfg.RateLimits.PerUser; limit < 0 {
		r.Sends = nil
	} else {
		r.Sends, _ = r.Sends.add(now, limit)
	}
	return nil
}

// allowance is one that several users share.
type allowance struct {
	key   string
	limit int
}

// allowances are those that a message costs besides the user's own, the narrowest first.
func (m *Manager) allowances(s *issuing, destination secret.Text) (list []allowance) {
	limit := m.cfg.RateLimits.PerDestination
	if limit == 0 && s.confirming {
		limit = unconfirmedPerDestination
	}
	kind := s.factor.Kind()
	if limit > 0 && !destination.IsZero() {
		digest := m.cfg.Keys.Digest("destination", kind+"\x00"+destination.Reveal())
		list = append(list, allowance{"b/d/" + base64.RawURLEncoding.EncodeToString(digest), limit})
	}
	if limit = m.cfg.RateLimits.PerKind; limit > 0 {
		list = append(list, allowance{fmt.Sprintf("b/s/%s/%s", kind, s.subject.Tenant), limit})
	}
	return list
}

// payments are allowances that were charged, each with the minute that it was charged for.
type payments []payment

type payment struct {
	key    string
	minute int64
}

// pay charges the shared allowances for one message: all of them, or none.
func (m *Manager) pay(
	ctx context.Context, s *issuing, destination secret.Text, now time.Time,
) (paid payments, err error) {
	list := m.allowances(s, destination)
	if len(list) > 1 {
		// Looked at before the first is charged, so that a refusal does not write.
		for _, a := range list {
			if err := m.look(ctx, a, now); err != nil {
				return nil, err
			}
		}
	}
	for _, a := range list {
		p, err := m.chargeShared(ctx, a, now)
		if err != nil {
			m.refund(ctx, paid)
			return nil, err
		}
		paid = append(paid, p)
	}
	return paid, nil
}

// look refuses if an allowance is used up.
func (m *Manager) look(ctx context.Context, a allowance, now time.Time) error {
	rec, err := m.records.Get(ctx, a.key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	var log sendLog
	if err == nil {
		log, err = m.openSends(a.key, rec.Data)
	}
	if err != nil {
		return unavailable(err)
	}
	if _, wait := log.add(now, a.limit); wait > 0 {
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

// chargeShared takes one send from an allowance.
func (m *Manager) chargeShared(
	ctx context.Context, a allowance, now time.Time,
) (p payment, err error) {
	var over error
	err = m.records.Update(ctx, a.key, func(data []byte) (storage.Change, error) {
		log, err := m.openSends(a.key, data)
		if err != nil {
			return storage.Change{}, err
		}
		log, wait := log.add(now, a.limit)
		if over = nil; wait > 0 {
			over = &RateLimitError{RetryAfter: wait}
			return storage.Change{}, nil
		}
		p = payment{a.key, log[len(log)-2]}
		return m.sealSends(a.key, log)
	})
	if err != nil {
		return payment{}, unavailable(err)
	}
	return p, over
}

// refund gives back what was charged for a message that is not sent. It happens even if the
// caller has gone. What fails stays charged: it is not tried again, because it may have been
// done, and done twice it would let one message too many through.
func (m *Manager) refund(ctx context.Context, paid payments) {
	if len(paid) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, p := range paid {
		_ = m.records.Update(ctx, p.key, func(data []byte) (storage.Change, error) {
			log, err := m.openSends(p.key, data)
			if err != nil || data == nil {
				return storage.Change{}, err
			}
			return m.sealSends(p.key, log.remove(p.minute))
		})
	}
}

func (m *Manager) openSends(key string, data []byte) (log sendLog, err error) {
	if data == nil {
		return nil, nil
	}
	plain, err := m.cfg.Keys.Open(sealBudget, key, data)
	if errors.Is(err, seal.ErrUnknownKey) {
		return nil, nil // a retired key's, of more than an hour ago
	}
	if err == nil {
		err = cbor.Unmarshal(plain, &log)
	}
	if err == nil && len(log)%2 != 0 {
		err = errRecord
	}
	return log, err
}

func (m *Manager) sealSends(key string, log sendLog) (storage.Change, error) {
	if len(log) == 0 {
		return storage.Change{Delete: true}, nil
	}
	plain, err := cborEnc.Marshal(log)
	if err != nil {
		return storage.Change{}, err
	}
	return storage.Change{Data: m.cfg.Keys.Seal(sealBudget, key, plain)}, nil
}
