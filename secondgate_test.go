package secondgate_test

import (
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// application has one user, whose session is a cookie.
func application(t *testing.T, change func(*secondgate.Config)) (string, *http.Client) {
	t.Helper()
	cfg := secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFile(t.TempDir() + "/key"), Public: []string{"/logout"},
		User: func(r *http.Request) (secondgate.User, error) {
			c, err := r.Cookie("session")
			if err != nil {
				return secondgate.User{}, nil
			}
			return secondgate.User{ID: "1", Email: "ann@example.com", EmailVerified: true,
				SessionID: c.Value, SignedInAt: time.Now()}, nil
		}}
	change(&cfg)
	gate, err := secondgate.New(cfg)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "a session", Path: "/"})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	srv := httptest.NewServer(gate.Require(mux))
	t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return srv.URL, &http.Client{Jar: jar}
}

// visit requests a page as a browser does, and returns where that ended.
func visit(t *testing.T, c *http.Client, at string, form url.Values) (path, page string) {
	t.Helper()
	method, body := "GET", ""
	if form != nil {
		method, body = "POST", form.Encode()
	}
	r, err := http.NewRequest(method, at, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	a, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.Equal(t, 200, a.StatusCode, string(text))
	if next := goesOn.FindStringSubmatch(string(text)); next != nil {
		u, err := a.Request.URL.Parse(html.UnescapeString(next[1]))
		require.NoError(t, err)
		return visit(t, c, u.String(), nil)
	}
	return a.Request.URL.Path, string(text)
}

// goesOn is the head of a page that goes on by itself.
var goesOn = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

func TestGate_SignsInByMail(t *testing.T) {
	outbox := &mfatest.Outbox[email.Message]{}
	site, browser := application(t, func(c *secondgate.Config) { c.Mail = outbox })
	at, _ := visit(t, browser, site+"/", nil)
	require.Equal(t, "/mfa/verify", at)
	visit(t, browser, site+"/mfa/send", url.Values{"kind": {"email"}})
	mail, ok := outbox.Last()
	require.True(t, ok)
	at, page := visit(t, browser, site+"/mfa/verify", url.Values{"kind": {"email"},
		"code": {regexp.MustCompile(`\b\d{6}\b`).FindString(mail.Text.Reveal())}})
	require.Equal(t, "/", at)
	require.Equal(t, "welcome", page)
	_, page = visit(t, browser, site+"/mfa/factors", nil)
	require.Contains(t, page, "Recovery codes")
}

func TestGate_WithoutMailAsksForAnApp(t *testing.T) {
	site, browser := application(t, func(*secondgate.Config) {})
	at, page := visit(t, browser, site+"/", nil)
	require.Equal(t, "/mfa/enroll", at)
	require.Contains(t, page, "Authenticator app")
	require.NotContains(t, page, "/mfa/enroll/email")
	_, page = visit(t, browser, site+"/logout", nil)
	require.Equal(t, "welcome", page, "what is public stays so")
}

func TestNew_SaysWhatToDo(t *testing.T) {
	good := secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFile(t.TempDir() + "/key"),
		User: func(*http.Request) (secondgate.User, error) { return secondgate.User{}, nil }}
	_, err := secondgate.New(good)
	require.NoError(t, err)
	down := errors.New("the vault is sealed")
	for says, change := range map[string]func(*secondgate.Config){
		"memory.New()":         func(c *secondgate.Config) { c.Store = nil },
		"secondgate.KeyFile":   func(c *secondgate.Config) { c.Keys = nil },
		"the vault is sealed":  func(c *secondgate.Config) { c.Keys = failing(down) },
		"Config.Product":       func(c *secondgate.Config) { c.Product = "" },
		"without a colon":      func(c *secondgate.Config) { c.Product = "a:b" },
		"Config.User":          func(c *secondgate.Config) { c.User = nil },
		"Config.LoginURL":      func(c *secondgate.Config) { c.Login = "https://example.com" },
		"begin with one slash": func(c *secondgate.Config) { c.Public = []string{"static/"} },
	} {
		cfg := good
		change(&cfg)
		_, err := secondgate.New(cfg)
		require.ErrorContains(t, err, says)
	}
}

// What a proxy changes is configured at the front door.
func TestGate_KnowsItsProxy(t *testing.T) {
	cfg := secondgate.Config{Store: memory.New(), Product: "Acme", ProxyPrefix: "/app",
		Keys: secondgate.KeyFile(t.TempDir() + "/key"),
		User: func(*http.Request) (secondgate.User, error) { return secondgate.User{}, nil }}
	gate, err := secondgate.New(cfg)
	require.NoError(t, err)
	require.Equal(t, "/app/mfa/", gate.URL())
	cfg.AllowedOrigins = []string{"app.example.com"}
	_, err = secondgate.New(cfg)
	require.ErrorContains(t, err, "Config.AllowedOrigins")
}
