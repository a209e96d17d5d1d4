package mfahttp_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp"
)

// handle serves a request of the browser by a handler of the application's own.
func (p *browser) handle(
	h http.HandlerFunc, method, body string, header map[string]string,
) *response {
	p.s.srv.Config.Handler = p.s.withSession(h)
	return p.do(method, "/own", body, header)
}

// Viewer is the signed-in user, who reads with it and changes nothing.
func TestHandlerViewer_ReadsAndDoesNotAct(t *testing.T) {
	s := newSite(t, nil)
	visitor, half, p := s.browser(""), s.browser("ann"), s.browser("ann").signIn()
	half.login()
	var actor mfa.Actor
	var err error
	see := func(_ http.ResponseWriter, r *http.Request) { actor, err = s.h.Viewer(r) }
	for _, c := range []*browser{visitor, half} {
		c.handle(see, "GET", "", nil)
		require.ErrorIs(t, err, mfa.ErrForbidden)
		require.Empty(t, actor.Name())
	}
	before := s.records()
	p.handle(see, "GET", "", nil)
	require.NoError(t, err)
	require.Equal(t, "ann", actor.Name())
	adm := s.m.Admin(actor, "")
	require.NoError(t, adm.Allowed(t.Context(), "look", s.subject("bob")))
	require.ErrorIs(t, adm.Reset(t.Context(), s.subject("bob")), mfa.ErrToken)
	require.ErrorIs(t, adm.Check(t.Context(), s.subject("bob")), mfa.ErrToken)
	require.Equal(t, before, s.records())
	s.identifyErr = errors.New("down")
	p.handle(see, "GET", "", nil)
	require.ErrorIs(t, err, mfa.ErrUnavailable)
}

// Protect has the protection of the pages for a handler of the application's own.
func TestHandlerProtect_RefusesOtherOriginsAndLongBodies(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	s := newSite(t, func(c *mfahttp.Config) {
		c.AllowedOrigins = []string{"https://app.example"}
	})
	reached := 0
	own := s.h.Protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reached++
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})).ServeHTTP
	p := s.browser("")
	a := p.handle(own, "GET", "", nil)
	require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	require.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'")
	p.handle(own, "POST", "", map[string]string{"Sec-Fetch-Site": "cross-site"}).is(t, 403,
		"forbidden")
	require.Equal(t, 1, reached)
	p.handle(own, "POST", "", map[string]string{"Sec-Fetch-Site": "cross-site",
		"Origin": "https://app.example"}).is(t, 200, "")
	p.handle(own, "POST", strings.Repeat("x", 70_000), nil).is(t, 413, "")
}

// Language is that of the frame: the user's own, or else the browser's.
func TestHandlerLanguage_IsThatOfTheFrame(t *testing.T) {
	s := newSite(t, nil)
	ann := s.browser("ann").signIn()
	var lang string
	say := func(_ http.ResponseWriter, r *http.Request) { lang = s.h.Language(r) }
	german := map[string]string{"Accept-Language": "de-AT, en;q=0.5"}
	s.browser("").handle(say, "GET", "", german)
	require.Equal(t, "de", lang)
	ann.handle(say, "GET", "", german)
	require.Equal(t, "en", lang)
}

// Deny responds as the Handler itself does, in a page or in JSON, and quotes nothing.
func TestHandlerDeny_RespondsAsTheHandlerDoes(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	var failure error
	deny := func(w http.ResponseWriter, r *http.Request) { s.h.Deny(w, r, failure) }
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{mfahttp.ErrStepUp, 403, "step_up"}, {mfa.ErrForbidden, 403, "forbidden"},
		{&mfa.RateLimitError{RetryAfter: time.Minute}, 429, "budget"},
		{errors.New("secret text"), 503, "unavailable"},
	} {
		failure = test.err
		require.NotContains(t, p.handle(deny, "POST", "", asJSON).is(t, test.status,
			test.code).Text, "secret")
		page := p.handle(deny, "GET", "", asPage)
		require.Equal(t, test.status, page.StatusCode)
		require.Contains(t, page.Text, "<!doctype html>")
		require.NotContains(t, page.Text, "secret")
	}
}

// A request without a body, which a program made, stays one.
func TestHandlerProtect_ServesARequestWithoutABody(t *testing.T) {
	s := newSite(t, nil)
	served := false
	r := newRequest(s)
	r.Body = nil
	s.h.Protect(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		served = r.Body == nil
	})).ServeHTTP(httptest.NewRecorder(), r)
	require.True(t, served)
}
