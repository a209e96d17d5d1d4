package throttle

import "strconv"

// Size returns how many clients, names and passes are remembered.
func (t *Throttle) Size() (clients, names, passes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.clients.of), len(t.names.of), t.passes.count
}

// Waiting returns how many attempts wait for a place of a name.
func (t *Throttle) Waiting(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.names.of[name]; l != nil {
		return l.queues[0].waiting
	}
	return 0
}

const MaxPasses = maxPasses

// Fill has a failed attempt for as many names as are remembered.
func (t *Throttle) Fill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range maxKeys {
		l := t.names.get(strconv.Itoa(i), t.now())
		l.users--
		l.held++
		l.leave(true, t.now())
	}
}
