package sessions_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	gorilla "github.com/gorilla/sessions"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/examples/sessions"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

func application(t *testing.T, store gorilla.Store) http.Handler {
	t.Helper()
	dir := t.TempDir()
	app, err := sessions.New(t.Context(), sessions.Config{Sessions: store,
		Database: dir + "/mfa.db", Key: dir + "/key",
		Mail: "smtp+insecure://localhost:1?from=no-reply@example.com",
		Check: func(address string, password secret.Text) string {
			if password.Reveal() == "secret" {
				return address
			}
			return ""
		}})
	require.NoError(t, err)
	return app
}

var ann = url.Values{"email": {"ann@example.com"}, "password": {"secret"}}

func TestApplication_SignsInAndOut(t *testing.T) {
	c := mfatest.NewClient(t, application(t, gorilla.NewCookieStore(make([]byte, 32))))
	require.Equal(t, "/login", c.Get(t, "/").Path)
	require.Contains(t, c.Post(t, "/login", ann).Path, "/mfa/enroll")
	app := new(mfatest.App)
	c.PassSecondFactor(t, app)
	require.Equal(t, "welcome", c.Get(t, "/").Text)
	require.Equal(t, "/login", c.Post(t, "/logout", nil).Path)
	require.Equal(t, "/login", c.Get(t, "/").Path)
	require.Contains(t, c.Post(t, "/login", ann).Path, "/mfa/verify", "a new session")
	c.PassSecondFactor(t, app)
	require.Equal(t, "welcome", c.Get(t, "/").Text)
}

// A cookie of an old key, and a session from before the application had a second factor, are those
// of visitors.
func TestApplication_OldCookiesAreVisitors(t *testing.T) {
	store := gorilla.NewCookieStore(make([]byte, 32))
	before := httptest.NewRecorder()
	old, err := store.New(httptest.NewRequest("GET", "/", nil), "session")
	require.NoError(t, err)
	old.Values["user"] = "ann@example.com"
	require.NoError(t, old.Save(httptest.NewRequest("GET", "/", nil), before))
	s := httptest.NewServer(application(t, store))
	t.Cleanup(s.Close)
	at, err := url.Parse(s.URL)
	require.NoError(t, err)
	for name, cookie := range map[string]*http.Cookie{
		"from before":   before.Result().Cookies()[0],
		"of an old key": {Name: "session", Value: "MTY5", Path: "/"},
	} {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		jar.SetCookies(at, []*http.Cookie{cookie})
		r, err := http.NewRequest("GET", s.URL+"/", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		a, err := (&http.Client{Jar: jar}).Do(r)
		require.NoError(t, err)
		require.NoError(t, a.Body.Close())
		require.Equal(t, http.StatusOK, a.StatusCode, name)
		require.Equal(t, "/login", a.Request.URL.Path, name)
	}
}
