package mfa_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

// A walk that ends between records of two sorts goes on with the next sort. The cursor is empty
// after the last page alone.
func TestReencrypt_GoesOnFromEachPage(t *testing.T) {
	r, _ := keyRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 3 })
	r.withKey(ann, "k1")
	r.setPolicy(passwordless)
	r.send(r.begin(ann))
	all := len(dump(t, r.store))
	require.GreaterOrEqual(t, all, 4)
	cursor, pages, records := "", 0, 0
	for {
		for p, err := range r.Reencrypt(t.Context(), cursor) {
			require.NoError(t, err)
			cursor, records = p.Cursor, records+p.Records
			break
		}
		if pages++; cursor == "" {
			break
		}
		require.Less(t, pages, 10)
	}
	require.Equal(t, 6, pages)
	require.Equal(t, all, records)
}

// A second walk writes nothing, also of records that it may remove later.
func TestReencrypt_WritesNothingTwice(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	old := must[*seal.Keyring](t)(seal.NewKeyring(first))
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.RateLimits.PerDestination = old, 3 })
	r.send(r.begin(ann))
	require.NoError(t, r.Admin(boss, "").Delete(t.Context(), person(1)))
	both := r.withKeys(t, second, first)
	require.Equal(t, len(dump(t, r.store)), reseal(t, both, "").Reencrypted)
	before := dump(t, r.store)
	require.Zero(t, reseal(t, both, "").Reencrypted)
	require.Equal(t, before, dump(t, r.store))
}

// A rate limit under a key that has been retired counts nothing any more, and keeps the walk from
// no end.
func TestReencrypt_RemovesRateLimitsOfARetiredKey(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) { c.RateLimits.PerDestination = 3 })
	r.send(r.begin(person(1)))
	retired := r.withKeys(t, seal.GenerateKey())
	p := reseal(t, retired, "")
	require.Equal(t, 1, p.Removed)
	require.Len(t, p.Unreadable, 1, "the record of the user")
}

// A walk leaves identities of kinds that are not configured here.
func TestReencrypt_LeavesIdentitiesOfOtherKinds(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	r, _ := keyRig(t, func(c *mfa.Config) {
		c.Keys = must[*seal.Keyring](t)(seal.NewKeyring(first))
	})
	e, response := r.beginKey(r.signIn(ann).Grant, "k1")
	cfg := r.cfg
	cfg.Store = &cutStore{FaultyStore: r.store, left: 1}
	half, err := mfa.New(cfg)
	require.NoError(t, err)
	_, err = half.Session(ann, binding).Confirm(t.Context(), e, response)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	r.clock.Advance(day)
	cfg = r.cfg
	cfg.Factors, cfg.Policies = cfg.Factors[:len(cfg.Factors)-1], policy.Static(impliedMail)
	without, err := mfa.New(cfg)
	require.NoError(t, err)
	require.Zero(t, reseal(t, without, "").Removed)
	require.Equal(t, 1, identities(t, r))
	require.Equal(t, 1, reseal(t, r.withKeys(t, second, first), "").Removed)
	require.Zero(t, identities(t, r))
}

// removing is a store in which each record that is listed has been removed a moment later.
type removing struct{ *memory.Store }

func (s removing) List(
	ctx context.Context, prefix string, cursor storage.Cursor, limit int,
) ([]storage.Entry, storage.Cursor, error) {
	list, next, err := s.Store.List(ctx, prefix, cursor, limit)
	for _, e := range list {
		if err := s.Delete(ctx, e.Key, e.Record.Revision); err != nil {
			return nil, "", err
		}
	}
	return list, next, err
}

// A record that was removed while the walk had its page is no longer there, and not unreadable.
func TestReencrypt_PassesOverWhatWasRemoved(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	old := must[*seal.Keyring](t)(seal.NewKeyring(first))
	store := removing{memory.New()}
	r := newRig(t, func(c *mfa.Config) { c.Keys, c.Store = old, store })
	r.withApp(ann, "word")
	p := reseal(t, r.withKeys(t, second, first), "")
	require.Empty(t, p.Unreadable)
	require.Zero(t, p.Reencrypted)
}

// A walk that re-encrypts removes no record that it cannot read.
func TestReencrypt_KeepsContentThatItCannotRead(t *testing.T) {
	r := newRig(t)
	r.putUnreadable("f/x", "forgotten")
	r.putUnreadable("b/x", "budget")
	before := dump(t, r.store)
	require.Zero(t, reseal(t, r.Manager, "").Removed)
	require.Equal(t, before, dump(t, r.store))
}
