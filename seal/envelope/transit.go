package envelope

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/secondgate/secondgate/secret"
)

// Transit is the transit engine of OpenBao or HashiCorp Vault.
type Transit struct {
	// URL is the server's, such as "https://vault.example:8200", with the mount of the engine
	// below it where that is not "transit": "https://vault.example:8200/v1/other". Required, and
	// https unless the host is this machine.
	URL string
	// Key names the key in the engine, of a type that is authentic, such as aes256-gcm96.
	// Required.
	Key string
	// Token returns the token of this program, which may encrypt and decrypt with Key and nothing
	// else. It is called for each request. Required.
	Token func(ctx context.Context) (secret.Text, error)
	// Client defaults to http.DefaultClient. It follows no redirect, which would take the token
	// along. Bound the time by the context.
	Client *http.Client
}

var _ Vault = Transit{}

// Encrypt implements [Vault].
func (t Transit) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	data, err := t.call(ctx, "encrypt",
		map[string]string{"plaintext": base64.StdEncoding.EncodeToString(key)})
	if err != nil {
		return nil, err
	}
	if data.Ciphertext == "" {
		return nil, fmt.Errorf("envelope: the transit engine returned no ciphertext")
	}
	return []byte(data.Ciphertext), nil
}

// Decrypt implements [Vault].
func (t Transit) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	data, err := t.call(ctx, "decrypt", map[string]string{"ciphertext": string(encrypted)})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(data.Plaintext)
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("envelope: the transit engine returned no plaintext")
	}
	return key, nil
}

type transitData struct{ Plaintext, Ciphertext string }

// call sends one request.
func (t Transit) call(
	ctx context.Context, operation string, body map[string]string,
) (*transitData, error) {
	where, err := t.endpoint(operation)
	if err != nil {
		return nil, err
	}
	var reply struct{ Data transitData }
	err = exchange{vault: "the transit engine", operation: operation, url: where,
		client: t.Client,
		authorize: func(request *http.Request, _ []byte) error {
			token, err := t.Token(ctx)
			if err != nil {
				return fmt.Errorf("envelope: the token: %w", err)
			}
			request.Header.Set("X-Vault-Token", token.Reveal())
			return nil
		},
		code: func(http.Header, []byte) string { return "" },
	}.do(ctx, body, &reply)
	return &reply.Data, err
}

// endpoint returns the URL of an operation.
func (t Transit) endpoint(operation string) (string, error) {
	if u, err := url.Parse(t.URL); err != nil || u.Host == "" || t.Key == "" || t.Token == nil {
		return "", fmt.Errorf("envelope: Transit needs a URL, a Key and a Token")
	}
	u, err := safeURL(t.URL)
	if err != nil {
		return "", err
	}
	if strings.Trim(u.Path, "/") == "" {
		u = u.JoinPath("v1", "transit")
	}
	return u.JoinPath(operation, url.PathEscape(t.Key)).String(), nil
}
