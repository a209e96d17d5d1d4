package smtp_test

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/internal/done/donetest"
	"github.com/secondgate/secondgate/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var message = email.Message{To: "ann@example.com", Subject: "Your code",
	Text: secret.New("Code: 012345\n"), HTML: secret.New("<p>012345</p>")}

func send(t *testing.T, cfg smtp.Config, m email.Message) error {
	t.Helper()
	s, err := smtp.New(cfg)
	require.NoError(t, err)
	return s.Send(t.Context(), m)
}

func withPassword(cfg smtp.Config) smtp.Config {
	cfg.Username, cfg.Password = "acme", secret.New("tulip-password")
	return cfg
}

// Whatever fails, the sender learns whether to try again, whether it was the recipient,
// nothing that must not be in a log, and the connection is not left open.
func TestSend_ReportsFailures(t *testing.T) {
	for _, c := range []struct {
		verb, reply string
		code        int
		temporary   bool
		rejected    bool // permanently, and for what was sent
	}{
		{"greeting", "421 4.3.2 ann@example.com, too busy", 421, true, false},
		{"greeting", "554 go away", 554, false, false},
		{"greeting", "hang up", 0, true, false},
		{"STARTTLS", "454 no TLS just now", 454, true, false},
		{"AUTH", "535 5.7.8 tulip-password is incorrect", 535, false, false},
		{"AUTH", "454 4.7.0 cannot look it up just now", 454, true, false},
		{"MAIL", "550 no relaying for acme.example", 550, false, false},
		{"MAIL", "451 later", 451, true, false},
		{"EHLO", "550 acme.example? No.", 550, false, false},
		{"RCPT", "550 5.1.1 no such user ann@example.com", 550, false, true},
		{"RCPT", "550 no such user", 550, false, true},
		// Hotmail
		{"RCPT", "550 5.5.0 mailbox unavailable", 550, false, true},
		// Exchange
		{"RCPT", "550 5.4.1 Recipient address rejected: Access denied", 550, false, true},
		{"RCPT", "552 5.2.2 mailbox full", 552, false, true},
		{"RCPT", "556 5.1.10 null MX", 556, false, true},
		{"RCPT", "553 5.6.7 ann@example.com", 553, false, true},
		// ours: how the sender introduces itself, what it may do, and what it says
		{"RCPT", "504 5.5.2 <build-7>: Helo command rejected: need fully-qualified hostname", 504,
			false, false},
		{"RCPT", "550 5.7.1 <build-7>: Helo command rejected: Access denied", 550, false, false},
		{"RCPT", "504 5.5.2 need fully-qualified hostname", 504, false, false},
		{"RCPT", "550 <build-7>: Helo command rejected: Access denied", 550, false, false},
		{"RCPT", "554 5.7.1 <ann@example.com>: Relay access denied", 554, false, false},
		{"RCPT", "550 relay not permitted", 550, false, false}, // Exim
		{"RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
			553, false,
			false}, // qmail
		{"RCPT", "550 5.1.8 sender's domain does not exist", 550, false, false},
		{"RCPT", "550 5.1.7 invalid sender", 550, false, false},
		{"RCPT", "553 5.7.1 sender address rejected: not owned by user acme", 553, false, false},
		{"RCPT", "530 5.7.0 Authentication required", 530, false, false},
		{"RCPT", "503 5.5.1 bad sequence of commands", 503, false, false},
		{"RCPT", "554 5.7.1 blocked using a list", 554, false, false},
		{"RCPT", "521 5.3.2 host does not accept mail", 521, false, false},
		{"MAIL", "530 5.7.57 Client not authenticated to send mail", 530, false, false},
		{"body", "550 5.7.26 unauthenticated mail of acme.example", 550, false, false},
		{"body", "550 5.1.1 no such user ann@example.com", 550, false, true},
		{"body", "554 5.6.0 malformed", 554, false, true},
		{"RCPT", "450 4.2.0 greylisted", 450, true, false},
		{"RCPT", "450 4.7.1 <acme.example>: Helo command rejected: Host not found", 450, true,
			false},
		{"RCPT", "452 mailbox of ann@example.com is full", 452, true, false},
		{"RCPT", "hang up", 0, true, false},
		{"DATA", "554 no", 554, false, true},
		{"body", "552 5.3.4 too large: 012345", 552, false, true},
		{"body", "451 later", 451, true, false},
		{"body", "hang up", 0, true, false},
	} {
		t.Run(c.verb+" "+c.reply, func(t *testing.T) {
			s := (&script{replies: map[string]string{c.verb: c.reply},
				offers: []string{"AUTH PLAIN"}}).start(t)
			err := send(t, withPassword(s.config()), message)
			var e *email.SendError
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.code, e.Code, "%v", err)
			require.Equal(t, c.temporary, e.Temporary, "%v", err)
			require.Equal(t, c.rejected, e.Rejected, "%v", err)
			for _, secret := range []string{"ann@", "tulip", "012345", "acme.example"} {
				require.NotContains(t, err.Error(), secret)
			}
			s.requireEnded(t)
		})
	}
}

