package sso_test

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/sso/ssotest"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

const (
	contoso  = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	fabrikam = "0f9a8d1c-3b52-4f4e-9f2b-5d6f7a8b9c0d"
	kariOID  = "11111111-2222-3333-4444-555555555555"
	goodBind = "session-1"
	// otherBind is another session of the same user, with a grant as well.
	otherBind = "session-2"
)

// The users at the provider, by index.
const (
	kariMS = iota
	malloryMS
	annaGmail
	bobWorkspace
	carlForeign
	daveOIDC
	eveOIDC
)

func users() []ssotest.User {
	return []ssotest.User{
		kariMS: {Provider: "microsoft", Name: "Kari", Email: "kari@contoso.example",
			ID: kariOID, Organization: contoso, AMR: []string{"pwd", "mfa"}},
		malloryMS: {Provider: "microsoft", Name: "Mallory", Email: "kari@contoso.example",
			ID: kariOID, Organization: fabrikam, AMR: []string{"pwd", "mfa"}},
		annaGmail: {Provider: "google", Name: "Anna", Email: "Anna@gmail.com", ID: "1001"},
		bobWorkspace: {Provider: "google", Name: "Bob", Email: "bob@example.com", ID: "1002",
			Organization: "example.com"},
		carlForeign: {Provider: "google", Name: "Carl", Email: "carl@elsewhere.example",
			ID: "1003"},
		daveOIDC: {Provider: "oidc", Name: "Dave", Email: "dave@example.org", ID: "d"},
		eveOIDC: {Provider: "oidc", Name: "Eve", Email: "eve@example.org", Unverified: true,
			ID: "e"},
	}
}

// rig is an application with a Service, a provider that may misbehave, and what happened.
type rig struct {
	t       *testing.T
	clock   *mfatest.Clock
	store   storage.Store
	idp     *ssotest.Server
	idpHTTP *httptest.Server
	idpCfg  *ssotest.Config
	service *sso.Service
	app     *httptest.Server
	handler atomic.Pointer[http.Handler]
	// otherProcess makes a second Service over the same store.
	otherProcess func() (http.Handler, error)
	tamper       func(claims map[string]any, sign func(map[string]any) string) string

	mu      sync.Mutex
	session mfa.Session
	grant   mfa.Grant
	in      []*sso.SignIn
	linked  []*sso.Link
	err     error
	events  []mfa.Event
	// manager has the users' second factors.
	manager *mfa.Manager
}

type option func(*sso.Config, *ssotest.Config)

func newRig(t *testing.T, options ...option) *rig {
	t.Helper()
	r := &rig{t: t, clock: mfatest.NewClock(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)),
		store: memory.New()}
	var idp http.Handler
	r.idpHTTP = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		idp.ServeHTTP(w, req)
	}))
	t.Cleanup(r.idpHTTP.Close)
	r.idpCfg = &ssotest.Config{URL: r.idpHTTP.URL, Users: users(), Clock: r.clock,
		Token: func(c map[string]any, sign func(map[string]any) string) string {
			if r.tamper == nil {
				return sign(c)
			}
			return r.tamper(c, sign)
		}}
	r.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		(*r.handler.Load()).ServeHTTP(w, req)
	}))
	t.Cleanup(r.app.Close)
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r.manager, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: r.clock,
		Factors: []factor.Factor{word{}}})
	require.NoError(t, err)
	cfg := sso.Config{
		Store: r.store, Keys: keys, URL: r.app.URL + "/sso/", Clock: r.clock,
		Authorize: func(_ context.Context, a mfa.AdminAction) error {
			if a.Actor != "admin" {
				return errors.New("no")
			}
			return nil
		},
		Events: func(_ context.Context, e mfa.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
		},
	}
	for _, o := range options {
		o(&cfg, r.idpCfg)
	}
	r.idp, err = ssotest.New(*r.idpCfg)
	require.NoError(t, err)
	idp = r.idp
	if cfg.Providers == nil {
		plain := r.idp.Plain()
		plain.Open = true
		cfg.Providers = []sso.Provider{r.idp.Microsoft(), r.idp.Google(), plain}
	}
	r.service, err = sso.New(cfg)
	require.NoError(t, err)
	r.otherProcess = func() (http.Handler, error) {
		service, err := sso.New(cfg)
		require.NoError(t, err)
		return service.Handler(r.hooks())
	}
	app, err := r.service.Handler(r.hooks())
	require.NoError(t, err)
	r.handler.Store(&app)
	return r
}

func (r *rig) hooks() sso.Hooks {
	lock := func(f func()) { r.mu.Lock(); defer r.mu.Unlock(); f() }
	return sso.Hooks{
		Session: func(*http.Request) (s mfa.Session, g mfa.Grant, err error) {
			lock(func() { s, g = r.session, r.grant })
			return s, g, nil
		},
		SignedIn: func(w http.ResponseWriter, _ *http.Request, in *sso.SignIn) {
			lock(func() { r.in, r.err = append(r.in, in), nil })
			_, _ = io.WriteString(w, "signed in")
		},
		Linked: func(w http.ResponseWriter, _ *http.Request, l *sso.Link) {
			lock(func() { r.linked, r.err = append(r.linked, l), nil })
			_, _ = io.WriteString(w, "linked")
		},
		Unlinked: func(w http.ResponseWriter, _ *http.Request) {
			lock(func() { r.err = nil })
			_, _ = io.WriteString(w, "unlinked")
		},
		Failed: func(w http.ResponseWriter, _ *http.Request, err error) {
			lock(func() { r.err = err })
			http.Error(w, "failed", http.StatusBadRequest)
		},
	}
}

