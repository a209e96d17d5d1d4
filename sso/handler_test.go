package sso_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
)

// A response from the provider is useless in another browser: neither to sign a
// victim on as the attacker, nor to link the attacker's account to the victim.
func TestCallback_RefusesAnotherBrowser(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	attacker, victim := r.browser(), r.browser()
	back := attacker.choose(attacker.begin("oidc", "sign-in"), daveOIDC)
	require.ErrorIs(t, victim.open(back), sso.ErrFlow)
	require.NotEmpty(t, victim.begin("oidc", "sign-in")) // with a flow of their own
	require.ErrorIs(t, victim.open(back), sso.ErrFlow)
	require.Empty(t, r.in)

	r.as("victim", "")
	own := victim.begin("oidc", "link")
	require.ErrorIs(t, victim.open(edit(t, back, func(q url.Values) {
		q.Set("state", query(t, own, "state"))
	})), sso.ErrFlow,
		"the code was got with another PKCE challenge")
	require.Len(t, r.linked, 1, "the one at the beginning")
}

func TestCallback_RefusesAnotherFlowsState(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	for name, change := range map[string]func(q url.Values){
		"none":  func(q url.Values) { q.Del("state") },
		"short": func(q url.Values) { q.Set("state", q.Get("state")[:8]) },
		"same name": func(q url.Values) {
			q.Set("state", q.Get("state")[:8]+strings.Repeat("A", 18))
		},
		"unknown":      func(q url.Values) { q.Set("state", strings.Repeat("A", 26)) },
		"no code":      func(q url.Values) { q.Del("code") },
		"long code":    func(q url.Values) { q.Set("code", strings.Repeat("A", 5000)) },
		"too long":     func(q url.Values) { q.Set("more", strings.Repeat("A", 20000)) },
		"unknown code": func(q url.Values) { q.Set("code", "A") },
	} {
		t.Run(name, func(t *testing.T) {
			b := r.browser()
			back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
			require.ErrorIs(t, b.open(edit(t, back, change)), sso.ErrFlow)
		})
	}
	require.Empty(t, r.in)
}

func TestCallback_RefusesAnotherProvidersResponse(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
	require.ErrorIs(t, b.open(strings.Replace(back, "/oidc/", "/google/", 1)), sso.ErrFlow)
	require.ErrorIs(t, b.open(strings.Replace(back, "/oidc/", "/nobody/", 1)), sso.ErrFlow)
	require.ErrorIs(t, b.open(edit(t, back, func(q url.Values) {
		q.Set("iss", "https://accounts.google.com")
	})), sso.ErrIdentity)
}

func TestFlow_ExpiresAfterTenMinutes(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	b := r.browser()
	at := b.begin("oidc", "sign-in")
	r.clock.Advance(10*time.Minute - time.Millisecond)
	require.NoError(t, b.open(b.choose(at, daveOIDC)))
	at = b.begin("oidc", "sign-in")
	r.clock.Advance(10 * time.Minute)
	require.ErrorIs(t, b.open(b.choose(at, daveOIDC)), sso.ErrFlow)
}

func TestFlow_CompletesInTwoTabs(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	b := r.browser()
	first, second := b.begin("oidc", "sign-in"), b.begin("oidc", "sign-in")
	require.NoError(t, b.open(b.choose(second, daveOIDC)))
	require.NoError(t, b.open(b.choose(first, daveOIDC)))
	for range 20 {
		b.begin("oidc", "sign-in")
	}
	u, err := url.Parse(r.app.URL)
	require.NoError(t, err)
	require.LessOrEqual(t, len(b.Jar.Cookies(u)), 4, "abandoned flows do not add up")
}

func TestCallback_ReportsTheProvidersErrors(t *testing.T) {
	r := newRig(t)
	b := r.browser()
	require.ErrorIs(t, b.open(b.choose(b.begin("oidc", "sign-in"), -1)), sso.ErrCancelled)
	u, err := url.Parse(r.app.URL)
	require.NoError(t, err)
	require.Empty(t, b.Jar.Cookies(u), "a flow is tried once, whatever comes of it")
	for code, want := range map[string]error{
		"login_required": sso.ErrCancelled, "temporarily_unavailable": mfa.ErrUnavailable,
		"unauthorized_client": sso.ErrConfig,
		"<b>whatever</b>":     sso.ErrCancelled,
	} {
		back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
		err := b.open(edit(t, back, func(q url.Values) { q.Set("error", code) }))
		require.ErrorIs(t, err, want)
		require.NotContains(t, err.Error(), "<")
	}
	// An error that answers no flow of this browser's tells the application nothing.
	require.ErrorIs(t, b.open(r.app.URL+"/sso/oidc/callback?error=access_denied"), sso.ErrFlow)
}

func TestCallback_HeadCompletesNothing(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	b := r.browser()
	back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
	resp, err := b.Head(back)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Empty(t, r.in)
	require.NoError(t, b.open(back))
}

