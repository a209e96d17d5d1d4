package envelope

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/secondgate/secondgate/internal/strictb64"
	"github.com/secondgate/secondgate/secret"
)

// azureKeyVault is Azure Key Vault, or a Managed HSM.
type azureKeyVault struct {
	CloudKey
	host, path string
	token      func(context.Context) (secret.Text, error)
}

// The algorithms of an RSA key. The version of the API is one that Key Vault and Managed HSM have.
const (
	azureWrap    = "RSA-OAEP-256"
	azureSign    = "PS256"
	azureVersion = "?api-version=7.4"
)

var (
	azurePath       = regexp.MustCompile(`^/keys/[A-Za-z0-9-]+$`)
	azureKeyVersion = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// AzureKeyVault returns a vault whose key is an RSA key in Azure Key Vault or a Managed HSM. Its
// Name is the identifier without a version: https://acme.vault.azure.net/keys/secondgate.
//
// The public part of an RSA key encrypts, and more than this program may have it. So the vault
// also signs what it encrypted, together with the Name, the version and the Context, and checks the
// signature before it decrypts.
//
// It calls token for each request, for an access token for the resource https://vault.azure.net
// (https://managedhsm.azure.net) of an identity that may wrap, unwrap, sign and verify with the
// key. With the Azure SDK, token is a function that calls GetToken of an azcore.TokenCredential.
func AzureKeyVault(
	key CloudKey, token func(context.Context) (secret.Text, error),
) (Vault, error) {
	key, err := key.check()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(key.Name)
	if err != nil || u.Scheme != "https" || u.Host == "" || !azurePath.MatchString(u.Path) ||
		u.RawQuery != "" || u.User != nil || token == nil {
		return nil, errors.New("envelope: AzureKeyVault needs the identifier of a key without a " +
			"version, such as https://acme.vault.azure.net/keys/secondgate, and a function " +
			"for tokens")
	}
	return &azureKeyVault{key, "https://" + u.Host, u.Path, token}, nil
}

// azureReply is what the operations on a key reply.
type azureReply struct {
	ID    string          `json:"kid"`
	Value json.RawMessage `json:"value"`
}

// Encrypt implements [Vault]. It returns the version of the key, the wrapped key and the signature.
func (v *azureKeyVault) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	wrapped, version, err := v.call(ctx, "wrapkey", "",
		map[string]string{"alg": azureWrap, "value": azureText(key)})
	if err != nil {
		return nil, err
	}
	if !azureKeyVersion.MatchString(version) {
		return nil, errors.New("envelope: Azure Key Vault did not say which version it used")
	}
	signature, _, err := v.call(ctx, "sign", version,
		map[string]string{"alg": azureSign, "value": azureText(v.digest(version, wrapped))})
	if err != nil {
		return nil, err
	}
	return []byte(version + "." + wrapped + "." + signature), nil
}

// Decrypt implements [Vault]. It uses the version of the key that encrypted.
func (v *azureKeyVault) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	version, rest, _ := strings.Cut(string(encrypted), ".")
	wrapped, signature, ok := strings.Cut(rest, ".")
	if !ok || !azureKeyVersion.MatchString(version) {
		return nil, errors.New("envelope: this is no key that Azure Key Vault encrypted")
	}
	verified, _, err := v.call(ctx, "verify", version, map[string]string{"alg": azureSign,
		"digest": azureText(v.digest(version, wrapped)), "value": signature})
	if err != nil {
		return nil, err
	}
	if verified != "true" {
		return nil, errors.New("envelope: the signature of Azure Key Vault does not match: " +
			reasonOther)
	}
	value, _, err := v.call(ctx, "unwrapkey", version,
		map[string]string{"alg": azureWrap, "value": wrapped})
	if err != nil {
		return nil, err
	}
	key, err := strictb64.DecodeURL(value)
	if err != nil || len(key) == 0 {
		return nil, errors.New("envelope: Azure Key Vault returned no key")
	}
	return key, nil
}

// digest is what the signature is about.
func (v *azureKeyVault) digest(version, wrapped string) []byte {
	text, _ := json.Marshal([]string{string(v.bound()), version, wrapped}) // texts cannot fail
	sum := sha256.Sum256(text)
	return sum[:]
}

func azureText(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// call returns the value of a reply as text, and the version of the key that was used.
func (v *azureKeyVault) call(
	ctx context.Context, operation, version string, in any,
) (value, used string, err error) {
	names := map[string]string{"wrapkey": "encrypt a key", "sign": "sign a key",
		"verify": "verify a key", "unwrapkey": "decrypt a key"}
	var reply azureReply
	err = exchange{vault: "Azure Key Vault", operation: names[operation],
		url:    v.at(v.host, v.path+"/"+version+"/"+operation) + azureVersion,
		client: v.Client, authorize: bearer(ctx, v.token),
		code: func(_ http.Header, body []byte) string {
			var reply struct {
				Error struct {
					Code  string
					Inner struct{ Code string } `json:"innererror"`
				}
			}
			_ = json.Unmarshal(body, &reply)
			return cmp.Or(reply.Error.Inner.Code, reply.Error.Code)
		},
	}.do(ctx, in, &reply)
	if err != nil {
		return "", "", err
	}
	return strings.Trim(string(reply.Value), `"`), reply.ID[strings.LastIndexByte(reply.ID, '/')+1:],
		nil
}
