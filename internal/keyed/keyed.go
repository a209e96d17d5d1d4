// Package keyed has a mutex for each key, kept only while a caller holds or wants it.
package keyed

import (
	"context"
	"sync"
)

// maxSpare is how many turns are kept for the next keys.
const maxSpare = 64

// Mutex lets one caller at a time work on a key. The zero value is ready.
type Mutex struct {
	mu    sync.Mutex
	turns map[string]*turn
	spare []*turn // that no caller has or waits for, each with its token
}

type turn struct {
	free chan struct{} // holds one token while no caller has the turn
	want int           // callers that have it or wait; guarded by Mutex.mu
}

// Held is a key's turn, until Unlock.
type Held struct {
	m   *Mutex
	key string
	t   *turn
}

// Lock waits for the key's turn, or until ctx is done. Unlock is called once.
func (m *Mutex) Lock(ctx context.Context, key string) (Held, error) {
	t := m.join(key)
	select {
	case <-t.free:
		return Held{m, key, t}, nil
	case <-ctx.Done():
		m.leave(key, t)
		return Held{}, ctx.Err()
	}
}

// Unlock gives the turn to another caller.
func (h Held) Unlock() {
	h.t.free <- struct{}{}
	h.m.leave(h.key, h.t)
}

// join returns the key's turn, which stays until leave.
func (m *Mutex) join(key string) *turn {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.turns[key]
	if t == nil {
		t = m.unused()
		m.turns[key] = t
	}
	t.want++
	return t
}

// unused returns a turn that no caller has or waits for.
func (m *Mutex) unused() *turn {
	if m.turns == nil {
		m.turns = make(map[string]*turn)
	}
	if last := len(m.spare) - 1; last >= 0 {
		t := m.spare[last]
		m.spare = m.spare[:last]
		return t
	}
	t := &turn{free: make(chan struct{}, 1)}
	t.free <- struct{}{}
	return t
}

// leave forgets the key when no caller has or wants it. Its turn has its token then: who had it
// last gave it back before.
func (m *Mutex) leave(key string, t *turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.want--; t.want > 0 {
		return
	}
	delete(m.turns, key)
	if len(m.spare) < maxSpare {
		m.spare = append(m.spare, t)
	}
}
