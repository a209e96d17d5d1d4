package mfahttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// A page that wants a level says so to a program, as RFC 9470 section 3 has it, and sends a browser
// to the kind that meets it.
func TestRequireLevel_AsksForWhatMeetsIt(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	p.withPasskey("k1")
	level := s.h.RequireLevel(mfahttp.Level{PhishingResistant: true})
	s.srv.Config.Handler = s.withSession(level(http.NotFoundHandler()))
	a := p.do("GET", "/home", "", nil).is(t, 401, "step_up")
	require.Equal(t, m{"error": "step_up", "max_age": 300.0, "acr_values": "phr",
		"kinds": []any{"passkey"}}, a.JSON)
	require.Equal(t, `Bearer error="insufficient_user_authentication", error_description="A `+
		`stronger or more recent second factor is required", acr_values="phr", max_age="300"`,
		a.Header.Get("WWW-Authenticate"))
	p.get("/home").goes(t, "/mfa/step-up?kind=passkey&purpose=step-up&return=%2Fhome")
}

// A user comes back to the page that they asked for, or to the page with the form. If that belongs
// to another site, or its URL is too long, they come back to the home page.
func TestGuards_ReturnToAPageOfThisSite(t *testing.T) {
	s := newSite(t, nil)
	s.cfg.HomeURL = "/start"
	h, err := mfahttp.New(s.cfg)
	require.NoError(t, err)
	long := "/" + strings.Repeat("a", 3000)
	for _, test := range []struct{ method, path, referer, want string }{
		{"GET", "/a?b=c", "", "/a?b=c"},
		{"HEAD", "/a", "", "/a"},
		{"GET", long, "", "/start"},
		{"GET", "", "", "/start"},
		{"POST", "/a", "http://example.com/form", "/form"},
		{"POST", "/a", "http://example.com" + long, "/start"},
		{"POST", "/a", "http://other.example/form", "/start"},
		{"POST", "/a", "http://%zz/form", "/start"},
		{"POST", "/a", "/form", "/start"},
		{"POST", "/a", "", "/start"},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		session := newRequest(s)
		s.of(session.Context())["user"], s.of(session.Context())["sid"] = "ann", "1"
		r = r.WithContext(session.Context())
		r.RequestURI = test.path
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Referer", test.referer)
		w := httptest.NewRecorder()
		h.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		to, err := w.Result().Location()
		require.NoError(t, err, test)
		require.Equal(t, test.want, to.Query().Get("return"), test)
	}
}
