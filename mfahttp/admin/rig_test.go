package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

type m = map[string]any

// site is an application with users of two tenants, which has mounted the administration.
type site struct {
	t     *testing.T
	m     *mfa.Manager
	h     *mfahttp.Handler
	a     *admin.Handler
	srv   *httptest.Server
	store *mfatest.FaultyStore
	clock *mfatest.Clock
	mail  *mfatest.Outbox[email.Message]
	dir   *directory
	log   bytes.Buffer

	mu       sync.Mutex
	events   []mfa.Event
	acts     []mfa.AdminAction
	sessions map[string]session
	// refuse names what Config.Authorize refuses to the administrators, beside what belongs to
	// another tenant.
	refuse func(a mfa.AdminAction) bool
	// central says that administrators may act on every tenant.
	central bool
}

type session struct {
	user  mfa.User
	since time.Time
}

// administrators are the users who may administer, each in their own tenant.
var administrators = []string{"olivia", "otto"}

func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // the sites are small and many
	}
	os.Exit(m.Run())
}

func newSite(t *testing.T, change ...func(*admin.Config)) *site {
	t.Helper()
	s := &site{t: t, sessions: map[string]session{}, dir: newDirectory(),
		clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
		store: mfatest.NewFaultyStore(memory.New()), mail: &mfatest.Outbox[email.Message]{}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: s.mail, ServiceName: "Acme",
		ConfirmURL: func(token string) string { return "https://acme.example/confirm?t=" + token },
		SetupURL:   func(token string) string { return "https://acme.example/setup?t=" + token }})
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	codes, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	made, err := access.New(access.Config{})
	require.NoError(t, err)
	s.m, err = mfa.New(mfa.Config{Store: s.store, Keys: keys, Clock: s.clock,
		Policies:  policy.Stored(policy.Static(policy.Policy{Implicit: []string{"email"}})),
		Factors:   []factor.Factor{app, mail, codes, made},
		Authorize: s.authorize,
		Events: func(_ context.Context, e mfa.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, e)
		}})
	require.NoError(t, err)
	s.h, err = mfahttp.New(mfahttp.Config{Manager: s.m, Keys: keys, Clock: s.clock,
		LoginURL: "/login", HomeURL: "/home", Identify: s.identify, Templates: pseudo(),
		Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	require.NoError(t, err)
	cfg := admin.Config{Handler: s.h, Manager: s.m, Users: s.dir, Texts: pseudo(),
		UserTypes: []string{"owner", "employee"}, TypeName: typeName}
	for _, f := range change {
		f(&cfg)
	}
	s.a, err = admin.New(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", s.h)
	mux.Handle("/admin/mfa/", s.a)
	mux.HandleFunc("POST /login", s.login)
	s.srv = httptest.NewServer(mux)
	t.Cleanup(s.srv.Close)
	return s
}

// typeName has words for user types in the language of tests alone.
func typeName(language string, of policy.Scope) string {
	if language != textstest.Pseudo || of.Tenant != "acme" {
		return ""
	}
	return textstest.Change(of.UserType, language)
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	e, err := s.dir.User(r.Context(), mfa.User{ID: r.FormValue("user"),
		Tenant: r.FormValue("tenant")})
	if err != nil {
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id] = session{e.User, s.clock.Now()}
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: id, Path: "/", HttpOnly: true})
}

