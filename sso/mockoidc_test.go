package sso_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oauth2-proxy/mockoidc"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// A provider that others wrote, signing with RS256.
func TestMockOIDC_LinksAndSignsIn(t *testing.T) {
	idp, err := mockoidc.Run()
	require.NoError(t, err)
	defer func() { require.NoError(t, idp.Shutdown()) }()
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.Clock = nil // mockoidc knows the system's time only
		c.Providers = []sso.Provider{{ID: "mock", Name: "Mock", Issuer: idp.Issuer(),
			ClientID: idp.ClientID, ClientSecret: secret.New(idp.ClientSecret),
			Open: true, OwnAddress: true}}
	})
	through := func(what string) error {
		b := r.browser()
		at := b.begin("mock", what)
		require.NotEmpty(t, at)
		resp, err := b.Get(at) // it signs in the user who is next in its queue
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusFound, resp.StatusCode)
		return b.open(resp.Header.Get("Location"))
	}
	user := func() *mockoidc.MockUser {
		return &mockoidc.MockUser{Subject: "jane", Email: "jane@example.org", EmailVerified: true}
	}
	r.as("jane", "Jane@example.org")
	unverified := user()
	unverified.EmailVerified = false
	idp.QueueUser(unverified)
	require.ErrorIs(t, through("link"), sso.ErrAddress)
	idp.QueueUser(user())
	require.NoError(t, through("link"))
	for address, same := range map[string]bool{"JANE@Example.ORG": true,
		"jane+x@example.org":         false,
		"jane@xn--bcher-kva.example": true, "jane@bu\u0308cher.example": true,
		"jane@bucher.example": false} {
		r.as("jane", "jane@example.org")
		if strings.HasSuffix(address, ".example") {
			r.as("jane", "Jane@BÜCHER.example")
		}
		spelled := user()
		spelled.Email = address
		idp.QueueUser(spelled)
		if err := through("link"); same {
			require.NoError(t, err, address)
		} else {
			require.ErrorIs(t, err, sso.ErrAddress, address)
		}
	}
	r.nobody()
	moved := user()
	moved.Email, moved.EmailVerified = "new@example.org", false // no part in signing in
	idp.QueueUser(moved)
	require.NoError(t, through("sign-in"))
	require.Equal(t, "jane", r.in[0].SubjectID)
	require.Empty(t, r.in[0].AMR)
	require.False(t, r.in[0].SecondFactor)
	idp.QueueUser(&mockoidc.MockUser{Subject: "other", Email: "jane@example.org",
		EmailVerified: true})
	require.ErrorIs(t, through("sign-in"), sso.ErrNotLinked)
}
