package main

import (
	"net/http"
	"slices"
	"strings"
)

// newCookies leaves the session cookie out of a response if the browser sent the same one.
//
// scs sets the cookie whenever it stores the session. Of two requests at once, one may complete the
// sign-in and get another token. If the response of the other one arrived later, it would replace
// the new cookie by the old one, and the user would be signed out.
type newCookies struct {
	http.ResponseWriter
	known   string // the request's cookie as name=value, or ""
	written bool
}

func (a *app) newCookies(w http.ResponseWriter, r *http.Request) *newCookies {
	known := ""
	if c, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
		known = c.Name + "=" + c.Value
	}
	return &newCookies{ResponseWriter: w, known: known}
}

// dropKnown removes the known cookie from the header, unless the header is written already.
func (w *newCookies) dropKnown() {
	if w.written || w.known == "" {
		return
	}
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(set string) bool {
		cookie, _, _ := strings.Cut(set, ";")
		return cookie == w.known
	})
}

// WriteHeader implements http.ResponseWriter.
func (w *newCookies) WriteHeader(status int) {
	w.dropKnown()
	w.written = true
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *newCookies) Write(b []byte) (int, error) {
	w.dropKnown()
	w.written = true
	return w.ResponseWriter.Write(b)
}

// Unwrap implements the interface of http.ResponseController.
func (w *newCookies) Unwrap() http.ResponseWriter { return w.ResponseWriter }
