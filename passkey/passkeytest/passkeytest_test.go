package passkeytest_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey"
	"github.com/secondgate/secondgate/passkey/passkeytest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/storage/memory"
)

var _ mfatest.Device = (*passkeytest.Authenticator)(nil)

func newFactor(t *testing.T) *passkey.Factor {
	t.Helper()
	f, err := passkey.New(passkey.Config{RPID: "example.com", RPName: "Acme",
		Origins: []string{"https://example.com"}, UserVerification: passkey.Required})
	require.NoError(t, err)
	return f
}

// newApp returns an application whose users need a passkey.
func newApp(t *testing.T) http.Handler {
	t.Helper()
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	m, err := mfa.New(mfa.Config{Store: memory.New(), Keys: keys,
		Factors: []factor.Factor{newFactor(t)}})
	require.NoError(t, err)
	h, err := mfahttp.New(mfahttp.Config{Manager: m, Keys: keys, LoginURL: "/login",
		ProductName: "Acme", Logger: slog.New(slog.DiscardHandler),
		Identify: func(r *http.Request) (mfahttp.Identity, error) {
			c, err := r.Cookie("session")
			if err != nil {
				return mfahttp.Identity{}, nil
			}
			return mfahttp.Identity{User: mfa.User{ID: "1", Account: "ann"}, SessionID: c.Value,
				SignedInAt: time.Now()}, nil
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: rand.Text(), Path: "/"})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "welcome")
	})
	return h.Require(mux)
}

func TestAuthenticator_SignsIn(t *testing.T) {
	app, key := newApp(t), passkeytest.New("https://example.com")
	for range 3 { // an enrolment, and two sign-ins
		client := mfatest.NewClient(t, app)
		client.Post(t, "/login", nil)
		require.NotEqual(t, "welcome", client.Get(t, "/").Text)
		client.PassSecondFactor(t, key)
		require.Equal(t, "welcome", client.Get(t, "/").Text)
	}
}

// options returns options of the factor: for the enrolment, or for a passkey with this state.
func options(t *testing.T, f *passkey.Factor, in factor.IssueInput) []byte {
	t.Helper()
	in.User, in.Now = factor.User{ID: "1", Account: "ann"}, time.Now()
	if in.Confirming {
		out, err := f.Enroll(t.Context(), factor.EnrollInput{User: in.User, Now: in.Now})
		require.NoError(t, err)
		in.State = out.State
	}
	is, err := f.Issue(t.Context(), in)
	require.NoError(t, err)
	return is.Prompt.Data
}

// A browser and an authenticator refuse too, and a test of an application may count on it.
func TestAuthenticator_RefusesWhatABrowserRefuses(t *testing.T) {
	f := newFactor(t)
	creation := options(t, f, factor.IssueInput{Confirming: true})
	request := options(t, f, factor.IssueInput{Discoverable: true})
	key := passkeytest.New("https://example.com")
	_, err := key.Get(request)
	require.ErrorContains(t, err, "has none of the allowed passkeys")
	made, err := key.Respond(factor.Prompt{Data: creation})
	require.NoError(t, err)
	_, err = key.Respond(factor.Prompt{Data: request})
	require.NoError(t, err, "a discoverable passkey")
	var id struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(made), &id))
	for name, c := range map[string]struct {
		origin, why string
		options     []byte
		change      func(o map[string]any)
	}{
		"another site":   {"https://example.org", "may not use passkeys", creation, nil},
		"a site like it": {"https://notexample.com", "may not use passkeys", request, nil},
		"no origin":      {"", "may not use passkeys", request, nil},
		"no options":     {"https://example.com", "not those of navigator", []byte(`{}`), nil},
		"no JSON":        {"https://example.com", "not those of navigator", []byte(`x`), nil},
		"another algorithm": {"https://example.com", "does not take ES256", creation,
			func(o map[string]any) { o["pubKeyCredParams"] = []any{map[string]any{"alg": -257}} }},
		"excluded": {"", "has a passkey of this user already", creation,
			func(o map[string]any) {
				o["excludeCredentials"] = []any{map[string]any{"id": id.ID}}
			}},
		"not allowed": {"", "has none of the allowed passkeys", request,
			func(o map[string]any) { o["allowCredentials"] = []any{map[string]any{"id": "AAAA"}} }},
	} {
		t.Run(name, func(t *testing.T) {
			device := key
			if c.change == nil || c.origin != "" {
				device = passkeytest.New(c.origin)
			}
			asked := c.options
			if c.change != nil {
				var o struct {
					PublicKey map[string]any `json:"publicKey"`
				}
				require.NoError(t, json.Unmarshal(c.options, &o))
				c.change(o.PublicKey)
				asked, err = json.Marshal(o)
				require.NoError(t, err)
			}
			_, err := device.Respond(factor.Prompt{Data: asked})
			require.ErrorContains(t, err, c.why)
		})
	}
}

// The counter lets a factor notice a copy (WebAuthn Level 3 section 6.1.1).
func TestAuthenticator_CountsItsSignatures(t *testing.T) {
	f, key := newFactor(t), passkeytest.New("https://example.com")
	_, err := key.Create(options(t, f, factor.IssueInput{Confirming: true}))
	require.NoError(t, err)
	for n := range 3 {
		response, err := key.Get(options(t, f, factor.IssueInput{Discoverable: true}))
		require.NoError(t, err)
		var got struct {
			Response struct{ AuthenticatorData string }
		}
		require.NoError(t, json.Unmarshal([]byte(response), &got))
		data, err := base64.RawURLEncoding.DecodeString(got.Response.AuthenticatorData)
		require.NoError(t, err)
		require.Equal(t, uint32(n+1), binary.BigEndian.Uint32(data[33:]))
	}
}
