package portal_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/storage/memory"
)

// sessions keeps sessions by a cookie.
type sessions struct {
	mu   sync.Mutex
	data map[string]map[string]string
	err  error
}

type sessionKey struct{}

func (s *sessions) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("id")
		if err != nil {
			c = &http.Cookie{Name: "id", Value: rand.Text(), Path: "/",
				SameSite: http.SameSiteLaxMode}
			http.SetCookie(w, c)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, c.Value)))
	})
}

func (s *sessions) of(ctx context.Context) map[string]string {
	id := ctx.Value(sessionKey{}).(string)
	if s.data[id] == nil {
		s.data[id] = map[string]string{}
	}
	return s.data[id]
}

func (s *sessions) Get(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.of(ctx)[key]), s.err
}

func (s *sessions) Put(ctx context.Context, key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of(ctx)[key] = string(value)
	return s.err
}

func (s *sessions) Remove(ctx context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of(ctx), key)
	return s.err
}

// The whole road over HTTP, and what goes wrong on it.
func TestSite_SignsInOverHTTP(t *testing.T) {
	clock := mfatest.NewClock(start)
	var issuer *portal.Issuer
	user := said()
	var asked portal.Need
	mux := http.NewServeMux()
	portalServer := httptest.NewServer(mux)
	t.Cleanup(portalServer.Close)
	s := &sessions{data: map[string]map[string]string{}}
	var v *portal.Verifier
	app := http.NewServeMux()
	appServer := httptest.NewServer(s.wrap(app))
	t.Cleanup(appServer.Close)
	issuer, err := portal.NewIssuer(portal.IssuerConfig{URL: portalServer.URL,
		Keys: []portal.Key{{Private: newKey(t)}}, Clock: clock,
		Clients: []portal.Client{{ID: "mail", ReturnURL: appServer.URL + "/callback"}}})
	require.NoError(t, err)
	mux.Handle("/jwks.json", issuer.JWKS())
	mux.Handle("/authorize", issuer.Authorize(func(w http.ResponseWriter, r *http.Request,
		need portal.Need) (*portal.Assertion, error) {
		asked = need
		switch {
		case r.URL.Query().Get("client_id") == "":
			return nil, errors.New("not reached")
		case user.Subject == "":
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return nil, nil
		}
		return &user, nil
	}))
	v, err = portal.NewVerifier(portal.VerifierConfig{Portal: portalServer.URL, ClientID: "mail",
		Store: memory.New(), Clock: clock, Session: s,
		SignedIn: func(_ http.ResponseWriter, r *http.Request, a *portal.Assertion) error {
			if a.Subject == "broken" {
				return errors.New("down")
			}
			return s.Put(r.Context(), "user", []byte(a.Subject))
		}})
	require.NoError(t, err)
	app.HandleFunc("/start", func(w http.ResponseWriter, r *http.Request) {
		v.Start(w, r, portal.Need{MaxAge: 10 * time.Minute, Level: 2}, r.URL.Query().Get("return"))
	})
	app.Handle("/callback", v.Callback())
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		user, err := s.Get(r.Context(), "user")
		require.NoError(t, err)
		_, _ = fmt.Fprintf(w, "%s is %q", r.URL.Path, user)
	})
	browser := func() *http.Client {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		return &http.Client{Jar: jar}
	}
	hold := false // at the portal's last page
	var get func(c *http.Client, u string) (int, string, *url.URL)
	get = func(c *http.Client, u string) (int, string, *url.URL) {
		r, err := c.Get(u)
		require.NoError(t, err)
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		if next := onward(string(body)); next != "" && !hold {
			require.NotContains(t, r.Header.Get("Content-Security-Policy"), "form-action")
			return get(c, next)
		}
		return r.StatusCode, string(body), r.Request.URL
	}
	ann := browser()
	status, body, at := get(ann, appServer.URL+"/start?return=/inbox")
	require.Equal(t, 200, status)
	require.Equal(t, `/inbox is "ann"`, body)
	require.Empty(t, at.RawQuery, "the assertion is not in the address that stays")
	require.Equal(t, portal.Need{MaxAge: 10 * time.Minute, Level: 2}, asked)

	// Never to another site.
	for _, evil := range []string{"https://evil.example", "//evil.example", "/\\evil.example",
		"javascript:alert(1)", ""} {
		_, body, at := get(browser(), appServer.URL+"/start?return="+url.QueryEscape(evil))
		require.Equal(t, appServer.URL+"/", at.String(), body)
	}

	// Caught on its way back, the address is useless to another browser, nor twice.
	stop := browser()
	hold = true
	_, body, _ = get(stop, appServer.URL+"/start")
	mine := onward(body)
	require.Contains(t, mine, "/callback?assertion=")
	status, _, _ = get(browser(), mine)
	require.Equal(t, 403, status)
	other := browser()
	get(other, appServer.URL+"/start")
	hold = false
	status, _, _ = get(other, mine)
	require.Equal(t, 403, status, "another browser that waits for a response of its own")
	status, _, _ = get(stop, mine+"x")
	require.Equal(t, 403, status, "a response to another request")
	status, body, _ = get(stop, mine)
	require.Equal(t, 200, status, body)
	status, _, _ = get(stop, mine)
	require.Equal(t, 403, status)

	// An outage of the application's sessions signs no user in.
	s.err = errors.New("down")
	status, _, _ = get(browser(), appServer.URL+"/start")
	require.Equal(t, 503, status)
	status, _, _ = get(browser(), appServer.URL+"/callback")
	require.Equal(t, 503, status)
	s.err = nil

	// What the portal does not know, or a user who is not there, goes nowhere.
	for _, q := range []string{"", "client_id=evil&nonce=n", "client_id=mail",
		"client_id=mail&nonce=n&max_age=x", "client_id=mail&nonce=n&max_age=0",
		"client_id=mail&nonce=n&acr_values=aal9", "client_id=mail&nonce=" +
			strings.Repeat("n", 300)} {
		status, _, at := get(browser(), portalServer.URL+"/authorize?"+q)
		require.Equal(t, 400, status, q)
		require.Equal(t, "/authorize", at.Path)
	}
	user.Subject = ""
	status, body, _ = get(browser(), appServer.URL+"/start")
	require.Equal(t, 401, status)
	require.Contains(t, body, "sign in first")
	user = said()
	user.AuthTime = start.Add(-11 * time.Minute)
	status, _, _ = get(browser(), appServer.URL+"/start")
	require.Equal(t, 503, status, "a portal that gives less than was asked says nothing")
	user = said()
	user.Subject = "broken"
	status, _, _ = get(browser(), appServer.URL+"/start")
	require.Equal(t, 503, status)
	r, err := http.Post(appServer.URL+"/callback", "", nil)
	require.NoError(t, err)
	_ = r.Body.Close()
	require.Equal(t, 405, r.StatusCode)

	// Fifteen minutes at the portal are too long.
	user = said()
	slow := browser()
	slow.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	get(slow, appServer.URL+"/start")
	clock.Advance(15 * time.Minute)
	status, _, _ = get(slow, appServer.URL+"/callback?assertion=x&state=y")
	require.Equal(t, 403, status)
}

var refresh = regexp.MustCompile(`http-equiv="refresh" content="0;url=([^"]*)"`)

// onward is where a page goes by itself, or "".
func onward(page string) string {
	if m := refresh.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}