// The user may have signed out, and another in, while the provider had the browser.
func TestLink_CompletesInItsOwnSession(t *testing.T) {
	for name, change := range map[string]func(r *rig){
		"signed out":   (*rig).nobody,
		"another user": func(r *rig) { r.as("erin", "") },
		"another session": func(r *rig) {
			r.session = r.manager.Session(r.session.User(), otherBind)
			r.grant = r.proves(r.session)
		},
		"no grant": func(r *rig) { r.grant = mfa.Grant{} },
		"another tenant": func(r *rig) {
			r.session = r.manager.Session(mfa.User{ID: "dave", Tenant: "other"}, goodBind)
			r.grant = r.proves(r.session)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.as("dave", "")
			b := r.browser()
			back := b.choose(b.begin("oidc", "link"), daveOIDC)
			change(r)
			require.Error(t, b.open(back))
			require.Empty(t, r.linked)
		})
	}
}

func TestLink_NeedsAGrant(t *testing.T) {
	r := newRig(t)
	r.as("erin", "")
	erins := r.grant
	for name, change := range map[string]func(r *rig){
		"nobody":    func(r *rig) { r.session = mfa.Session{} },
		"no grant":  func(r *rig) { r.grant = mfa.Grant{} },
		"another's": func(r *rig) { r.grant = erins },
		"another session": func(r *rig) {
			r.session = r.manager.Session(r.session.User(), otherBind)
		},
		"no session": func(r *rig) { r.session = r.manager.Session(r.session.User(), "") },
	} {
		t.Run(name, func(t *testing.T) {
			r.as("dave", "")
			change(r)
			r.err = nil
			require.Empty(t, r.browser().begin("oidc", "link"))
			require.Error(t, r.err)
		})
	}
}

func TestUnlink_NeedsTheUsersGrant(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	id := r.linked[0].ID
	post := func() (int, error) {
		r.err = nil
		resp, err := r.browser().PostForm(r.app.URL+"/sso/oidc/unlink", url.Values{"link": {id}})
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode, r.err
	}
	r.as("erin", "")
	erins := r.grant
	_, err := post()
	require.ErrorIs(t, err, mfa.ErrNotAvailable, "it is not hers")
	r.as("dave", "")
	r.grant = erins
	_, err = post()
	require.ErrorIs(t, err, mfa.ErrToken)
	_, err = r.signIn("oidc", daveOIDC)
	require.NoError(t, err)

	user := r.as("dave", "")
	status, err := post()
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "sso.unlinked", r.lastEvent().Name)
	links, err := r.service.Links(t.Context(), user)
	require.NoError(t, err)
	require.Empty(t, links)
	_, err = r.signIn("oidc", daveOIDC)
	require.ErrorIs(t, err, sso.ErrNotLinked)
	require.NoError(t, r.link("erin", "", "oidc", daveOIDC), "the account is free again")
}

func TestHandler_BeginsBySameOriginPostsOnly(t *testing.T) {
	r := newRig(t)
	r.as("dave", "")
	for _, what := range []string{"sign-in", "link", "unlink"} {
		at := r.app.URL + "/sso/oidc/" + what
		resp, err := r.browser().Get(at)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, what)
		for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site",
			"Origin": "https://evil.example"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, nil)
			require.NoError(t, err)
			req.Header.Set(header, value)
			resp, err := r.browser().Do(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusForbidden, resp.StatusCode, what)
			require.Empty(t, resp.Cookies())
		}
	}
}

func TestHandler_SetsCookieAndHeaders(t *testing.T) {
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) { c.URL = "https://app.example/sso/" })
	resp, err := r.browser().PostForm(r.app.URL+"/sso/oidc/sign-in", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, resp.Cookies(), 1)
	c := resp.Cookies()[0]
	require.True(t, strings.HasPrefix(c.Name, "__Host-sso-"), c.Name)
	require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "")
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, 600, c.MaxAge)
	require.Less(t, len(c.Value), 1500)
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
	require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'")
}

func TestHandler_RefusesAnUnknownProvider(t *testing.T) {
	r := newRig(t)
	require.Empty(t, r.browser().begin("nobody", "sign-in"))
	require.ErrorIs(t, r.err, factor.ErrMalformed)
}

func TestHandler_RequiresEveryHook(t *testing.T) {
	r := newRig(t)
	for _, drop := range []func(h *sso.Hooks){
		func(h *sso.Hooks) {
			h.Session = nil
		}, func(h *sso.Hooks) { h.SignedIn = nil }, func(h *sso.Hooks) { h.Linked = nil },
		func(h *sso.Hooks) { h.Unlinked = nil }, func(h *sso.Hooks) { h.Failed = nil },
	} {
		hooks := r.hooks()
		drop(&hooks)
		_, err := r.service.Handler(hooks)
		require.ErrorIs(t, err, sso.ErrConfig)
	}
}
