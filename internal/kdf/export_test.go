package kdf

import "golang.org/x/crypto/argon2"

// Occupy takes a place until it is released.
func (h *Hasher) Occupy() (release func()) {
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

// Taken returns how many places are taken.
func (h *Hasher) Taken() int { return len(h.slots) }

// During has each hash call f while it works.
func (h *Hasher) During(f func()) {
	h.key = func(secret, salt []byte, time, memory uint32, threads uint8, n uint32) []byte {
		f()
		return argon2.IDKey(secret, salt, time, memory, threads, n)
	}
}
