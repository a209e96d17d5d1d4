package sso_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// Answers have a length that we read, and no more.
func TestCallback_BoundsEndlessResponses(t *testing.T) {
	for _, path := range []string{"/openid-configuration", "/keys", "/token"} {
		t.Run(path, func(t *testing.T) {
			endless := &endlessBody{}
			r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
				c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
					resp *http.Response) {
					if strings.HasSuffix(req.URL.Path, path) {
						_ = resp.Body.Close()
						resp.Body = endless
					}
				})}
			})
			require.ErrorIs(t, r.browser().run("oidc", "sign-in", daveOIDC), mfa.ErrUnavailable)
			require.LessOrEqual(t, endless.read, 1<<20)
		})
	}
}

// endlessBody ends after 8 MiB, so that a missing bound fails the test and not the machine.
type endlessBody struct{ read int }

func (b *endlessBody) Read(p []byte) (int, error) {
	if b.read > 8<<20 {
		return 0, io.EOF
	}
	b.read += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

func (b *endlessBody) Close() error { return nil }

func TestKeys_AreFetchedWhenNoneFits(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.NoError(t, r.idp.RotateKey())
	r.clock.Advance(time.Minute)
	_, err := r.signIn("oidc", daveOIDC)
	require.NoError(t, err, "new keys are fetched when no known one fits")
}

// Tokens that no key fits do not each become a request to the provider.
func TestKeys_FetchesAreLimited(t *testing.T) {
	fetched := 0
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request, _ *http.Response) {
			if strings.HasSuffix(req.URL.Path, "/keys") {
				fetched++
			}
		})}
	})
	r.tamper = func(c map[string]any, s func(map[string]any) string) string {
		token := s(c)
		return token[:len(token)-6] + "AAAAAA"
	}
	try := func() int {
		fetched = 0
		for range 8 {
			_, err := r.signIn("oidc", daveOIDC)
			require.ErrorIs(t, err, sso.ErrIdentity)
		}
		return fetched
	}
	require.Equal(t, 4, try(), "the first, and three more")
	require.Zero(t, try())
	r.clock.Advance(10 * time.Second)
	require.Equal(t, 1, try())
	r.clock.Advance(-time.Hour)
	require.Zero(t, try(), "a clock that went back gives none")
	r.clock.Advance(time.Hour)
	require.Equal(t, 3, try(), "they do not add up")
}

func TestProvider_UnreachableSignsNobodyIn(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	b := r.browser()
	r.nobody()
	back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
	r.idpHTTP.Close()
	require.ErrorIs(t, b.open(back), mfa.ErrUnavailable)
	require.Empty(t, r.in)
	require.Equal(t, "unavailable", r.lastEvent().Reason)

	down := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		c.Providers = []sso.Provider{{ID: "down", Name: "Down", Issuer: "http://127.0.0.1:1",
			ClientID: "x", ClientSecret: secret.New("y")}}
	})
	require.Empty(t, down.browser().begin("down", "sign-in"))
	require.ErrorIs(t, down.err, mfa.ErrUnavailable)
}

// A provider that is down is not asked by every user, and is asked again in a while.
func TestProvider_IsAskedAgainAfterAnOutage(t *testing.T) {
	down, asked := true, 0
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
			resp *http.Response) {
			if strings.HasSuffix(req.URL.Path, "/openid-configuration") {
				asked++
				if down {
					resp.StatusCode = http.StatusBadGateway
				}
			}
		})}
	})
	for range 3 {
		require.Empty(t, r.browser().begin("oidc", "sign-in"))
		require.ErrorIs(t, r.err, mfa.ErrUnavailable)
	}
	require.Equal(t, 1, asked)
	down = false
	r.clock.Advance(10 * time.Second)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.Equal(t, 2, asked)
	down = true
	r.clock.Advance(25 * time.Hour)
	for range 3 {
		_, err := r.signIn("oidc", daveOIDC)
		require.NoError(t, err, "what was found yesterday still is")
	}
	require.Equal(t, 3, asked)
}

// A discovery document that speaks for another issuer, or leads elsewhere in the clear.
func TestProvider_RefusesInvalidDiscovery(t *testing.T) {
	for name, change := range map[string][2]string{
		"issuer":   {`/oidc","jwks`, `/other","jwks`},
		"endpoint": {`"token_endpoint":"http://127.0.0.1`, `"token_endpoint":"http://evil.example`},
		"keys":     {`"jwks_uri":"http://127.0.0.1`, `"jwks_uri":"http://evil.example`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
				c.HTTPClient = &http.Client{Transport: transport(func(_ *http.Request,
					resp *http.Response) {
					replaceBody(resp, change[0], change[1])
				})}
			})
			require.Empty(t, r.browser().begin("oidc", "sign-in"))
			require.ErrorIs(t, r.err, sso.ErrConfig)
		})
	}
}

// Redirects of the token endpoint would take the code and the secret elsewhere.
func TestToken_FollowsNoRedirect(t *testing.T) {
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		c.HTTPClient = &http.Client{Transport: transport(func(req *http.Request,
			resp *http.Response) {
			require.NotEqual(t, "/elsewhere", req.URL.Path)
			if strings.HasSuffix(req.URL.Path, "/token") {
				resp.StatusCode = http.StatusTemporaryRedirect
				resp.Header.Set("Location", "/elsewhere")
			}
		})}
	})
	_, err := r.signIn("oidc", daveOIDC)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}
