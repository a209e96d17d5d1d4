// Package clouds_test tests the vaults of package seal/envelope, and the stand-ins that the other
// tests use, against the SDKs of AWS and of Azure.
package clouds_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/cloudtest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// fromAWS returns the credentials that the AWS SDK finds: of a role, of a machine, or of a file.
func fromAWS(
	provider aws.CredentialsProvider,
) func(context.Context) (envelope.AWSCredentials, error) {
	return func(ctx context.Context) (envelope.AWSCredentials, error) {
		c, err := provider.Retrieve(ctx)
		return envelope.AWSCredentials{AccessKeyID: c.AccessKeyID,
			SecretAccessKey: secret.New(c.SecretAccessKey),
			SessionToken:    secret.New(c.SessionToken)}, err
	}
}

// fromAzure returns the access tokens of an identity that the Azure SDK finds.
func fromAzure(identity azcore.TokenCredential) func(context.Context) (secret.Text, error) {
	return func(ctx context.Context) (secret.Text, error) {
		t, err := identity.GetToken(ctx, policy.TokenRequestOptions{
			Scopes: []string{"https://vault.azure.net/.default"}})
		return secret.New(t.Token), err
	}
}

// role is what the AWS SDK has of a role.
var role = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: cloudtest.AWSAccessKeyID,
		SecretAccessKey: cloudtest.AWSSecretKey, SessionToken: cloudtest.AWSSession}, nil
})

// identity is what the Azure SDK has of an identity.
type identity struct{}

func (identity) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: cloudtest.Token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// The client of the SDK decrypts what the vault encrypted and the other way round, so that the
// vault, the client and the stand-in agree on the API.
func TestAWSKMS_AgreesWithTheSDK(t *testing.T) {
	service := cloudtest.AWS(t)
	client := kms.New(kms.Options{Region: cloudtest.AWSRegion, BaseEndpoint: &service.URL,
		Credentials: role, RetryMaxAttempts: 1})
	vault, err := envelope.AWSKMS(envelope.CloudKey{Name: cloudtest.AWSKey, URL: service.URL,
		Context: map[string]string{"tenant": "acme"}}, fromAWS(role))
	require.NoError(t, err)
	about := map[string]string{"tenant": "acme", "secondgate:purpose": "secondgate/1 envelope"}
	key := seal.GenerateKey()

	encrypted, err := vault.Encrypt(t.Context(), key)
	require.NoError(t, err)
	opened, err := client.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: encrypted,
		KeyId: aws.String(cloudtest.AWSKey), EncryptionContext: about})
	require.NoError(t, err)
	require.Equal(t, key, opened.Plaintext)
	closed, err := client.Encrypt(t.Context(), &kms.EncryptInput{Plaintext: key,
		KeyId: aws.String(cloudtest.AWSKey), EncryptionContext: about})
	require.NoError(t, err)
	again, err := vault.Decrypt(t.Context(), closed.CiphertextBlob)
	require.NoError(t, err)
	require.Equal(t, key, again)

	// The stand-in uses any key that a ciphertext names, as the service does.
	closed, err = client.Encrypt(t.Context(), &kms.EncryptInput{Plaintext: key,
		KeyId: aws.String(cloudtest.AWSOtherKey), EncryptionContext: about})
	require.NoError(t, err)
	_, err = client.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: closed.CiphertextBlob,
		EncryptionContext: about})
	require.NoError(t, err)
	_, err = vault.Decrypt(t.Context(), closed.CiphertextBlob)
	require.ErrorContains(t, err, "IncorrectKeyException")
}

