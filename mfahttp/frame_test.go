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

	"github.com/stretchr/testify/require"

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

// A page is in one language: the frame follows the body.
func TestRender_FrameIsInTheLanguageOfTheBody(t *testing.T) {
	s := newSite(t, nil)
	for language, want := range map[string]string{"": "de", "nl-BE": "nl", "tlh": "en"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/about", nil)
		r.Header.Set("Accept-Language", "de")
		r = r.WithContext(context.WithValue(r.Context(), sessionKey{},
			&holder{values: map[string]string{}}))
		must(t, s.h.Render(w, r, mfahttp.Page{Title: "x", Language: language}))
		require.Contains(t, w.Body.String(), `<html lang="`+want+`" dir="ltr">`)
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

// Static files can be cached, pages cannot. What is cached for ever is only what has its version in
// the path.
func TestStatic_CanBeCached(t *testing.T) {
	s := newSite(t, nil)
	b := s.browser("")
	page := b.get("/mfa/confirmed").page(t, 200)
	paths := regexp.MustCompile(`(?:href|src)="/mfa/static/(\w+)/(\w+\.(?:css|js))"`).
		FindAllStringSubmatch(page.Text, -1)
	if len(paths) != 3 {
		t.Fatal(page.Text)
	}
	version := paths[0][1]
	for name, kind := range map[string]string{"app.css": "text/css", "theme.css": "text/css",
		"app.js": "text/javascript", "js/passkey.js": "text/javascript"} {
		at := "/mfa/static/" + version + "/" + name
		file := b.get(at).page(t, 200)
		require.Equal(t, kind+"; charset=utf-8", file.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", file.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", file.Header.Get("X-Content-Type-Options"))
	}
	require.Equal(t, "public, max-age=3600",
		b.get("/mfa/static/app.css").page(t, 200).Header.Get("Cache-Control"))
	for _, gone := range []string{"", "app.html", "js/", "js/js.go", version, version + "/",
		version + "/js", "0123456789abcdef/gone.js"} {
		require.Equal(t, 404, b.get("/mfa/static/"+gone).StatusCode, gone)
	}
}

// A page of the server before an upgrade, or after it, is led to the files that are there, and
// keeps none of them under its own version. So is a script that is asked for without a version:
// the modules that it imports come from the same directory.
func TestStatic_OtherVersionsLeadToTheFiles(t *testing.T) {
	older := newSite(t, nil)
	newer := newSite(t, func(c *mfahttp.Config) {
		c.Templates = fstest.MapFS{"static/js/passkey.js": {Data: []byte("export {};")}}
	})
	path := regexp.MustCompile(`/mfa/static/\w+/app\.js`)
	was := path.FindString(older.browser("").get("/mfa/confirmed").Text)
	now := path.FindString(newer.browser("").get("/mfa/confirmed").Text)
	require.NotEqual(t, was, now)
	for from, to := range map[string]string{
		was:                          now,
		was + "?v=1":                 now,
		"/mfa/static/app.js":         now,
		beside(was, "js/passkey.js"): beside(now, "js/passkey.js"),
		beside(was, "app.css"):       beside(now, "app.css"),
		"/mfa/static/js/passkey.js":  beside(now, "js/passkey.js"),
	} {
		answer := newer.browser("").get(from)
		answer.goes(t, to)
		require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	}
}

// beside returns the path of another file in the directory of app.js.
func beside(app, name string) string { return strings.TrimSuffix(app, "app.js") + name }
