package ssotest

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
)

//go:embed page.html
var pageText string

// request is what a client asks at the authorization endpoint.
type request struct {
	redirect                *url.URL
	state, nonce, challenge string
}

// parse holds a client to what it was registered with, and to PKCE.
func parse(q url.Values) (*request, error) {
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || redirect.Fragment != "" || !local(redirect.Hostname()) {
		return nil, fmt.Errorf("redirect_uri %.100q is not on this machine", q.Get("redirect_uri"))
	}
	switch {
	case q.Get("client_id") != clientID:
		return nil, fmt.Errorf("client_id %.100q is unknown", q.Get("client_id"))
	case q.Get("response_type") != "code":
		return nil, fmt.Errorf("response_type %.100q is not code", q.Get("response_type"))
	case q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "":
		return nil, fmt.Errorf("code_challenge with S256 is missing (RFC 7636)")
	case q.Get("state") == "" || q.Get("nonce") == "":
		return nil, fmt.Errorf("state or nonce is missing")
	}
	return &request{redirect: redirect, state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge")}, nil
}

func challenge(verifier string) string {
	h := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

type choice struct {
	Index int
	User
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	provider := r.PathValue("provider")
	if _, err := parse(r.URL.Query()); err != nil {
		http.Error(w, "ssotest: "+err.Error(), http.StatusBadRequest)
		return
	}
	name := map[string]string{"microsoft": "Microsoft", "google": "Google",
		"oidc": "Example provider"}[provider]
	page, err := template.New("page").Parse(pageText)
	if name == "" || err != nil {
		http.NotFound(w, r)
		return
	}
	var users []choice
	for i, p := range s.cfg.Users {
		if p.Provider == provider {
			users = append(users, choice{i, p})
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Frame-Options", "DENY")
	_ = page.Execute(w, struct {
		Name  string
		Users []choice
	}{name, users}) // the browser has gone
}

// choose signs in the user of the form value "user", an index, or no user.
func (s *Server) choose(w http.ResponseWriter, r *http.Request) {
	req, err := parse(r.URL.Query())
	if err != nil {
		http.Error(w, "ssotest: "+err.Error(), http.StatusBadRequest)
		return
	}
	back := req.redirect.Query()
	back.Set("state", req.state)
	i, err := strconv.Atoi(r.PostFormValue("user"))
	if err != nil || i < 0 || i >= len(s.cfg.Users) ||
		s.cfg.Users[i].Provider != r.PathValue("provider") {
		back.Set("error", "access_denied")
	} else {
		back.Set("code", s.issue(grant{provider: r.PathValue("provider"),
			redirect: r.URL.Query().Get("redirect_uri"),
			nonce:    req.nonce, challenge: req.challenge, user: s.cfg.Users[i],
			issued: s.now()}))
	}
	req.redirect.RawQuery = back.Encode()
	http.Redirect(w, r, req.redirect.String(), http.StatusSeeOther)
}

// issue makes a code. Old ones are dropped when there are many.
func (s *Server) issue(g grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.codes) >= maxCodes {
		clear(s.codes)
	}
	code := rand.Text()
	s.codes[code] = g
	return code
}
