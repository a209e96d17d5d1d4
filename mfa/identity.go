package mfa

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/internal/record"
	"github.com/secondgate/secondgate/mfa/internal/token"
	"github.com/secondgate/secondgate/storage"
)

// identity is the record of the user who has an instance of a factor.Identifier. It is there before
// the instance is confirmed and until after its end, so that the instance cannot be without
// it; what an enrolment or a removal that was cut off left behind goes to the next user who asks.
type identity struct {
	Tenant  string `cbor:"0,keyasint,omitempty"`
	Subject string `cbor:"1,keyasint"`
	Claimed int64  `cbor:"2,keyasint"` // Unix ms
	// Claim distinguishes the claims of one user, so that a request that failed does not take
	// away what another has confirmed meanwhile.
	Claim [8]byte `cbor:"3,keyasint"`
}

const (
	sealIdentity = "identity"
	maxIdentity  = 1023
	// releaseTimeout bounds what is done after the response is decided.
	releaseTimeout = 5 * time.Second
)

var errTaken = errors.New("mfa: another user has this identity")

// identityKey is over all tenants, because the devices that make identities know of none. It
// is not Keyring.Digest, which changes with the primary key: a rotation would lose them all.
func identityKey(kind string, id []byte) string {
	h := sha256.Sum256(slices.Concat([]byte("secondgate/1 identity\x00"+kind+"\x00"), id))
	return "i/" + kind + "/" + base64.RawURLEncoding.EncodeToString(h[:24])
}

// identities are the keys of what the user's instances are known by.
func (m *Manager) identities(r *record.Record) (keys []string, err error) {
	if !m.identifying {
		return nil, nil
	}
	for _, in := range r.Factors {
		if f, ok := m.factors[in.Kind].(factor.Identifier); ok {
			id, err := callIdentity(f, in.State)
			if err != nil {
				return nil, err
			}
			if len(id) > 0 {
				keys = append(keys, identityKey(in.Kind, id))
			}
		}
	}
	return keys, nil
}

