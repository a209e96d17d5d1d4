package email

import (
	"math"

	"github.com/secondgate/secondgate/mfa/factor"
)

var _ factor.Describer = (*Factor)(nil)

// Settings states the length and the lifetime of codes, and that they go by mail.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{Bits: float64(f.cfg.Digits) * math.Log2(10), Lifetime: f.cfg.TTL, Mail: true}
}
