package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pageOrigin = "http://localhost:5173"

func request(t *testing.T, h http.Handler, method, path, origin string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost:8080"+path, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if method == http.MethodOptions {
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "content-type")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The page on another server uses the API with the user's cookies, and learns how long to wait.
func TestPermit_LetsThePageUseTheAPI(t *testing.T) {
	h, err := newApp("http://localhost:8080", pageOrigin)
	require.NoError(t, err)
	for _, path := range []string{"/mfa/api/state", "/mfa/api/verify", "/api/login", "/api/me"} {
		w := request(t, h, "OPTIONS", path, pageOrigin)
		require.Equal(t, 204, w.Code, path)
		require.Contains(t, w.Header().Get("Access-Control-Allow-Methods"), "DELETE")
		require.Equal(t, "Content-Type", w.Header().Get("Access-Control-Allow-Headers"))
		method := "POST"
		if path == "/mfa/api/state" || path == "/api/me" {
			method = "GET"
		}
		for _, w := range []*httptest.ResponseRecorder{w, request(t, h, method, path, pageOrigin)} {
			require.Equal(t, pageOrigin, w.Header().Get("Access-Control-Allow-Origin"), path)
			require.Equal(t, "true", w.Header().Get("Access-Control-Allow-Credentials"))
			require.Equal(t, "Retry-After", w.Header().Get("Access-Control-Expose-Headers"))
			require.Equal(t, "Origin", w.Header().Get("Vary"))
		}
		require.Equal(t, 401, request(t, h, method, path, pageOrigin).Code, path)
	}
}

// No other page does, and the pages of the second factor are not for scripts of another origin.
func TestPermit_LetsNoOtherPage(t *testing.T) {
	h, err := newApp("http://localhost:8080", pageOrigin)
	require.NoError(t, err)
	for _, origin := range []string{"https://evil.example", "http://localhost:5173.evil.example",
		"http://localhost:5174", "https://localhost:5173", "null"} {
		for _, method := range []string{"OPTIONS", "GET", "POST"} {
			for _, path := range []string{"/mfa/api/state", "/mfa/api/verify", "/api/login"} {
				w := request(t, h, method, path, origin)
				for name := range w.Header() {
					require.NotContains(t, name, "Access-Control", path)
				}
				if method == "POST" {
					require.Equal(t, 403, w.Code, "%s %s", path, origin)
				}
			}
		}
	}
	for _, path := range []string{"/", "/mfa/verify", "/mfa/sign-out"} {
		w := request(t, h, "GET", path, pageOrigin)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"), path)
	}
}

// On its own origin the application permits nothing to others.
func TestPermit_SameOriginNeedsNone(t *testing.T) {
	h, err := newApp("http://localhost:8080", "")
	require.NoError(t, err)
	w := request(t, h, "OPTIONS", "/mfa/api/verify", pageOrigin)
	require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, 401, request(t, h, "GET", "/mfa/api/state", "").Code)
	for path, kind := range map[string]string{"/": "text/html", "/signin.js": "text/javascript",
		"/js/client.js": "text/javascript"} {
		w := request(t, h, "GET", path, "")
		require.Equal(t, 200, w.Code, path)
		require.Contains(t, w.Header().Get("Content-Type"), kind)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'self'")
	}
	require.Equal(t, 404, request(t, h, "GET", "/js/js.go", "").Code)
}
