package main

import (
	"encoding/json"
	"errors"
	"html/template"
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
}

func newTrusting(name string) *trusting {
	return &trusting{name: name, sessions: newSessions(name)}
}

// needs lists what pages require of the portal: any sign-in for the inbox, and a recent proof for
// the other page.
var needs = map[string]portal.Need{"/": {}, "/delicate": {MaxAge: time.Minute}}

func (a *trusting) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /callback", a.verifier.Callback())
	mux.HandleFunc("GET /{$}", a.page("/", "Your inbox is empty."))
	mux.HandleFunc("GET /delicate", a.page("/delicate", "Here you may delete everything."))
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if err := a.sessions.Destroy(r.Context()); err != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		// The page must not be one that redirects to the portal at once.
		http.Redirect(w, r, "/goodbye", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /goodbye", func(w http.ResponseWriter, _ *http.Request) {
		a.show(w, http.StatusOK, map[string]any{"Name": a.name,
			"Text": "You are signed out here. The portal still knows you."})
	})
	return http.NewCrossOriginProtection().Handler(a.sessions.LoadAndSave(mux))
}

// page serves a user whose proof is recent enough for the page, and sends others to the portal.
func (a *trusting) page(path, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, need := r.Context(), needs[path]
		user, at := a.sessions.GetString(ctx, "user"),
			time.Unix(a.sessions.GetInt64(ctx, "verified"), 0)
		if user == "" || need.MaxAge > 0 && time.Since(at) > need.MaxAge {
			a.verifier.Start(w, r, need, path)
			return
		}
		a.show(w, http.StatusOK, map[string]any{"Name": a.name, "User": user, "Text": text,
			"By": a.sessions.GetString(ctx, "amr")})
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
func (a *trusting) failed(w http.ResponseWriter, _ *http.Request, err error) {
	status, text := http.StatusForbidden, "This sign-in has expired, or was started elsewhere. "+
		"Start again."
	if errors.Is(err, portal.ErrUnavailable) {
		status, text = http.StatusServiceUnavailable,
			"There is a problem with the service. Try again in a moment."
	}
	a.show(w, status, map[string]any{"Name": a.name, "Text": text})
}

var trustingPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Name}}</title></head>
<body><main><h1>{{.Name}}</h1>
<p>{{.Text}}</p>
{{if .User}}<p>You are <strong id="who">{{.User}}</strong>, by the portal, with {{.By}}.</p>
<p><a href="/delicate">Something delicate</a></p>
<form method="post" action="/sign-out"><button type="submit">Sign out</button></form>{{else}}<p><a href="/">Start again</a></p>{{end}}
</main></body></html>
`))

func (a *trusting) show(w http.ResponseWriter, status int, data any) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors "+
		"'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = trustingPage.Execute(w, data)
}
