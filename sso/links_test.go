package sso_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
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

// However many ask at once, an account becomes one user's, and is on that one's list.
func TestLink_OneAccountHasOneUser(t *testing.T) {
	const n = 8
	r := newRig(t)
	backs, browsers := make([]string, n), make([]*browser, n)
	sessions := make([]mfa.Session, n)
	var mu sync.Mutex
	type signedIn struct {
		session mfa.Session
		grant   mfa.Grant
	}
	byBrowser := make(map[string]signedIn)
	hooks := r.hooks()
	hooks.Session = func(req *http.Request) (mfa.Session, mfa.Grant, error) {
		mu.Lock()
		defer mu.Unlock()
		in := byBrowser[req.Header.Get("User-Agent")]
		return in.session, in.grant, nil
	}
	app, err := r.service.Handler(hooks)
	require.NoError(t, err)
	r.handler.Store(&app)
	for i := range n {
		r.as(fmt.Sprint("user-", i), "")
		sessions[i], browsers[i] = r.session, r.browser()
		agent := fmt.Sprint("browser-", i)
		byBrowser[agent] = signedIn{r.session, r.grant}
		browsers[i].Transport = agentTransport(agent)
		backs[i] = browsers[i].choose(browsers[i].begin("oidc", "link"), daveOIDC)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			resp, err := browsers[i].Get(backs[i])
			if err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Len(t, r.linked, 1)
	owners := 0
	for i := range n {
		links, err := r.service.Links(t.Context(), sessions[i].User())
		require.NoError(t, err)
		owners += len(links)
	}
	require.Equal(t, 1, owners)
}

type agentTransport string

func (a agentTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", string(a))
	return http.DefaultTransport.RoundTrip(req)
}

// However often one response of the provider is sent at once, it counts once.
func TestCallback_OneResponseSignsInOnce(t *testing.T) {
	r := newRig(t, func(_ *sso.Config, c *ssotest.Config) { c.ReuseCodes = true })
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	r.nobody()
	b := r.browser()
	back := b.choose(b.begin("oidc", "sign-in"), daveOIDC)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, back, nil)
	require.NoError(t, err)
	for _, c := range b.Jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			resp, err := (&http.Client{}).Do(req.Clone(t.Context()))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Len(t, r.in, 1)
}

func TestLink_AgainKeepsTheLink(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.Equal(t, r.linked[0].ID, r.linked[1].ID)
	links, err := r.service.Links(t.Context(), mfa.User{Tenant: "acme", ID: "dave"})
	require.NoError(t, err)
	require.Len(t, links, 1)
}

func TestLink_TenAtMost(t *testing.T) {
	r := newRig(t)
	sub := ""
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["sub"] = sub
		return sign(c)
	}
	for i := range 10 {
		sub = fmt.Sprint(i)
		require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	}
	sub = "11"
	require.ErrorIs(t, r.link("dave", "", "oidc", daveOIDC), mfa.ErrNotAvailable)
	r.as("dave", "")
	require.NoError(t, r.service.Unlink(t.Context(), r.session, r.grant, r.linked[3].ID))
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
}

// A link that failed half-way takes no place on the list for ever.
func TestLink_FailedOnesTakeNoPlace(t *testing.T) {
	r := newRig(t)
	sub := ""
	r.tamper = func(c map[string]any, sign func(map[string]any) string) string {
		c["sub"] = sub
		return sign(c)
	}
	for i := range 12 { // listed, and then found to be another's
		sub = fmt.Sprint(i)
		require.NoError(t, r.link("erin-"+sub, "", "oidc", daveOIDC))
		require.ErrorIs(t, r.link("dave", "", "oidc", daveOIDC), sso.ErrLinkedElsewhere)
	}
	sub = "his own"
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	links, err := r.service.Links(t.Context(), mfa.User{Tenant: "acme", ID: "dave"})
	require.NoError(t, err)
	require.Len(t, links, 1)
}

func TestForget_UnlinksEveryAccount(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	require.NoError(t, r.link("dave", "anna@gmail.com", "google", annaGmail))
	forget := func(actor string) error {
		return r.service.Forget(t.Context(), r.manager.Admin(mfa.System(actor), "asked"),
			mfa.User{Tenant: "acme", ID: "dave"})
	}
	require.ErrorIs(t, forget("somebody"), mfa.ErrForbidden)
	require.NoError(t, forget("admin"))
	for provider, account := range map[string]int{"oidc": daveOIDC, "google": annaGmail} {
		_, err := r.signIn(provider, account)
		require.ErrorIs(t, err, sso.ErrNotLinked)
	}
	page, _, err := r.store.(storage.Lister).List(t.Context(), "sso/", "", 100)
	require.NoError(t, err)
	require.Empty(t, page, "nothing of a forgotten user is left")
}