func without(list, these []string) (rest []string) {
	for _, s := range list {
		if !slices.Contains(these, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

func (m *Manager) openIdentity(key string, data []byte) (i identity, err error) {
	plain, err := m.cfg.Keys.Open(sealIdentity, key, data)
	if err == nil {
		err = cbor.Unmarshal(plain, &i)
	}
	return i, err
}

// owner returns the user who has an identity.
func (m *Manager) owner(ctx context.Context, key string) (identity, error) {
	rec, err := m.records.Get(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return identity{}, ErrUnknownFactor
	}
	var i identity
	if err == nil {
		i, err = m.openIdentity(key, rec.Data)
	}
	if err != nil {
		return identity{}, unavailable(err)
	}
	return i, nil
}

// claimed is an identity that was made a user's for a response that is not verified yet. It is
// zero for a factor that is no Identifier.
type claimed struct {
	key  string
	name []byte
	own  identity
	// fresh says that the user did not have it before: a failed attempt takes it back.
	fresh bool
}

// claim makes what a response to an enrolment names the user's, if the factor is an
// Identifier.
func (m *Manager) claim(ctx context.Context, s token.Subject, f factor.Factor, response string,
	now time.Time) (claimed, error) {
	identifier, ok := f.(factor.Identifier)
	if !ok {
		return claimed{}, nil
	}
	named, err := callIdentify(identifier, response)
	if err != nil {
		return claimed{}, err
	}
	return m.claimNamed(ctx, s, f.Kind(), named, now)
}

// claimNamed makes an identity the user's.
func (m *Manager) claimNamed(ctx context.Context, s token.Subject, kind string, named []byte,
	now time.Time) (claimed, error) {
	c := claimed{key: identityKey(kind, named), name: named,
		own: identity{Tenant: s.Tenant, Subject: s.ID, Claimed: now.UnixMilli(),
			Claim: record.Random8()}}
	before, err := m.occupy(ctx, c.key, c.own, identity{})
	if errors.Is(err, errTaken) && m.abandoned(ctx, c.key, before, now) {
		before, err = m.occupy(ctx, c.key, c.own, before)
	}
	switch {
	case errors.Is(err, errTaken):
		return claimed{}, fmt.Errorf("%w: %w", ErrNotAvailable, err)
	case err != nil:
		return claimed{}, unavailable(err)
	}
	c.fresh = !before.of(s)
	return c, nil
}

// withdraw takes a claim back after a failed attempt.
func (m *Manager) withdraw(ctx context.Context, c claimed) {
	if c.fresh {
		m.release(ctx, map[string]identity{c.key: c.own})
	}
}

// reclaim puts a claim back after the instance was confirmed, if a removal of an instance of the
// same identity released it meanwhile. An identity that could not be put back leads to no user,
// and the user signs in with a password.
func (m *Manager) reclaim(ctx context.Context, c claimed) {
	if c.key == "" {
		return
	}
	if now, err := m.owner(ctx, c.key); errors.Is(err, ErrUnknownFactor) || err == nil &&
		now != c.own {
		_, _ = m.occupy(ctx, c.key, c.own, identity{})
	}
}

func (i identity) of(s token.Subject) bool { return i.Subject == s.ID && i.Tenant == s.Tenant }

// occupy puts a claim under an identity's key in place of nothing, of the same user's, or of
// old, and returns what was there. Another user's claim gives errTaken.
func (m *Manager) occupy(
	ctx context.Context, key string, own, old identity,
) (before identity, err error) {
	user := token.Subject{ID: own.Subject, Tenant: own.Tenant}
	return swap(ctx, m.records, key, func(data []byte) (was identity, _ storage.Change,
		err error,
	) {
		if data != nil {
			if was, err = m.openIdentity(key, data); err != nil {
				return was, storage.Change{}, err
			}
			if !was.of(user) && was != old {
				return was, storage.Change{}, errTaken
			}
		}
		plain, err := record.Marshal(own)
		if err != nil {
			return was, storage.Change{}, err
		}
		return was, storage.Change{Data: m.cfg.Keys.Seal(sealIdentity, key, plain)}, nil
	})
}

// abandoned says that the user who claimed an identity does not have it, and cannot be about to.
func (m *Manager) abandoned(ctx context.Context, key string, i identity, now time.Time) bool {
	if now.UnixMilli() < i.Claimed+2*m.cfg.EnrollmentTTL.Milliseconds() {
		return false
	}
	r, err := m.read(ctx, token.Subject{ID: i.Subject, Tenant: i.Tenant}.Key())
	if err != nil || r == nil {
		return err == nil
	}
	keys, err := m.identities(r)
	return err == nil && !slices.Contains(keys, key)
}

// claims are the present claims of identities. One that cannot be read is left out.
func (m *Manager) claims(ctx context.Context, keys []string) map[string]identity {
	if len(keys) == 0 {
		return nil
	}
	list := make(map[string]identity, len(keys))
	for _, key := range keys {
		if i, err := m.owner(ctx, key); err == nil {
			list[key] = i
		}
	}
	return list
}

// release removes claims, unless they were renewed. A claim that could not be removed leads to no
// user, and passes to the next user who claims the identity.
func (m *Manager) release(ctx context.Context, list map[string]identity) {
	if len(list) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for key, was := range list {
		_, _ = m.disown(ctx, key, token.Subject{}, was)
	}
}

// disown removes the claim of an identity, if it is one of a list or the user's, and says whether
// it did.
func (m *Manager) disown(
	ctx context.Context, key string, user token.Subject, list ...identity,
) (removed bool, err error) {
	return swap(ctx, m.records, key, func(data []byte) (removed bool, _ storage.Change,
		_ error,
	) {
		if data == nil {
			return false, storage.Change{}, nil
		}
		i, err := m.openIdentity(key, data)
		if err != nil || !i.of(user) && !slices.Contains(list, i) {
			return false, storage.Change{}, err
		}
		return true, storage.Change{Delete: true}, nil
	})
}

// releaseAll releases everything of a user who is being deleted. A record that cannot be
// read any more names nothing.
func (m *Manager) releaseAll(ctx context.Context, s token.Subject) error {
	if !m.identifying {
		return nil
	}
	rec, err := m.records.Get(ctx, s.Key())
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return unavailable(err)
	}
	r, err := m.open(s.Key(), rec.Data)
	if err != nil {
		return nil //nolint:nilerror // the record goes all the same
	}
	keys, err := m.identities(r)
	if err != nil {
		return nil //nolint:nilerror // the record goes all the same
	}
	for _, key := range keys {
		if _, err := m.disown(ctx, key, s); err != nil {
			return unavailable(err)
		}
	}
	return nil
}
