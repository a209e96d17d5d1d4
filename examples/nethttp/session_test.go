package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/sso"
	"github.com/secondgate/secondgate/storage/memory"
	"github.com/secondgate/secondgate/totp"
)

// sessionApp returns an application with the parts that sessions need.
func sessionApp(t *testing.T) *app {
	t.Helper()
	db, err := openDatabase(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	a := &app{db: db, users: users{db}, clock: &clock{},
		log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		cfg: config{public: &url.URL{Scheme: "http", Host: "127.0.0.1"},
			sessionLife: 12 * time.Hour}}
	a.sessions = newSessions(a)
	return a
}

// sessionGate is a Handler whose values are in the application's sessions.
func sessionGate(t *testing.T, a *app) *mfahttp.Handler {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	if err != nil {
		t.Fatal(err)
	}
	f, err := totp.New(totp.Config{Issuer: "Test"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys, Factors: []factor.Factor{f}})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := mfahttp.New(mfahttp.Config{Manager: m, Session: session{a.sessions},
		Identify: func(r *http.Request) (mfahttp.Identity, error) {
			id := a.sessions.GetString(r.Context(), sessionAccount)
			return a.identity(r.Context(), &account{ID: id}, time.Time{}), nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// A user extends a session ten times, by the whole of its time. Then it ends.
func TestSession_IsExtendedTenTimes(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	ctx, err := a.sessions.Load(t.Context(), "")
	require.NoError(t, err)
	a.enter(ctx, "u1", byPassword, a.clock.Now())
	r := httptest.NewRequestWithContext(ctx, "POST", "/mfa/extend", nil)
	for i := range 12 {
		a.clock.ahead += a.sessions.Lifetime - time.Minute
		a.sessions.SetDeadline(ctx, time.Now().Add(time.Minute))
		ends, err := a.extendSession(nil, r)
		require.NoError(t, err)
		remaining := ends.Sub(a.clock.Now()).Round(time.Minute)
		switch {
		case i < extensions:
			require.Equal(t, a.sessions.Lifetime, remaining)
		case i > extensions:
			require.Equal(t, time.Minute, remaining)
		}
		require.WithinDuration(t, a.sessionEnds(ctx), ends, time.Second)
	}
}

// If the session ends during a request, the browser gets the response, and keeps the cookie that
// another response has set.
func TestSession_EndsDuringARequest(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	end := false
	h := a.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.sessions.Put(r.Context(), "x", "y")
		if end {
			if _, err := a.db.Exec(`UPDATE sessions SET data = NULL`); err != nil {
				t.Error(err)
			}
		}
		_, _ = io.WriteString(w, "fine")
	}))
	first := httptest.NewRecorder()
	h.ServeHTTP(first, httptest.NewRequest("GET", "/", nil))
	cookies := first.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies: %v", cookies)
	}
	end = true
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(cookies[0])
	second := httptest.NewRecorder()
	h.ServeHTTP(second, r)
	if second.Code != 200 || second.Body.String() != "fine" || len(second.Result().Cookies()) != 0 {
		t.Errorf("status %d, %q, cookies %v", second.Code, second.Body, second.Result().Cookies())
	}
}

// A request that only changes values of the session does not set the cookie again. Its response may
// arrive after that of a request that completed the sign-in and set another cookie.
func TestSession_SetsOnlyNewCookies(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	request := func(cookie *http.Cookie, serve http.HandlerFunc) []*http.Cookie {
		t.Helper()
		r := httptest.NewRequest("GET", "/", nil)
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		a.withSession(serve).ServeHTTP(w, r)
		return w.Result().Cookies()
	}
	change := func(w http.ResponseWriter, r *http.Request) {
		a.sessions.Put(r.Context(), "x", time.Now().UnixNano())
		http.SetCookie(w, &http.Cookie{Name: "other", Value: "1"})
	}
	first := request(nil, change)
	require.Len(t, first, 2)
	session := first[1]
	require.Equal(t, a.sessions.Cookie.Name, session.Name)
	for name, write := range map[string]func(http.ResponseWriter){
		"nothing": func(http.ResponseWriter) {},
		"header":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) },
		"body":    func(w http.ResponseWriter) { _, _ = io.WriteString(w, "fine") },
	} {
		got := request(session, func(w http.ResponseWriter, r *http.Request) {
			change(w, r)
			write(w)
		})
		require.Len(t, got, 1, name)
		require.Equal(t, "other", got[0].Name, name)
	}
	renewed := request(session, func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, a.sessions.RenewToken(r.Context()))
	})
	require.Len(t, renewed, 1)
	require.NotEqual(t, session.Value, renewed[0].Value)
	ended := request(renewed[0], func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, a.sessions.Destroy(r.Context()))
	})
	require.Len(t, ended, 1, "a sign-out removes the cookie")
	require.Empty(t, ended[0].Value)
}

// A verification that belongs to another user does not sign in.
func TestVerified_IsForTheWaitingUser(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	ctx, err := a.sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil).WithContext(ctx)
	a.sessions.Put(ctx, sessionAccount, "acct-anna")
	for _, v := range []mfa.Verification{
		{UserID: "acct-olivia", Tenant: tenant}, {UserID: "acct-anna", Tenant: "other"}, {},
	} {
		_, err := a.verified(nil, r, &v)
		if err == nil || a.sessions.GetBool(ctx, sessionSignedIn) {
			t.Errorf("%+v signs in: %v", v, err)
		}
	}
	if _, err := a.verified(nil, r, &mfa.Verification{UserID: "acct-anna", Tenant: tenant,
		Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if !a.sessions.GetBool(ctx, sessionSignedIn) {
		t.Error("not signed in")
	}
}

// The page asks only the user who made a change whether other sessions end. It does not ask another
// user who is signed in in the same browser. A change in a context without a session asks no user.
func TestChange_IsAskedOfTheUserWhoMadeIt(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	ctx, err := a.sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx = context.WithValue(ctx, usedByKey{}, usedBy{})
	a.enter(ctx, "acct-ben", byPassword, time.Now())
	a.sessions.Put(ctx, sessionSignedIn, true)
	for subject, want := range map[string]bool{"acct-anna": false, "acct-ben": true} {
		a.noteChange(ctx, mfa.Event{Name: "factor.added", UserID: subject})
		if a.sessions.GetBool(ctx, sessionChanged) != want {
			t.Errorf("%s: asked is not %v", subject, want)
		}
		a.sessions.Remove(ctx, sessionChanged)
		a.noteChange(t.Context(), mfa.Event{Name: "factor.added", UserID: subject})
	}
}

// If the provider does not say when it verified a second factor, the proof is not recent.
func TestSignInByProvider_WithoutATimeIsNotRecent(t *testing.T) {
	t.Parallel()
	a := sessionApp(t)
	a.gate = sessionGate(t, a)
	ctx, err := a.sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	a.sessions.Put(ctx, sessionAccount, "acct-ben")
	said := time.Now().Add(-time.Hour)
	for _, at := range []time.Time{{}, said} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx)
		if err := a.signInByProvider(w, r, &account{ID: "acct-ben"},
			&sso.SignIn{AuthTime: at, Time: time.Now(), SecondFactor: true}); err != nil {
			t.Fatal(err)
		}
		if in, err := a.gate.SignedIn(r); err != nil || !in {
			t.Errorf("signed in: %v, %v", in, err)
		}
		w = httptest.NewRecorder()
		a.gate.RequireRecent(30*time.Minute)(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code == http.StatusNotFound { // the handler was reached
			t.Errorf("a second factor given at %v is recent: %d", at, w.Code)
		}
	}
}