// What a server has accepted is sent, however it takes its leave: a second mail would come of
// it otherwise.
func TestSend_AcceptedMailIsSent(t *testing.T) {
	for _, c := range [][2]string{{"QUIT", "silence"}, {"QUIT", "hang up"}, {"QUIT", "500 what"},
		{"RSET", "502 not implemented"}, {"NOOP", "502 not implemented"}} {
		t.Run(c[0]+" "+c[1], func(t *testing.T) {
			s := (&script{replies: map[string]string{c[0]: c[1]}}).start(t)
			begun := time.Now()
			require.NoError(t, send(t, s.config(), message))
			require.Less(t, time.Since(begun), time.Minute, "nobody waits for a farewell")
			require.Contains(t, s.mail(), "Your code")
			s.requireEnded(t)
		})
	}
}

// A server that falls silent, at any point, does not hold the caller past the deadline or the
// cancellation, and the connection ends with it.
func TestSend_SilentServerDoesNotHoldTheCaller(t *testing.T) {
	for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS} {
		for _, verb := range []string{"greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT",
			"DATA", "body"} {
			if verb == "STARTTLS" && security != smtp.StartTLS {
				continue
			}
			t.Run(verb, func(t *testing.T) {
				s := (&script{security: security, replies: map[string]string{verb: "silence"},
					offers: []string{"AUTH PLAIN"}}).start(t)
				sender, err := smtp.New(withPassword(s.config()))
				require.NoError(t, err)
				ctx, deadline := donetest.Ending(t.Context())
				canceled, cancel := context.WithCancel(t.Context())
				go func() {
					<-s.quiet
					deadline()
					<-s.quiet
					cancel()
				}()
				begun := time.Now()
				err = sender.Send(ctx, message)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var e *email.SendError
				require.ErrorAs(t, err, &e)
				require.True(t, e.Temporary)
				s.requireEnded(t)

				require.ErrorIs(t, sender.Send(canceled, message), context.Canceled)
				s.requireEnded(t)
				require.Less(t, time.Since(begun), time.Minute, "of the two that Timeout allows")
			})
		}
	}
}

// A socket may notice the deadline before the context does.
func TestSend_DeadlineThatTheSocketNoticesIsTheContexts(t *testing.T) {
	s := new(script).start(t)
	sender, err := smtp.New(s.config())
	require.NoError(t, err)
	err = sender.Send(donetest.Unnoticed(t.Context()), message)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	var e *email.SendError
	require.ErrorAs(t, err, &e)
	require.True(t, e.Temporary)
}

// Without a deadline of the caller's, Timeout is the end of it.
func TestSend_TimeoutIsTheDefaultDeadline(t *testing.T) {
	s := (&script{replies: map[string]string{"MAIL": "silence"}}).start(t)
	cfg := s.config()
	cfg.Timeout = time.Second
	begun := time.Now()
	require.ErrorIs(t, send(t, cfg, message), context.DeadlineExceeded)
	require.GreaterOrEqual(t, time.Since(begun), cfg.Timeout)
}

