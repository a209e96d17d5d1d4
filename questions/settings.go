package questions

import "github.com/secondgate/secondgate/mfa/factor"

var _ factor.Describer = (*Factor)(nil)

// Settings states that the answers are facts about the person, of which argon2id is kept.
func (f *Factor) Settings() factor.Settings {
	return factor.Settings{MinLength: f.least, SlowHash: true, PersonalFacts: true}
}
