package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/password/throttle"
	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

//go:embed overlay texts
var files embed.FS

// session adapts scs to mfahttp and to portal.
type session struct{ *scs.SessionManager }

func (s session) Get(ctx context.Context, key string) ([]byte, error) {
	return s.GetBytes(ctx, key), nil
}

func (s session) Put(ctx context.Context, key string, value []byte) error {
	s.SessionManager.Put(ctx, key, value)
	return nil
}

func (s session) Remove(ctx context.Context, key string) error {
	s.SessionManager.Remove(ctx, key)
	return nil
}

func newSessions(name string) *scs.SessionManager {
	s := scs.New()
	s.Lifetime = time.Hour
	s.Cookie.Name = strings.ToLower(name) // cookies do not know ports
	return s
}

// passwords are those of the demonstration, and no secret.
var passwords = map[string]string{"ann": "ann-demo-password", "ben": "ben-demo-password"}

// site is an application that requires a second factor of its own.
type site struct {
	name     string
	apps     []place
	sessions *scs.SessionManager
	gate     *mfahttp.Handler
	outbox   *mfatest.Outbox[email.Message]
	guesses  *throttle.Throttle
	mux      *http.ServeMux
}

// proof is the last verification of a session.
type proof struct {
	Time    time.Time
	AMR     []string
	Level   int
	Resists bool
}

func newSite(name, base string, apps []place, loginWait time.Duration) (*site, error) {
	s := &site{name: name, apps: apps, sessions: newSessions(name),
		outbox: &mfatest.Outbox[email.Message]{}, mux: http.NewServeMux()}
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		return nil, err
	}
	limits := throttle.Config{Keys: keys, MaxWait: loginWait}
	if s.guesses, err = throttle.New(limits); err != nil {
		return nil, err
	}
	app, err := totp.New(totp.Config{Issuer: name})
	if err != nil {
		return nil, err
	}
	mail, err := email.New(email.Config{Sender: s.outbox, ServiceName: name})
	if err != nil {
		return nil, err
	}
	manager, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors:  []factor.Factor{app, mail},
		Policies: policy.Static(policy.Policy{Implicit: []string{"email"}, KeepImplicit: true})})
	if err != nil {
		return nil, err
	}
	overlay, err := fs.Sub(files, "overlay")
	if err != nil {
		return nil, err
	}
	s.gate, err = mfahttp.New(mfahttp.Config{Manager: manager, Keys: keys,
		Session: session{s.sessions}, Identify: s.identify, Verified: s.verified,
		SignOut: func(_ http.ResponseWriter, r *http.Request) error {
			return s.sessions.Destroy(r.Context())
		},
		LoginURL: "/login", ProductName: name, Nav: s.nav, Templates: overlay,
		AllowedOrigins: []string{base}})
	if err != nil {
		return nil, err
	}
	s.mux.Handle("/mfa/", s.gate)
	s.mux.HandleFunc("GET /login", s.pageLogin)
	s.mux.HandleFunc("POST /login", s.postLogin)
	s.mux.HandleFunc("GET /outbox", s.pageOutbox)
	s.mux.Handle("GET /{$}", s.gate.Require(http.HandlerFunc(s.pageHome)))
	return s, nil
}

func (s *site) handler() http.Handler {
	return http.NewCrossOriginProtection().Handler(
		http.MaxBytesHandler(s.sessions.LoadAndSave(s.mux), 64<<10))
}

func (s *site) subject(r *http.Request) mfa.User {
	id := s.sessions.GetString(r.Context(), "user")
	if id == "" {
		return mfa.User{}
	}
	return mfa.User{ID: id, Email: id + "@portal.example", EmailVerified: true}
}

func (s *site) identify(r *http.Request) (mfahttp.Identity, error) {
	return mfahttp.Identity{User: s.subject(r), SessionID: s.sessions.GetString(r.Context(), "id"),
		SignedInAt: time.Unix(s.sessions.GetInt64(r.Context(), "since"), 0)}, nil
}

func (s *site) proof(ctx context.Context) (p proof, ok bool) {
	return p, json.Unmarshal([]byte(s.sessions.GetString(ctx, "proof")), &p) == nil
}

func (s *site) verified(
	_ http.ResponseWriter, r *http.Request, v *mfa.Verification,
) (string, error) {
	if v.UserID != s.sessions.GetString(r.Context(), "user") {
		return "", errors.New("the verification belongs to another user than the session's")
	}
	data, err := json.Marshal(proof{Time: v.Time, AMR: v.AMR, Level: v.AssuranceLevel,
		Resists: v.ACR == "phr"})
	if err != nil {
		return "", err
	}
	s.sessions.Put(r.Context(), "proof", string(data))
	return "", s.sessions.RenewToken(r.Context())
}

// assertion returns which user is signed in to the portal, for another application. If the
// verification is too old or too weak for the application's need, it redirects the browser to
// verify first, and returns nil.
func (s *site) assertion(
	w http.ResponseWriter, r *http.Request, need portal.Need,
) (*portal.Assertion, error) {
	here := r.URL.RequestURI()
	subject := s.subject(r)
	p, proven := s.proof(r.Context())
	switch {
	case subject.ID == "":
		http.Redirect(w, r, "/login?"+url.Values{"return": {here}}.Encode(), http.StatusSeeOther)
		return nil, nil
	case !proven:
		http.Redirect(w, r, "/mfa/?"+url.Values{"return": {here}}.Encode(), http.StatusSeeOther)
		return nil, nil
	case p.Level < need.Level, need.PhishingResistant && !p.Resists,
		need.MaxAge > 0 && time.Since(p.Time) > need.MaxAge:
		http.Redirect(w, r, "/mfa/step-up?"+url.Values{"purpose": {"step-up"},
			"return": {here}}.Encode(), http.StatusSeeOther)
		return nil, nil
	}
	return &portal.Assertion{Subject: subject.ID, AuthTime: p.Time,
		AMR: append([]string{"pwd"}, p.AMR...), Level: p.Level, PhishingResistant: p.Resists}, nil
}

