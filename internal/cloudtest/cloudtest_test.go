package cloudtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/cloudtest"
)

// post returns the status and the body of a response to a request with an access token.
func post(t *testing.T, s *cloudtest.Service, path, token, body string) (int, string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path,
		strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := s.Client().Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}

// Package internal/integration/clouds has what the SDK of AWS says of the stand-in.
func TestAWS_RefusesARequestWithoutASignature(t *testing.T) {
	s := cloudtest.AWS(t)
	status, body := post(t, s, "/", cloudtest.Token, `{}`)
	require.Equal(t, 400, status)
	require.Contains(t, body, "MissingAuthenticationTokenException")
}

func TestGoogle_RefusesAsTheRealOneDoes(t *testing.T) {
	s := cloudtest.Google(t)
	const key, token = "/v1/" + cloudtest.GoogleKey, cloudtest.Token
	for _, c := range []struct {
		path, token, body string
		status            int
		code              string
	}{
		{key + ":encrypt", token, `{"plaintext": "a2V5"}`, 200, "cryptoKeyVersions/1"},
		{key + ":encrypt", "other", `{"plaintext": "a2V5"}`, 401, "UNAUTHENTICATED"},
		{key + "2:encrypt", token, `{"plaintext": "a2V5"}`, 404, "NOT_FOUND"},
		{key + ":sign", token, `{}`, 404, "NOT_FOUND"},
		{key + ":encrypt", token, `{"text": "a2V5"}`, 400, "INVALID_ARGUMENT"},
		{key + ":encrypt", token, `{"plaintext": "a2V5", "plaintextCrc32c": "1"}`, 400,
			"INVALID_ARGUMENT"},
		{key + ":decrypt", token, `{"ciphertext": "a2V5"}`, 400, "INVALID_ARGUMENT"},
	} {
		status, body := post(t, s, c.path, c.token, c.body)
		require.Equal(t, c.status, status, c.path+c.body)
		require.Contains(t, body, c.code)
	}
}

func TestAzure_RefusesAsTheRealOneDoes(t *testing.T) {
	s := cloudtest.Azure(t)
	const key, token = "/keys/secondgate", cloudtest.Token
	const wrap = `{"alg": "RSA-OAEP-256", "value": "a2V5"}`
	for _, c := range []struct {
		path, token, body string
		status            int
		code              string
	}{
		{key + "/wrapkey?api-version=7.4", token, wrap, 200, "/keys/secondgate/0000"},
		{key + "//wrapkey?api-version=7.4", token, wrap, 200, "/keys/secondgate/0000"},
		{key + "/wrapkey?api-version=7.4", "other", wrap, 401, "Unauthorized"},
		{key + "/wrapkey", token, wrap, 400, "BadParameter"},
		{key + "2/wrapkey?api-version=7.4", token, wrap, 404, "KeyNotFound"},
		{key + "/ffff/wrapkey?api-version=7.4", token, wrap, 404, "KeyNotFound"},
		{key + "/wrapkey?api-version=7.4", token, `{"alg": "A256KW", "value": "a2V5"}`, 400,
			"BadParameter"},
		{key + "/unwrapkey?api-version=7.4", token, wrap, 400, "BadParameter"},
	} {
		status, body := post(t, s, c.path, c.token, c.body)
		require.Equal(t, c.status, status, c.path+c.body)
		require.Contains(t, body, c.code)
	}
	s.Set(cloudtest.Disabled)
	status, _ := post(t, s, key+"/wrapkey?api-version=7.4", token, wrap)
	require.Equal(t, 200, status, "a disabled key wraps")
	status, body := post(t, s, key+"/sign?api-version=7.4", token,
		`{"alg": "PS256", "value": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}`)
	require.Equal(t, 403, status)
	require.Contains(t, body, "KeyDisabled")
}
