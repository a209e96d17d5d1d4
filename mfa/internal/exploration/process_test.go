package exploration

import (
	"context"
	"errors"
	"maps"

	"github.com/secondgate/secondgate/storage"
)

// call is what a process asks of the store.
type call struct {
	swap bool // or a read; no operation here deletes
	key  string
	old  storage.Revision
	next stored
}

// stored is a record with its content, in which names take the place of random values.
type stored struct {
	storage.Record
	content string
}

// answer is what the store says to a call.
type answer struct {
	stored
	err error
}

// port is the store of one process. Each call waits for its answer.
type port struct {
	calls   chan call
	answers chan answer
}

func newPort() *port { return &port{make(chan call), make(chan answer)} }

func (p *port) ask(c call) answer {
	p.calls <- c
	return <-p.answers
}

func (p *port) Get(_ context.Context, key string) (storage.Record, error) {
	a := p.ask(call{key: key})
	return a.Record, a.err
}

func (p *port) Swap(
	_ context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return p.ask(call{swap: true, key: key, old: old, next: stored{Record: next}}).err
}

func (p *port) Delete(_ context.Context, key string, old storage.Revision) error {
	return p.ask(call{swap: true, key: key, old: old}).err
}

var errAbandoned = errors.New("the process is not looked at any further")

// running is an operation between two calls to the store. It is kept as what the store has
// answered so far: with the same answers, a process does the same.
type running struct {
	op       operation
	answers  []answer
	next     call
	besides  bool // another message was on its way at the same time
	conflict bool
}

// resume runs an operation again with the answers that it was given, until it makes its next call
// or ends. It is then abandoned.
func (w *world) resume(process int, op operation, answers []answer) (next *call, out outcome) {
	p, done := w.ports[process], make(chan outcome)
	go func() { done <- w.run(w.managers[process], op) }()
	for _, a := range answers {
		<-p.calls
		p.answers <- a
	}
	for {
		select {
		case c := <-p.calls:
			if next == nil {
				next = &c
			}
			p.answers <- answer{err: errAbandoned}
		case out = <-done:
			return next, out
		}
	}
}

// records are the contents of a store. They are copied before each change, so that states share
// them.
type records map[string]stored

// store answers a call: the real one, or one with a fault.
type store func(r records, c call) (records, answer)

// conforming does what storage.Store asks for.
func conforming(r records, c call) (records, answer) {
	now, ok := r[c.key]
	switch {
	case !c.swap && !ok:
		return r, answer{err: storage.ErrNotFound}
	case !c.swap:
		return r, answer{stored: now}
	case now.Revision != c.old:
		return r, answer{err: storage.ErrConflict}
	}
	r = maps.Clone(r)
	if r[c.key] = c.next; c.next.Revision == "" {
		delete(r, c.key)
	}
	return r, answer{}
}