// A store that fails at any call, before it did anything or after, signs nobody in and tells
// nobody that an account is linked.
func TestService_StoreFaultsSignNobodyIn(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for _, op := range []mfatest.Op{mfatest.OpGet, mfatest.OpSwap} {
		for name, fault := range map[string]mfatest.Fault{"before": {Before: broken},
			"after": {After: broken}} {
			t.Run(fmt.Sprint(op, " ", name), func(t *testing.T) {
				var faulty *mfatest.FaultyStore
				r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
					faulty = mfatest.NewFaultyStore(c.Store)
					c.Store = faulty
				})
				require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
				calls := faulty.Calls(op)
				_, err := r.signIn("oidc", daveOIDC)
				require.NoError(t, err)
				for nth := range faulty.Calls(op) - calls {
					faulty.Inject(op, nth, mfatest.Fault{})
					faulty.Inject(op, 1, fault)
					_, err := r.signIn("oidc", daveOIDC)
					require.ErrorIs(t, err, mfa.ErrUnavailable, "call %d", nth)
					require.NotErrorIs(t, err, sso.ErrNotLinked)
					require.Zero(t, faulty.Pending())
				}
				calls = faulty.Calls(op)
				require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
				made := len(r.linked)
				for nth := range faulty.Calls(op) - calls {
					faulty.Inject(op, nth, mfatest.Fault{})
					faulty.Inject(op, 1, fault)
					require.ErrorIs(t, r.link("erin", "", "oidc", eveOIDC), mfa.ErrUnavailable,
						"call %d", nth)
					require.Zero(t, faulty.Pending())
				}
				require.Len(t, r.linked, made)
				require.NoError(t, r.link("erin", "", "oidc", eveOIDC),
					"after all that it can still be linked")
			})
		}
	}
}

// Links outlive the key they were sealed with.
func TestLink_SurvivesKeyRotation(t *testing.T) {
	first, second := seal.GenerateKey(), seal.GenerateKey()
	var cfg sso.Config
	r := newRig(t, func(c *sso.Config, idp *ssotest.Config) {
		keys, err := seal.NewKeyring(first)
		require.NoError(t, err)
		c.Keys = keys
		c.Providers = []sso.Provider{{ID: "oidc", Name: "X", Issuer: idp.URL + "/oidc",
			ClientID: "secondgate-demo", ClientSecret: secret.New("ssotest-client-secret"),
			Open: true}}
		cfg = *c
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	for _, ring := range [][][]byte{{second, first}, {second}} { // the first sign-on seals anew
		keys, err := seal.NewKeyring(ring[0], ring[1:]...)
		require.NoError(t, err)
		cfg.Keys = keys
		r.service, err = sso.New(cfg)
		require.NoError(t, err)
		app, err := r.service.Handler(r.hooks())
		require.NoError(t, err)
		r.handler.Store(&app)
		in, err := r.signIn("oidc", daveOIDC)
		require.NoError(t, err)
		require.Equal(t, "dave", in.SubjectID)
	}
}

// An account that is linked again while it is being unlinked stays on the user's list,
// which is what shows it and what Forget goes by.
func TestUnlink_KeepsAnAccountLinkedMeanwhile(t *testing.T) {
	var faulty *mfatest.FaultyStore
	r := newRig(t, func(c *sso.Config, _ *ssotest.Config) {
		faulty = mfatest.NewFaultyStore(c.Store)
		c.Store = faulty
	})
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	user := r.as("dave", "")
	b := r.browser()
	back := b.choose(b.begin("oidc", "link"), daveOIDC)
	// The unlinking reads the list, finds the account gone, and before it writes the list
	// another process links the account again.
	other, err := r.otherProcess()
	require.NoError(t, err)
	faulty.Inject(mfatest.OpDelete, 1, mfatest.Fault{}) // the account
	faulty.Inject(mfatest.OpDelete, 1, mfatest.Fault{Run: func(context.Context, string) {
		r.handler.Store(&other)
		require.NoError(t, b.open(back))
	}})
	require.NoError(t, r.service.Unlink(t.Context(), r.session, r.grant, r.linked[0].ID))
	links, err := r.service.Links(t.Context(), user)
	require.NoError(t, err)
	require.Len(t, links, 1, "linked, and so on the list")
}
