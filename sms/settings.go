package sms

import (
	"math"

	"github.com/secondgate/secondgate/mfa/factor"
)

var _ factor.Describer = (*Factor)(nil)

// Settings states the length and the lifetime of codes, that they go over the telephone
// network, and whether Config.Check is asked before.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{Bits: float64(f.cfg.Digits) * math.Log2(10), Lifetime: f.cfg.TTL,
		Telephone: true, AsksBefore: f.cfg.Check != nil}
}
