package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

// In this file is what the application has for programs: the session ID is a bearer token, and the
// session has a place for the values of mfahttp, so that no program needs cookies.

// forPrograms returns a Handler that keeps its state in the sessions of the application.
func (a *app) forPrograms(
	m *mfa.Manager, session mfahttp.Session, clock mfa.Clock,
) (*mfahttp.Handler, error) {
	return mfahttp.New(mfahttp.Config{Manager: m, Session: session, Clock: clock,
		Identify: a.identify, Verified: a.verified, LoginURL: "/login",
		Public: []string{"/token"}})
}

// identify implements mfahttp.Config.Identify.
func (a *app) identify(r *http.Request) (mfahttp.Identity, error) {
	u, err := a.user(r)
	return mfahttp.Identity{SessionID: u.SessionID, SignedInAt: u.SignedInAt,
		User: mfa.User{ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified}}, err
}

// bearer returns the token of an Authorization header, or "".
func bearer(header []string) string {
	if len(header) != 1 {
		return ""
	}
	token, ok := strings.CutPrefix(header[0], "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// token responds to a correct password with a session ID.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil ||
		r.PostFormValue("password") != "secret" { // your application has users and hashes
		http.Error(w, "incorrect", http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, a.begin())
}

type sessionKey struct{}

// withSession returns a context with the session of a token, for Get, Put and Remove.
func (a *app) withSession(ctx context.Context, token string) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	return context.WithValue(ctx, sessionKey{}, a.sessions[token])
}

// load is withSession for net/http.
func (a *app) load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := a.withSession(r.Context(), bearer(r.Header["Authorization"]))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// values implements mfahttp.Session on the application's sessions.
type values struct{ *app }

var errNoSession = errors.New("the request has no session")

func (v values) Get(ctx context.Context, key string) ([]byte, error) {
	s, _ := ctx.Value(sessionKey{}).(*session)
	if s == nil {
		return nil, errNoSession
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return s.values[key], nil
}

func (v values) Put(ctx context.Context, key string, value []byte) error {
	s, _ := ctx.Value(sessionKey{}).(*session)
	if s == nil {
		return errNoSession
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.values[key] = value
	return nil
}

func (v values) Remove(ctx context.Context, key string) error { return v.Put(ctx, key, nil) }

// verified implements mfahttp.Config.Verified: the session goes on under a new ID, so that an ID
// that leaked before the second factor is worthless. The client finds it in a header.
func (a *app) verified(
	w http.ResponseWriter, r *http.Request, _ *mfa.Verification,
) (string, error) {
	s, _ := r.Context().Value(sessionKey{}).(*session)
	if s == nil {
		return "", errNoSession
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, s.id)
	s.id = rand.Text()
	a.sessions[s.id] = s
	w.Header().Set("Session-Id", s.id)
	return s.id, nil
}

// end ends the session of a token.
func (a *app) end(token string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, token)
}
