package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/mfa/factor"
)

// Sending through a real server is in internal/integration/mail.

func TestConfigIsRefusedWithASentence(t *testing.T) {
	good := smtp.Config{Host: "mail.example.com", From: "a@example.com"}
	for name, change := range map[string]func(*smtp.Config){
		"Host":            func(c *smtp.Config) { c.Host = "" },
		"From":            func(c *smtp.Config) { c.From = "nobody" },
		"Port is":         func(c *smtp.Config) { c.Port = 70000 },
		"Timeout is":      func(c *smtp.Config) { c.Timeout = time.Hour },
		"belong together": func(c *smtp.Config) { c.Username = "acme" },
		"not encrypted":   func(c *smtp.Config) { c.Username, c.Password, c.Security = "a", "b", smtp.InsecureNoTLS },
		"Security":        func(c *smtp.Config) { c.Security = 9 },
	} {
		cfg := good
		change(&cfg)
		_, err := smtp.New(cfg)
		require.ErrorContains(t, err, name)
	}
}

// What cannot be sent is refused before anything is connected to, and nobody there is a
// temporary failure within the deadline.
func TestRefusedBeforeConnecting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	s, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: port, From: "a@example.com"})
	require.NoError(t, err)
	for _, m := range []email.Message{{To: "ann@example.com\r\nBcc: eve@example.com"}, {To: "ann@example.com", Subject: "a\nb"}, {}} {
		require.ErrorIs(t, s.Send(t.Context(), m), email.ErrRejected)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var e *smtp.Error
	require.ErrorAs(t, s.Send(ctx, email.Message{To: "ann@example.com", Text: "x"}), &e)
	require.True(t, e.Temporary)
}

func TestParseURL(t *testing.T) {
	c, err := smtp.ParseURL("smtps://acme:tulip%40pw@mail.example.com:465?from=no-reply@acme.example")
	require.NoError(t, err)
	require.Equal(t, smtp.Config{Host: "mail.example.com", Port: 465, Security: smtp.TLS, Username: "acme", Password: factor.Secret("tulip@pw"), From: "no-reply@acme.example"}, c)
	require.NotContains(t, fmt.Sprintf("%+v", c), "tulip")
	for _, u := range []string{"", "http://x", "smtp://mail.example.com", "smtp://:tulip@[::1", "smtp://h:tulip"} {
		_, err := smtp.ParseURL(u)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "tulip")
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("smtp://user:password@mail.example.com:587?from=no-reply@example.com")
	f.Fuzz(func(t *testing.T, u string) {
		c, err := smtp.ParseURL(u)
		if err == nil {
			_, _ = smtp.New(c)
		}
	})
}

func ExampleNew() {
	_, err := smtp.New(smtp.Config{Host: "mail.example.com", Username: "acme", Password: "secret",
		Security: smtp.InsecureNoTLS, From: "Acme <no-reply@example.com>"})
	fmt.Println(errors.Unwrap(err), err)
	// Output: <nil> smtp: a password is not sent over a connection that is not encrypted; use StartTLS or TLS
}
