package mfatest_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate"
	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/storage/memory"
)

// newApp returns an application with one user, whose session is a cookie. It is careful: its
// cookies are for https, and it refuses forms of other sites.
func newApp(t *testing.T, mails email.Sender) http.Handler {
	t.Helper()
	gate, err := secondgate.New(secondgate.Config{Store: memory.New(), Product: "Acme", Mail: mails,
		Keys: secondgate.KeyFile(t.TempDir() + "/key"), Secure: true,
		Logger: slog.New(slog.DiscardHandler),
		User: func(r *http.Request) (secondgate.User, error) {
			c, err := r.Cookie("__Host-session")
			if err != nil {
				return secondgate.User{}, nil
			}
			return secondgate.User{ID: "1", Email: "ann@example.com", EmailVerified: true,
				SessionID: c.Value, SignedInAt: time.Now()}, nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("password") != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "sign in")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: rand.Text(), Path: "/",
			Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	mux.Handle("/danger", gate.RequireRecent(time.Nanosecond)(http.NotFoundHandler()))
	return http.NewCrossOriginProtection().Handler(gate.Require(mux))
}

var password = url.Values{"password": {"secret"}}

func TestClient_PassesAnEnrolmentAndSignIns(t *testing.T) {
	app, phone := newApp(t, nil), new(mfatest.App)
	first := mfatest.NewClient(t, app)
	require.Equal(t, "/login", first.Get(t, "/").Path)
	require.Equal(t, "/mfa/enroll", withoutQuery(first.Post(t, "/login", password)))
	first.PassSecondFactor(t, phone)
	require.Equal(t, mfatest.Page{Status: 200, Path: "/", Text: "welcome"}, first.Get(t, "/"))
	second := mfatest.NewClient(t, app)
	require.Equal(t, "/login", second.Get(t, "/").Path, "another browser has none of the cookies")
	require.Equal(t, "/mfa/verify", withoutQuery(second.Post(t, "/login", password)))
	second.PassSecondFactor(t, phone)
	require.Equal(t, "welcome", second.Get(t, "https://example.com/").Text)
}

func withoutQuery(p mfatest.Page) string {
	u, _ := url.Parse(p.Path)
	return u.Path
}

func TestClient_PassesByMail(t *testing.T) {
	var mails mfatest.Outbox[email.Message]
	c := mfatest.NewClient(t, newApp(t, &mails))
	c.Post(t, "/login", password)
	c.PassSecondFactor(t, new(mfatest.App), &mails)
	require.Equal(t, "welcome", c.Get(t, "/").Text)
}

// A page that asks again is passed as a sign-in is.
func TestClient_PassesAStepUp(t *testing.T) {
	var mails mfatest.Outbox[email.Message]
	c := mfatest.NewClient(t, newApp(t, &mails))
	c.Post(t, "/login", password)
	c.PassSecondFactor(t, &mails)
	require.Contains(t, c.Get(t, "/danger").Path, "step-up")
	c.PassSecondFactor(t, &mails)
	require.Len(t, mails.All(), 2)
}

// fixed is a device that responds with one text, or fails.
type fixed struct {
	kind, response string
	err            error
}

func (f fixed) Kind() string                          { return f.kind }
func (f fixed) Respond(factor.Prompt) (string, error) { return f.response, f.err }

// A test that passes a second factor must not succeed if there was none.
func TestClient_FailsWithoutASecondFactor(t *testing.T) {
	phone, open := new(mfatest.App), http.NewServeMux()
	app := newApp(t, nil)
	signedIn := mfatest.NewClient(t, app)
	signedIn.Post(t, "/login", password)
	signedIn.PassSecondFactor(t, phone)
	verifying, enrolling := mfatest.NewClient(t, app), mfatest.NewClient(t, newApp(t, nil))
	verifying.Post(t, "/login", password)
	enrolling.Post(t, "/login", password)
	visitor := mfatest.NewClient(t, app)
	visitor.Get(t, "/")
	var mails mfatest.Outbox[email.Message]
	elsewhere := mfatest.NewClient(t, newApp(t, &mails))
	elsewhere.Post(t, "/login", password)
	for name, c := range map[string]struct {
		client  *mfatest.Client
		devices []mfatest.Device
		why     string
	}{
		"no password":       {visitor, nil, "no user has given the password"},
		"already signed in": {signedIn, []mfatest.Device{phone}, "no second factor is asked for"},
		"no pages":          {mfatest.NewClient(t, open), nil, "GET /mfa/api/state: 404"},
		"no device":         {verifying, nil, "the user must verify one of [totp], and has []"},
		"another device": {enrolling, []mfatest.Device{&mails},
			"the user must enrol one of [totp], and has [email]"},
		"a failing device": {verifying, []mfatest.Device{fixed{"totp", "", io.EOF}},
			"the response by totp: EOF"},
		"an incorrect response": {verifying, []mfatest.Device{fixed{"totp", "000000", nil}},
			"POST /mfa/api/verify: 401 {"},
		"an incorrect confirmation": {enrolling, []mfatest.Device{fixed{"totp", "000000", nil}},
			"POST /mfa/api/confirm: 401 {"},
		"another outbox": {elsewhere,
			[]mfatest.Device{new(mfatest.Outbox[email.Message])}, "received no new message"},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, func(t testing.TB) { c.client.PassSecondFactor(t, c.devices...) })
			require.Contains(t, got, "mfatest.Client: ")
			require.Contains(t, got, c.why)
			require.NotEqual(t, "welcome", visitor.Get(t, "/").Text)
		})
	}
	require.NotEqual(t, "welcome", verifying.Get(t, "/").Text, "no way passes the factor over")
}

