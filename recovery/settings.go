package recovery

import "github.com/secondgate/secondgate/mfa/factor"

var _ factor.Describer = (*Factor)(nil)

// Settings states how hard a code is to guess: five bits for each of its characters.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{Bits: float64(f.chars * 5)}
}
