package mfahttp_test

import (
	"context"
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/secondgate/secondgate/mfahttp"
)

func TestHandler_SetsSecurityHeaders(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	check := func(a *response) {
		t.Helper()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q", a.Request.URL, name, got)
			}
		}
		csp := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'",
			"base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: %q", a.Request.URL, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %q", a.Request.URL, csp)
		}
	}
	check(p.get("/home"))
	check(p.get("/mfa/nonsense"))
	check(p.api("GET", "state", nil))
	check(p.get("/mfa/confirm?token=x"))
	p.signIn()
	for _, path := range []string{"/mfa/factors", "/mfa/enroll", "/mfa/enroll/totp",
		"/mfa/recovery-codes", "/mfa/api/factors"} {
		check(p.get(path))
	}
	inline := regexp.MustCompile(`(?i)<script>|<style| style=| on[a-z]+=`)
	for _, path := range []string{"/mfa/factors", "/mfa/enroll", "/mfa/enroll/sms",
		"/mfa/enroll/pin"} {
		if found := inline.FindString(p.get(path).Text); found != "" {
			t.Errorf("%s: inline: %q", path, found)
		}
	}
}

// A page of the application's own has the frame, the headers and its status.
func TestRender_WritesAnApplicationsPage(t *testing.T) {
	s := newSite(t, nil)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/about", nil)
	r = r.WithContext(context.WithValue(r.Context(), sessionKey{},
		&holder{values: map[string]string{}}))
	must(t, s.h.Render(w, r, mfahttp.Page{Title: "About <us>",
		Body: template.HTML("<p>We are Acme.</p>"), Status: 418}))
	text := w.Body.String()
	if w.Code != 418 || !strings.Contains(text, "<p>We are Acme.</p>") ||
		!strings.Contains(text, "About &lt;us&gt;") ||
		!strings.Contains(text, "/mfa/static/") || w.Header().Get("Content-Security-Policy") == "" {
		t.Fatal(w.Code, text)
	}
}

// Templates are replaced file by file; one that does not parse is found at start.
func TestTemplates_ReplaceOneFile(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) {
		c.Templates = fstest.MapFS{"confirmed.html": {Data: []byte("Thanks, from {{.Product}}.")}}
	})
	s.browser("").get("/mfa/confirmed").page(t, 200, "Thanks, from Acme.")
	s.browser("").get("/mfa/confirm?token=x").page(t, 200, "<form")
	_, err := mfahttp.New(mfahttp.Config{Manager: s.m, Session: s,
		Identify:  func(*http.Request) (mfahttp.Identity, error) { return mfahttp.Identity{}, nil },
		Templates: fstest.MapFS{"verify.html": {Data: []byte("{{if}}")}}})
	if err == nil || !strings.Contains(err.Error(), "verify.html") {
		t.Fatal(err)
	}
}

// Static files can be cached, pages cannot.
func TestStatic_CanBeCached(t *testing.T) {
	s := newSite(t, nil)
	a := s.browser("").get("/mfa/confirmed").page(t, 200)
	css := regexp.MustCompile(`href="(/mfa/static/[^"]+\.css[^"]*)"`).FindStringSubmatch(a.Text)
	if css == nil {
		t.Fatal(a.Text)
	}
	b := s.browser("").get(css[1]).page(t, 200)
	if !strings.HasPrefix(b.Header.Get("Content-Type"), "text/css") ||
		!strings.Contains(b.Header.Get("Cache-Control"), "max-age") {
		t.Fatal(b.Header)
	}
}
