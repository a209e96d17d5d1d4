package passkey_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/passkey"
)

func related(list ...string) func(*passkey.Config) {
	return func(c *passkey.Config) { c.RelatedOrigins = list }
}

// A passkey serves on each domain that is named, in an enrolment and in a sign-in, and on no other.
func TestVerify_AcceptsRelatedOrigins(t *testing.T) {
	f := newFactor(t, related("https://example.de", "https://example.co.uk:8443"))
	for from, ok := range map[string]bool{origin: true, "https://example.de": true,
		"https://example.co.uk:8443": true, "https://example.co.uk": false,
		"https://www.example.de": false, "http://example.de": false,
		"https://evil.example": false} {
		d := newDevice()
		in, options := begun(t, f)
		made := d.forgery(options, "webauthn.create")
		made.client["origin"] = from
		_, err := verify(f, in, d.attest(t, made))
		require.Equal(t, ok, err == nil, "%s: %v", from, err)

		in, options = challenge(t, f, enrolled(t, f, d), false)
		used := d.forgery(options, "webauthn.get")
		used.client["origin"] = from
		_, err = verify(f, in, d.sign(t, used))
		require.Equal(t, ok, err == nil, "%s: %v", from, err)
	}
}

func TestRelatedOrigins_ServesWhatBrowsersRead(t *testing.T) {
	f := newFactor(t, related("https://example.de", "https://example.co.uk:8443"))
	w := httptest.NewRecorder()
	f.RelatedOrigins().ServeHTTP(w, httptest.NewRequest("GET", "/.well-known/webauthn", nil))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"origins":["https://example.de","https://example.co.uk:8443"]}`,
		w.Body.String())

	w = httptest.NewRecorder()
	f.RelatedOrigins().ServeHTTP(w, httptest.NewRequest("POST", "/.well-known/webauthn", nil))
	require.Equal(t, 405, w.Code)
	require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	w = httptest.NewRecorder()
	f.RelatedOrigins().ServeHTTP(w, httptest.NewRequest("HEAD", "/.well-known/webauthn", nil))
	require.Equal(t, 200, w.Code)
	w = httptest.NewRecorder()
	newFactor(t).RelatedOrigins().ServeHTTP(w, httptest.NewRequest("GET",
		"/.well-known/webauthn", nil))
	require.Equal(t, 404, w.Code, "nothing is related")
}

func TestNew_RefusesRelatedOriginsThatAreNone(t *testing.T) {
	for _, bad := range []string{"", "https://%zz", "example.de", "http://example.de",
		"https://example.de/",
		"https://EXAMPLE.de", "https://example.de:443", "https://192.0.2.1",
		"http://login.localhost", "android:apk-key-hash:x", "https://example.com",
		"https://login.example.com"} {
		_, err := passkey.New(passkey.Config{RPID: rpID, RPName: "Acme",
			Origins: []string{origin}, RelatedOrigins: []string{bad}})
		require.ErrorContains(t, err, "RelatedOrigins[0]", bad)
	}
}
