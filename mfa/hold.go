package mfa

import (
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
)

// This file decides what becomes of a replacement that a recovery enrolled. It signs in at
// once. Until its hold ends nothing that was there before changes, so that an attacker with a
// recovery code cannot shut the user out, and the user can still cancel.

// endFactors ends factors, and the recovery kinds when none of the user's own is left: what
// they recover is gone, and must not open what is enrolled later.
func (m *Manager) endFactors(r *record.Record, gone func(record.Instance) bool) []record.Instance {
	had := m.hasOwn(r)
	ended := r.RemoveFactors(gone)
	if had && !m.hasOwn(r) {
		ended = append(ended, m.endRecovery(r)...)
	}
	return ended
}

// endRecovery ends the recovery kinds that the user has set up. Access codes stay: an
// administrator has made them, and they end by themselves.
func (m *Manager) endRecovery(r *record.Record) []record.Instance {
	return r.RemoveFactors(func(in record.Instance) bool {
		f := m.factors[in.Kind]
		return f != nil && f.Traits().Class == factor.ClassRecovery && !f.Traits().AdminOnly
	})
}
