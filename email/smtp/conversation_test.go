package smtp_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/secret"
)

// What a server offers is read in any case and in the forms of old servers.
func TestSend_ReadsCapabilitiesInAnyCase(t *testing.T) {
	for _, ehlo := range []string{"250-localhost\r\n250-starttls\r\n250 auth login plain",
		"250-localhost\r\n250-StartTLS\r\n250 Auth Plain",
		"250-localhost\r\n250-STARTTLS \r\n250 AUTH=PLAIN",
		"250-localhost\r\n250-STARTTLS\r\n250-AUTH NTLM\r\n250 AUTH=LOGIN PLAIN",
		"250-localhost\r\n250-STARTTLS\r\n250-AUTH=LOGIN\r\n250 AUTH PLAIN"} {
		s := (&script{replies: map[string]string{"EHLO": ehlo}}).start(t)
		require.NoError(t, send(t, withPassword(s.config()), message), "%q", ehlo)
		require.Contains(t, s.said(), "AUTH PLAIN AGFjbWUAdHVsaXAtcGFzc3dvcmQ=")
	}
	s := (&script{replies: map[string]string{
		"EHLO": "250-localhost\r\n250-STARTTLS\r\n250 AUTH=LOGIN"}}).start(t)
	require.NoError(t, send(t, withPassword(s.config()), message))
	require.Contains(t, s.said(), "AUTH LOGIN\nYWNtZQ==\ndHVsaXAtcGFzc3dvcmQ=")
}

// The name in EHLO is the one that is configured, else the domain of From: never the machine's.
func TestSend_IntroducesItself(t *testing.T) {
	for _, c := range []struct{ from, helo, want string }{
		{"a@acme.example", "", "acme.example"},
		{"a@bücher.example", "", "xn--bcher-kva.example"},
		{"a@intranet", "", "[127.0.0.1]"},
		{"a@acme.example", "App.acme.example", "app.acme.example"},
		{"a@acme.example", "[192.0.2.1]", "[192.0.2.1]"},
		{"a@acme.example", "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"},
	} {
		s := (&script{}).start(t)
		cfg := s.config()
		cfg.From, cfg.HELO = c.from, c.helo
		require.NoError(t, send(t, cfg, message))
		require.Equal(t, 2, strings.Count(s.said(), "EHLO "+c.want+"\n"), "before and after TLS")
	}
	// RFC 5321 section 3.2: a server that knows no EHLO knows HELO.
	s := (&script{security: smtp.InsecureNoTLS,
		replies: map[string]string{"EHLO": "502 not implemented"}}).start(t)
	require.NoError(t, send(t, s.config(), message))
	require.Contains(t, s.said(), "HELO acme.example")
}

// What an attacker on the way says before the encryption is nobody's word after it: here, that the
// server offers an authentication (CVE-2011-0411).
func TestSend_ForgetsWhatCameBeforeTheEncryption(t *testing.T) {
	s := (&script{replies: map[string]string{
		"STARTTLS": "220 ready\r\n250-localhost\r\n250 AUTH PLAIN"}}).start(t)
	require.Error(t, send(t, withPassword(s.config()), message))
	require.NotContains(t, s.said(), "AUTH PLAIN")
}

// SMTPUTF8 is asked for when an address needs it, and not for each mail: a server on the way that
// has none would return them all.
func TestSend_AsksForUTF8WhenNeeded(t *testing.T) {
	s := (&script{offers: []string{"SMTPUTF8", "8BITMIME"}}).start(t)
	require.NoError(t, send(t, s.config(), message))
	require.Contains(t, s.said(), "MAIL FROM:<no-reply@acme.example>\n")
	m := message
	m.To = "josé@bücher.example"
	require.NoError(t, send(t, s.config(), m))
	require.Contains(t, s.said(), "MAIL FROM:<no-reply@acme.example> SMTPUTF8 BODY=8BITMIME\n"+
		"RCPT TO:<josé@xn--bcher-kva.example>\n")
	require.Equal(t, "<josé@xn--bcher-kva.example>", headers(t, s).Get("To"))

	s = (&script{}).start(t)
	err := send(t, s.config(), m)
	requireRejected(t, err)
	require.ErrorContains(t, err, "SMTPUTF8")
	require.NotContains(t, err.Error(), "jos")
	require.NotContains(t, s.said(), "MAIL")
	s.requireEnded(t)
}

// A token is fetched for each mail, and neither it nor what its source says is printed.
func TestSend_FetchesTheToken(t *testing.T) {
	s := (&script{offers: []string{"AUTH XOAUTH2 PLAIN"}}).start(t)
	cfg, tokens := s.config(), 0
	cfg.Username, cfg.Token = "acme", func(context.Context) (secret.Text, error) {
		tokens++
		return secret.New(fmt.Sprint("tulip-", tokens)), nil
	}
	sender, err := smtp.New(cfg)
	require.NoError(t, err)
	for n := range 2 {
		require.NoError(t, sender.Send(t.Context(), message))
		require.Contains(t, s.said(), "AUTH XOAUTH2 "+base64.StdEncoding.EncodeToString(
			fmt.Appendf(nil, "user=acme\x01auth=Bearer tulip-%d\x01\x01", n+1)))
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", sender, *sender, *sender), "tulip")

	failed := errors.New("tulip-password expired")
	for _, fail := range []error{failed, nil} {
		cfg.Token = func(context.Context) (secret.Text, error) { return secret.Text{}, fail }
		err = send(t, cfg, message)
		e, ok := errors.AsType[*email.SendError](err)
		require.True(t, ok && e.Temporary && !e.Rejected)
		require.Equal(t, fail != nil, errors.Is(err, failed))
		require.NotContains(t, err.Error(), "tulip")
		require.Equal(t, 2, strings.Count(s.said(), "MAIL"))
	}
}

// A server that never stops talking is cut off, and so is one that asks for ever.
func TestSend_BoundsWhatAServerSays(t *testing.T) {
	s := (&script{replies: map[string]string{
		"EHLO": strings.Repeat("250-"+strings.Repeat("x", 200)+"\r\n", 1000) + "250 fine"}}).
		start(t)
	e, ok := errors.AsType[*email.SendError](send(t, s.config(), message))
	require.True(t, ok && e.Temporary)
	s = (&script{security: smtp.InsecureNoTLS, offers: []string{"AUTH CRAM-MD5"},
		replies: map[string]string{"AUTH": "334 eA=="}, asks: 20}).start(t)
	require.Error(t, send(t, withPassword(s.config()), message))
	require.NotContains(t, s.said(), "MAIL")
	s.requireEnded(t)
}

// A server chooses how often a password is hashed. No deadline ends that, so that a server could
// have each message take a processor for ever.
func TestSend_BoundsTheIterationsOfAServer(t *testing.T) {
	for iterations, proves := range map[string]bool{"4096": true, "2000001": false,
		"9223372036854775807": false, "99999999999999999999": false, "x": false} {
		s := (&script{offers: []string{"AUTH SCRAM-SHA-256"}, iterations: iterations}).start(t)
		err := send(t, withPassword(s.config()), message)
		require.Equal(t, proves, strings.Contains(s.said(), "MAIL FROM"), iterations)
		require.Equal(t, proves, err == nil, iterations)
		s.requireEnded(t)
	}
}
