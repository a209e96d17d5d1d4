package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// server calls the demonstration.
type server struct {
	base        string
	connections int
	transport   http.RoundTripper
}

// user is a user of the demonstration, as /demo/people lists it.
type user struct {
	Username string            `json:"username"`
	Password string            `json:"password"`
	Email    string            `json:"email"`
	Accounts []json.RawMessage `json:"accounts"`
	secret   string            // of the authenticator app, once it is enrolled
}

// users returns the users who sign in without choosing an account.
func (s *server) users(ctx context.Context) (list []*user, err error) {
	s.transport = &http.Transport{MaxIdleConnsPerHost: s.connections}
	var all []*user
	err = s.browser().call(ctx, "GET", "/demo/people", nil, &all)
	if err != nil {
		return nil, fmt.Errorf("%w; start the server first: go run ./examples/nethttp -people 500",
			err)
	}
	for _, u := range all {
		if len(u.Accounts) == 0 {
			list = append(list, u)
		}
	}
	return list, nil
}

func (s *server) now(ctx context.Context) (time.Time, error) {
	var clock struct{ Now time.Time }
	err := s.browser().call(ctx, "GET", "/demo/clock", nil, &clock)
	return clock.Now, err
}

// advance moves the clock to the middle of the time step after the next.
func (s *server) advance(ctx context.Context) error {
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	to := now.Truncate(30 * time.Second).Add(75 * time.Second)
	return s.browser().call(ctx, "POST", "/demo/clock",
		map[string]any{"advance": to.Sub(now).String()}, nil)
}

// appCode returns the code that the user's authenticator app shows now.
func (s *server) appCode(ctx context.Context, u *user) (string, error) {
	now, err := s.now(ctx)
	if err != nil {
		return "", err
	}
	return totp.GenerateCodeCustom(u.secret, now, totp.ValidateOpts{Period: 30,
		Digits: otp.DigitsSix})
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// enroll signs a user in by e-mail and enrols an authenticator app.
func (s *server) enroll(ctx context.Context, u *user) error {
	b := s.browser()
	if err := b.password(ctx, u); err != nil {
		return err
	}
	if err := b.call(ctx, "POST", "/mfa/api/send", map[string]any{"kind": "email"},
		nil); err != nil {
		return err
	}
	var outbox []struct{ To, Text string }
	if err := b.call(ctx, "GET", "/demo/outbox", nil, &outbox); err != nil {
		return err
	}
	code := ""
	for _, m := range outbox { // the latest first
		if m.To == u.Email {
			code = sixDigits.FindString(m.Text)
			break
		}
	}
	if err := b.call(ctx, "POST", "/mfa/api/verify", map[string]any{"kind": "email", "code": code},
		nil); err != nil {
		return err
	}
	var begun struct {
		Enrollment string
		Secret     string
	}
	if err := b.call(ctx, "POST", "/mfa/api/enroll", map[string]any{"kind": "totp"},
		&begun); err != nil {
		return fmt.Errorf("%w: is it a fresh demonstration?", err)
	}
	u.secret = begun.Secret
	code, err := s.appCode(ctx, u)
	if err != nil {
		return err
	}
	return b.call(ctx, "POST", "/mfa/api/confirm", map[string]any{"enrollment": begun.Enrollment,
		"code": code}, nil)
}

// signIn signs a user in with password and code, and returns how long each step took.
func (s *server) signIn(
	ctx context.Context, u *user,
) (took [len(steps)]time.Duration, err error) {
	b := s.browser()
	code, err := s.appCode(ctx, u)
	if err != nil {
		return took, err
	}
	start := time.Now()
	if err := b.password(ctx, u); err != nil {
		return took, err
	}
	middle := time.Now()
	if err := b.call(ctx, "POST", "/mfa/api/verify", map[string]any{"kind": "totp", "code": code},
		nil); err != nil {
		return took, err
	}
	took[0], took[1], took[2] = middle.Sub(start), time.Since(middle), time.Since(start)
	var me struct{ Username string }
	if err := b.call(ctx, "GET", "/api/me", nil, &me); err != nil {
		return took, err
	}
	if me.Username != u.Username {
		return took, fmt.Errorf("signed in as %q", me.Username)
	}
	return took, nil
}

// browser has a session of its own.
type browser struct {
	base   string
	client http.Client
}

func (s *server) browser() *browser {
	jar, _ := cookiejar.New(nil) // never fails
	return &browser{s.base, http.Client{Transport: s.transport, Jar: jar, Timeout: time.Minute}}
}

func (b *browser) password(ctx context.Context, u *user) error {
	var response struct{ Next string }
	if err := b.call(ctx, "POST", "/api/login", map[string]any{"username": u.Username,
		"password": u.Password}, &response); err != nil {
		return err
	}
	if response.Next != "verify" {
		return fmt.Errorf("after the password comes %q, want \"verify\": is it a fresh "+
			"demonstration?", response.Next)
	}
	return nil
}

func (b *browser) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, reader)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(data))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}
