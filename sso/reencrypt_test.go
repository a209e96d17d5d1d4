package sso_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
	"github.com/secondgate/secondgate/storage"
)

func TestReencrypt_KeepsLinksAndActivations(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	var cfg sso.Config
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		keys, err := seal.NewKeyring(first)
		require.NoError(t, err)
		c.Keys = keys
		cfg = *c
		cfg.Providers = []sso.Provider{sso.Microsoft("id", secret.New("secret"))}
	})
	r.activate(contoso, true)
	require.NoError(t, r.link("kari", "", "microsoft", kariMS))
	with := func(primary []byte, older ...[]byte) *sso.Service {
		keys, err := seal.NewKeyring(primary, older...)
		require.NoError(t, err)
		cfg.Keys = keys
		s, err := sso.New(cfg)
		require.NoError(t, err)
		return s
	}
	ctx, kari := t.Context(), mfa.User{Tenant: "acme", ID: "kari"}
	require.ErrorIs(t, with(second).Reencrypt(ctx), seal.ErrUnknownKey,
		"the older key is still needed")
	both := with(second, first)
	require.NoError(t, both.Reencrypt(ctx))
	require.NoError(t, both.Reencrypt(ctx))
	alone := with(second)
	require.NoError(t, alone.Reencrypt(ctx))
	links, err := alone.Links(ctx, kari)
	require.NoError(t, err)
	require.Len(t, links, 1)
	list, err := alone.Activations(ctx, "acme")
	require.NoError(t, err)
	require.Len(t, list, 1)

	faulty := mfatest.NewFaultyStore(cfg.Store)
	cfg.Store = faulty
	faulty.Inject(mfatest.OpSwap, 1, mfatest.Fault{Before: errors.New("the disk is full")})
	require.ErrorIs(t, with(first, second).Reencrypt(ctx), mfa.ErrUnavailable)
	cfg.Store = mute{cfg.Store}
	require.ErrorIs(t, with(first, second).Reencrypt(ctx), errors.ErrUnsupported)
}

// mute is a store that cannot list.
type mute struct{ store storage.Store }

func (m mute) Get(ctx context.Context, key string) (storage.Record, error) {
	return m.store.Get(ctx, key)
}
func (m mute) Swap(
	ctx context.Context, key string, old storage.Revision, next storage.Record,
) error {
	return m.store.Swap(ctx, key, old, next)
}
func (m mute) Delete(ctx context.Context, key string, old storage.Revision) error {
	return m.store.Delete(ctx, key, old)
}