// A password goes out over an encrypted connection only, by the mechanism the server has.
func TestSend_PasswordNeedsEncryption(t *testing.T) {
	for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS} {
		for offer, want := range map[string]string{
			"AUTH PLAIN LOGIN":   "AUTH PLAIN AGFjbWUAdHVsaXAtcGFzc3dvcmQ=",
			"AUTH LOGIN XOAUTH2": "AUTH LOGIN\nYWNtZQ==\ndHVsaXAtcGFzc3dvcmQ=", // Microsoft's
		} {
			s := (&script{security: security, offers: []string{offer}}).start(t)
			require.NoError(t, send(t, withPassword(s.config()), message))
			require.Contains(t, s.said(), want)
		}
		for _, offers := range [][]string{nil, {"AUTH XOAUTH2"}} {
			s := (&script{security: security, offers: offers}).start(t)
			var e *email.SendError
			require.ErrorAs(t, send(t, withPassword(s.config()), message), &e)
			require.False(t, e.Temporary, "%v", e)
			require.ErrorContains(t, e, "authentication")
			require.NotContains(t, s.said(), "MAIL")
		}
	}
	s := (&script{security: smtp.InsecureNoTLS, offers: []string{"AUTH PLAIN"}}).start(t)
	cfg := withPassword(s.config())
	cfg.Security = smtp.StartTLS
	var e *email.SendError
	require.ErrorAs(t, send(t, cfg, message), &e)
	require.ErrorContains(t, e, "STARTTLS")
	require.False(t, e.Temporary)
	require.NotContains(t, s.said(), "AUTH")
	require.NotContains(t, s.said(), "MAIL")
	s.requireEnded(t)
}

func TestSend_VerifiesTheCertificate(t *testing.T) {
	for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS} {
		for name, change := range map[string]func(*smtp.Config){
			"unknown authority": func(c *smtp.Config) { c.TLSConfig = nil },
			"other name": func(c *smtp.Config) {
				c.TLSConfig.ServerName = "mail.example.com"
			},
		} {
			s := (&script{security: security}).start(t)
			cfg := withPassword(s.config())
			change(&cfg)
			var e *email.SendError
			require.ErrorAs(t, send(t, cfg, message), &e, name)
			require.False(t, e.Temporary)
			require.ErrorContains(t, e, "certificate")
			require.NotContains(t, s.said(), "AUTH")
			s.requireEnded(t)
		}
	}
	s := (&script{security: smtp.StartTLS}).start(t)
	cfg := s.config()
	cfg.Security = smtp.TLS
	require.ErrorContains(t, send(t, cfg, message), "does not speak TLS")
}

func TestSend_OverIPv6(t *testing.T) {
	s := (&script{host: "::1"}).start(t)
	require.NoError(t, send(t, s.config(), message))
}

func TestSend_InParallel(t *testing.T) {
	s := (&script{security: smtp.TLS, offers: []string{"AUTH PLAIN"}}).start(t)
	sender, err := smtp.New(withPassword(s.config()))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := sender.Send(t.Context(), message); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 8, strings.Count(s.said(), "RCPT TO"))
}

func headers(t *testing.T, s *script) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(s.mail()))
	require.NoError(t, err)
	return m.Header
}

