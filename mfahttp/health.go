package mfahttp

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/secondgate/secondgate/storage"
)

// Live returns a handler that responds with 200 and {"status":"alive"}. It looks at nothing: a
// supervisor that restarts processes because their database is down ends sessions and repairs
// nothing. Mount it outside [Handler.Require], such as at "GET /livez".
func Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeHealth(w, http.StatusOK, health{Status: "alive"})
	})
}

// Ready returns a handler that reads from the store, and responds with 200 and
// {"status":"ready","store":"ok"} if the store answers within a time. Otherwise it responds with
// 503, "unavailable", and for the store "slow" or "failed". The body has nothing of the store's
// error, so that strangers may see it; package otelmfa measures the store.
//
// The store is the one of mfa.Config. It is read once at a time and at most once a second,
// however many requests there are, so that strangers cannot load it. Within defaults to one
// second, if it is 0 or less. Mount the handler outside [Handler.Require], such as at
// "GET /readyz". It is safe for concurrent use.
func Ready(store storage.Store, within time.Duration) http.Handler {
	if within <= 0 {
		within = time.Second
	}
	return &readiness{store: store, within: within}
}

// health is the body of a response.
type health struct {
	Status string `json:"status"`
	Store  string `json:"store,omitempty"`
}

func writeHealth(w http.ResponseWriter, status int, h health) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, h)
}

// probeEvery is how long the result of a read is used again.
const probeEvery = time.Second

// probeKey is no key of a record.
const probeKey = "health"

type readiness struct {
	store  storage.Store
	within time.Duration

	mu     sync.Mutex
	newest *probe
}

// probe is one read of the store, for all requests that come meanwhile and soon after.
type probe struct {
	began time.Time
	done  chan struct{}
	err   error // once done is closed
}

func (h *readiness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p, mine := h.turn()
	if mine {
		// Others wait for this read, so it does not end with its request.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.within)
		p.err = h.read(ctx)
		cancel()
		close(p.done)
	}
	late := time.NewTimer(time.Until(p.began.Add(h.within)))
	defer late.Stop()
	err := error(context.DeadlineExceeded)
	if p.ended() {
		err = p.err
	} else {
		select {
		case <-p.done:
			err = p.err
		case <-late.C:
		case <-r.Context().Done():
			return // the client is gone
		}
	}
	switch {
	case err == nil:
		writeHealth(w, http.StatusOK, health{"ready", "ok"})
	case errors.Is(err, context.DeadlineExceeded):
		writeHealth(w, http.StatusServiceUnavailable, health{"unavailable", "slow"})
	default:
		writeHealth(w, http.StatusServiceUnavailable, health{"unavailable", "failed"})
	}
}

// turn returns the newest read. It is the caller's to make if the one before has ended, and is a
// second old.
func (h *readiness) turn() (p *probe, mine bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.newest; p != nil && (!p.ended() || time.Since(p.began) < probeEvery) {
		return p, false
	}
	h.newest = &probe{began: time.Now(), done: make(chan struct{})}
	return h.newest, true
}

func (p *probe) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// read reads what is not there. A store that panics, or is nil, has failed.
func (h *readiness) read(ctx context.Context) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("mfahttp: the store panicked")
		}
	}()
	if _, err = h.store.Get(ctx, probeKey); errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
