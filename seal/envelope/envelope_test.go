package envelope_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/transittest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

const pass = transittest.Token

// vault returns the vault of a client with a token.
func vault(e *transittest.Engine, token string) envelope.Transit {
	return envelope.Transit{URL: e.URL, Key: "secondgate",
		Token: func(context.Context) (secret.Text, error) { return secret.New(token), nil }}
}

func TestOpen_AsksTheVaultOnceForEachKey(t *testing.T) {
	e := transittest.New(t)
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, vault(e, pass)))
	first, err := envelope.Open(t.Context(), path, vault(e, pass))
	require.NoError(t, err)
	sealed := first.Seal("record", "ann", []byte("tulip"))
	require.NoError(t, envelope.AddKey(t.Context(), path, vault(e, pass)))
	before := e.Calls.Load()
	both, err := envelope.Open(t.Context(), path, vault(e, pass))
	require.NoError(t, err)
	require.EqualValues(t, 2, e.Calls.Load()-before)

	e.Down.Store(true)
	for range 100 {
		plain, err := both.Open("record", "ann", sealed)
		require.NoError(t, err, "a process that runs does not need the vault")
		require.Equal(t, "tulip", string(plain))
		both.Seal("record", "ann", plain)
	}
	require.EqualValues(t, 2, e.Calls.Load()-before)
	started, err := envelope.Open(t.Context(), path, vault(e, pass))
	require.ErrorIs(t, err, envelope.ErrVault)
	require.ErrorContains(t, err, "503")
	require.Nil(t, started)
	require.ErrorIs(t, envelope.AddKey(t.Context(), path, vault(e, pass)), envelope.ErrVault)
}

func TestAddKey_MakesAFileThatOpensNothingAlone(t *testing.T) {
	e := transittest.New(t)
	path := filepath.Join(t.TempDir(), "keys")
	var made []byte
	require.NoError(t, envelope.AddKey(t.Context(), path, watched{vault(e, pass), &made}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, made, seal.KeyLen)
	require.NotContains(t, string(text), base64.StdEncoding.EncodeToString(made)[:40])
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

// An editor may leave a file without the end of its last line. The keys stay on lines of their own.
func TestAddKey_KeepsALineForEachKey(t *testing.T) {
	e := transittest.New(t)
	path := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, vault(e, pass)))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	first, err := envelope.Open(t.Context(), path, vault(e, pass))
	require.NoError(t, err)
	sealed := first.Seal("record", "ann", []byte("tulip"))
	require.NoError(t, os.WriteFile(path, bytes.TrimRight(text, "\n="), 0o600))
	require.NoError(t, envelope.AddKey(t.Context(), path, vault(e, pass)))
	both, err := envelope.Open(t.Context(), path, vault(e, pass))
	require.NoError(t, err)
	require.Equal(t, "seal.Keyring(2 keys)", both.String())
	_, err = both.Open("record", "ann", sealed)
	require.NoError(t, err)
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
	e := transittest.New(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "keys")
	require.NoError(t, envelope.AddKey(t.Context(), path, vault(e, pass)))
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = envelope.Open(t.Context(), path, vault(e, "s.other"))
	require.ErrorIs(t, err, envelope.ErrVault)
	require.NotContains(t, err.Error(), "s.other")
	_, err = envelope.Open(t.Context(), filepath.Join(dir, "missing"), vault(e, pass))
	require.ErrorIs(t, err, os.ErrNotExist)
	other := transittest.New(t)
	_, err = envelope.Open(t.Context(), path, vault(other, pass))
	require.ErrorIs(t, err, envelope.ErrVault, "a key of another vault")
	for name, text := range map[string]string{"empty": "", "no base64": "?\n",
		"one of two": string(good) + base64.StdEncoding.EncodeToString([]byte("x")) + "\n",
		"twice":      string(good) + string(good)} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		ring, err := envelope.Open(t.Context(), path, vault(e, pass))
		require.Error(t, err, name)
		require.Nil(t, ring, name)
	}
}

func TestTransit_RefusesWhatIsUnsafeOrUnclear(t *testing.T) {
	e := transittest.New(t)
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
		v := vault(e, pass)
		c.change(&v)
		_, err := v.Encrypt(t.Context(), []byte("key"))
		require.ErrorContains(t, err, c.problem)
	}
	require.Zero(t, e.Calls.Load())
	v := vault(e, pass)
	v.URL += "/v1/transit"
	_, err := v.Encrypt(t.Context(), []byte("key"))
	require.NoError(t, err, "the mount may be named")
	_, err = v.Decrypt(t.Context(), []byte("vault:v1:AAAA"))
	require.Error(t, err)
}
