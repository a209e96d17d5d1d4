package envelope_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/cloudtest"
	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// cloud is a cloud with its stand-in.
type cloud struct {
	name       string
	start      func(testing.TB) *cloudtest.Service
	vault      func(envelope.CloudKey) (envelope.Vault, error)
	key, other string
	// The codes of the errors.
	disabled, denied, throttled, down, foreign string
}

func awsCredentials(context.Context) (envelope.AWSCredentials, error) {
	return envelope.AWSCredentials{AccessKeyID: cloudtest.AWSAccessKeyID,
		SecretAccessKey: secret.New(cloudtest.AWSSecretKey),
		SessionToken:    secret.New(cloudtest.AWSSession)}, nil
}

func accessToken(context.Context) (secret.Text, error) { return secret.New(cloudtest.Token), nil }

func onAWS(k envelope.CloudKey) (envelope.Vault, error) {
	return envelope.AWSKMS(k, awsCredentials)
}

func onGoogle(k envelope.CloudKey) (envelope.Vault, error) {
	return envelope.GoogleKMS(k, accessToken)
}

func onAzure(k envelope.CloudKey) (envelope.Vault, error) {
	return envelope.AzureKeyVault(k, accessToken)
}

var clouds = []cloud{
	{"AWS", cloudtest.AWS, onAWS, cloudtest.AWSKey, cloudtest.AWSOtherKey, "DisabledException",
		"AccessDeniedException", "ThrottlingException", "KMSInternalException",
		"InvalidCiphertextException"},
	{"Google", cloudtest.Google, onGoogle, cloudtest.GoogleKey, cloudtest.GoogleOtherKey,
		"FAILED_PRECONDITION", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAVAILABLE",
		"INVALID_ARGUMENT"},
	{"Azure", cloudtest.Azure, onAzure, cloudtest.AzureKey, cloudtest.AzureOtherKey, "KeyDisabled",
		"Forbidden", "Throttled", "ServiceUnavailable", ""},
}

// eachCloud runs a test on each cloud. vault returns the vault of a key with a Context.
func eachCloud(t *testing.T, test func(t *testing.T, c cloud, s *cloudtest.Service,
	vault func(key string, about map[string]string) envelope.Vault)) {
	for _, c := range clouds {
		t.Run(c.name, func(t *testing.T) {
			s := c.start(t)
			test(t, c, s, func(key string, about map[string]string) envelope.Vault {
				v, err := c.vault(envelope.CloudKey{Name: key, Context: about, URL: s.URL})
				require.NoError(t, err)
				return v
			})
		})
	}
}

func acme() map[string]string { return map[string]string{"app": "shop", "tenant": "acme"} }

func TestCloud_DecryptsWhatAnOlderVersionEncrypted(t *testing.T) {
	eachCloud(t, func(t *testing.T, c cloud, s *cloudtest.Service,
		vault func(string, map[string]string) envelope.Vault) {
		path := filepath.Join(t.TempDir(), "keys")
		require.NoError(t, envelope.AddKey(t.Context(), path, vault(c.key, acme())))
		first, err := envelope.Open(t.Context(), path, vault(c.key, acme()))
		require.NoError(t, err)
		sealed := first.Seal("record", "ann", []byte("tulip"))

		s.Rotate()
		require.NoError(t, envelope.AddKey(t.Context(), path, vault(c.key, acme())))
		both, err := envelope.Open(t.Context(), path, vault(c.key, acme()))
		require.NoError(t, err)
		require.Equal(t, "seal.Keyring(2 keys)", both.String())
		plain, err := both.Open("record", "ann", sealed)
		require.NoError(t, err)
		require.Equal(t, "tulip", string(plain))
	})
}

func TestCloud_DecryptsForItsContextAndKeyAlone(t *testing.T) {
	eachCloud(t, func(t *testing.T, c cloud, _ *cloudtest.Service,
		vault func(string, map[string]string) envelope.Vault) {
		key := seal.GenerateKey()
		encrypted, err := vault(c.key, acme()).Encrypt(t.Context(), key)
		require.NoError(t, err)
		require.NotContains(t, string(encrypted), base64.RawURLEncoding.EncodeToString(key))
		opened, err := vault(c.key, acme()).Decrypt(t.Context(), encrypted)
		require.NoError(t, err)
		require.Equal(t, key, opened)

		other := acme()
		other["tenant"] = "umbrella"
		more := acme()
		more["region"] = "eu"
		for name, v := range map[string]envelope.Vault{
			"another value": vault(c.key, other),
			"another name":  vault(c.key, more),
			"no context":    vault(c.key, nil),
			"another key":   vault(c.other, acme()),
		} {
			_, err := v.Decrypt(t.Context(), encrypted)
			require.ErrorContains(t, err, "another Context", name)
			var refused *envelope.RefusedError
			if c.foreign != "" && name != "another key" {
				require.ErrorAs(t, err, &refused, name)
				require.Equal(t, c.foreign, refused.Code, name)
				require.False(t, refused.Retry, name)
			}
		}
		for i := range encrypted {
			damaged := bytes.Clone(encrypted)
			damaged[i] ^= 2 // keeps base64 what it is
			if i%7 != 0 {
				continue
			}
			_, err = vault(c.key, acme()).Decrypt(t.Context(), damaged)
			require.Error(t, err, "byte %d", i)
		}
		_, err = vault(c.key, acme()).Decrypt(t.Context(), nil)
		require.Error(t, err)
	})
}

