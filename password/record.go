package password

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
)

// ErrLink is returned for a link that is unknown, was used, was replaced by another change of
// the password, or has expired. It does not say which; the user asks for another.
var ErrLink = errors.New("password: link is no longer valid")

const (
	recordPrefix = "password/r/"
	limitPrefix  = "password/b/"
	sealLinks    = "password-links"
	sealLimit    = "password-budget"

	idLen     = sha256.Size
	secretLen = 32
	// limitWindow is the window of rate limits. That of an address is no longer than a link is
	// valid.
	limitWindow = time.Hour
	// maxLinks of one account are valid at once, so that the record stays small.
	maxLinks = 20
)

// tokenLen is how long a token is, in characters: an account's record and a secret.
var tokenLen = base64.RawURLEncoding.EncodedLen(idLen + secretLen)

// links is what is kept for one account while it has links.
type links struct {
	Tenant string `cbor:"0,keyasint,omitempty"`
	ID     string `cbor:"1,keyasint"`
	Links  []live `cbor:"2,keyasint"`
}

// live is a link that was mailed. Its secret is 256 random bits, for which a plain hash is
// enough.
type live struct {
	Hash    []byte `cbor:"0,keyasint"`
	Expires int64  `cbor:"1,keyasint"` // Unix milliseconds
	Account []byte `cbor:"2,keyasint"` // its fingerprint
}

// recordKey holds no name, because it is the first half of a token, which stays in browsers
// and proxies. The length keeps "a"+"bc" and "ab"+"c" apart.
func recordKey(tenant, id string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(tenant)) + "/" + tenant + "/" + id))
	return recordPrefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// splitToken returns the key of the record that token is about, and the hash of its secret.
func splitToken(token string) (key string, hash []byte, err error) {
	if len(token) != tokenLen {
		return "", nil, ErrLink
	}
	raw, err := strictb64.DecodeURL(token)
	if err != nil {
		return "", nil, ErrLink
	}
	sum := sha256.Sum256(raw[idLen:])
	return recordPrefix + base64.RawURLEncoding.EncodeToString(raw[:idLen]), sum[:], nil
}

func (m *Manager) open(key string, data []byte) (*links, error) {
	l := &links{}
	if data == nil {
		return l, nil
	}
	plain, err := m.cfg.Keys.Open(sealLinks, key, data)
	if err == nil {
		err = cbor.Unmarshal(plain, l)
	}
	return l, err
}

func (l *links) drop(now int64) {
	l.Links = slices.DeleteFunc(l.Links, func(v live) bool { return v.Expires <= now })
}

// find returns the link of the hash that is valid now, or nil. It compares all of them.
func (l *links) find(hash []byte, now int64) (found *live) {
	for i := range l.Links {
		if subtle.ConstantTimeCompare(l.Links[i].Hash, hash) == 1 && now < l.Links[i].Expires {
			found = &l.Links[i]
		}
	}
	return found
}

// issue makes a link for an account. Earlier links stay valid: otherwise an attacker who knows an
// address could make every link that its owner asks for worthless. Of too many none is added.
func (m *Manager) issue(ctx context.Context, a *Account, now time.Time) (token string, err error) {
	key := recordKey(a.Tenant, a.ID)
	secret := make([]byte, secretLen)
	_, _ = rand.Read(secret) // never fails since Go 1.24
	hash := sha256.Sum256(secret)
	err = m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		l, err := m.open(key, data)
		if errors.Is(err, seal.ErrUnknownKey) {
			l, err = &links{}, nil // its key was retired: so old is no link
		}
		if err != nil {
			return storage.Change{}, err
		}
		at := now.UnixMilli()
		l.drop(at)
		// Nor does one take a place that a change of the account has made void.
		l.Links = slices.DeleteFunc(l.Links, func(v live) bool {
			return !bytes.Equal(v.Account, a.fingerprint())
		})
		if len(l.Links) >= min(m.cfg.PerAddress, maxLinks) {
			return storage.Change{}, &mfa.RateLimitError{RetryAfter: time.Duration(
				l.Links[0].Expires-at) * time.Millisecond}
		}
		l.Tenant, l.ID = a.Tenant, a.ID
		l.Links = append(l.Links, live{Hash: hash[:], Expires: at + m.cfg.TTL.Milliseconds(),
			Account: a.fingerprint()})
		plain, err := cbor.Marshal(l)
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealLinks, key, plain)}, nil
	})
	var over *mfa.RateLimitError
	if errors.As(err, &over) {
		return "", over
	}
	if err != nil {
		return "", unavailable(err)
	}
	id, err := base64.RawURLEncoding.DecodeString(key[len(recordPrefix):])
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(id, secret...)), nil
}

