package envelope

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
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

// maxReply bounds what is read of a reply.
const maxReply = 64 << 10

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

// call sends one request. Its errors quote nothing of a reply, which may hold a key.
func (t Transit) call(
	ctx context.Context, operation string, body map[string]string,
) (*transitData, error) {
	where, err := t.endpoint(operation)
	if err != nil {
		return nil, err
	}
	token, err := t.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("envelope: the token: %w", err)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where, bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	request.Header.Set("X-Vault-Token", token.Reveal())
	request.Header.Set("Content-Type", "application/json")
	response, err := t.client().Do(request)
	if err != nil {
		return nil, fmt.Errorf("envelope: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envelope: the transit engine refused to %s: %s", operation,
			response.Status)
	}
	var reply struct{ Data transitData }
	if err := json.NewDecoder(io.LimitReader(response.Body, maxReply)).Decode(&reply); err != nil {
		return nil, fmt.Errorf("envelope: the reply of the transit engine is no JSON")
	}
	return &reply.Data, nil
}

// client returns a client that follows no redirect.
func (t Transit) client() *http.Client {
	c := *http.DefaultClient
	if t.Client != nil {
		c = *t.Client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// endpoint returns the URL of an operation.
func (t Transit) endpoint(operation string) (string, error) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Host == "" || t.Key == "" || t.Token == nil {
		return "", fmt.Errorf("envelope: Transit needs a URL, a Key and a Token")
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return "", fmt.Errorf("envelope: the URL of Transit is not https")
	}
	if strings.Trim(u.Path, "/") == "" {
		u = u.JoinPath("v1", "transit")
	}
	return u.JoinPath(operation, url.PathEscape(t.Key)).String(), nil
}
