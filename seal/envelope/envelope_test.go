package envelope_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// engine is a stand-in for the transit engine of OpenBao, after its documented API: what it
// encrypts begins with vault:v1:, a token is required, and errors are a list.
type engine struct {
	*httptest.Server
	aead  cipher.AEAD
	calls atomic.Int64
	down  atomic.Bool
}

func newEngine(t *testing.T) *engine {
	block, err := aes.NewCipher(seal.GenerateKey())
	require.NoError(t, err)
	aead, err := cipher.NewGCMWithRandomNonce(block)
	require.NoError(t, err)
	e := &engine{aead: aead}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/transit/encrypt/secondgate", e.handle(e.encrypt))
	mux.HandleFunc("POST /v1/transit/decrypt/secondgate", e.handle(e.decrypt))
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

func (e *engine) handle(do func(map[string]string) (map[string]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e.calls.Add(1)
		reply := func(status int, v any) {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v)
		}
		var body map[string]string
		switch err := json.NewDecoder(r.Body).Decode(&body); {
		case e.down.Load():
			reply(503, map[string]any{"errors": []string{"Vault is sealed"}})
		case r.Header.Get("X-Vault-Token") != "s.token":
			reply(403, map[string]any{"errors": []string{"permission denied"}})
		case err != nil:
			reply(400, map[string]any{"errors": []string{"invalid JSON"}})
		default:
			data, err := do(body)
			if err != nil {
				reply(400, map[string]any{"errors": []string{err.Error()}})
				return
			}
			reply(200, map[string]any{"data": data})
		}
	}
}

func (e *engine) encrypt(body map[string]string) (map[string]string, error) {
	plain, err := base64.StdEncoding.DecodeString(body["plaintext"])
	sealed := e.aead.Seal(nil, nil, plain, nil)
	return map[string]string{
		"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(sealed)}, err
}

func (e *engine) decrypt(body map[string]string) (map[string]string, error) {
	encoded, ok := strings.CutPrefix(body["ciphertext"], "vault:v1:")
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, errors.New("invalid ciphertext")
	}
	plain, err := e.aead.Open(nil, nil, sealed, nil)
	return map[string]string{"plaintext": base64.StdEncoding.EncodeToString(plain)}, err
}

func (e *engine) vault(token string) envelope.Transit {
	return envelope.Transit{URL: e.URL, Key: "secondgate",
		Token: func(context.Context) (secret.Text, error) { return secret.New(token), nil }}
}

func TestOpen_AsksTheVaultOnceForEachKey(t *testing.T) {
	e := newEngine(t)
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, e.vault("s.token")))
	first, err := envelope.Open(t.Context(), path, e.vault("s.token"))
	require.NoError(t, err)
	sealed := first.Seal("record", "ann", []byte("tulip"))
	require.NoError(t, envelope.AddKey(t.Context(), path, e.vault("s.token")))
	before := e.calls.Load()
	both, err := envelope.Open(t.Context(), path, e.vault("s.token"))
	require.NoError(t, err)
	require.EqualValues(t, 2, e.calls.Load()-before)

	e.down.Store(true)
	for range 100 {
		plain, err := both.Open("record", "ann", sealed)
		require.NoError(t, err, "a process that runs does not need the vault")
		require.Equal(t, "tulip", string(plain))
		both.Seal("record", "ann", plain)
	}
	require.EqualValues(t, 2, e.calls.Load()-before)
	started, err := envelope.Open(t.Context(), path, e.vault("s.token"))
	require.ErrorIs(t, err, envelope.ErrVault)
	require.ErrorContains(t, err, "503")
	require.Nil(t, started)
	require.ErrorIs(t, envelope.AddKey(t.Context(), path, e.vault("s.token")), envelope.ErrVault)
}

func TestAddKey_MakesAFileThatOpensNothingAlone(t *testing.T) {
	e := newEngine(t)
	path := filepath.Join(t.TempDir(), "keys")
	var made []byte
	require.NoError(t, envelope.AddKey(t.Context(), path, watched{e.vault("s.token"), &made}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, made, seal.KeyLen)
	require.NotContains(t, string(text), base64.StdEncoding.EncodeToString(made)[:40])
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

// watched sees what is encrypted.
type watched struct {
	envelope.Vault
	made *[]byte
}

func (w watched) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	*w.made = bytes.Clone(key)
	return w.Vault.Encrypt(ctx, key)
}

func TestOpen_RefusesWhatItCannotReadWhole(t *testing.T) {
	e := newEngine(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, e.vault("s.token")))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = envelope.Open(t.Context(), path, e.vault("s.other"))
	require.ErrorIs(t, err, envelope.ErrVault)
	require.NotContains(t, err.Error(), "s.other")
	_, err = envelope.Open(t.Context(), filepath.Join(dir, "missing"), e.vault("s.token"))
	require.ErrorIs(t, err, os.ErrNotExist)
	other := newEngine(t)
	_, err = envelope.Open(t.Context(), path, other.vault("s.token"))
	require.ErrorIs(t, err, envelope.ErrVault, "a key of another vault")
	for name, text := range map[string]string{"empty": "", "no base64": "?\n",
		"one of two": string(good) + base64.StdEncoding.EncodeToString([]byte("x")) + "\n",
		"twice":      string(good) + string(good)} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		ring, err := envelope.Open(t.Context(), path, e.vault("s.token"))
		require.Error(t, err, name)
		require.Nil(t, ring, name)
	}
}

func TestTransit_RefusesWhatIsUnsafeOrUnclear(t *testing.T) {
	e := newEngine(t)
	redirecting := httptest.NewServer(http.RedirectHandler(e.URL, http.StatusTemporaryRedirect))
	defer redirecting.Close()
	for _, c := range []struct {
		problem string
		change  func(*envelope.Transit)
	}{
		{"needs a URL, a Key", func(v *envelope.Transit) { v.Key = "" }},
		{"needs a URL, a Key", func(v *envelope.Transit) { v.Token = nil }},
		{"needs a URL, a Key", func(v *envelope.Transit) { v.URL = "x" }},
		{"is not https", func(v *envelope.Transit) { v.URL = "http://vault.invalid:8200" }},
		{"404", func(v *envelope.Transit) { v.URL += "/v1/other" }},
		{"404", func(v *envelope.Transit) { v.Key = "../encrypt/secondgate" }},
		{"307", func(v *envelope.Transit) { v.URL = redirecting.URL }},
	} {
		v := e.vault("s.token")
		c.change(&v)
		_, err := v.Encrypt(t.Context(), []byte("key"))
		require.ErrorContains(t, err, c.problem)
	}
	require.Zero(t, e.calls.Load())
	v := e.vault("s.token")
	v.URL += "/v1/transit"
	_, err := v.Encrypt(t.Context(), []byte("key"))
	require.NoError(t, err, "the mount may be named")
	_, err = v.Decrypt(t.Context(), []byte("vault:v1:AAAA"))
	require.Error(t, err)
}
