package smtp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/secret"
)

func token(context.Context) (secret.Text, error) { return secret.New("tulip-token"), nil }

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []struct {
		want   string
		change func(*smtp.Config)
	}{
		{"Host must be", func(c *smtp.Config) { c.Host = "" }},
		{"Host must be", func(c *smtp.Config) { c.Host = "mail.example.com:587" }},
		{"Host must be", func(c *smtp.Config) { c.Host = "mail.example.com\r\nQUIT" }},
		{"Host must be", func(c *smtp.Config) { c.Host = "[::1]" }},
		{"Host must be", func(c *smtp.Config) { c.Host = "smtp://mail.example.com" }},
		{"From must be", func(c *smtp.Config) { c.From = "" }},
		{"From must be", func(c *smtp.Config) { c.From = "nobody" }},
		{"Port is", func(c *smtp.Config) { c.Port = 65536 }},
		{"Port is", func(c *smtp.Config) { c.Port = -1 }},
		{"Timeout is", func(c *smtp.Config) { c.Timeout = 2*time.Minute + 1 }},
		{"Timeout is", func(c *smtp.Config) { c.Timeout = -time.Second }},
		{"belongs together", func(c *smtp.Config) { c.Username = "acme" }},
		{"belongs together", func(c *smtp.Config) { c.Password = secret.New("tulip") }},
		{"not encrypted", func(c *smtp.Config) {
			c.Username, c.Password, c.Security = "a", secret.New("tulip"), smtp.InsecureNoTLS
		}},
		{"exclude each other", func(c *smtp.Config) {
			c.Username, c.Password, c.Token = "a", secret.New("tulip"), token
		}},
		{"belongs together", func(c *smtp.Config) { c.Token = token }},
		{"control character", func(c *smtp.Config) {
			c.Username, c.Token = "a\x01auth=Bearer x", token
		}},
		{"not encrypted", func(c *smtp.Config) {
			c.Username, c.Token, c.Security = "a", token, smtp.InsecureNoTLS
		}},
		{"HELO must", func(c *smtp.Config) { c.HELO = "build-7" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "localhost" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "a.example\r\nMAIL FROM:<>" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "[a.example]" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "192.0.2.1" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "[2001:db8::1]" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "[192.0.2.1" }},
		{"HELO must", func(c *smtp.Config) { c.HELO = "192.0.2.1]" }},
		{"From cannot be used", func(c *smtp.Config) { c.From = "é@example.com" }},
		{"Security must be", func(c *smtp.Config) { c.Security = 3 }},
	} {
		cfg := smtp.Config{Host: "mail.example.com", From: "a@example.com"}
		_, err := smtp.New(cfg)
		require.NoError(t, err)
		c.change(&cfg)
		_, err = smtp.New(cfg)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "tulip")
	}
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		_, err := smtp.New(smtp.Config{Host: host, From: "a@example.com", Username: "a",
			Password: secret.New("b"), Security: smtp.InsecureNoTLS})
		require.NoError(t, err)
	}
}

func TestSend_WithoutServer(t *testing.T) {
	var e *email.SendError
	require.ErrorAs(t, send(t, smtp.Config{Host: "127.0.0.1", Port: freeport.Reserve(t),
		From: "a@example.com"}, message), &e)
	require.True(t, e.Temporary)
	require.Zero(t, e.Code)
	require.False(t, e.Rejected)
}

