package portal_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/storage/memory"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a portal that answers over HTTP, and an application.
type world struct {
	t       *testing.T
	clock   *mfatest.Clock
	server  *httptest.Server
	jwks    http.Handler // what the portal answers
	fetches atomic.Int64
	down    atomic.Bool
	private ed25519.PrivateKey
	issuer  *portal.Issuer
	store   *mfatest.FaultyStore
	v       *portal.Verifier
}

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return private
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: mfatest.NewClock(start), private: newKey(t),
		store: mfatest.NewFaultyStore(memory.New())}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks.json" {
			w.fetches.Add(1)
			if w.down.Load() {
				http.Error(rw, "down", http.StatusBadGateway)
				return
			}
			w.jwks.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(w.server.Close)
	w.issuer = w.newIssuer(portal.Key{Private: w.private})
	w.v = w.verifier()
	return w
}

func (w *world) newIssuer(keys ...portal.Key) *portal.Issuer {
	w.t.Helper()
	i, err := portal.NewIssuer(portal.IssuerConfig{URL: w.server.URL, Keys: keys, Clock: w.clock,
		PairwiseKey: make([]byte, 32),
		Clients: []portal.Client{{ID: "mail", ReturnURL: "https://mail.example/callback"},
			{ID: "files", ReturnURL: "https://files.example/callback", Pairwise: true}}})
	require.NoError(w.t, err)
	w.jwks = i.JWKS()
	return i
}

func (w *world) verifier() *portal.Verifier {
	w.t.Helper()
	v, err := portal.NewVerifier(portal.VerifierConfig{Portal: w.server.URL, ClientID: "mail",
		Store: w.store, Clock: w.clock})
	require.NoError(w.t, err)
	return v
}

func said() portal.Assertion {
	return portal.Assertion{Subject: "ann", AuthTime: start.Add(-time.Minute),
		AMR: []string{"otp", "mfa"}, Level: 2}
}

func (w *world) issue(client string, a portal.Assertion) string {
	w.t.Helper()
	token, err := w.issuer.Issue(client, "nonce", a)
	require.NoError(w.t, err)
	return token
}

func (w *world) verify(token string) (*portal.Assertion, error) {
	return w.v.Verify(w.t.Context(), token, "nonce", portal.Need{})
}

// change signs claims as the portal does, with something else in them.
func (w *world) change(alter func(claims map[string]any, header map[jose.HeaderKey]any)) string {
	w.t.Helper()
	now := w.clock.Now().Unix()
	claims := map[string]any{"iss": w.server.URL, "sub": "ann", "aud": "mail", "iat": now,
		"nbf": now, "exp": now + 30, "jti": rand.Text(),
		"nonce": "nonce", "auth_time": now - 60, "amr": []string{"otp"}, "acr": "aal2"}
	kid := kidOf(w.t, w.issue("mail", said()))
	header := map[jose.HeaderKey]any{"typ": "secondgate-assertion+jwt", "kid": kid}
	if alter != nil {
		alter(claims, header)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: w.private},
		&jose.SignerOptions{ExtraHeaders: header})
	require.NoError(w.t, err)
	payload, err := json.Marshal(claims)
	require.NoError(w.t, err)
	signed, err := signer.Sign(payload)
	require.NoError(w.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(w.t, err)
	return token
}

func kidOf(t testing.TB, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	require.NoError(t, err)
	var h struct{ Kid string }
	require.NoError(t, json.Unmarshal(raw, &h))
	return h.Kid
}

// altered returns an assertion with another signature. The last characters of a signature are the
// same in many of them.
func altered(assertion string) string {
	i := len(assertion) - 40
	return assertion[:i] + map[bool]string{true: "B", false: "A"}[assertion[i] == 'A'] +
		assertion[i+1:]
}
