package transittest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/transittest"
)

// The stand-in refuses as the engine does.
func TestEngine_RefusesAsTheRealOneDoes(t *testing.T) {
	e := transittest.New(t)
	post := func(operation, token, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			e.URL+"/v1/transit/"+operation, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("X-Vault-Token", token)
		response, err := e.Client().Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	const token = transittest.Token
	require.Equal(t, 200, post("encrypt/secondgate", token, `{"plaintext": "a2V5"}`))
	require.Equal(t, 403, post("encrypt/secondgate", "s.other", `{"plaintext": "a2V5"}`))
	require.Equal(t, 404, post("encrypt/other", token, `{"plaintext": "a2V5"}`))
	require.Equal(t, 400, post("encrypt/secondgate", token, `{"plaintext": "%"}`))
	require.Equal(t, 400, post("decrypt/secondgate", token, `{"ciphertext": "vault:v1:a2V5"}`))
	require.Equal(t, 400, post("decrypt/secondgate", token, `none`))
	e.Down.Store(true)
	require.Equal(t, 503, post("encrypt/secondgate", token, `{"plaintext": "a2V5"}`))
}
