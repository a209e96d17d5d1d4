// Package cli signs in from a terminal at a web application with a second factor, over the JSON
// API of its pages. docs/terminals.md goes through it.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Client is a user's session at an application.
type Client struct {
	// HTTP sends the session with each request: with a cookie jar, or with a token in a header.
	HTTP *http.Client
	// API is where the API is, such as "https://example.com/mfa/api/".
	API string
	// Ask prints a question to the user, and returns what the user types.
	Ask func(question string) (string, error)
}

// challenge is the part of the API's responses that a terminal needs.
type challenge struct {
	SignedIn bool     `json:"signed_in"`
	Next     string   `json:"next"`
	Options  []option `json:"options"`

	Error      string `json:"error"`
	Remaining  *int   `json:"attempts_left"`
	RetryAfter int    `json:"retry_after"`
}

type option struct {
	Kind        string `json:"kind"`
	Destination string `json:"hint"`
	Default     bool   `json:"default"`
	Sends       bool   `json:"sends"`
}

// ErrEnroll is returned for a user who has to set up a second factor, which needs a browser.
var ErrEnroll = errors.New("set up a second factor on the web site first")

// Verify passes the second factor of a user who has given the password in this session.
func (c *Client) Verify(ctx context.Context) error {
	now, err := c.call(ctx, "GET", "state", nil)
	if err != nil || now.SignedIn {
		return err
	}
	if now.Next != "verify" {
		return ErrEnroll
	}
	o := preferred(now.Options)
	question := "Code of your authenticator app: "
	if o.Sends {
		if _, err := c.call(ctx, "POST", "send", map[string]string{"kind": o.Kind}); err != nil {
			return err
		}
		question = "Code that was sent to " + o.Destination + ": "
	}
	for {
		code, err := c.Ask(question)
		if err != nil {
			return err
		}
		now, err = c.call(ctx, "POST", "verify", map[string]string{"kind": o.Kind, "code": code})
		if now.Error != "incorrect" && now.Error != "malformed" {
			return err // nil, locked, expired, unavailable
		}
		question = "That was not correct. Again: "
		if now.Remaining != nil {
			question = fmt.Sprintf("That was not correct, %d attempts remain: ", *now.Remaining)
		}
	}
}

// preferred returns the kind that the server would ask for first, of those that a terminal can
// respond to.
func preferred(list []option) (o option) {
	for _, each := range list {
		if each.Kind != "passkey" && (o.Kind == "" || each.Default) {
			o = each
		}
	}
	return o
}

// call makes a request. The response is there beside an error that it reports.
func (c *Client) call(ctx context.Context, method, path string, body any) (challenge, error) {
	var now challenge
	b, err := json.Marshal(body)
	if err != nil {
		return now, err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.API+path, bytes.NewReader(b))
	if err != nil {
		return now, err
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := c.HTTP.Do(r)
	if err != nil {
		return now, err
	}
	defer func() { _ = a.Body.Close() }()
	if err := json.NewDecoder(a.Body).Decode(&now); err != nil {
		return now, fmt.Errorf("%s %s: %s", method, path, a.Status)
	}
	switch {
	case now.RetryAfter > 0:
		return now, fmt.Errorf("%s: try again in %s", now.Error,
			time.Duration(now.RetryAfter)*time.Second)
	case now.Error != "":
		return now, errors.New(now.Error)
	}
	return now, nil
}
