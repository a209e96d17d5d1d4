package secondgate_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// application returns a browser at an application with one user, whose session is a cookie.
func application(t *testing.T, change func(*secondgate.Config)) *mfatest.Client {
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
	return mfatest.NewClient(t, gate.Require(mux))
}

func TestGate_SignsInByMail(t *testing.T) {
	outbox := &mfatest.Outbox[email.Message]{}
	browser := application(t, func(c *secondgate.Config) { c.Mail = outbox })
	require.Equal(t, "/mfa/verify?return=%2F", browser.Get(t, "/login").Path)
	browser.PassSecondFactor(t, outbox)
	require.Equal(t, "welcome", browser.Get(t, "/").Text)
	require.Contains(t, browser.Get(t, "/mfa/factors").Text, "Recovery codes")
}

// A notice states the time where the user is, and links to the settings behind the proxy.
func TestGate_NoticesKnowTheTimeZoneAndTheSettings(t *testing.T) {
	outbox := &mfatest.Outbox[email.Message]{}
	browser := application(t, func(c *secondgate.Config) {
		user := c.User
		c.Mail, c.PublicURL = outbox, "https://app.example.com/"
		c.User = func(r *http.Request) (secondgate.User, error) {
			u, err := user(r)
			u.TimeZone = "Asia/Tokyo"
			return u, err
		}
	})
	browser.Get(t, "/login")
	browser.Post(t, "/mfa/sign-out", nil)
	notice, ok := outbox.Last()
	require.True(t, ok, "a sign-in was not completed")
	require.Contains(t, notice.Text.Reveal(), "JST")
	require.Contains(t, notice.Text.Reveal(), "https://app.example.com/mfa/")
}

// A page warns before the application's session ends, and gives it more time.
func TestGate_WarnsBeforeTheSessionEnds(t *testing.T) {
	outbox := &mfatest.Outbox[email.Message]{}
	ends := time.Now().Add(time.Minute)
	browser := application(t, func(c *secondgate.Config) {
		user := c.User
		c.Mail = outbox
		c.User = func(r *http.Request) (secondgate.User, error) {
			u, err := user(r)
			u.SessionEnds = ends
			return u, err
		}
		c.ExtendSession = func(http.ResponseWriter, *http.Request) (time.Time, error) {
			ends = time.Now().Add(24 * time.Hour)
			return ends, nil
		}
	})
	browser.Get(t, "/login")
	browser.PassSecondFactor(t, outbox)
	require.Regexp(t, `"sg-session" data-session-ends="\d\d"`, browser.Get(t, "/mfa/factors").Text)
	require.Equal(t, "welcome", browser.Post(t, "/mfa/extend", url.Values{"return": {"/"}}).Text)
	require.Regexp(t, `data-session-ends="\d{5}"`, browser.Get(t, "/mfa/factors").Text)
}

func TestGate_WithoutMailAsksForAnApp(t *testing.T) {
	browser := application(t, func(*secondgate.Config) {})
	page := browser.Get(t, "/login")
	require.Equal(t, "/mfa/enroll?return=%2F", page.Path)
	require.Contains(t, page.Text, "Authenticator app")
	require.NotContains(t, page.Text, "/mfa/enroll/email")
	require.Equal(t, "welcome", browser.Get(t, "/logout").Text, "what is public stays so")
}

// A record that was lost, or not moved here, is no invitation to enrol.
func TestGate_LetsNobodyInWithoutTheRecord(t *testing.T) {
	browser := application(t, func(c *secondgate.Config) {
		user := c.User
		c.User = func(r *http.Request) (secondgate.User, error) {
			u, err := user(r)
			u.Enrolled = true
			return u, err
		}
	})
	page := browser.Get(t, "/login")
	require.Equal(t, http.StatusServiceUnavailable, page.Status)
	page = browser.Get(t, "/mfa/enroll")
	require.NotContains(t, page.Text, "Authenticator app")
}

func TestNew_SaysWhatToDo(t *testing.T) {
	good := secondgate.Config{Store: memory.New(), Product: "Acme",
		Keys: secondgate.KeyFile(t.TempDir() + "/key"),
		User: func(*http.Request) (secondgate.User, error) { return secondgate.User{}, nil }}
	_, err := secondgate.New(good)
	require.NoError(t, err)
	down, outbox := errors.New("the vault is sealed"), &mfatest.Outbox[email.Message]{}
	for says, change := range map[string]func(*secondgate.Config){
		"memory.New()":         func(c *secondgate.Config) { c.Store = nil },
		"secondgate.KeyFile":   func(c *secondgate.Config) { c.Keys = nil },
		"the vault is sealed":  func(c *secondgate.Config) { c.Keys = failing(down) },
		"Config.Product":       func(c *secondgate.Config) { c.Product = "" },
		"without a colon":      func(c *secondgate.Config) { c.Product = "a:b" },
		"Config.User":          func(c *secondgate.Config) { c.User = nil },
		"Config.LoginURL":      func(c *secondgate.Config) { c.Login = "https://example.com" },
		"SettingsURL":          func(c *secondgate.Config) { c.Mail, c.PublicURL = outbox, "app" },
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
