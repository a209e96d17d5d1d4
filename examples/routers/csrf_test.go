package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/gorilla/csrf"
	"github.com/justinas/nosurf"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
)

// protection is a library that checks a token in each form of the application.
type protection struct {
	field  string
	around func(http.Handler) http.Handler
	token  func(*http.Request) string
}

var protections = map[string]protection{
	"nosurf": {nosurf.FormFieldName,
		func(h http.Handler) http.Handler { return nosurf.New(h) }, nosurf.Token},
	"gorilla/csrf": {"gorilla.csrf.Token", func(h http.Handler) http.Handler {
		protect := csrf.Protect([]byte("0123456789abcdef0123456789abcdef"), csrf.Secure(false))(h)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			protect.ServeHTTP(w, csrf.PlaintextHTTPRequest(r)) // the tests have no TLS
		})
	}, csrf.Token},
}

// forms is an application whose sign-in form has the token.
func (p protection) forms(a *app) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `Password <input type="hidden" name="%s" value="%s">`, p.field,
			p.token(r))
	})
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("/", a.home)
	return mux
}

// The gate goes around the library: the pages' forms are checked by the gate, which needs no
// token, and the application's by the library.
func TestCSRF_GateGoesAround(t *testing.T) {
	for name, p := range protections {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(l net.Listener, a *app, gate *secondgate.Gate) error {
				return http.Serve(l, gate.Require(p.around(p.forms(a))))
			})
			b := newBrowser(t, s.url)
			at, page := b.do("/", nil)
			require.Equal(t, "/login", at)
			token := regexp.MustCompile(`value="([^"]+)"`).FindStringSubmatch(page)
			require.NotNil(t, token, page)
			_, page = b.do("/login", url.Values{"password": {"secret"}})
			require.NotContains(t, page, "code", "without the token the library refuses the form")
			at, page = b.do("/login", url.Values{"password": {"secret"}, p.field: {token[1]}})
			require.Contains(t, at, "/mfa/verify", page)
			at, page = b.byMail(s, page)
			require.Equal(t, "/", at)
			require.Equal(t, "the home page", page)
			_, page = b.do("/", url.Values{"transfer": {"all"}})
			require.NotContains(t, page, "the home page", "a form of the application")
		})
	}
}

// With the library around the gate no form of the pages arrives.
func TestCSRF_LibraryAroundTheGateRefusesItsForms(t *testing.T) {
	for name, p := range protections {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(l net.Listener, a *app, gate *secondgate.Gate) error {
				mux := http.NewServeMux()
				mux.HandleFunc("/login", a.login)
				mux.Handle("/", p.around(gate.Require(http.HandlerFunc(a.home))))
				return http.Serve(l, mux)
			})
			b := newBrowser(t, s.url)
			at, _ := b.do("/login", url.Values{"password": {"secret"}})
			require.Contains(t, at, "/mfa/verify")
			b.do("/mfa/send", url.Values{"kind": {"email"}})
			require.Empty(t, s.mail.All())
		})
	}
}
