package seal

// Bounds of what a keyring keeps, and of what it seals with one key.
const KeptLen = keptLen

// Kept returns how many ciphers and bindings a keyring keeps.
func Kept(kr *Keyring) (ciphers, bindings int) {
	for _, k := range kr.keys {
		for i := range keptLen {
			if k.kept.ciphers[i].Load() != nil {
				ciphers++
			}
			if k.kept.bindings[i].Load() != nil {
				bindings++
			}
		}
	}
	return ciphers, bindings
}