func (s *site) identify(r *http.Request) (mfahttp.Identity, error) {
	c, err := r.Cookie("sid")
	if err != nil {
		return mfahttp.Identity{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of, ok := s.sessions[c.Value]
	if !ok {
		return mfahttp.Identity{}, nil
	}
	return mfahttp.Identity{User: of.user, SessionID: c.Value, SignedInAt: of.since}, nil
}

// authorize implements mfa.Config.Authorize.
func (s *site) authorize(_ context.Context, a mfa.AdminAction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts = append(s.acts, a)
	if a.System {
		return nil
	}
	tenantless := a.Name == "report" || a.Name == "audit"
	if !slices.Contains(administrators, a.Actor) || a.ActorTenant != a.Tenant && !s.central &&
		!(tenantless && a.Tenant == "" && a.Actor == "olivia") {
		return errors.New("not an administrator of this tenant")
	}
	if s.refuse != nil && s.refuse(a) {
		return errors.New("not this")
	}
	return nil
}

// records is everything in the store.
func (s *site) records() []storage.Entry {
	s.t.Helper()
	page, next, err := s.store.List(s.t.Context(), "", "", 10_000)
	require.NoError(s.t, err)
	require.Empty(s.t, next)
	return page
}

// directory is a list of users in the order of their IDs. It notes the largest page that it was
// asked for.
type directory struct {
	mu      sync.Mutex
	users   []admin.Entry
	most    int
	queries int
	err     error
	change  func(*admin.Page)
}

func newDirectory() *directory {
	d := &directory{}
	for _, u := range []struct{ tenant, id, typ, name string }{
		{"acme", "anna", "employee", "Anna de Vries"}, {"acme", "ben", "employee", "Ben Carter"},
		{"acme", "carla", "employee", "Carla Rossi"}, {"acme", "eve", "employee", "Eve Hacker"},
		{"acme", "olivia", "owner", "Olivia Berg"}, {"acme", "pat", "owner", "Pat Lee"},
		{"other", "anna", "employee", "Anna Other"}, {"other", "otto", "owner", "Otto Other"},
	} {
		d.users = append(d.users, admin.Entry{Name: u.name, User: mfa.User{ID: u.id,
			Tenant: u.tenant, UserType: u.typ, Email: u.id + "@" + u.tenant + ".example",
			EmailVerified: u.id != "carla"}})
	}
	return d
}

func (d *directory) Search(_ context.Context, q admin.Query) (admin.Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.most, d.queries = max(d.most, q.Limit), d.queries+1
	if d.err != nil {
		return admin.Page{}, d.err
	}
	var p admin.Page
	for _, e := range d.users {
		u := e.User
		if u.Tenant != q.Tenant || q.UserType != "" && u.UserType != q.UserType ||
			q.Unverified && u.EmailVerified || u.ID <= q.Cursor ||
			!strings.Contains(strings.ToLower(e.Name), strings.ToLower(q.Text)) {
			continue
		}
		if len(p.Users) == q.Limit {
			p.Next = p.Users[len(p.Users)-1].User.ID
			break
		}
		p.Users = append(p.Users, e)
	}
	if d.change != nil {
		d.change(&p)
	}
	return p, nil
}

func (d *directory) User(_ context.Context, named mfa.User) (admin.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.users {
		if e.User.ID == named.ID && e.User.Tenant == named.Tenant {
			return e, nil
		}
	}
	return admin.Entry{}, fmt.Errorf("look up: %w", admin.ErrNoUser)
}

func (d *directory) user(t *testing.T, id string) mfa.User {
	t.Helper()
	e, err := d.User(t.Context(), mfa.User{ID: id, Tenant: "acme"})
	require.NoError(t, err)
	return e.User
}

// client is a browser, or a single-page application in one.
type client struct {
	s      *site
	user   mfa.User
	http   *http.Client
	key    string
	origin string
}

func (s *site) client() *client {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &client{s: s, origin: "same-origin", http: &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}}
}

// response is a response that has been read.
type response struct {
	*http.Response
	Text string
	JSON m
}

func (c *client) do(method, path string, body any) *response {
	c.s.t.Helper()
	text, isText := body.(string)
	if body != nil && !isText {
		b, err := json.Marshal(body)
		require.NoError(c.s.t, err)
		text = string(b)
	}
	req, err := http.NewRequest(method, c.s.srv.URL+path, strings.NewReader(text))
	require.NoError(c.s.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Sec-Fetch-Site", c.origin)
	return c.send(req)
}

func (c *client) send(req *http.Request) *response {
	c.s.t.Helper()
	resp, err := c.http.Do(req)
	require.NoError(c.s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(c.s.t, err)
	a := &response{Response: resp, Text: strings.ReplaceAll(string(b), "\u2011", "-")}
	_ = json.Unmarshal(b, &a.JSON)
	return a
}

// api calls a route of the administration.
func (c *client) api(method, path string, body any) *response {
	c.s.t.Helper()
	return c.do(method, "/admin/mfa/api/"+path, body)
}

// is checks status and error code.
func (a *response) is(t *testing.T, status int, code string) *response {
	t.Helper()
	got, _ := a.JSON["error"].(string)
	require.Equalf(t, fmt.Sprint(status, " ", code), fmt.Sprint(a.StatusCode, " ", got),
		"%s %s: %s", a.Request.Method, a.Request.URL, a.Text)
	return a
}

// password passes the first factor and no second one.
func (c *client) password(tenant, user string) *client {
	c.s.t.Helper()
	req, err := http.NewRequest("POST", c.s.srv.URL+"/login",
		strings.NewReader("user="+user+"&tenant="+tenant))
	require.NoError(c.s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Equal(c.s.t, 200, c.send(req).StatusCode)
	c.user = mfa.User{ID: user, Tenant: tenant}
	c.do("GET", "/mfa/api/state", nil).is(c.s.t, 200, "")
	return c
}

// mailed passes the second factor by a code that is mailed.
func (c *client) mailed() *client {
	c.s.t.Helper()
	c.do("POST", "/mfa/api/send", m{"kind": "email"}).is(c.s.t, 200, "")
	c.do("POST", "/mfa/api/verify", m{"kind": "email",
		"code": mfatest.Code(c.s.t, c.s.last())}).is(c.s.t, 200, "")
	return c
}

// last returns the text of the last mail.
func (s *site) last() string {
	s.t.Helper()
	m, ok := s.mail.Last()
	require.True(s.t, ok)
	return m.Text.Reveal()
}

// app enrols an authenticator app and returns the ID of the factor.
func (c *client) app() string {
	c.s.t.Helper()
	e := c.do("POST", "/mfa/api/enroll", m{"kind": "totp"}).is(c.s.t, 200, "")
	c.key, _ = e.JSON["secret"].(string)
	done := c.do("POST", "/mfa/api/confirm", m{"enrollment": e.JSON["enrollment"],
		"code": mfatest.AppCode(c.s.t, c.key, c.s.clock.Now())}).is(c.s.t, 200, "")
	c.s.clock.Advance(time.Minute) // the next code is another one
	return done.JSON["factor"].(m)["id"].(string)
}

// proves is a step-up by the app.
func (c *client) proves() *client {
	c.s.t.Helper()
	c.do("POST", "/mfa/api/step-up", m{}).is(c.s.t, 200, "")
	c.do("POST", "/mfa/api/verify", m{"kind": "totp",
		"code": mfatest.AppCode(c.s.t, c.key, c.s.clock.Now())}).is(c.s.t, 200, "")
	return c
}

// administrator is signed in and has just proven an app.
func (s *site) administrator(tenant, user string) *client {
	s.t.Helper()
	c := s.client().password(tenant, user).mailed()
	c.app()
	return c.proves()
}
