package mfahttp_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// cookieHandler is a Handler for ann that keeps its values in cookies.
func cookieHandler(t *testing.T) (*site, *mfahttp.Handler) {
	t.Helper()
	s := cookieSite(t, nil)
	h, err := mfahttp.New(mfahttp.Config{Manager: s.m, Keys: s.keys, Clock: s.clock,
		Identify: func(*http.Request) (mfahttp.Identity, error) { return s.identity("ann"), nil }})
	must(t, err)
	return s, h
}

// A browser sends the cookie of the longer path first, and a name may come twice.
func TestCookies_TakeTheFirstOfAName(t *testing.T) {
	s, h := cookieHandler(t)
	w := httptest.NewRecorder()
	must(t, h.CompleteSignIn(w, httptest.NewRequest("GET", "/", nil), s.identity("ann"),
		s.clock.Now()))
	proof := w.Result().Cookies()[0]
	planted := &http.Cookie{Name: proof.Name, Value: "planted"}
	for _, c := range []struct {
		sent     []*http.Cookie
		signedIn bool
	}{
		{[]*http.Cookie{proof}, true},
		{[]*http.Cookie{proof, planted}, true},
		{[]*http.Cookie{planted, proof}, false},
		{nil, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		for _, each := range c.sent {
			r.AddCookie(each)
		}
		signedIn, err := h.SignedIn(r)
		must(t, err)
		require.Equal(t, c.signedIn, signedIn, "%v", c.sent)
	}
}

// A sign-in that waits for its second factor is one cookie: that a session waits says its purpose.
func TestHandlerBegin_SetsOneCookie(t *testing.T) {
	s, h := cookieHandler(t)
	w := httptest.NewRecorder()
	_, err := h.Begin(w, httptest.NewRequest("POST", "/login", nil), s.identity("ann"))
	must(t, err)
	require.Len(t, w.Result().Cookies(), 1)
	require.Equal(t, "secondgate-challenge-sign-in", w.Result().Cookies()[0].Name)
}

// The cookies of a request are parsed once, and not for each value that is read or removed.
func TestHandlerBegin_AllocatesWithinItsLimit(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s, h := cookieHandler(t)
	r := httptest.NewRequest("POST", "/login", nil)
	for _, name := range []string{"session", "language", "theme", "consent"} {
		r.AddCookie(&http.Cookie{Name: name, Value: "of the application"})
	}
	id := s.identity("ann")
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := h.Begin(httptest.NewRecorder(), r, id); err != nil {
			t.Fatal(err)
		}
	})
	require.LessOrEqual(t, allocs, 88.0)
}