func TestCloud_SaysWhyTheServiceRefuses(t *testing.T) {
	eachCloud(t, func(t *testing.T, c cloud, s *cloudtest.Service,
		vault func(string, map[string]string) envelope.Vault) {
		path := filepath.Join(t.TempDir(), "keys")
		require.NoError(t, envelope.AddKey(t.Context(), path, vault(c.key, nil)))
		for _, f := range []struct {
			fault  cloudtest.Fault
			code   string
			reason string
			retry  bool
		}{
			{cloudtest.Disabled, c.disabled, "disabled", false},
			{cloudtest.Denied, c.denied, "do not permit", false},
			{cloudtest.Throttled, c.throttled, "try again later", true},
			{cloudtest.Down, c.down, "", true},
		} {
			s.Set(f.fault)
			ring, err := envelope.Open(t.Context(), path, vault(c.key, nil))
			require.Nil(t, ring)
			require.ErrorIs(t, err, envelope.ErrVault)
			var refused *envelope.RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, f.code, refused.Code)
			require.Equal(t, f.retry, refused.Retry, f.code)
			require.ErrorContains(t, err, c.name)
			require.ErrorContains(t, err, f.reason)
			require.NotContains(t, err.Error(), "message of the service")
			require.ErrorIs(t, envelope.AddKey(t.Context(), path, vault(c.key, nil)),
				envelope.ErrVault, "a disabled key encrypts nothing")
		}
		s.Set(cloudtest.None)
		_, err := envelope.Open(t.Context(), path, vault(c.key, nil))
		require.NoError(t, err, "the file is as before")
	})
}

// hostile is a service that quotes the request in each part of its response.
func hostile(t *testing.T, status int) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(r.Body)
		text := strings.NewReplacer(`"`, `'`, "\n", " ", ":", " ").Replace(body.String() + " " +
			r.Header.Get("Authorization") + r.Header.Get("X-Amz-Security-Token"))
		w.Header().Set("X-Amzn-Errortype", text)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"__type": "` + text + `", "error": {"code": "` + text +
			`", "status": "` + text + `", "innererror": {"code": "` + text + `"}}}`))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestCloud_QuotesNoSecretInAnError(t *testing.T) {
	key := seal.GenerateKey()
	for _, c := range clouds {
		for _, status := range []int{200, 307, 400, 503} {
			v, err := c.vault(envelope.CloudKey{Name: c.key, URL: hostile(t, status).URL})
			require.NoError(t, err)
			_, err = v.Encrypt(t.Context(), key)
			require.Error(t, err, "%s %d", c.name, status)
			for _, text := range []string{base64.StdEncoding.EncodeToString(key),
				base64.RawURLEncoding.EncodeToString(key), cloudtest.Token,
				cloudtest.AWSSecretKey, cloudtest.AWSSession, "Signature="} {
				require.NotContains(t, err.Error(), text, "%s %d", c.name, status)
			}
		}
	}
}

func TestCloud_EndsWithTheContext(t *testing.T) {
	for _, c := range clouds {
		ctx, cancel := context.WithCancel(t.Context())
		silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = new(bytes.Buffer).ReadFrom(r.Body) // the server sees the end of the client then
			cancel()
			<-r.Context().Done()
		}))
		v, err := c.vault(envelope.CloudKey{Name: c.key, URL: silent.URL})
		require.NoError(t, err)
		_, err = v.Encrypt(ctx, seal.GenerateKey())
		require.ErrorIs(t, err, context.Canceled, c.name)
		late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
		_, err = v.Encrypt(late, seal.GenerateKey())
		require.ErrorIs(t, err, context.DeadlineExceeded, c.name)
		cancelLate()
		silent.Close()
	}
}