// The stand-in refuses with errors that the SDK knows, and the vault reads the same codes.
func TestAWSKMS_RefusesAsTheSDKReads(t *testing.T) {
	service := cloudtest.AWS(t)
	client := kms.New(kms.Options{Region: cloudtest.AWSRegion, BaseEndpoint: &service.URL,
		Credentials: role, RetryMaxAttempts: 1})
	vault, err := envelope.AWSKMS(envelope.CloudKey{Name: cloudtest.AWSKey, URL: service.URL},
		fromAWS(role))
	require.NoError(t, err)
	for _, f := range []cloudtest.Fault{cloudtest.Disabled, cloudtest.Denied, cloudtest.Throttled,
		cloudtest.Down} {
		service.Set(f)
		_, err := client.Encrypt(t.Context(), &kms.EncryptInput{Plaintext: []byte("key"),
			KeyId: aws.String(cloudtest.AWSKey)})
		var read smithy.APIError
		require.ErrorAs(t, err, &read)
		_, err = vault.Encrypt(t.Context(), []byte("key"))
		var refused *envelope.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, read.ErrorCode(), refused.Code)
		require.NotContains(t, refused.Code, "Unknown")
	}
	service.Set(cloudtest.None)
	stranger := kms.New(kms.Options{Region: cloudtest.AWSRegion, BaseEndpoint: &service.URL,
		RetryMaxAttempts: 1, Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: cloudtest.AWSAccessKeyID,
					SecretAccessKey: "other", SessionToken: cloudtest.AWSSession}, nil
			})})
	_, err = stranger.Encrypt(t.Context(), &kms.EncryptInput{Plaintext: []byte("key"),
		KeyId: aws.String(cloudtest.AWSKey)})
	require.ErrorContains(t, err, "InvalidSignatureException")
}

func TestAzureKeyVault_AgreesWithTheSDK(t *testing.T) {
	service := cloudtest.Azure(t)
	// The SDK sends a token over TLS alone.
	secure := httptest.NewTLSServer(service.Config.Handler)
	defer secure.Close()
	client, err := azkeys.NewClient(secure.URL, identity{}, &azkeys.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: secure.Client(),
			Retry: policy.RetryOptions{MaxRetries: -1}},
		DisableChallengeResourceVerification: true})
	require.NoError(t, err)
	vault, err := envelope.AzureKeyVault(envelope.CloudKey{Name: cloudtest.AzureKey,
		URL: secure.URL, Client: secure.Client()}, fromAzure(identity{}))
	require.NoError(t, err)
	key := seal.GenerateKey()

	oaep := azkeys.EncryptionAlgorithmRSAOAEP256
	wrapped, err := client.WrapKey(t.Context(), "secondgate", "",
		azkeys.KeyOperationParameters{Algorithm: &oaep, Value: key}, nil)
	require.NoError(t, err)
	version := wrapped.KID.Version()
	encrypted, err := vault.Encrypt(t.Context(), key)
	require.NoError(t, err)
	require.Contains(t, string(encrypted), version+".")
	service.Rotate()
	for _, value := range [][]byte{wrapped.Result, wrappedIn(t, encrypted)} {
		opened, err := client.UnwrapKey(t.Context(), "secondgate", version,
			azkeys.KeyOperationParameters{Algorithm: &oaep, Value: value}, nil)
		require.NoError(t, err)
		require.Equal(t, key, opened.Result)
	}
	again, err := vault.Decrypt(t.Context(), encrypted)
	require.NoError(t, err)
	require.Equal(t, key, again)

	service.Set(cloudtest.Disabled)
	_, err = client.UnwrapKey(t.Context(), "secondgate", version,
		azkeys.KeyOperationParameters{Algorithm: &oaep, Value: wrapped.Result}, nil)
	var read *azcore.ResponseError
	require.True(t, errors.As(err, &read))
	require.Equal(t, "Forbidden", read.ErrorCode)
	_, err = vault.Decrypt(t.Context(), encrypted)
	require.ErrorContains(t, err, "403 Forbidden, KeyDisabled")
}

// wrappedIn returns the wrapped key in what the vault for Azure encrypted.
func wrappedIn(t *testing.T, encrypted []byte) []byte {
	wrapped, err := base64.RawURLEncoding.DecodeString(strings.Split(string(encrypted), ".")[1])
	require.NoError(t, err)
	return wrapped
}
