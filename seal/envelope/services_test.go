package envelope_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/cloudtest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// The signatures are those of the signer in aws-sdk-go-v2 1.48.0.
func TestSignAWS_SignsAsTheSDKDoes(t *testing.T) {
	const body = `{"KeyId":"alias/secondgate"}`
	for token, want := range map[string]string{
		"": "SignedHeaders=content-type;host;x-amz-date;x-amz-target, " +
			"Signature=a27d3a80eaa65f3b5be9c0922dd5257217d9f9676343acef1e39adcfa6b3167f",
		cloudtest.AWSSession: "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;" +
			"x-amz-target, " +
			"Signature=99f3f6b2976e49b9c8f49a277f5975c5db8a300a6507eb6c410d9a806ccc40e5",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"https://kms.eu-central-1.amazonaws.com/", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "TrentService.Encrypt")
		credentials := envelope.AWSCredentials{AccessKeyID: cloudtest.AWSAccessKeyID,
			SecretAccessKey: secret.New(cloudtest.AWSSecretKey)}
		if token != "" {
			credentials.SessionToken = secret.New(token)
		}
		envelope.SignAWS(r, []byte(body), credentials, "eu-central-1", "kms",
			time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
		require.Equal(t, "AWS4-HMAC-SHA256 Credential="+cloudtest.AWSAccessKeyID+
			"/20150830/eu-central-1/kms/aws4_request, "+want, r.Header.Get("Authorization"))
	}
}

// The service writes the encryption context to its log, and policies read it.
func TestAWSKMS_SendsTheEncryptionContext(t *testing.T) {
	s := cloudtest.AWS(t)
	v, err := onAWS(envelope.CloudKey{Name: cloudtest.AWSKey, Context: acme(), URL: s.URL})
	require.NoError(t, err)
	encrypted, err := v.Encrypt(t.Context(), seal.GenerateKey())
	require.NoError(t, err)
	const sent = `"EncryptionContext":{"app":"shop","secondgate:purpose":` +
		`"secondgate/1 envelope","tenant":"acme"},"KeyId":"` + cloudtest.AWSKey
	require.Contains(t, string(*s.Body.Load()), sent)
	_, err = v.Decrypt(t.Context(), encrypted)
	require.NoError(t, err)
	require.Contains(t, string(*s.Body.Load()), `"KeyId":"`+cloudtest.AWSKey,
		"a key of an attacker, which a ciphertext may name, is not used")
}

// The public part of an RSA key encrypts, so that what is not signed is refused.
func TestAzureKeyVault_RefusesAKeyThatItDidNotSign(t *testing.T) {
	s := cloudtest.Azure(t)
	v, err := onAzure(envelope.CloudKey{Name: cloudtest.AzureKey, URL: s.URL})
	require.NoError(t, err)
	one, err := v.Encrypt(t.Context(), seal.GenerateKey())
	require.NoError(t, err)
	two, err := v.Encrypt(t.Context(), seal.GenerateKey())
	require.NoError(t, err)
	a, b := strings.Split(string(one), "."), strings.Split(string(two), ".")
	for _, forged := range []string{a[0] + "." + b[1] + "." + a[2], a[0] + "." + a[1] + ".",
		a[0] + "." + a[1], "x" + string(one), "../../secrets." + a[1] + "." + a[2]} {
		_, err := v.Decrypt(t.Context(), []byte(forged))
		require.Error(t, err, forged)
	}
}

func TestGoogleKMS_FindsADamagedReply(t *testing.T) {
	const plain = `{"plaintext": "a2V5", "plaintextCrc32c": "1"}`
	for name, reply := range map[string]string{"plaintext": plain, "none": "{}",
		"ciphertext": `{"ciphertext": "a2V5", "ciphertextCrc32c": "1",
			"verifiedPlaintextCrc32c": true, "verifiedAdditionalAuthenticatedDataCrc32c": true}`,
		"the request": `{"ciphertext": "a2V5", "ciphertextCrc32c": "3387346428"}`,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(reply))
		}))
		v, err := onGoogle(envelope.CloudKey{Name: cloudtest.GoogleKey, URL: s.URL})
		require.NoError(t, err)
		_, err = v.Encrypt(t.Context(), []byte("key"))
		require.ErrorContains(t, err, "damaged", name)
		_, err = v.Decrypt(t.Context(), []byte("key"))
		require.ErrorContains(t, err, "damaged", name)
		s.Close()
	}
}