func TestCloud_RefusesWhatIsUnsafeOrUnclear(t *testing.T) {
	for _, c := range clouds {
		for name, key := range map[string]envelope.CloudKey{
			"no name":        {},
			"a short name":   {Name: "secondgate"},
			"a version":      {Name: c.key + "/1234"},
			"a path":         {Name: c.key + "/../other"},
			"a query":        {Name: c.key + "?x=y"},
			"no https":       {Name: c.key, URL: "http://kms.example"},
			"a user":         {Name: c.key, URL: "https://ann@kms.example"},
			"an empty name":  {Name: c.key, Context: map[string]string{"": "acme"}},
			"an empty value": {Name: c.key, Context: map[string]string{"tenant": ""}},
			"no UTF-8":       {Name: c.key, Context: map[string]string{"tenant": "\xff"}},
		} {
			v, err := c.vault(key)
			if c.name == "AWS" && name == "a version" {
				continue // the ID of a key may have any characters
			}
			require.ErrorContains(t, err, "envelope: ", "%s: %s", c.name, name)
			require.Nil(t, v)
		}
	}
	for _, name := range []string{"aws:user", "secondgate:purpose"} {
		_, err := onAWS(envelope.CloudKey{Name: cloudtest.AWSKey,
			Context: map[string]string{name: "x"}})
		require.ErrorContains(t, err, "reserved")
	}
	_, err := envelope.AWSKMS(envelope.CloudKey{Name: cloudtest.AWSKey}, nil)
	require.Error(t, err)
	_, err = envelope.GoogleKMS(envelope.CloudKey{Name: cloudtest.GoogleKey}, nil)
	require.Error(t, err)
	_, err = envelope.AzureKeyVault(envelope.CloudKey{Name: cloudtest.AzureKey}, nil)
	require.Error(t, err)
}

// An application that cannot get a token learns why, and no request is sent.
func TestCloud_ReturnsTheErrorOfTheCredentials(t *testing.T) {
	errExpired := errors.New("the session of the operator is expired")
	token := func(context.Context) (secret.Text, error) { return secret.Text{}, errExpired }
	key := func(name string) envelope.CloudKey {
		return envelope.CloudKey{Name: name, URL: "https://127.0.0.1:1"}
	}
	aws, err := envelope.AWSKMS(key(cloudtest.AWSKey),
		func(context.Context) (envelope.AWSCredentials, error) {
			return envelope.AWSCredentials{}, errExpired
		})
	require.NoError(t, err)
	google, err := envelope.GoogleKMS(key(cloudtest.GoogleKey), token)
	require.NoError(t, err)
	azure, err := envelope.AzureKeyVault(key(cloudtest.AzureKey), token)
	require.NoError(t, err)
	for _, v := range []envelope.Vault{aws, google, azure} {
		_, err := v.Encrypt(t.Context(), seal.GenerateKey())
		require.ErrorIs(t, err, errExpired)
	}
}

// Without a URL, requests go to the public endpoint of the key.
func TestCloud_FindsTheServiceByTheKey(t *testing.T) {
	for _, c := range []struct {
		vault      func(envelope.CloudKey) (envelope.Vault, error)
		name, want string
	}{
		{onAWS, cloudtest.AWSKey, "https://kms.eu-central-1.amazonaws.com/"},
		{onAWS, "arn:aws:kms:us-east-2:111122223333:alias/secondgate",
			"https://kms.us-east-2.amazonaws.com/"},
		{onAWS, "arn:aws-cn:kms:cn-north-1:111122223333:key/1234",
			"https://kms.cn-north-1.amazonaws.com.cn/"},
		{onAWS, "arn:aws-eusc:kms:eusc-de-east-1:111122223333:key/1234",
			"https://kms.eusc-de-east-1.amazonaws.eu/"},
		{onGoogle, cloudtest.GoogleKey,
			"https://cloudkms.googleapis.com/v1/" + cloudtest.GoogleKey + ":encrypt"},
		{onAzure, cloudtest.AzureKey,
			"https://acme.vault.azure.net/keys/secondgate/wrapkey?api-version=7.4"},
	} {
		var asked string
		v, err := c.vault(envelope.CloudKey{Name: c.name, Client: &http.Client{
			Transport: transport(func(r *http.Request) (*http.Response, error) {
				asked = r.URL.String()
				return nil, errors.New("no network")
			})}})
		require.NoError(t, err)
		_, err = v.Encrypt(t.Context(), seal.GenerateKey())
		require.ErrorContains(t, err, "no network")
		require.Equal(t, c.want, asked)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A caller may change its map afterwards.
func TestCloud_KeepsItsContext(t *testing.T) {
	eachCloud(t, func(t *testing.T, c cloud, _ *cloudtest.Service,
		vault func(string, map[string]string) envelope.Vault) {
		about := acme()
		v := vault(c.key, about)
		encrypted, err := v.Encrypt(t.Context(), seal.GenerateKey())
		require.NoError(t, err)
		about["tenant"] = "umbrella"
		_, err = v.Decrypt(t.Context(), encrypted)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "keys")
		require.NoError(t, os.WriteFile(path,
			[]byte(base64.StdEncoding.EncodeToString(encrypted)), 0o600))
		_, err = envelope.Open(t.Context(), path, v)
		require.NoError(t, err)
	})
}
