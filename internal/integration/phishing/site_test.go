// Package phishing_test is a laboratory: a site in the middle relays everything that users of an
// application with the ready pages type, and strips passkeys from what it shows them.
package phishing_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/access"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/passkey/passkeytest"
	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/recovery"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

const (
	realHost   = "app.example.com"
	realOrigin = "https://" + realHost
)

// site is the application. Its users sign in by their name and a password.
type site struct {
	m     *mfa.Manager
	clock *mfatest.Clock
	mails *mfatest.Outbox[email.Message]
	gate  *mfahttp.Handler

	mu        sync.Mutex
	passwords map[string]string
	resets    map[string]string // token to user
	sessions  map[string]string // session ID to user
}

// newSite serves an application over TLS, with a policy for all users.
func newSite(t *testing.T, p policy.Policy) (*site, *httptest.Server) {
	t.Helper()
	s := &site{clock: mfatest.NewClock(time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)),
		mails: &mfatest.Outbox[email.Message]{}, passwords: map[string]string{},
		resets: map[string]string{}, sessions: map[string]string{}}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	s.m, err = mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Clock: s.clock,
		Factors: s.factors(t), Policies: policy.Stored(policy.Static(p)),
		Authorize: func(context.Context, mfa.AdminAction) error { return nil },
		Notify:    func(ctx context.Context, send func(context.Context) error) { _ = send(ctx) }})
	require.NoError(t, err)
	s.gate, err = mfahttp.New(mfahttp.Config{Manager: s.m, Keys: keys, Clock: s.clock,
		ProductName: "Acme", LoginURL: "/login", HomeURL: "/home", SetupLinks: true,
		Identify: s.identify, Account: s.account, Verified: s.verified})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/mfa/", s.gate)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /forgot", s.forgot)
	mux.HandleFunc("POST /reset", s.reset)
	mux.HandleFunc("POST /sign-on", s.signOn)
	mux.Handle("GET /home", s.gate.Require(http.HandlerFunc(s.home)))
	for path, l := range levels {
		mux.Handle("GET "+path, s.gate.RequireLevel(l)(http.HandlerFunc(s.home)))
	}
	mux.Handle("GET /portal/authorize", s.gate.Require(s.portal(t)))
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	return s, server
}

func (s *site) factors(t *testing.T) []factor.Factor {
	t.Helper()
	key, err := passkey.New(passkey.Config{RPID: realHost, RPName: "Acme",
		Origins: []string{realOrigin}})
	require.NoError(t, err)
	app, err := totp.New(totp.Config{Issuer: "Acme"})
	require.NoError(t, err)
	mail, err := email.New(email.Config{Sender: s.mails, ServiceName: "Acme",
		SetupURL: func(token string) string {
			return realOrigin + "/mfa/setup?token=" + url.QueryEscape(token)
		}})
	require.NoError(t, err)
	paper, err := recovery.New(recovery.Config{})
	require.NoError(t, err)
	codes, err := access.New(access.Config{})
	require.NoError(t, err)
	return []factor.Factor{key, app, mail, paper, codes}
}

// portal states to another application who is signed in.
func (s *site) portal(t *testing.T) http.Handler {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	issuer, err := portal.NewIssuer(portal.IssuerConfig{URL: realOrigin + "/portal",
		Keys: []portal.Key{{Private: private}}, Clock: s.clock,
		Clients: []portal.Client{{ID: "shop", ReturnURL: "https://shop.example/in"}}})
	require.NoError(t, err)
	return issuer.Authorize(func(_ http.ResponseWriter, r *http.Request, _ portal.Need) (
		*portal.Assertion, error) {
		id, err := s.identify(r)
		return &portal.Assertion{Subject: id.User.ID, AuthTime: s.clock.Now(),
			AMR: []string{"pwd"}, Level: 1}, err
	})
}

func user(name string) mfa.User {
	return mfa.User{ID: name, Email: name + "@example.com", EmailVerified: true}
}

// begin makes a session of a user, and leaves the one before.
func (s *site) begin(w http.ResponseWriter, name string) (sessionID string) {
	id := rand.Text()
	s.mu.Lock()
	s.sessions[id] = name
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", Secure: true,
		HttpOnly: true})
	return id
}

func (s *site) identify(r *http.Request) (mfahttp.Identity, error) {
	c, err := r.Cookie("session")
	if err != nil {
		return mfahttp.Identity{}, nil //nolint:nilerr // a visitor
	}
	s.mu.Lock()
	name := s.sessions[c.Value]
	s.mu.Unlock()
	if name == "" {
		return mfahttp.Identity{}, nil
	}
	return mfahttp.Identity{User: user(name), SessionID: c.Value, SignedInAt: s.clock.Now()}, nil
}

func (s *site) account(_ context.Context, named mfa.User) (mfa.User, error) {
	return user(named.ID), nil
}

