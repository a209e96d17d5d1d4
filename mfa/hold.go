package mfa

import (
	"slices"
	"time"
)

// This file decides what becomes of a replacement that a recovery enrolled. It signs in at
// once. Until its hold ends nothing that was there before changes, so that an attacker with a
// recovery code cannot shut the user out, and the user can still cancel.

// holdBack puts a replacement on hold and returns when that ends. A replacement of the same
// kind that is on hold already ends.
func (m *Manager) holdBack(r *record, c *claims, in instance, now time.Time) time.Time {
	r.removeFactors(func(old instance) bool {
		_, held := r.Holds[old.ID]
		return held && old.Kind == in.Kind
	})
	h := hold{Until: now.UnixMilli() + c.Hold}
	for _, old := range r.Factors {
		if old.Kind == in.Kind && !old.Implicit {
			h.Replaces = append(h.Replaces, old.ID)
		}
	}
	if r.Holds == nil {
		r.Holds = make(map[string]hold)
	}
	r.Holds[in.ID] = h
	return instant(h.Until)
}

// endHolds ends the holds that are over, and with each the factors that it replaces.
func (m *Manager) endHolds(r *record, now time.Time) {
	for id, h := range r.Holds {
		if now.UnixMilli() < h.Until {
			continue
		}
		delete(r.Holds, id)
		if r.factor(id) != nil {
			r.removeFactors(func(in instance) bool { return slices.Contains(h.Replaces, in.ID) })
		}
	}
}

// endFactors ends factors, and the recovery kinds when none of the user's own is left: what
// they recover is gone, and must not open what is enrolled later.
func (m *Manager) endFactors(r *record, gone func(instance) bool) []instance {
	had := r.hasOwn(m)
	ended := r.removeFactors(gone)
	if had && !r.hasOwn(m) {
		ended = append(ended, m.endRecovery(r)...)
	}
	return ended
}

// endRecovery ends the recovery kinds that the user has set up. Access codes stay: an
// administrator has made them, and they end by themselves.
func (m *Manager) endRecovery(r *record) []instance {
	return r.removeFactors(func(in instance) bool {
		f := m.factors[in.Kind]
		return f != nil && f.Traits().Recovery && !f.Traits().AdminOnly
	})
}