var loginPage = page(`<form method="post" action="/login" data-once>
<input type="hidden" name="return" value="{{.Return}}">
{{with .Problem}}<p class="sg-notice sg-bad" role="alert">{{t .}}</p>{{end}}
<p>{{t "The users here are:"}}<br><bdi dir="ltr"><strong>ann</strong> (<code>ann-demo-password</code>)</bdi><br><bdi dir="ltr"><strong>ben</strong> (<code>ben-demo-password</code>)</bdi></p>
<div class="sg-field"><label for="username">{{t "Username"}}</label><div class="sg-input"><input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" dir="ltr" required autofocus></div></div>
<div class="sg-field"><label for="password">{{t "Password"}}</label><div class="sg-input"><input id="password" name="password" type="password" autocomplete="current-password" dir="ltr" required></div></div>
<button class="sg-button" type="submit">{{t "Sign in"}}</button></form>
<p class="sg-fine"><a href="/outbox" target="_blank" rel="noopener">{{t "The codes are in the outbox."}}</a></p>
{{template "places" .Apps}}`)

var homePage = page(`<p>{{t "You are %s, verified by %s, assurance level %d." (bold .User) .By .Level}}</p>
<p><a class="sg-button" href="/mfa/factors">{{t "Security settings"}}</a></p>
{{template "places" .Apps}}`)

var outboxPage = page(`{{range .}}<section class="sg-section"><h2 dir="auto">{{.Subject}}</h2><p class="sg-sub">{{t "To %s" .To}}</p>
<p class="portal-mail" dir="auto">{{.Text.Reveal}}</p></section>{{else}}<p>{{t "Nothing was sent yet. Mails appear here, with their codes."}}</p>{{end}}
<p><a href="/outbox">{{t "Reload"}}</a>&nbsp;· <a href="/">{{t "Back"}}</a></p>`)

// heading is a text with the name of the site in place of %s, or without one.
type heading struct{ text, name string }

func (h heading) in(language string) string {
	if h.name == "" {
		return languages[language].text(h.text)
	}
	return languages[language].text(h.text, h.name)
}

// show writes a page in the frame of mfahttp's pages.
func (s *site) show(
	w http.ResponseWriter, r *http.Request, status int, title heading, pages pageSet, data any,
) {
	var b strings.Builder
	lang := s.language(r)
	if err := pages[lang].Execute(&b, data); err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	if err := s.gate.Render(w, r, mfahttp.Page{Title: title.in(lang), Language: lang,
		Body: template.HTML(b.String()), Status: status}); err != nil { //nolint:gosec // escaped by the template
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
	}
}

func (s *site) pageLogin(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, 0, heading{"Sign in to %s", s.name}, loginPage,
		map[string]any{"Return": r.URL.Query().Get("return"), "Apps": s.apps})
}

func (s *site) showLogin(w http.ResponseWriter, r *http.Request, status int, problem string) {
	data := map[string]any{"Return": r.PostFormValue("return"), "Problem": problem,
		"Apps": s.apps}
	s.show(w, r, status, heading{"Sign in to %s", s.name}, loginPage, data)
}

// checkPassword compares a password, within the limits on guesses. An application uses package
// password, which also has hashes and passes.
func (s *site) checkPassword(r *http.Request, user, typed string) error {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = "unknown"
	}
	if user == "" || len(user) > 64 {
		return password.ErrIncorrect
	}
	at := throttle.Attempt{Name: user, Client: client}
	return s.guesses.Do(r.Context(), at, func(context.Context) error {
		want, known := passwords[user]
		if subtle.ConstantTimeCompare([]byte(typed), []byte(want)) != 1 || !known {
			return password.ErrIncorrect
		}
		return nil
	})
}

func (s *site) postLogin(w http.ResponseWriter, r *http.Request) {
	user, ctx := r.PostFormValue("username"), r.Context()
	err := s.checkPassword(r, user, r.PostFormValue("password"))
	var busy *throttle.BusyError
	switch {
	case errors.Is(err, password.ErrIncorrect):
		s.showLogin(w, r, http.StatusUnauthorized, "Wrong username or password.")
		return
	case errors.As(err, &busy):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(busy.RetryAfter.Seconds()))))
		s.showLogin(w, r, http.StatusTooManyRequests,
			"Too many attempts at once. Wait a moment and try again.")
		return
	case err != nil:
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	if err := errors.Join(s.sessions.Clear(ctx), s.sessions.RenewToken(ctx)); err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	s.sessions.Put(ctx, "user", user)
	s.sessions.Put(ctx, "id", rand.Text())
	s.sessions.Put(ctx, "since", time.Now().Unix())
	// The pages of mfahttp redirect to paths of this site only.
	http.Redirect(w, r, "/mfa/?"+url.Values{"return": {r.PostFormValue("return")}}.Encode(),
		http.StatusSeeOther)
}

func (s *site) pageHome(w http.ResponseWriter, r *http.Request) {
	p, _ := s.proof(r.Context())
	s.show(w, r, 0, heading{text: s.name}, homePage, map[string]any{"User": s.subject(r).ID,
		"By": strings.Join(p.AMR, ", "), "Level": p.Level,
		"Apps": s.apps})
}

func (s *site) pageOutbox(w http.ResponseWriter, r *http.Request) {
	list := s.outbox.All()
	slices.Reverse(list) // the newest first
	s.show(w, r, 0, heading{text: "Outbox"}, outboxPage, list)
}
