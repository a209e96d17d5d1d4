package sso_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// The provider is asked for the classes, and a token of another class, or of none, signs nobody in.
func TestACRValues_AreAskedForAndVerified(t *testing.T) {
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		c.Providers = []sso.Provider{{ID: "oidc", Name: "X", Issuer: idp.URL + "/oidc",
			ClientID: "secondgate-demo", ClientSecret: secret.New("ssotest-client-secret"),
			Open: true, ACRValues: []string{"phrh", "phr"}}}
	})
	require.Equal(t, "phrh phr", query(t, r.browser().begin("oidc", "sign-in"), "acr_values"))
	r.tamper = with("acr", "phr")
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	_, err := r.signIn("oidc", daveOIDC)
	require.NoError(t, err)
	for _, c := range []struct {
		mint   mint
		config bool
	}{{without("acr"), true}, {with("acr", ""), true}, {with("acr", "aal1"), false},
		{with("acr", "phrh phr"), false}} {
		r.tamper = c.mint
		_, err := r.signIn("oidc", daveOIDC)
		require.ErrorIs(t, err, sso.ErrIdentity)
		require.Equal(t, c.config, errors.Is(err, sso.ErrConfig), "%v", err)
	}
}
