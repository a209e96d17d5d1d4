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
	sessions map[string]time.Time // by cookie: the time of the sign-in
}

const cookie = "session"

func newApp() *app { return &app{now: time.Now, sessions: map[string]time.Time{}} }

// user implements secondgate.Config.User.
func (a *app) user(r *http.Request) (secondgate.User, error) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return secondgate.User{}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	since, ok := a.sessions[c.Value]
	if !ok {
		return secondgate.User{}, nil
	}
	return secondgate.User{ID: "1", Email: "ann@example.com", EmailVerified: true,
		SessionID: c.Value, SignedInAt: since}, nil
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
	id := rand.Text()
	a.mu.Lock()
	a.sessions[id] = a.now()
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) home(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "the home page")
}

// money is a page that needs a recent verification.
func (a *app) money(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "the money")
}
