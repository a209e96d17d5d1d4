package seal

// KeptLen is how many ciphers a keyring keeps for each key.
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

// LeftInMemory returns what the derivation that a keyring made last has left in its buffer.
func LeftInMemory(kr *Keyring) []byte {
	e := kr.primary.macs.Get().(*expander)
	defer kr.primary.macs.Put(e)
	return e.out[:]
}
