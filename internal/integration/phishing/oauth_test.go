package phishing_test

import (
	"encoding/json"
	"encoding/pem"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/npm"
	"github.com/secondgate/secondgate/mfa/policy"
)

// An OAuth client that knows nothing of us reads in the challenge what to ask its authorization
// server for, and is served once that was proven.
func TestRequireLevel_IsReadByAnOAuthClient(t *testing.T) {
	const dir = "testdata/oauth"
	modules := npm.Install(t, dir)
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}, KeepImplicit: true})
	b, a := verifiedBy(t, s, newRelay(t, server), "totp")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: server.Certificate().Raw}), 0o600))
	ask := func(path string) string {
		var cookies []string
		for _, c := range b.client.Jar.Cookies(&url.URL{Scheme: "https", Host: realHost,
			Path: "/"}) {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
		cmd := exec.CommandContext(t.Context(), "node", filepath.Join(dir, "challenge.mjs"),
			modules, server.URL+path, strings.Join(cookies, "; "))
		cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	var read []struct {
		Scheme     string            `json:"scheme"`
		Parameters map[string]string `json:"parameters"`
	}
	require.NoError(t, json.Unmarshal([]byte(ask("/resistant")), &read))
	require.Len(t, read, 1)
	require.Equal(t, "bearer", read[0].Scheme)
	require.Equal(t, "insufficient_user_authentication", read[0].Parameters["error"])
	require.Equal(t, "phr", read[0].Parameters["acr_values"])
	require.Equal(t, "300", read[0].Parameters["max_age"])
	b.api("step-up", "purpose", "step-up")
	a.prove("passkey")
	require.Equal(t, "served", ask("/resistant"))
}
