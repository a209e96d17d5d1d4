package mfahttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/mfahttp"
)

func TestLocalURL_RefusesOtherSites(t *testing.T) {
	for _, s := range hostileReturns {
		if u, ok := mfahttp.LocalURL(s); ok {
			t.Errorf("%q was accepted as %q", s, u)
		}
	}
	for _, s := range []string{"/", "/a", "/a/b?c=d&e=%2F%2Fevil.example", "/%E2%82%AC",
		"/a?return=/b", "/a//b"} {
		if u, ok := mfahttp.LocalURL(s); !ok || u != s {
			t.Errorf("%q became %q, %v", s, u, ok)
		}
	}
}

// What is accepted leads, resolved as a browser does and written by http.Redirect, to this
// site.
func FuzzLocalURL(f *testing.F) {
	for _, s := range append(hostileReturns, "/", "/a/..//evil.example", "/.//evil.example",
		"/a?b#c", "/%09/evil.example") {
		f.Add(s)
	}
	base, err := url.Parse("https://app.example.com/mfa/verify")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/" + strings.Repeat("}", 1500)) // escaped, it is too long
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := mfahttp.LocalURL(s)
		if !ok {
			return
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest("POST", base.String(), nil), u, http.StatusSeeOther)
		location := w.Header().Get("Location")
		for _, candidate := range []string{u, location} {
			if strings.HasPrefix(candidate, "//") ||
				strings.ContainsAny(candidate, "\\\t\r\n\x00 ") {
				t.Fatalf("%q became %q", s, candidate)
			}
			ref, err := url.Parse(candidate)
			if err != nil {
				t.Fatalf("%q became %q: %v", s, candidate, err)
			}
			if to := base.ResolveReference(ref); to.Host != base.Host || to.Scheme != base.Scheme {
				t.Fatalf("%q leads to %s", s, to)
			}
		}
		if again, ok := mfahttp.LocalURL(u); !ok || again != u {
			t.Fatalf("%q became %q and then %q", s, u, again)
		}
	})
}