// look returns the account that a link is valid for.
func (m *Manager) look(ctx context.Context, token string, now time.Time) (*Account, error) {
	key, hash, err := splitToken(token)
	if err != nil {
		return nil, err
	}
	rec, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, unavailable(err)
	}
	l, err := m.open(key, rec.Data)
	if errors.Is(err, seal.ErrUnknownKey) {
		return nil, ErrLink // its key was retired, and it with it
	}
	if err != nil {
		return nil, unavailable(err)
	}
	found := l.find(hash, now.UnixMilli())
	if found == nil {
		return nil, ErrLink
	}
	a, err := m.cfg.Accounts.Get(ctx, Account{ID: l.ID, Tenant: l.Tenant})
	switch {
	case errors.Is(err, ErrNoAccount):
		return nil, ErrLink
	case err != nil:
		return nil, unavailable(err)
	case a.ID != l.ID || a.Tenant != l.Tenant || subtle.ConstantTimeCompare(a.fingerprint(),
		found.Account) != 1:
		return nil, ErrLink
	}
	return &a, nil
}

// spend takes the link of a token, and all others of the account, out of the world.
func (m *Manager) spend(ctx context.Context, token string, now time.Time) error {
	key, hash, err := splitToken(token)
	if err != nil {
		return err
	}
	gone := false
	err = m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		l, err := m.open(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		if gone = l.find(hash, now.UnixMilli()) == nil; gone {
			return storage.Change{}, nil
		}
		return storage.Change{Delete: true}, nil
	})
	switch {
	case err != nil:
		return unavailable(err)
	case gone:
		return ErrLink
	}
	return nil
}

// limit is a rate limit: of requests for what, in a window.
type limit struct {
	purpose, what string
	requests      int
	window        time.Duration
}

// payAll takes one request from each of two limits, the narrowest first, or from none of them
// and returns a *mfa.RateLimitError. A refusal by the narrow one takes nothing of the wide one:
// the narrow one is asked first, and paid last. (Requests at once that the narrow one refuses
// only then do cost the wide one.)
func (m *Manager) payAll(ctx context.Context, narrow, wide limit, now time.Time) error {
	err := m.pay(ctx, narrow, now, false)
	if err == nil {
		err = m.pay(ctx, wide, now, true)
	}
	if err == nil {
		err = m.pay(ctx, narrow, now, true)
	}
	return err
}

// pay takes one request from a limit, or returns a *mfa.RateLimitError. Unless take, it takes
// nothing and writes nothing. The record contains no name.
func (m *Manager) pay(ctx context.Context, l limit, now time.Time, take bool) error {
	key := limitPrefix + base64.RawURLEncoding.EncodeToString(m.cfg.Keys.Digest(sealLimit,
		l.purpose+"\x00"+l.what))
	var wait time.Duration
	err := m.records.Update(ctx, key, func(data []byte) (storage.Change, error) {
		log, err := m.openLimit(key, data)
		if err != nil {
			return storage.Change{}, err
		}
		log, wait = log.add(now, l.requests, l.window)
		if wait > 0 || !take {
			return storage.Change{}, nil
		}
		plain, err := cbor.Marshal(log)
		if err != nil {
			return storage.Change{}, err
		}
		return storage.Change{Data: m.cfg.Keys.Seal(sealLimit, key, plain)}, nil
	})
	if err != nil {
		return unavailable(err)
	}
	if wait > 0 {
		return &mfa.RateLimitError{RetryAfter: wait}
	}
	return nil
}

// requestLog holds the times of requests for one rate limit, in Unix seconds, oldest first.
type requestLog []int64

func (m *Manager) openLimit(key string, data []byte) (log requestLog, err error) {
	if data == nil {
		return nil, nil
	}
	plain, err := m.cfg.Keys.Open(sealLimit, key, data)
	if errors.Is(err, seal.ErrUnknownKey) {
		return nil, nil // a retired key's: of an hour long ago
	}
	if err == nil {
		err = cbor.Unmarshal(plain, &log)
	}
	return log, err
}

// add counts a request, or says how long to wait for the oldest to leave the window. After a
// clock that ran ahead, what it counted is taken for now.
func (b requestLog) add(
	now time.Time, limit int, window time.Duration,
) (requestLog, time.Duration) {
	b = b.since(now, window)
	for i := range b {
		b[i] = min(b[i], now.Unix())
	}
	if len(b) >= limit {
		return b, time.Unix(b[len(b)-limit], 0).Add(window).Sub(now)
	}
	return append(b, now.Unix()), 0
}

// since is what is still in the window.
func (b requestLog) since(now time.Time, window time.Duration) requestLog {
	old := now.Add(-window).Unix()
	return slices.DeleteFunc(slices.Clone(b), func(at int64) bool { return at <= old })
}
