package seal

import (
	"crypto/cipher"
	"crypto/sha512"
	"encoding/binary"
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// This file is what a key keeps of the messages that it sealed and opened last. A record is
// opened when a sign-in begins and again when it ends, and to derive a message's key and set up
// its cipher takes longer than to open it.
//
// What an attacker sends leaves nothing here. A cipher is kept for a message that this process
// sealed or that was opened, which proves that a holder of the key sealed it. What is kept is
// beside the key that all of it derives from, and goes with the keyring that a rotation drops.

// keptLen is how many ciphers a key keeps, of 1.4 KB each, and how many bindings. A new one
// takes the place of an older one, at random.
const keptLen = 1024

// kept is what a key keeps. It is safe for concurrent use: nothing that it refers to changes.
type kept struct {
	ciphers  [keptLen]atomic.Pointer[message]
	bindings [keptLen]atomic.Pointer[bound]
	seed     maphash.Seed
}

// addressee is whom and what a message is for.
type addressee struct {
	purpose Purpose
	owner   string
}

// bound is an addressee with its binding.
type bound struct {
	to      addressee
	binding [bindingLen]byte
}

// message is the cipher of one message.
type message struct {
	*bound
	salt [saltLen]byte
	aead cipher.AEAD
}

// binding returns the place of an addressee's binding.
func (k *kept) binding(to addressee) *atomic.Pointer[bound] {
	return &k.bindings[maphash.Comparable(k.seed, to)%keptLen]
}

// cipher returns the place of the cipher of a message by its salt, which is random.
func (k *kept) cipher(salt []byte) *atomic.Pointer[message] {
	return &k.ciphers[binary.LittleEndian.Uint64(salt)%keptLen]
}

// bind returns an addressee with its binding.
func (k *key) bind(to addressee) *bound {
	b := k.kept.binding(to).Load()
	if b != nil && b.to == to {
		return b
	}
	var out [sha512.Size]byte
	k.expand(&out, "secondgate/1 binding", nil, to.purpose, to.owner)
	// The owner may be a part of a longer text, which is not to be kept.
	to = addressee{Purpose(strings.Clone(string(to.purpose))), strings.Clone(to.owner)}
	return &bound{to: to, binding: [bindingLen]byte(out[:])}
}

// find returns the cipher of a message that is kept, or one that is still to be derived.
func (k *key) find(to addressee, salt []byte) (m *message, derived bool) {
	m = k.kept.cipher(salt).Load()
	if m != nil && string(m.salt[:]) == string(salt) && m.to == to {
		return m, true
	}
	return &message{bound: k.bind(to), salt: [saltLen]byte(salt)}, false
}

// keep keeps the cipher of a message that was sealed or opened.
func (k *key) keep(m *message) {
	k.kept.binding(m.to).Store(m.bound)
	k.kept.cipher(m.salt[:]).Store(m)
}