func TestSend_WritesValidHeaders(t *testing.T) {
	s := (&script{}).start(t)
	for _, from := range []string{"no-reply@acme.example", "Acme <no-reply@acme.example>",
		`"Acme \"Ü\", Inc." <no-reply@acme.example>`} {
		cfg := s.config()
		cfg.From = from
		require.NoError(t, send(t, cfg, message))
		h := headers(t, s)
		want, err := mail.ParseAddress(from)
		require.NoError(t, err)
		got, err := h.AddressList("From")
		require.NoError(t, err)
		require.Equal(t, []*mail.Address{want}, got)
		to, err := h.AddressList("To")
		require.NoError(t, err)
		require.Equal(t, []*mail.Address{{Address: "ann@example.com"}}, to)
		require.Regexp(t, `^<[A-Z2-7]{26}@acme\.example>$`, h.Get("Message-ID"),
			"of the sender's domain, not of the machine")
		require.Equal(t, "auto-generated", h.Get("Auto-Submitted"))
		date, err := h.Date()
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), date, time.Minute)
		require.Empty(t, h.Get("User-Agent")+h.Get("X-Mailer"))
	}
	// The text alone is a mail of one part.
	require.NoError(t, send(t, s.config(), email.Message{To: "ann@example.com", Subject: "x",
		Text: secret.New("x")}))
	require.Contains(t, headers(t, s).Get("Content-Type"), "text/plain")
}

// Nothing that a user types, and no configuration, adds a header or a recipient.
func TestSend_AddsNoHeaderOrRecipient(t *testing.T) {
	s := (&script{}).start(t)
	for _, m := range []email.Message{
		{To: "ann@example.com\r\nBcc: eve@example.com", Subject: "x"},
		{To: "ann@example.com\nRCPT TO:<eve@example.com>", Subject: "x"},
		{To: "ann@example.com, eve@example.com", Subject: "x"},
		{To: "Ann <ann@example.com>", Subject: "x"},
		{To: "<ann@example.com>", Subject: "x"},
		{To: "ann@example.com\x00", Subject: "x"},
		{To: "", Subject: "x"},
		{To: "ann@example.com", Subject: "x\r\nBcc: eve@example.com"},
		{To: "ann@example.com", Subject: "x\nX-Evil: 1"},
		{To: "ann@example.com", Subject: "x\rX-Evil: 1"},
	} {
		m.Text = secret.New("x")
		err := send(t, s.config(), m)
		requireRejected(t, err, "%q", m.To)
		require.NotContains(t, err.Error(), "ann")
	}
	require.Empty(t, s.said(), "refused before anything is connected to")
	for _, from := range []string{"Acme\r\nBcc: eve@example.com <a@example.com>",
		"=?utf-8?q?Acme=0D=0ABcc=3A_eve?= <a@example.com>",
		"a@example.com, b@example.com", "a@example.com\n"} {
		_, err := smtp.New(smtp.Config{Host: "mail.example.com", From: from})
		require.ErrorContains(t, err, "From", "%q", from)
	}
	require.NoError(t, send(t, s.config(), email.Message{To: "ann@example.com", Subject: "x",
		Text: secret.New("a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n")}))
	require.Equal(t, 1, strings.Count(s.said(), "MAIL FROM"))
	require.Equal(t, 1, strings.Count(s.said(), "RCPT TO"))
}

// requireRejected checks that no server will take the message, whatever is tried.
func requireRejected(t *testing.T, err error, args ...any) {
	t.Helper()
	e, ok := errors.AsType[*email.SendError](err)
	require.True(t, ok && e.Rejected && !e.Temporary, args...)
}

// A mail with a sender of its own has that in its header and its envelope, and one that would add
// a header or hide another address is not sent.
func TestSend_UsesTheSenderOfTheMail(t *testing.T) {
	s := (&script{}).start(t)
	m := message
	m.From = "Northwind <codes@northwind.example>"
	require.NoError(t, send(t, s.config(), m))
	h := headers(t, s)
	require.Equal(t, `"Northwind" <codes@northwind.example>`, h.Get("From"))
	require.Regexp(t, `@northwind\.example>$`, h.Get("Message-ID"))
	require.Contains(t, s.said(), "MAIL FROM:<codes@northwind.example>")
	for _, bad := range []string{"a@b.example\r\nBcc: x@y.example", "a@b.example, c@d.example",
		"no address", "=?utf-8?q?A=0ABcc:?= <a@b.example>"} {
		m.From = bad
		err := send(t, s.config(), m)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "b.example")
	}
}
