package sso_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
	"github.com/secondgate/secondgate/storage"
)

func TestActivate_NeedsAnAuthorizedAdministrator(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	request := func(provider, org string) sso.ActivationRequest {
		return sso.ActivationRequest{Admin: r.admin("asked"), Tenant: "acme",
			Activation: sso.Activation{Provider: provider, Organization: org}}
	}
	for name, bad := range map[string]sso.ActivationRequest{
		"no provider":       request("nobody", contoso),
		"a domain":          request("microsoft", "contoso.com"),
		"personal accounts": request("microsoft", "9188040D-6c67-4c5b-b112-36a304b66dad"),
		"no domain":         request("google", "*"),
		"an organisation":   request("oidc", "x"),
		"no actor": {Tenant: "acme", Activation: sso.Activation{Provider: "microsoft",
			Organization: contoso}},
	} {
		require.ErrorIs(t, r.service.Activate(ctx, bad), factor.ErrMalformed, name)
	}
	stranger := request("microsoft", contoso)
	stranger.Admin = r.manager.Admin(mfa.System("kari"), "")
	require.ErrorIs(t, r.service.Activate(ctx, stranger), mfa.ErrForbidden)
	require.ErrorIs(t, r.service.Deactivate(ctx, stranger), mfa.ErrForbidden)

	available, err := r.service.Available(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"google", "oidc"}, available)
	require.NoError(t, r.service.Activate(ctx, request("microsoft",
		" 72F988BF-86f1-41af-91ab-2d7cd011db47 ")))
	event := r.lastEvent()
	require.Equal(t, "sso.activated", event.Name)
	require.Equal(t, contoso+": asked", event.Note)
	available, err = r.service.Available(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, []string{"microsoft", "google", "oidc"}, available)
	list, err := r.service.Activations(ctx, "acme")
	require.NoError(t, err)
	require.Equal(t, []sso.Activation{{Provider: "microsoft", Organization: contoso, By: "admin",
		Since: r.clock.Now()}}, list)
	require.NoError(t, r.service.Deactivate(ctx, request("microsoft", contoso)))
	list, err = r.service.Activations(ctx, "acme")
	require.NoError(t, err)
	require.Empty(t, list)
}

// An act needs the administrator's own proof, whatever Authorize says of them, and changes
// nothing without it.
func TestServiceAdministration_NeedsTheActorsProof(t *testing.T) {
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.Authorize = func(_ context.Context, a mfa.AdminAction) error {
			if a.ActorTenant != "acme" {
				return errors.New("of another tenant")
			}
			return nil
		}
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	r.as("dave", "")
	others := r.grant
	r.as("admin", "")
	session, grant := r.session, r.grant
	elsewhere := r.manager.Session(session.User(), otherBind)
	acts := map[string]func(mfa.Admin) error{
		"activate": func(a mfa.Admin) error {
			return r.service.Activate(t.Context(), sso.ActivationRequest{Admin: a, Tenant: "acme",
				Activation: sso.Activation{Provider: "microsoft", Organization: contoso}})
		},
		"deactivate": func(a mfa.Admin) error {
			return r.service.Deactivate(t.Context(), sso.ActivationRequest{Admin: a,
				Tenant:     "acme",
				Activation: sso.Activation{Provider: "microsoft", Organization: contoso}})
		},
		"forget": func(a mfa.Admin) error {
			return r.service.Forget(t.Context(), a, mfa.User{Tenant: "acme", ID: "dave"})
		},
	}
	before := dump(t, r.store)
	for name, act := range acts {
		for why, actor := range map[string]mfa.Actor{"no grant": session.Actor(mfa.Grant{}),
			"another session": elsewhere.Actor(grant), "another's": session.Actor(others)} {
			require.ErrorIs(t, act(r.manager.Admin(actor, "")), mfa.ErrToken, name+": "+why)
		}
		require.ErrorIs(t, act(mfa.Admin{}), factor.ErrMalformed, name)
		require.Equal(t, before, dump(t, r.store), name)
	}
	admin := r.manager.Admin(session.Actor(grant), "")
	require.ErrorIs(t, r.service.Forget(t.Context(), admin, session.User()), mfa.ErrForbidden,
		"administrators do not act on themselves")
	require.NoError(t, acts["activate"](admin))
	require.NoError(t, acts["deactivate"](admin))
	require.NoError(t, acts["forget"](admin))
}

// dump is everything in a store.
func dump(t *testing.T, s storage.Store) []storage.Entry {
	t.Helper()
	page, next, err := s.(storage.Lister).List(t.Context(), "", "", 1000)
	require.NoError(t, err)
	require.Empty(t, next)
	return page
}

func TestAuthorize_NilRefuses(t *testing.T) {
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) { c.Authorize = nil })
	require.ErrorIs(t, r.service.Activate(t.Context(),
		sso.ActivationRequest{Admin: r.admin(""), Tenant: "acme",
			Activation: sso.Activation{Provider: "microsoft", Organization: contoso}}),
		mfa.ErrForbidden)
}

// What Authorize says is in no error; the cause is there for errors.Is.
func TestAuthorize_ErrorsHoldNothingThatItSaid(t *testing.T) {
	said := errors.New("postgres://app:hunter2@db")
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.Authorize = func(context.Context, mfa.AdminAction) error { return said }
	})
	err := r.service.Activate(t.Context(), sso.ActivationRequest{Admin: r.admin(""),
		Tenant:     "acme",
		Activation: sso.Activation{Provider: "microsoft", Organization: contoso}})
	require.ErrorIs(t, err, mfa.ErrForbidden)
	require.ErrorIs(t, err, said)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2")
}
