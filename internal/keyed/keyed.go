// Package keyed has a mutex for each key, kept only while a caller holds or wants it.
package keyed

import (
	"context"
	"sync"
)

// Mutex lets one caller at a time work on a key. The zero value is ready.
type Mutex struct {
	mu    sync.Mutex
	turns map[string]*turn
}

type turn struct {
	free chan struct{} // holds one token while no caller has the turn
	want int           // callers that have it or wait; guarded by Mutex.mu
}

// Lock waits for the key's turn, or until ctx is done. unlock is called once.
func (m *Mutex) Lock(ctx context.Context, key string) (unlock func(), err error) {
	m.mu.Lock()
	t := m.turns[key]
	if t == nil {
		if m.turns == nil {
			m.turns = make(map[string]*turn)
		}
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		m.turns[key] = t
	}
	t.want++
	m.mu.Unlock()

	select {
	case <-t.free:
		return func() { t.free <- struct{}{}; m.leave(key, t) }, nil
	case <-ctx.Done():
		m.leave(key, t)
		return nil, ctx.Err()
	}
}

func (m *Mutex) leave(key string, t *turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.want--; t.want == 0 {
		delete(m.turns, key)
	}
}
