package clouds_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/secondgate/secondgate/internal/cloudtest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
)

// recorder keeps the bodies of the last request and its response.
type recorder struct{ request, response []byte }

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	r.request, request.Body = body, io.NopCloser(bytes.NewReader(body))
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if r.response, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(r.response))
	return response, nil
}

// The messages are those of Google's definition of the API. Its client would take longer to compile
// than all other tests of this package.
func TestGoogleKMS_SendsTheMessagesOfTheAPI(t *testing.T) {
	service := cloudtest.Google(t)
	sent := &recorder{}
	vault, err := envelope.GoogleKMS(envelope.CloudKey{Name: cloudtest.GoogleKey,
		URL: service.URL, Client: &http.Client{Transport: sent},
		Context: map[string]string{"tenant": "acme"}}, fromAzure(identity{}))
	require.NoError(t, err)
	read := func(text []byte, m proto.Message) { // refuses unknown fields
		t.Helper()
		require.NoError(t, protojson.Unmarshal(text, m), "%s", text)
	}
	const bound = `["secondgate/1 envelope","` + cloudtest.GoogleKey + `",{"tenant":"acme"}]`
	key := seal.GenerateKey()

	encrypted, err := vault.Encrypt(t.Context(), key)
	require.NoError(t, err)
	var encrypt kmspb.EncryptRequest
	read(sent.request, &encrypt)
	require.Equal(t, key, encrypt.GetPlaintext())
	require.Equal(t, bound, string(encrypt.GetAdditionalAuthenticatedData()))
	require.NotNil(t, encrypt.GetPlaintextCrc32C())
	require.NotNil(t, encrypt.GetAdditionalAuthenticatedDataCrc32C())
	var encryptedReply kmspb.EncryptResponse
	read(sent.response, &encryptedReply)
	require.Equal(t, encrypted, encryptedReply.GetCiphertext())
	require.True(t, encryptedReply.GetVerifiedPlaintextCrc32C())
	require.True(t, encryptedReply.GetVerifiedAdditionalAuthenticatedDataCrc32C())

	_, err = vault.Decrypt(t.Context(), encrypted)
	require.NoError(t, err)
	var decrypt kmspb.DecryptRequest
	read(sent.request, &decrypt)
	require.Equal(t, encrypted, decrypt.GetCiphertext())
	require.Equal(t, bound, string(decrypt.GetAdditionalAuthenticatedData()))
	require.NotNil(t, decrypt.GetCiphertextCrc32C())
	var decryptedReply kmspb.DecryptResponse
	read(sent.response, &decryptedReply)
	require.Equal(t, key, decryptedReply.GetPlaintext())
	require.NotNil(t, decryptedReply.GetPlaintextCrc32C())
}
