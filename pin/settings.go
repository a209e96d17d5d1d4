package pin

import "github.com/secondgate/secondgate/mfa/factor"

var _ factor.Describer = (*Factor)(nil)

// Settings states how long a PIN is at least, and that argon2id is kept of it.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{MinLength: f.cfg.MinLength, SlowHash: true}
}
