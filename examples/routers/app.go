package main

import (
	"crypto/rand"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/secondgate/secondgate"
)

// app is an application with one user and sessions of its own. Its handlers are those of
// net/http, and each router serves them in its own way.
type app struct {
	now      func() time.Time
	mu       sync.Mutex
	sessions map[string]*session // by ID
}

// session is a session in which a user has given the password.
type session struct {
	id     string
	since  time.Time
	values map[string][]byte // for mfahttp, where it keeps its state here and not in cookies
}

const cookie = "session"

func newApp() *app { return &app{now: time.Now, sessions: map[string]*session{}} }

// user implements secondgate.Config.User. Browsers send the session ID in a cookie, and programs
// in the Authorization header.
func (a *app) user(r *http.Request) (secondgate.User, error) {
	id := bearer(r.Header["Authorization"])
	if c, err := r.Cookie(cookie); err == nil && id == "" {
		id = c.Value
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[id]
	if s == nil {
		return secondgate.User{}, nil
	}
	return secondgate.User{ID: "1", Email: "ann@example.com", EmailVerified: true,
		SessionID: s.id, SignedInAt: s.since}, nil
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		http.Error(w, "from another site", http.StatusForbidden)
		return
	}
	if r.PostFormValue("password") != "secret" { // your application has users and hashes
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>Sign in</title><form method="post">`+
			`<label>Password <input name="password" type="password"></label><button>Go</button>`)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: a.begin(), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// begin makes a session, and returns its ID.
func (a *app) begin() string {
	s := &session{id: rand.Text(), since: a.now(), values: map[string][]byte{}}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[s.id] = s
	return s.id
}

func (a *app) home(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "the home page")
}

// money is a page that needs a recent verification.
func (a *app) money(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "the money")
}