// as makes id the user who is signed in, with a grant.
func (r *rig) as(id, email string) mfa.User {
	r.t.Helper()
	user := mfa.User{ID: id, Tenant: "acme", Email: email}
	session := r.manager.Session(user, goodBind)
	grant := r.proves(session)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session, r.grant = session, grant
	return user
}

// word is a factor whose only correct response is its kind. Unlike a PIN it takes no time.
type word struct{}

func (word) Kind() string { return "word" }

func (word) Traits() factor.Traits { return factor.Traits{Level: factor.LevelWeak} }

func (word) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{}, nil
}

func (word) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	if in.Response.Reveal() != "word" {
		return nil, factor.ErrIncorrect
	}
	return &factor.Verdict{}, nil
}

// proves returns a grant of now. A user who has no second factor enrols one.
func (r *rig) proves(s mfa.Session) mfa.Grant {
	r.t.Helper()
	ctx := r.t.Context()
	ch, err := s.Begin(ctx)
	require.NoError(r.t, err)
	if ch.Next == mfa.NextVerify {
		v, err := s.Verify(ctx, ch, "word", secret.New("word"))
		require.NoError(r.t, err)
		return v.Grant
	}
	e, err := s.Enroll(ctx, ch.Grant, mfa.EnrollRequest{Kind: "word"})
	require.NoError(r.t, err)
	c, err := s.Confirm(ctx, e, secret.New("word"))
	require.NoError(r.t, err)
	return c.Grant
}

// admin is a program that administers.
func (r *rig) admin(reason string) mfa.Admin {
	return r.manager.Admin(mfa.System("admin"), reason)
}

func (r *rig) nobody() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session, r.grant = mfa.Session{}, mfa.Grant{}
}

func (r *rig) activate(org string, acceptMFA bool) {
	r.t.Helper()
	require.NoError(r.t, r.service.Activate(r.t.Context(),
		sso.ActivationRequest{Admin: r.admin(""), Tenant: "acme",
			Activation: sso.Activation{Provider: "microsoft", Organization: org,
				AcceptMFA: acceptMFA}}))
}

// browser is one browser, with its cookies. It follows no redirect.
type browser struct {
	*http.Client
	r *rig
}

func (r *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(r.t, err)
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}}, r}
}

var onward = regexp.MustCompile(`<a href="([^"]+)">`)

// begin posts the form and returns where the page takes the browser.
func (b *browser) begin(provider, what string) string {
	b.r.t.Helper()
	resp, err := b.PostForm(b.r.app.URL+"/sso/"+provider+"/"+what, nil)
	require.NoError(b.r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(b.r.t, err)
	if resp.StatusCode != http.StatusOK {
		return ""
	}
	m := onward.FindSubmatch(body)
	require.NotNil(b.r.t, m, "%s", body)
	require.Contains(b.r.t, string(body), `content="0;url=`+string(m[1])+`"`)
	return html.UnescapeString(string(m[1]))
}

// choose signs in at the provider and returns where it sends the browser back to.
func (b *browser) choose(at string, user int) string {
	b.r.t.Helper()
	resp, err := b.PostForm(at, url.Values{"user": {strconv.Itoa(user)}})
	require.NoError(b.r.t, err)
	defer resp.Body.Close()
	require.Equal(b.r.t, http.StatusSeeOther, resp.StatusCode)
	return resp.Header.Get("Location")
}

// open gets a URL and returns what the application made of it.
func (b *browser) open(at string) error {
	b.r.t.Helper()
	b.r.mu.Lock()
	b.r.err = errors.New("the application was not told")
	b.r.mu.Unlock()
	resp, err := b.Get(at)
	require.NoError(b.r.t, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	require.NoError(b.r.t, resp.Body.Close())
	b.r.mu.Lock()
	defer b.r.mu.Unlock()
	return b.r.err
}

// run takes a whole sign-on.
func (b *browser) run(provider, what string, user int) error {
	b.r.t.Helper()
	at := b.begin(provider, what)
	if at == "" {
		b.r.mu.Lock()
		defer b.r.mu.Unlock()
		return b.r.err
	}
	return b.open(b.choose(at, user))
}

// link makes the user id link an account, in a browser of their own.
func (r *rig) link(id, email, provider string, account int) error {
	r.t.Helper()
	r.as(id, email)
	defer r.nobody()
	return r.browser().run(provider, "link", account)
}

func (r *rig) signIn(provider string, account int) (*sso.SignIn, error) {
	r.t.Helper()
	r.nobody()
	before := len(r.in)
	err := r.browser().run(provider, "sign-in", account)
	if err != nil {
		require.Len(r.t, r.in, before, "nobody may be signed in")
		return nil, err
	}
	require.Len(r.t, r.in, before+1)
	return r.in[before], nil
}

func (r *rig) lastEvent() mfa.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(r.t, r.events)
	return r.events[len(r.events)-1]
}

func query(t *testing.T, raw, name string) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u.Query().Get(name)
}

func edit(t *testing.T, raw string, change func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	q := u.Query()
	change(q)
	u.RawQuery = q.Encode()
	return u.String()
}

// transport is the default one, with its answers changed on the way.
type transport func(*http.Request, *http.Response)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		f(req, resp)
	}
	return resp, err
}

func replaceBody(resp *http.Response, old, new string) {
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(string(body), old, new)))
}
