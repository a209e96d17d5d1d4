package customfactor

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	maxAnswer  = 1 << 10 // bytes
	maxWaiting = 10_000  // requests
)

// Answer is what a device says about a Request. The device signs it.
type Answer struct {
	Challenge string `json:"challenge"`
	// Number is what the user typed.
	Number  string `json:"number"`
	Approve bool   `json:"approve"`
	// Key is the device's public key, with the answer that enrols it.
	Key       ed25519.PublicKey `json:"key,omitempty"`
	Signature []byte            `json:"signature"`
}

// Sign signs the answer with the key of the device.
func (a *Answer) Sign(key ed25519.PrivateKey) {
	a.Signature = ed25519.Sign(key, a.signed(a.Challenge))
}

// signed returns what the device signs: the answer to a challenge, and for what it is.
func (a *Answer) signed(challenge string) []byte {
	return fmt.Appendf(nil, "customfactor approval 1\n%s\n%q\n%t\n%x", challenge, a.Number,
		a.Approve, []byte(a.Key))
}

// Answers is the endpoint to which devices post an Answer. It verifies none: the factor does.
// It keeps the first answer to each request that waits, and drops all others. This one is for an
// application of one process; another keeps the answers where all of its processes see them.
type Answers struct {
	// Now is the clock. Nil is the system's.
	Now func() time.Time

	mu      sync.Mutex
	waiting map[string]*waiting
}

// waiting is a request until it expires.
type waiting struct {
	expires time.Time
	answer  *Answer
}

// expect makes room for the answer to a challenge.
func (a *Answers) expect(challenge string, expires time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.waiting[challenge] != nil {
		return nil
	}
	if len(a.waiting) >= maxWaiting {
		for c, w := range a.waiting {
			if !now.Before(w.expires) {
				delete(a.waiting, c)
			}
		}
	}
	if len(a.waiting) >= maxWaiting {
		return errors.New("customfactor: too many requests wait for an answer")
	}
	if a.waiting == nil {
		a.waiting = map[string]*waiting{}
	}
	a.waiting[challenge] = &waiting{expires: expires}
	return nil
}

// answer returns the answer to a challenge, if there is one.
func (a *Answers) answer(challenge string) (Answer, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waiting[challenge]
	if w == nil || w.answer == nil {
		return Answer{}, false
	}
	return *w.answer, true
}

// Put keeps the first answer to a request that waits. ServeHTTP calls it.
func (a *Answers) Put(answer Answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waiting[answer.Challenge]
	if w != nil && w.answer == nil && a.now().Before(w.expires) {
		w.answer = &answer
	}
}

// ServeHTTP takes an answer. Its response is the same whether a request waits for it or not.
func (a *Answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "post an answer", http.StatusMethodNotAllowed)
		return
	}
	var answer Answer
	body := http.MaxBytesReader(w, r.Body, maxAnswer)
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		http.Error(w, "not an answer", http.StatusBadRequest)
		return
	}
	a.Put(answer)
	w.WriteHeader(http.StatusNoContent)
}

func (a *Answers) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}
