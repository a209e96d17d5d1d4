package portal

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	sha256Hash = crypto.SHA256
	// freshFor is how long keys are taken as they are; after that they are fetched again, and
	// kept for as long as the portal cannot be reached, for up to staleFor.
	freshFor = 5 * time.Minute
	staleFor = 24 * time.Hour
	// retryAfter is how long to wait before an unknown key, or an outage, makes for another
	// fetch: an attacker who sends garbage cannot make this side call the portal without end.
	retryAfter   = time.Minute
	maxJWKS      = 256 << 10
	fetchTimeout = 5 * time.Second
	maxKeys      = 64
)

// keySet is the portal's public keys, fetched when they are needed.
type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    map[string]ed25519.PublicKey
	fetched time.Time // the last success
	tried   time.Time // the last attempt
}

// key returns the key with an id. One that is not in the portal's set any more is refused.
func (s *keySet) key(ctx context.Context, id string) (ed25519.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	k, ok := s.keys[id]
	old := now.Sub(s.fetched) >= freshFor || now.Before(s.fetched)
	if (!ok || old) && (s.tried.IsZero() || now.Sub(s.tried) >= retryAfter || now.Before(s.tried)) {
		s.tried = now
		// The fetch is for all callers, and does not end with the context of one: a client who
		// hangs up would have the next caller fetch again, or leave that caller without keys.
		keys, err := s.fetch(context.WithoutCancel(ctx))
		switch {
		case err == nil:
			s.keys, s.fetched = keys, now
			k, ok = keys[id]
		case !ok:
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	switch {
	case s.keys == nil:
		return nil, fmt.Errorf("%w: the portal's keys could not be fetched", ErrUnavailable)
	case now.Sub(s.fetched) > staleFor:
		return nil, fmt.Errorf("%w: the portal's keys are from %s, and it does not respond",
			ErrUnavailable, s.fetched.UTC().Format(time.RFC3339))
	case !ok:
		return nil, fmt.Errorf("%w: signed by a key that is not the portal's", ErrInvalid)
	}
	return k, nil
}

func (s *keySet) fetch(ctx context.Context) (map[string]ed25519.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", s.url, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxJWKS+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxJWKS {
		return nil, fmt.Errorf("%s: more than %d bytes", s.url, maxJWKS)
	}
	return parseKeys(body)
}

// parseKeys takes the Ed25519 keys of a set, and passes others over (RFC 7517 section 5).
func parseKeys(body []byte) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, fmt.Errorf("the key set is not readable: %w", err)
	}
	keys := make(map[string]ed25519.PublicKey)
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) != nil || k.KeyID == "" || k.Use != "" && k.Use != "sig" ||
			k.Algorithm != "" && k.Algorithm != string(jose.EdDSA) {
			continue
		}
		if public, ok := k.Key.(ed25519.PublicKey); ok {
			keys[k.KeyID] = public
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no Ed25519 key")
	}
	return keys, nil
}
