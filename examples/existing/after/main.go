// After is the application of folder before, with a second factor.
package main

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

// user is an account of the application.
type user struct {
	id, mail string
	password []byte // bcrypt
}

// session is a browser in which a user has signed in.
type session struct {
	id, user, mail string
	since          time.Time
}

// app is the application.
type app struct {
	users    map[string]*user // by e-mail address
	unknown  []byte           // a hash of no password
	mu       sync.Mutex
	sessions map[string]*session // by cookie
}

const cookie = "session"

func main() {
	handler, err := newApp()
	if err != nil {
		log.Fatal(err)
	}
	addr := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	log.Print("listening on http://", addr)
	log.Fatal(http.ListenAndServe(addr, handler))
}

func newApp() (http.Handler, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse battery"), bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	unknown, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	a := &app{sessions: map[string]*session{}, unknown: unknown, users: map[string]*user{
		"ann@example.com": {id: "1", mail: "ann@example.com", password: hash}}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", a.showLogin)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("GET /{$}", a.home)
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFile("secondgate.key"),
		User: func(r *http.Request) (u secondgate.User, err error) {
			if s := a.current(r); s != nil {
				u = secondgate.User{ID: s.user, Email: s.mail, SessionID: s.id, SignedInAt: s.since}
			}
			return u, nil
		}})
	if err != nil {
		return nil, err
	}
	return http.NewCrossOriginProtection().Handler(gate.Require(mux)), nil
}

// current returns the session of a request, or nil.
func (a *app) current(r *http.Request) *session {
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sessions[c.Value]
}

var loginPage = template.Must(template.New("").Parse(`<!doctype html><title>Sign in</title>
<form method="post">{{with .}}<p role="alert">{{.}}</p>{{end}}
<label>E-mail <input name="email" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button></form>`))

func (a *app) showLogin(w http.ResponseWriter, _ *http.Request) { _ = loginPage.Execute(w, "") }

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	u := a.users[r.FormValue("email")]
	hash := a.unknown // an unknown address takes as long as a known one
	if u != nil {
		hash = u.password
	}
	err := bcrypt.CompareHashAndPassword(hash, []byte(r.FormValue("password")))
	if u == nil || err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		_ = loginPage.Execute(w, "Wrong address or password.")
		return
	}
	s := &session{id: rand.Text(), user: u.id, mail: u.mail, since: time.Now()}
	a.mu.Lock()
	a.sessions[s.id] = s
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: s.id, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	a.end(w, r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// end ends the session of a request.
func (a *app) end(w http.ResponseWriter, r *http.Request) {
	if s := a.current(r); s != nil {
		a.mu.Lock()
		delete(a.sessions, s.id)
		a.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1})
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	s := a.current(r)
	if s == nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	fmt.Fprintf(w, `<!doctype html><title>Home</title><h1>Welcome, %s</h1>
<form method="post" action="/logout"><button>Sign out</button></form>`,
		template.HTMLEscapeString(s.mail))
}
