// Package sessions is an application whose sessions are cookies of github.com/gorilla/sessions,
// with records in SQLite and mails by SMTP. docs/adopting.md goes through it.
package sessions

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/http"
	"time"

	"github.com/gorilla/sessions"
	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/storage/sqlstore"
	_ "modernc.org/sqlite" // the driver
)

// Config is what the application needs.
type Config struct {
	// Sessions are a sessions.CookieStore, or another store of gorilla/sessions.
	Sessions sessions.Store
	// Check returns the user with an address and a password, or "".
	Check func(address string, password secret.Text) string
	// Database and Key are files. Mail is the URL of a server, such as
	// "smtps://user:password@mail.example.com?from=no-reply@example.com".
	Database, Key, Mail string
}

// app is the application.
type app struct{ cfg Config }

// New returns the application behind its gate.
func New(ctx context.Context, cfg Config) (http.Handler, error) {
	a := &app{cfg}
	records, err := records(ctx, cfg.Database)
	if err != nil {
		return nil, err
	}
	sender, err := sender(cfg.Mail)
	if err != nil {
		return nil, err
	}
	gate, err := secondgate.New(secondgate.Config{Store: records, Mail: sender, Product: "Acme",
		Keys: secondgate.KeyFile(cfg.Key), User: a.user, Public: []string{"/logout"}})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("sign in"))
	})
	mux.HandleFunc("POST /logout", a.logout)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("welcome"))
	})
	return http.NewCrossOriginProtection().Handler(gate.Require(mux)), nil
}

// records opens the store.
func records(ctx context.Context, file string) (*sqlstore.Store, error) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	table := sqlstore.Config{DB: db, Dialect: sqlstore.SQLite}
	if err := sqlstore.Migrate(ctx, table); err != nil { // makes the table if there is none
		return nil, err
	}
	return sqlstore.New(ctx, table)
}

// sender returns what sends mails.
func sender(url string) (email.Sender, error) {
	server, err := smtp.ParseURL(url)
	if err != nil {
		return nil, err
	}
	return smtp.New(server)
}

// user implements secondgate.Config.User.
func (a *app) user(r *http.Request) (secondgate.User, error) {
	s, err := a.cfg.Sessions.Get(r, "session")
	id, _ := s.Values["id"].(string)
	if err != nil || id == "" { // a cookie that is not valid is a visitor's, and no failure
		return secondgate.User{}, nil
	}
	mail, _ := s.Values["user"].(string)
	since, _ := s.Values["since"].(int64)
	return secondgate.User{ID: mail, Email: mail,
		SessionID: id, SignedInAt: time.Unix(since, 0)}, nil
}

func (a *app) login(w http.ResponseWriter, r *http.Request) {
	user := a.cfg.Check(r.PostFormValue("email"), secret.New(r.PostFormValue("password")))
	if user == "" {
		http.Error(w, "wrong address or password", http.StatusForbidden)
		return
	}
	s, _ := a.cfg.Sessions.New(r, "session")
	s.Values["user"] = user
	s.Values["id"], s.Values["since"] = rand.Text(), time.Now().Unix()
	if err := s.Save(r, w); err != nil {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) logout(w http.ResponseWriter, r *http.Request) {
	s, _ := a.cfg.Sessions.Get(r, "session")
	s.Options.MaxAge = -1
	_ = s.Save(r, w)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