func TestParseURL_ReadsServerAndSecurity(t *testing.T) {
	for in, want := range map[string]smtp.Config{
		"smtps://acme:tulip%40p%23%2F@mail.example.com:465?from=no-reply@acme.example": {Host: "mail.example.com", Port: 465, Security: smtp.TLS,
			Username: "acme", Password: secret.New("tulip@p#/"), From: "no-reply@acme.example"},
		"smtp://mail.example.com/?from=a@example.com": {Host: "mail.example.com",
			From: "a@example.com"},
		"smtp://mail.example.com?from=a@example.com&helo=app.example.com": {
			Host: "mail.example.com", From: "a@example.com", HELO: "app.example.com"},
		"smtp+insecure://[::1]:1025?from=Acme%20%3Ca%40example.com%3E": {Host: "::1",
			Port: 1025, Security: smtp.InsecureNoTLS, From: "Acme <a@example.com>"},
		"smtp://no-reply%40example.com:tulip@example.com:587?from=a@b.example": {Host: "example.com", Port: 587, Username: "no-reply@example.com", Password: secret.New("tulip"), From: "a@b.example"},
	} {
		got, err := smtp.ParseURL(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
		_, err = smtp.New(got)
		require.NoError(t, err, in)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), "tulip")
	}
	for _, in := range []string{"", "http://x?from=a@b.example", "mail.example.com:587",
		"smtp:mail.example.com?from=a@b.example",
		"smtp://mail.example.com", "smtp://mail.example.com?from=",
		"smtp://mail.example.com?from=a@b.example&from=c@d.example",
		"smtp://mail.example.com?form=a@b.example", "smtp://mail.example.com?helo=a.example",
		"smtp://mail.example.com?from=a@b.example&helo=",
		"smtp://mail.example.com?from=a@b.example&helo=c.example&helo=d.example",
		"smtp://mail.example.com?from=a@b.example&timeout=tulip", "smtp://?from=a@b.example",
		"smtp://mail.example.com:0?from=a@b.example",
		"smtp://mail.example.com:65536?from=a@b.example",
		"smtp://:tulip@[::1?from=a@b.example", "smtp://h:tulip?from=a@b.example",
		"smtp://h/tulip?from=a@b.example",
		"smtp://u:tulip/x@h?from=a@b.example", "smtp://u:tulip?x@h?from=a@b.example",
		"smtp://u:tulip#x@h?from=a@b.example",
		"smtp://h?from=a@b.example#tulip", "smtp://u:tulip%zz@h?from=a@b.example"} {
		_, err := smtp.ParseURL(in)
		require.Error(t, err, in)
		require.NotContains(t, err.Error(), "tulip")
	}
}

// Whatever is in a Config or Sender, printing either gives no password away.
func TestPrinting_ShowsNoPassword(t *testing.T) {
	s, err := smtp.New(smtp.Config{Host: "mail.example.com", From: "a@example.com",
		Username: "acme", Password: secret.New("tulip")})
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, *s, *s), "tulip")
	j, err := json.Marshal(struct{ S any }{s})
	require.NoError(t, err)
	require.NotContains(t, string(j), "tulip")
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"smtp://user:password@mail.example.com:587?from=no-reply@example.com", "smtps://h", "smtp+insecure://[::1]:25?from=a@b", "smtp://u:p#w@h",
		"smtp://acme@h?from=a@b.example&helo=app.acme.example&security=none"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c, err := smtp.ParseURL(in)
		if err != nil {
			if u, err2 := url.Parse(in); err2 == nil && u.User != nil {
				if p, _ := u.User.Password(); len(p) > 8 && strings.Contains(err.Error(), p) {
					t.Fatalf("%q gives the password away", err)
				}
			}
			return
		}
		if c.Host == "" || c.From == "" || c.Port < 0 || c.Port > 65535 {
			t.Fatalf("accepted %q", in)
		}
		if s, err := smtp.New(c); (s == nil) == (err == nil) {
			t.Fatal("neither a sender nor an error")
		}
	})
}

func ExampleNew() {
	_, err := smtp.New(smtp.Config{Host: "mail.example.com", Username: "acme",
		Password: secret.New("secret"),
		Security: smtp.InsecureNoTLS, From: "Acme <no-reply@example.com>"})
	fmt.Println(err)
	// Output:
	// smtp: a password is not sent over a connection that is not encrypted; use StartTLS or TLS
}

func ExampleParseURL() {
	cfg, err := smtp.ParseURL("smtps://acme:s%2Fcret@mail.example.com?from=no-reply@acme.example")
	fmt.Println(cfg.Host, cfg.Security == smtp.TLS, cfg.Username, cfg.Password, err)
	// Output: mail.example.com true acme [redacted] <nil>
}

// How to distinguish a failure that will pass from an address that does not exist.
func ExampleSender_Send() {
	var err error = &email.SendError{Temporary: true, Code: 451}
	failure, ok := errors.AsType[*email.SendError](err)
	switch {
	case ok && failure.Rejected:
		fmt.Println("ask the user for another address")
	case ok && failure.Temporary:
		fmt.Println("try again later")
	default:
		fmt.Println("raise an alarm")
	}
	// Output: try again later
}