// verified begins the session of a user who signed in without a password.
func (s *site) verified(
	w http.ResponseWriter, _ *http.Request, v *mfa.Verification,
) (string, error) {
	if !v.Passwordless {
		return "", nil
	}
	return s.begin(w, v.UserID), nil
}

func (s *site) login(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("user")
	s.mu.Lock()
	ok := s.passwords[name] != "" && s.passwords[name] == r.PostFormValue("password")
	s.mu.Unlock()
	if !ok {
		http.Error(w, "Wrong username or password.", http.StatusUnauthorized)
		return
	}
	s.begin(w, name)
	w.WriteHeader(http.StatusNoContent)
}

// forgot mails a user a token to choose a new password with.
func (s *site) forgot(w http.ResponseWriter, r *http.Request) {
	token := rand.Text()
	s.mu.Lock()
	s.resets[token] = r.PostFormValue("user")
	s.mu.Unlock()
	err := s.mails.Send(r.Context(), email.Message{To: r.PostFormValue("user") + "@example.com",
		Subject: "Choose a new password", Text: secret.New(token)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *site) reset(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.PostFormValue("token")
	name := s.resets[token]
	if name == "" {
		http.Error(w, "no such link", http.StatusForbidden)
		return
	}
	delete(s.resets, token)
	s.passwords[name] = r.PostFormValue("password")
}

// signOn is the end of a sign-on at a provider, which has verified the second factor.
func (s *site) signOn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("user")
	id := mfahttp.Identity{User: user(name), SessionID: s.begin(w, name), SignedInAt: s.clock.Now()}
	if err := s.gate.CompleteSignIn(w, r, id, s.clock.Now()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	id, err := s.identify(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("signed in as " + id.User.ID))
}

// victim is a user with a passkey and everything that is weaker, who types all that a page asks
// for.
type victim struct {
	name, password string
	key            *passkeytest.Authenticator
	seed           secret.Text
	papers         []secret.Text
	code           secret.Text // by an administrator
}

// enrolled is a new victim.
func (s *site) enrolled(t *testing.T, name string) *victim {
	t.Helper()
	v := &victim{name: name, password: rand.Text(), key: passkeytest.New(realOrigin)}
	s.mu.Lock()
	s.passwords[name] = v.password
	s.mu.Unlock()
	session := s.m.Session(user(name), "the session of the set-up")
	ch, err := session.Begin(t.Context())
	require.NoError(t, err)
	_, err = session.Send(t.Context(), ch, "email")
	require.NoError(t, err)
	ver, err := session.Verify(t.Context(), ch, "email", secret.New(s.mailedCode(t)))
	require.NoError(t, err)
	e, err := session.Enroll(t.Context(), ver.Grant, mfa.EnrollRequest{Kind: "passkey"})
	require.NoError(t, err)
	response, err := v.key.Create(e.Prompt.Data)
	require.NoError(t, err)
	c, err := session.Confirm(t.Context(), e, secret.New(response))
	require.NoError(t, err)
	s.enrolWeaker(t, session, v, c.Grant)
	s.clock.Advance(time.Minute) // the app shows another code
	return v
}

// enrolWeaker enrols an authenticator app and recovery codes, and has an administrator make an
// access code.
func (s *site) enrolWeaker(t *testing.T, session mfa.Session, v *victim, g mfa.Grant) {
	t.Helper()
	e, err := session.Enroll(t.Context(), g, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(t, err)
	v.seed = e.Prompt.Secret
	c, err := session.Confirm(t.Context(), e, secret.New(s.appCode(t, v)))
	require.NoError(t, err)
	made, err := session.NewRecoveryCodes(t.Context(), c.Grant)
	require.NoError(t, err)
	v.papers = made.Prompt.Codes
	issued, err := s.m.Admin(mfa.System("support"), "").Enroll(t.Context(), user(v.name),
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	v.code = issued.Prompt.Codes[0]
}

func (s *site) appCode(t *testing.T, v *victim) string {
	t.Helper()
	return mfatest.AppCode(t, v.seed, s.clock.Now())
}

var digits = regexp.MustCompile(`\b\d{6}\b`)

// mailedCode is the code of the latest mail, or "" if it has none.
func (s *site) mailedCode(t *testing.T) string {
	t.Helper()
	m, ok := s.mails.Last()
	require.True(t, ok)
	return digits.FindString(m.Text.Reveal())
}

var setupLink = regexp.MustCompile(`/mfa/setup\?token=(\S+)`)

// mailedToken is the token of the latest recovery link, or "" if the latest mail has none.
func (s *site) mailedToken(t *testing.T) string {
	t.Helper()
	m, ok := s.mails.Last()
	require.True(t, ok)
	if found := setupLink.FindStringSubmatch(m.Text.Reveal()); found != nil {
		token, err := url.QueryUnescape(found[1])
		require.NoError(t, err)
		return token
	}
	return ""
}
