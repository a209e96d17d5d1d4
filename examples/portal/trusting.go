package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/secondgate/secondgate/portal"
)

// trusting is an application without a second factor of its own, which trusts the portal.
type trusting struct {
	name     string
	sessions *scs.SessionManager
	verifier *portal.Verifier
	signIns  atomic.Int64 // by the portal
	apps     []place
	// portal serves the stylesheets of its pages, under the paths that they have there, and says
	// which language a page has.
	portal *site
}

func newTrusting(name string, at addresses, trusted *site) *trusting {
	return &trusting{name: name, sessions: newSessions(name), apps: at.places(name),
		portal: trusted}
}

// needs lists what pages require of the portal: any sign-in for the inbox, and a recent proof for
// the other page.
var needs = map[string]portal.Need{"/": {}, "/delicate": {MaxAge: time.Minute}}

func (a *trusting) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /callback", a.verifier.Callback())
	for _, name := range []string{"app.css", "theme.css"} {
		mux.Handle("GET /mfa/static/"+name, a.portal.gate)
	}
	mux.HandleFunc("GET /{$}", a.page("/", "Inbox", "Your inbox is empty."))
	mux.HandleFunc("GET /delicate", a.page("/delicate", "Something delicate",
		"Here you may delete everything."))
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := a.sessions.Destroy(r.Context()); err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		// The page must not be one that redirects to the portal at once.
		http.Redirect(w, r, "/goodbye", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /goodbye", func(w http.ResponseWriter, r *http.Request) {
		a.show(w, r, http.StatusOK, trustingView{Title: "Signed out",
			Text: "You are signed out here. The portal still knows you."})
	})
	return http.NewCrossOriginProtection().Handler(a.sessions.LoadAndSave(mux))
}

// page serves a user whose proof is recent enough for the page, and sends others to the portal.
func (a *trusting) page(path, title, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, need := r.Context(), needs[path]
		user, at := a.sessions.GetString(ctx, "user"),
			time.Unix(a.sessions.GetInt64(ctx, "verified"), 0)
		if user == "" || need.MaxAge > 0 && time.Since(at) > need.MaxAge {
			a.verifier.Start(w, r, need, path)
			return
		}
		a.show(w, r, http.StatusOK, trustingView{Title: title, Text: text, User: user,
			By: a.sessions.GetString(ctx, "amr")})
	}
}

// signedIn implements portal.VerifierConfig.SignedIn.
func (a *trusting) signedIn(_ http.ResponseWriter, r *http.Request, p *portal.Assertion) error {
	ctx := r.Context()
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.signIns.Add(1)
	a.sessions.Put(ctx, "user", p.Subject)
	a.sessions.Put(ctx, "verified", p.AuthTime.Unix())
	a.sessions.Put(ctx, "amr", strings.Join(p.AMR, ", "))
	return nil
}

// status says for the tour of examples/nethttp that this program runs, and how often a user has
// signed in to the application by the portal.
func (a *trusting) status(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"program": "examples/portal",
		"signed_in": a.signIns.Load()})
}

// failed implements portal.VerifierConfig.Failed.
func (a *trusting) failed(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusForbidden, "This sign-in has expired, or was started elsewhere. "+
		"Start again."
	if errors.Is(err, portal.ErrUnavailable) {
		status, text = http.StatusServiceUnavailable,
			"There is a problem with the service. Try again in a moment."
	}
	a.show(w, r, status, trustingView{Title: "Not signed in", Text: text, Problem: true})
}

var trustingPage = page(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{{t .Title}} – {{.Name}}</title>
<link rel="stylesheet" href="/mfa/static/app.css"><link rel="stylesheet" href="/mfa/static/theme.css"></head>
<body class="sg sg-wide"><header class="sg-header"><div class="sg-bar"><a class="sg-brand" href="/"><span class="sg-logo" aria-hidden="true">{{slice .Name 0 1}}</span> {{.Name}}</a>
{{if .User}}<div class="sg-account"><span class="sg-who" dir="auto">{{.User}}</span><form method="post" action="/sign-out"><button class="sg-small" type="submit">{{t "Sign out"}}</button></form></div>{{end}}</div></header>
<div class="sg-nav">{{template "nav" .Apps}}</div>
<main id="main" class="sg-main"><h1>{{t .Title}}</h1>
{{if .Problem}}<p class="sg-notice sg-bad" role="alert">{{t .Text}}</p>{{else}}<p>{{t .Text}}</p>{{end}}
{{if .User}}<p>{{t "You are %s, by the portal, with %s." (bold .User) .By}}</p>
<p><a class="sg-button" href="/delicate">{{t "Something delicate"}}</a></p>
<p class="sg-fine">{{t "That page needs a sign-in of the last minute: the portal asks again, if it has to."}}</p>
{{else}}<p><a class="sg-button" href="/">{{t "Start again"}}</a></p>{{end}}
</main></body></html>
`)

// trustingView is the data of a page. Title and Text are in English.
type trustingView struct {
	Title, Text string
	Problem     bool // the text is one
	User, By    string
}

func (a *trusting) show(
	w http.ResponseWriter, r *http.Request, status int, v trustingView,
) {
	h, lang := w.Header(), a.portal.visitorLanguage(r)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; "+
		"frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = trustingPage[lang].Execute(w, struct {
		trustingView
		Name, Lang, Dir string
		Apps            []place
	}{v, a.name, lang, direction(lang), a.apps})
}
