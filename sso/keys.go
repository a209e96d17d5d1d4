package sso

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/secondgate/secondgate/internal/done"
)

// keySet holds the provider's signing keys. go-oidc has one; this one also remembers which
// issuer Microsoft says a key may sign for, and starts no goroutine.
type keySet struct {
	url    string
	issuer string // Provider.Issuer
	client *http.Client
	turn   turn // guards the rest
	keys   []signingKey
	// spare is how many looks are left for keys that are not known, as of counted.
	spare   float64
	counted time.Time
	failed  bool // the last look
}

type signingKey struct {
	jose.JSONWebKey
	// issuer is "" or whom the key may sign for, with {tenantid} for any organisation:
	// Microsoft's multi-tenant key set holds keys that are for one of them only.
	issuer string
}

// A provider that rotates its keys twice in a moment is looked up again at once, maxSpare times.
// After that, perReload passes before each look, so that tokens with unknown key IDs do not become
// requests to the provider.
const (
	maxSpare  = 3
	perReload = 10 * time.Second
)

const (
	maxKeys  = 100
	maxToken = 64 << 10
)

var errKeys = errors.New("sso: the provider's keys cannot be had")

// payload checks the signature of a token and returns what it signs. An error wrapping
// errKeys says nothing of the token.
func (k *keySet) payload(ctx context.Context, token string, now time.Time) ([]byte, error) {
	if len(token) > maxToken {
		return nil, errors.New("token is too long")
	}
	allowed := make([]jose.SignatureAlgorithm, len(algorithms))
	for i, a := range algorithms {
		allowed[i] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSignedCompact(token, allowed)
	if err != nil {
		return nil, err
	}
	if err := k.turn.take(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errKeys, err)
	}
	defer k.turn.pass()
	if payload, ok := k.try(jws); ok {
		return payload, nil
	}
	// No key fits: the provider may have new ones (OpenID Connect Core section 10.1.1).
	switch {
	case k.maySpare(now):
	case k.failed:
		return nil, errKeys
	default:
		return nil, errUnknownKey
	}
	if err := k.load(ctx); err != nil {
		k.failed = done.Err(ctx) == nil
		return nil, fmt.Errorf("%w: %s", errKeys, brief(err))
	}
	k.failed = false
	if payload, ok := k.try(jws); ok {
		return payload, nil
	}
	return nil, errUnknownKey
}

var errUnknownKey = errors.New("no key of the provider's verifies the signature")

// maySpare reports whether the provider may be asked for its keys, and counts the request. The
// first one is always permitted. A clock that was set back gives no request.
func (k *keySet) maySpare(now time.Time) bool {
	if k.keys == nil {
		k.spare, k.counted = maxSpare, now
		return true
	}
	if passed := now.Sub(k.counted); passed > 0 {
		k.spare = min(maxSpare, k.spare+passed.Seconds()/perReload.Seconds())
	}
	k.counted = now
	if k.spare < 1 {
		return false
	}
	k.spare--
	return true
}

func (k *keySet) try(jws *jose.JSONWebSignature) ([]byte, bool) {
	id := jws.Signatures[0].Header.KeyID
	for i := range k.keys {
		key := &k.keys[i]
		if id != "" && key.KeyID != id {
			continue
		}
		if payload, err := jws.Verify(&key.JSONWebKey); err == nil && k.mayIssue(key, payload) {
			return payload, true
		}
	}
	return nil, false
}

// mayIssue says whether key may sign for the token's issuer.
func (k *keySet) mayIssue(key *signingKey, payload []byte) bool {
	if key.issuer == "" || key.issuer == k.issuer {
		return true // the issuer itself is checked with the claims
	}
	var c claims
	if c.parse(payload) != nil {
		return false
	}
	return strings.ReplaceAll(key.issuer, tenantID, c.tenant) == c.issuer
}

func (k *keySet) load(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	keys, err := parseKeys(body)
	if err != nil {
		return err
	}
	k.keys = keys
	return nil
}

// parseKeys reads a key set and leaves out what cannot verify a token: unknown types, keys
// to encrypt with, and secret keys, which a key set must not have.
func parseKeys(body []byte) ([]signingKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, err
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys, more than %d", len(set.Keys), maxKeys)
	}
	keys := []signingKey{}
	for _, raw := range set.Keys {
		var more struct {
			Issuer string `json:"issuer"`
		}
		var key signingKey
		if json.Unmarshal(raw, &more) != nil ||
			json.Unmarshal(withoutCertificates(raw), &key.JSONWebKey) != nil {
			continue
		}
		if !key.IsPublic() || !key.Valid() || key.Use == "enc" {
			continue
		}
		key.issuer = more.Issuer
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no usable key")
	}
	return keys, nil
}

// withoutCertificates returns a key without what is said of its certificates (RFC 7517 section
// 4.6), which decides nothing here: providers leave an empty one, or one that expired long ago.
func withoutCertificates(key json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(key, &members) != nil {
		return key
	}
	for _, name := range []string{"x5c", "x5u", "x5t", "x5t#S256"} {
		delete(members, name)
	}
	out, err := json.Marshal(members)
	if err != nil {
		return key
	}
	return out
}
