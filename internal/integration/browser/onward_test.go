package browser_test

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// authorization is an application that signs its users in for clients on other sites, as OAuth
// does: /oauth/authorize redirects to one.
type authorization struct {
	*httptest.Server
	outbox mfatest.Outbox[email.Message]
	policy string // the Content-Security-Policy of the pages

	mu    sync.Mutex
	paths []string // that were requested
}

// last returns the paths that were requested last.
func (a *authorization) last() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.paths[max(0, len(a.paths)-8):]
}

// otherSite is the client of that application. Arrived has the query of each visit.
type otherSite struct {
	*httptest.Server
	arrived chan url.Values
}

func newOtherSite(t *testing.T) *otherSite {
	c := &otherSite{arrived: make(chan url.Values, 16)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			c.arrived <- r.URL.Query()
		}
		_, _ = fmt.Fprint(w, `<!doctype html><title>Client</title><p id="client">Arrived`)
	}))
	t.Cleanup(c.Close)
	return c
}

// walk signs in and has the code sent, as far as no form matters, and leads to the one that does.
const walk = `<!doctype html><title>Walk</title><script>
(async () => {
  await fetch("/login");
  await fetch("/mfa/send", {method: "POST", body: new URLSearchParams({kind: "email"})});
  location = "/test/post?" + new URLSearchParams({action: "/mfa/verify", kind: "email", code: "",
    return: "/oauth/authorize?state=2"});
})()
</script>`

var autoPost = template.Must(template.New("").Parse(`<!doctype html><title>Post</title>
<form method="post" action="{{.Action}}">{{range $n, $v := .Fields}}
<input name="{{$n}}" value="{{$v}}">{{end}}</form>
<script nonce="{{.Nonce}}">document.forms[0].submit()</script>`))

func newAuthorization(t *testing.T, c *otherSite) *authorization {
	t.Helper()
	a := &authorization{}
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme",
		Mail: &a.outbox, Keys: secondgate.KeyFile(t.TempDir() + "/key"),
		Public: []string{"/test/"},
		User: func(r *http.Request) (secondgate.User, error) {
			c, err := r.Cookie("session")
			if err != nil {
				return secondgate.User{}, nil
			}
			return secondgate.User{ID: "ann", Email: "ann@example.com", EmailVerified: true,
				SessionID: c.Value, SignedInAt: time.Now()}, nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: rand.Text(), Path: "/"})
		http.Redirect(w, r, "/oauth/authorize?state=1&x=%26", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, c.URL+"/callback?"+r.URL.RawQuery, http.StatusFound)
	})
	mux.HandleFunc("GET /test/walk", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, walk)
	})
	mux.HandleFunc("GET /test/post", func(w http.ResponseWriter, r *http.Request) {
		q, nonce := r.URL.Query(), rand.Text()
		action := q.Get("action")
		q.Del("action")
		if q.Has("code") {
			q.Set("code", a.code(t))
		}
		fields := map[string]string{}
		for name := range q {
			fields[name] = q.Get(name)
		}
		w.Header().Set("Content-Security-Policy", strings.Replace(a.policy, "script-src 'self'",
			"script-src 'nonce-"+nonce+"'", 1))
		_ = autoPost.Execute(w, map[string]any{"Action": action, "Fields": fields, "Nonce": nonce})
	})
	handler := gate.Require(mux)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.paths = append(a.paths, r.Method+" "+r.URL.Path)
		a.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(a.Close)
	r, err := http.Get(a.URL + "/mfa/confirmed")
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	a.policy = r.Header.Get("Content-Security-Policy")
	require.Contains(t, a.policy, "form-action 'self'")
	return a
}

// code returns the code that was mailed last.
func (a *authorization) code(t *testing.T) string {
	m, ok := a.outbox.Last()
	if !ok {
		t.Error("no code was mailed")
	}
	return sixDigits.FindString(m.Text.Reveal())
}

// After the correct code, a user arrives at the client on another site, although the pages allow
// forms to lead to their own site alone.
func TestOnward_AnotherOrigin(t *testing.T) {
	needChromium(t)
	both(t, func(t *testing.T, script bool) {
		c := newOtherSite(t)
		a := newAuthorization(t, c)
		s := &site{t: t, base: a.URL}
		s.open(script).arrives(a, c)
	})
}

// arrives signs in at the application, and goes on to its client.
func (b *tab) arrives(a *authorization, c *otherSite) {
	b.t.Helper()
	b.run(navigate(b.base + "/login"))
	require.Equal(b.t, "/mfa/verify", b.path())
	b.press(sendForm)
	b.fill("code", a.code(b.t))
	b.run(chromedp.Click(`form[action="/mfa/verify"] button`, chromedp.ByQuery))
	b.run(chromedp.WaitVisible("#client", chromedp.ByQuery))
	require.Equal(b.t, url.Values{"state": {"1"}, "x": {"&"}}, <-c.arrived)
}

// Firefox does the same. Nothing drives it: a page signs in and has the code sent, and leads to
// another one that posts the form with the code, under the policy of the page that has the form.
func TestOnward_AnotherOriginInFirefox(t *testing.T) {
	c := newOtherSite(t)
	a := newAuthorization(t, c)
	letFirefoxWalk(t, a.URL+"/test/walk")
	select {
	case got := <-c.arrived:
		require.Equal(t, url.Values{"state": {"2"}}, got)
	case <-time.After(patience):
		t.Fatalf("Firefox did not arrive; the last page was %v", a.last())
	}
}
