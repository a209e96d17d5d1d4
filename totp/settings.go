package totp

import (
	"math"
	"time"

	"github.com/secondgate/secondgate/mfa/factor"
)

var _ factor.Describer = (*Factor)(nil)

// Settings states what new enrolments get. Those from before a change of Config keep their
// digits and their period.
func (f *Factor) Settings() factor.Settings {
	steps := 3
	if f.cfg.Strict {
		steps = 1
	}
	return factor.Settings{
		Bits: float64(f.cfg.Digits) * math.Log2(10),
		Step: f.cfg.Period,
		// A prompt that is opened in a code's last moment adds the whole grace.
		Lifetime: f.cfg.Period*time.Duration(steps) + f.cfg.EntryGrace,
	}
}
