package kdf

// Occupy takes a place until it is released.
func (h *Hasher) Occupy() (release func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

// Taken returns how many places are taken.
func (h *Hasher) Taken() int { return len(h.slots) }