func TestClient_FailsWhileLocked(t *testing.T) {
	app, phone := newApp(t, nil), new(mfatest.App)
	c := mfatest.NewClient(t, app)
	c.Post(t, "/login", password)
	c.PassSecondFactor(t, phone)
	c = mfatest.NewClient(t, app)
	c.Post(t, "/login", password)
	var got string
	for range 6 {
		got = failure(t, func(t testing.TB) {
			c.PassSecondFactor(t, fixed{"totp", "000000", nil})
		})
	}
	require.Contains(t, got, "the user is locked after failed attempts")
}

func TestClient_FollowsPagesThatGoOn(t *testing.T) {
	mux := http.NewServeMux()
	goOn := func(from, to string) {
		mux.HandleFunc(from, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `<meta http-equiv="refresh" content="0;url=%s">`, to)
		})
	}
	goOn("/a", "b?c=d&amp;e=f")
	goOn("/away", "https://elsewhere.example/x?y")
	goOn("/circle", "/circle")
	mux.Handle("/round", http.RedirectHandler("/round", http.StatusSeeOther))
	mux.Handle("/out", http.RedirectHandler("https://elsewhere.example/out", http.StatusFound))
	mux.HandleFunc("/b", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+` content="5;url=/circle"`)
	})
	c := mfatest.NewClient(t, mux)
	require.Equal(t, mfatest.Page{Status: 200, Path: "/b?c=d&e=f",
		Text: `GET content="5;url=/circle"`}, c.Post(t, "/a", nil))
	require.Equal(t, "https://elsewhere.example/x?y", c.Get(t, "/away").Path)
	out := c.Get(t, "/out")
	require.Equal(t, "https://elsewhere.example/out", out.Path)
	require.Equal(t, http.StatusFound, out.Status)
	for path, why := range map[string]string{
		"/circle": "more than 10 pages go on by themselves", "/round": "more than 10 redirects",
		"relative": "not a path of the application", "http://localhost/": "not a path",
		"https://example.com.elsewhere.example/": "not a path",
	} {
		require.Contains(t, failure(t, func(t testing.TB) { c.Get(t, path) }), why, path)
	}
}

// The server sees what a browser sends, so that no check of the application is passed by.
func TestClient_SendsWhatBrowsersSend(t *testing.T) {
	var seen []*http.Request
	c := mfatest.NewClient(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen = append(seen, r)
	}))
	c.Get(t, "/page")
	c.Post(t, "/form", url.Values{"a": {"b"}})
	for i, origin := range []string{"", "https://example.com"} {
		r := seen[i]
		require.Equal(t, "example.com", r.Host)
		require.NotNil(t, r.TLS)
		require.Equal(t, origin, r.Header.Get("Origin"))
		require.Equal(t, "same-origin", r.Header.Get("Sec-Fetch-Site"))
		require.Equal(t, "navigate", r.Header.Get("Sec-Fetch-Mode"))
		require.Equal(t, "text/html", r.Header.Get("Accept"))
	}
	require.Equal(t, "b", seen[1].PostForm.Get("a"))
}

var _ = []mfatest.Device{(*mfatest.App)(nil), (*mfatest.Outbox[email.Message])(nil)}
