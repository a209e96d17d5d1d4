package access

import "github.com/secondgate/secondgate/mfa/factor"

var _ factor.Describer = (*Factor)(nil)

// Settings states how hard a code is to guess, and how long it can be good.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{Bits: chars * 5, Lifetime: f.most}
}
