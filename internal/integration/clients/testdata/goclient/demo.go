package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/secondgate/secondgate/internal/integration/clients/testdata/goclient/api"
)

// client is the generated client, with what the demonstration has beside the API: a password, an
// outbox and a clock.
type client struct {
	*api.ClientWithResponses
	ctx                             context.Context
	http                            *http.Client
	base, username, password, email string
}

func newClient(base, username, password, email string) *client {
	jar, err := cookiejar.New(nil)
	must(err)
	c := &client{ctx: context.Background(), http: &http.Client{Jar: jar, Timeout: time.Minute},
		base: base, username: username, password: password, email: email}
	c.ClientWithResponses, err = api.NewClientWithResponses(base+"/mfa",
		api.WithHTTPClient(c.http))
	must(err)
	return c
}

// call calls a route of the application itself.
func (c *client) call(method, path string, body, into any) {
	data, err := json.Marshal(body)
	must(err)
	r, err := http.NewRequestWithContext(c.ctx, method, c.base+path, bytes.NewReader(data))
	must(err)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	must(err)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		log.Fatalf("%s %s: %s", method, path, response.Status)
	}
	must(json.NewDecoder(response.Body).Decode(into))
}

// login passes the first factor.
func (c *client) login() {
	c.call("POST", "/api/login", map[string]string{"username": c.username,
		"password": c.password}, new(any))
}

// mail finds a pattern in the latest mail that has it; a notice may have come after it.
func (c *client) mail(pattern *regexp.Regexp) string {
	var list []struct{ To, Text string }
	c.call("GET", "/demo/outbox", nil, &list)
	for _, m := range list {
		if found := pattern.FindStringSubmatch(m.Text); found != nil && m.To == c.email {
			return found[1]
		}
	}
	log.Fatalf("no mail has %s", pattern)
	return ""
}

var codeForm, tokenForm = regexp.MustCompile(`\b(\d{6})\b`), regexp.MustCompile(`token=(\S+)`)

func (c *client) mailedCode() string { return c.mail(codeForm) }

func (c *client) mailedToken() string {
	token, err := url.QueryUnescape(c.mail(tokenForm))
	must(err)
	return token
}

func (c *client) advance(by string) {
	c.call("POST", "/demo/clock", map[string]string{"advance": by}, new(any))
}

// appCode returns what an authenticator app shows now.
func (c *client) appCode(secret string) string {
	var clock struct{ Now time.Time }
	c.call("GET", "/demo/clock", nil, &clock)
	code, err := totp.GenerateCode(secret, clock.Now)
	must(err)
	return code
}

func must(err error) {
	if err != nil {
		log.Output(2, err.Error()) //nolint:errcheck // the next line ends the program
		log.Fatal("failed")
	}
}

// ok returns the body of a response with status 200.
func ok[T any](body *T, raw []byte) *T {
	if body == nil {
		log.Panicf("not 200: %s", raw)
	}
	return body
}

// isError expects an error code.
func isError(body *api.Error, raw []byte, code api.ErrorError) *api.Error {
	if body == nil || body.Error != code {
		log.Panicf("%s, want %s", raw, code)
	}
	return body
}

func equal[T comparable](got, want T) {
	if got != want {
		log.Panicf("%v, want %v", got, want)
	}
}
