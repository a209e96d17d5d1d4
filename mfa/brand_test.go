package mfa_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/secret"
)

// A failure of Config.Brand is found before anything is written down or sent: codes that were sent
// before stay valid, no rate limit is charged, and a notice can be sent again.
func TestBrand_FailureWritesNothing(t *testing.T) {
	var fails atomic.Bool
	var notices []func(context.Context) error
	r := newRig(t, func(c *mfa.Config) {
		c.Brand = func(context.Context, policy.Scope) (brand.Brand, error) {
			if fails.Load() {
				return brand.Brand{}, errors.New("postgres://user:password@10.0.0.7")
			}
			return brand.Brand{Product: "Northwind"}, nil
		}
		c.Notify = func(_ context.Context, send func(context.Context) error) {
			notices = append(notices, send)
		}
	})
	ch := r.begin(ann)
	r.send(ch)
	code, sent := r.mail.code(ann.Email), r.mail.sent
	before := dump(t, r.store)
	fails.Store(true)
	refused := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, mfa.ErrUnavailable)
		require.NotContains(t, err.Error(), "password")
	}
	_, err := r.of(ch).Send(t.Context(), ch, "mail")
	refused(err)
	_, err = r.Admin(boss, "lost").SendRecoveryLink(t.Context(), ann)
	refused(err)
	_, err = r.Admin(boss, "new").SendVerificationLink(t.Context(), ann)
	refused(err)
	_, err = r.Brand(t.Context(), policy.Scope{})
	refused(err)
	require.Equal(t, before, dump(t, r.store))
	require.Equal(t, sent, r.mail.sent)
	_, err = r.verify(ch, "mail", code)
	require.NoError(t, err, "the code that was sent before is valid")

	require.NoError(t, r.Admin(boss, "lost").Reset(t.Context(), ann))
	require.NotEmpty(t, notices)
	last := notices[len(notices)-1]
	refused(last(t.Context()))
	require.Empty(t, r.mail.notices())
	fails.Store(false)
	require.NoError(t, last(t.Context()))
	require.Equal(t, "Northwind", r.mail.told[0].Brand.Product)
}

// A panic of the hook, and a brand that breaks the rules, are failures of it.
func TestBrand_PanicIsAFailure(t *testing.T) {
	r := newRig(t, func(c *mfa.Config) {
		c.Brand = func(context.Context, policy.Scope) (brand.Brand, error) { panic("secret") }
	})
	_, err := r.Brand(t.Context(), policy.Scope{})
	require.ErrorIs(t, err, mfa.ErrUnavailable)
	require.NotContains(t, err.Error(), "secret")
	r = newRig(t, func(c *mfa.Config) {
		c.Brand = func(context.Context, policy.Scope) (brand.Brand, error) {
			return brand.Brand{Accent: "#ffffff"}, nil
		}
	})
	_, err = r.Brand(t.Context(), policy.Scope{})
	require.ErrorIs(t, err, brand.ErrInvalid)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

// A link says whose brand its page has, whatever became of it, and other text says nothing.
func TestLinkScope_IsTheUsers(t *testing.T) {
	r := newRig(t)
	u := mfa.User{ID: "u", Tenant: "acme", UserType: "staff", Email: "u@example.com",
		EmailVerified: true}
	_, err := r.Admin(boss, "").SendVerificationLink(t.Context(), u)
	require.NoError(t, err)
	_, err = r.Admin(boss, "").SendRecoveryLink(t.Context(), u)
	require.NoError(t, err)
	r.clock.Advance(30 * day)
	for _, link := range []secret.Text{secret.New(r.mail.link[u.Email]), r.lastSetup()} {
		scope, err := r.LinkScope(link)
		require.NoError(t, err)
		require.Equal(t, policy.Scope{Tenant: "acme", UserType: "staff"}, scope)
	}
	scope, err := r.LinkScope(textOf(t, r.begin(ann)))
	require.ErrorIs(t, err, mfa.ErrToken)
	require.Zero(t, scope)
}
