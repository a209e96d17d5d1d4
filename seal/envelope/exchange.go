package envelope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxReply bounds what is read of a reply.
const maxReply = 64 << 10

// exchange sends a request with JSON and reads a reply of JSON. A reply with another status than
// 200 is an error that code reads the code of. Its errors quote nothing of a reply, which may hold
// a key.
type exchange struct {
	vault, operation string
	url              string
	client           *http.Client
	// authorize adds the credentials to a request with a body.
	authorize func(request *http.Request, body []byte) error
	// code returns the vault's code of an error from the body of the response.
	code func(http.Header, []byte) string
}

func (e exchange) do(ctx context.Context, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if err := e.authorize(request, body); err != nil {
		return err
	}
	response, err := noRedirects(e.client).Do(request)
	if err != nil {
		return fmt.Errorf("envelope: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if response.StatusCode != http.StatusOK {
		return refused(e.vault, e.operation, response.StatusCode, e.code(response.Header, reply))
	}
	if err != nil {
		return fmt.Errorf("envelope: the reply of %s: %w", e.vault, err)
	}
	if json.Unmarshal(reply, out) != nil {
		return fmt.Errorf("envelope: the reply of %s is no JSON", e.vault)
	}
	return nil
}

// noRedirects returns a client that follows no redirect, which would take the credentials along.
func noRedirects(client *http.Client) *http.Client {
	c := *http.DefaultClient
	if client != nil {
		c = *client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// safeURL parses the URL of a vault.
func safeURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("envelope: the URL of the vault has another form")
	}
	local := u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, errors.New("envelope: the URL of the vault is not https")
	}
	return u, nil
}
