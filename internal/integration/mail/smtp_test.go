// Package mail_test sends through a real SMTP server, in process.
package mail_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// server is a real SMTP server, with TLS and authentication.
type server struct {
	host  string
	port  int
	roots *x509.CertPool
	mu    sync.Mutex
	mails []received
	fail  error // the reply to RCPT
	wire  bytes.Buffer
}

// Write keeps what goes over the wire, in both directions, where nothing encrypts it.
func (s *server) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire.Write(p)
}

// forget forgets the mails and the wire.
func (s *server) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails, s.wire = nil, bytes.Buffer{}
}

// seen returns the mails, and what went over the wire. A session may still be saying goodbye.
func (s *server) seen() ([]received, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails), s.wire.String()
}

type received struct {
	from, to, user string
	data           []byte
}

func (s *server) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return &session{s: s}, nil }

type session struct {
	s    *server
	mail received
}

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "acme" || password != "tulip-password" {
			return gosmtp.ErrAuthFailed
		}
		c.mail.user = user
		return nil
	}), nil
}
func (c *session) Mail(from string, _ *gosmtp.MailOptions) error { c.mail.from = from; return nil }
func (c *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.mail.to += to
	return c.s.fail
}
func (c *session) Data(r io.Reader) (err error) {
	if c.mail.data, err = io.ReadAll(r); err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.mails = append(c.s.mails, c.mail)
	return nil
}
func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func start(t *testing.T, security smtp.Security) *server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	s := &server{host: "localhost", roots: x509.NewCertPool()}
	s.roots.AddCert(cert)
	srv := gosmtp.NewServer(s)
	srv.Domain = "localhost"
	srv.ErrorLog = discard{}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der},
		PrivateKey: key}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.port = listener.Addr().(*net.TCPAddr).Port
	switch security {
	case smtp.TLS:
		listener = tls.NewListener(listener, config)
	case smtp.StartTLS:
		srv.TLSConfig = config
	default:
		srv.AllowInsecureAuth, srv.Debug = true, s
	}
	go func() { _ = srv.Serve(listener) }()
	t.Cleanup(func() { _ = srv.Close() })
	return s
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func (s *server) config(security smtp.Security) smtp.Config {
	return smtp.Config{Host: s.host, Port: s.port, Security: security, Username: "acme",
		Password: secret.New("tulip-password"),
		From:     "Acme <no-reply@acme.example>", TLSConfig: &tls.Config{RootCAs: s.roots},
		Timeout: 5 * time.Second}
}

var message = email.Message{To: "ann@example.com", Subject: "Ihr Code für Acme",
	Text: secret.New("Code: 012345\nschön\n"), HTML: secret.New("<p>012345 schön</p>")}

func send(t *testing.T, cfg smtp.Config, m email.Message) error {
	t.Helper()
	s, err := smtp.New(cfg)
	require.NoError(t, err)
	return s.Send(t.Context(), m)
}

func TestSend_DeliversTheMail(t *testing.T) {
	for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS, smtp.InsecureNoTLS} {
		t.Run(fmt.Sprint(security), func(t *testing.T) {
			s := start(t, security)
			require.NoError(t, send(t, s.config(security), message))
			require.Len(t, s.mails, 1)
			got := s.mails[0]
			require.Equal(t, "acme", got.user)
			require.Equal(t, "no-reply@acme.example", got.from)
			require.Equal(t, "ann@example.com", got.to)
			m, err := mail.ReadMessage(bytes.NewReader(got.data))
			require.NoError(t, err)
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			require.NoError(t, err)
			require.Equal(t, message.Subject, subject)
			from, err := m.Header.AddressList("From")
			require.NoError(t, err)
			require.Equal(t, "Acme", from[0].Name)
			require.NotEmpty(t, m.Header.Get("Message-ID"))
			_, err = m.Header.Date()
			require.NoError(t, err)
			require.Equal(t, "auto-generated", m.Header.Get("Auto-Submitted"))
			require.Empty(t, m.Header.Get("User-Agent")+m.Header.Get("X-Mailer"))
			parts := parts(t, m)
			require.Equal(t, "Code: 012345\nschön\n", strings.ReplaceAll(parts["text/plain"],
				"\r\n", "\n"))
			require.Equal(t, "<p>012345 schön</p>", strings.TrimSpace(parts["text/html"]))
		})
	}
}

func parts(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	found := map[string]string{}
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return found
		}
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, "utf-8", strings.ToLower(params["charset"]))
		body := io.Reader(p)
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		text, err := io.ReadAll(body)
		require.NoError(t, err)
		found[kind] = string(text)
	}
}

func requireError(t *testing.T, err error, temporary bool) *email.SendError {
	t.Helper()
	var e *email.SendError
	require.ErrorAs(t, err, &e)
	require.Equal(t, temporary, e.Temporary, "%v", err)
	for _, secret := range []string{"ann@", "tulip", "012345"} {
		require.NotContains(t, err.Error(), secret)
	}
	return e
}

func TestSend_ReportsRefusals(t *testing.T) {
	t.Run("incorrect password", func(t *testing.T) {
		s := start(t, smtp.StartTLS)
		cfg := s.config(smtp.StartTLS)
		cfg.Password = secret.New("tulip-other")
		requireError(t, send(t, cfg, message), false)
		require.Empty(t, s.mails)
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS} {
			s := start(t, security)
			cfg := s.config(security)
			cfg.TLSConfig = nil
			requireError(t, send(t, cfg, message), false)
			require.Empty(t, s.mails)
		}
	})
	t.Run("no STARTTLS", func(t *testing.T) {
		s := start(t, smtp.InsecureNoTLS)
		requireError(t, send(t, s.config(smtp.StartTLS), message), false)
		require.Empty(t, s.mails, "nothing is sent in the clear")
	})
	t.Run("451", func(t *testing.T) {
		s := start(t, smtp.StartTLS)
		s.fail = &gosmtp.SMTPError{Code: 451, Message: "try later, ann@example.com"}
		require.Equal(t, 451, requireError(t, send(t, s.config(smtp.StartTLS), message), true).Code)
	})
	t.Run("550", func(t *testing.T) {
		s := start(t, smtp.StartTLS)
		s.fail = &gosmtp.SMTPError{Code: 550, Message: "no such user ann@example.com"}
		err := send(t, s.config(smtp.StartTLS), message)
		require.Equal(t, 550, requireError(t, err, false).Code)
		requireRejected(t, err)
	})
	t.Run("nobody there", func(t *testing.T) {
		requireError(t, send(t, smtp.Config{Host: "127.0.0.1", Port: freeport.Reserve(t),
			From: "a@example.com"}, message), true)
	})
}

// A server that accepts and says nothing does not hold the caller past its deadline.
func TestSend_SilentServerDoesNotHoldTheCaller(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	for _, security := range []smtp.Security{smtp.StartTLS, smtp.TLS} {
		s, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port,
			Security: security, From: "a@example.com",
			Timeout: 2 * time.Minute})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begun := time.Now()
		err = s.Send(ctx, message)
		cancel()
		requireError(t, err, true)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(begun), time.Minute)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		begun = time.Now()
		err = s.Send(ctx, message)
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, time.Since(begun), time.Minute)
	}
}

func TestSend_AddsNoHeader(t *testing.T) {
	s := start(t, smtp.StartTLS)
	for _, m := range []email.Message{
		{To: "ann@example.com\r\nBcc: eve@example.com", Subject: "x", Text: secret.New("x")},
		{To: "ann@example.com, eve@example.com", Subject: "x", Text: secret.New("x")},
		{To: "ann@example.com\nRCPT TO:<eve@example.com>", Subject: "x", Text: secret.New("x")},
		{To: "", Subject: "x", Text: secret.New("x")},
		{To: "ann@example.com", Subject: "x\r\nBcc: eve@example.com", Text: secret.New("x")},
		{To: "ann@example.com", Subject: "x\nX-Evil: 1", Text: secret.New("x")},
	} {
		err := send(t, s.config(smtp.StartTLS), m)
		requireRejected(t, err)
	}
	require.Empty(t, s.mails)
	require.NoError(t, send(t, s.config(smtp.StartTLS), email.Message{To: "ann@example.com",
		Subject: "x", Text: secret.New("\r\n.\r\nMAIL FROM:<eve@example.com>\r\n")}))
	require.Len(t, s.mails, 1, "the text cannot end the mail")
	_, err := smtp.New(smtp.Config{Host: "h", From: "Acme\r\nBcc: eve@example.com <a@example.com>"})
	require.Error(t, err)
}

// What the factor makes of an internationalised address goes to the server as A-labels, in the
// envelope and in the header, whether or not the server could take others; and so does what an
// application gives the sender itself.
func TestSend_InternationalDomain(t *testing.T) {
	s := start(t, smtp.InsecureNoTLS)
	cfg := s.config(smtp.InsecureNoTLS)
	cfg.From = "Bücher <no-reply@bücher.example>"
	sender, err := smtp.New(cfg)
	require.NoError(t, err)
	f, err := email.New(email.Config{Sender: sender, ServiceName: "Acme"})
	require.NoError(t, err)
	for address, want := range map[string]string{
		"ann@bücher.example":        "ann@xn--bcher-kva.example",
		"Ann@BÜCHER.example":        "Ann@xn--bcher-kva.example",
		"ann@xn--bcher-kva.example": "ann@xn--bcher-kva.example",
		"ann@例え.テスト":                "ann@xn--r8jz45g.xn--zckzah",
		"ann@מבחן.example":          "ann@xn--5dbmtg.example",
	} {
		t.Run(address, func(t *testing.T) {
			state, _, err := f.Implied(factor.User{Email: address})
			require.NoError(t, err)
			out, err := f.Enroll(t.Context(), factor.EnrollInput{
				Params: map[string]secret.Text{"address": secret.New(address)}})
			require.NoError(t, err)
			require.Equal(t, string(state), string(out.State))
			in := factor.Message{State: state, Payload: secret.New("012345"), Purpose: "sign-in"}
			notice := factor.Message{State: out.State, Event: "factor.added", Kind: "totp"}
			for what, do := range map[string]func() error{
				"code":   func() error { return f.Deliver(t.Context(), in) },
				"notice": func() error { return f.Notify(t.Context(), notice) },
				"sender": func() error {
					return sender.Send(t.Context(), email.Message{To: address, Subject: "x",
						Text: secret.New("x")})
				},
			} {
				s.forget()
				require.NoError(t, do(), what)
				mails, wire := s.seen()
				require.Len(t, mails, 1)
				require.Equal(t, want, mails[0].to)
				require.Equal(t, "no-reply@xn--bcher-kva.example", mails[0].from)
				require.Contains(t, wire, "RCPT TO:<"+want+">\r\n", "nothing is added for SMTPUTF8")
				m, err := mail.ReadMessage(bytes.NewReader(mails[0].data))
				require.NoError(t, err)
				require.Equal(t, "<"+want+">", m.Header.Get("To"))
				require.NotRegexp(t, `[^\x00-\x7f]`, wire)
			}
		})
	}
}

// No address, whatever it holds, adds a command, a recipient or a header.
func TestSend_NoInjectionByAddress(t *testing.T) {
	s := start(t, smtp.InsecureNoTLS)
	sender, err := smtp.New(s.config(smtp.InsecureNoTLS))
	require.NoError(t, err)
	for _, before := range []string{"ann@example.com", "ann", "\"ann\"@example.com",
		"<ann@example.com>"} {
		for _, evil := range []string{"\r\nRCPT TO:<eve@example.com>", "\nBcc: eve@example.com",
			"\rBcc: eve@example.com", ">, <eve@example.com",
			", eve@example.com", ";eve@example.com", "> NOTIFY=NEVER",
			"> SIZE=1\r\nRCPT TO:<eve@example.com", "\x00", "\u2028eve@example.com",
			"\u0085eve@example.com", "(<eve@example.com>)", "%0d%0aBcc:eve@example.com",
			" eve@example.com", "@eve.example", "\"\r\n eve@example.com\"",
			"=?utf-8?q?=0D=0A?=@example.com\u010d\u010a"} {
			for _, address := range []string{before + evil, evil + before, before + evil +
				"@example.com"} {
				err := sender.Send(t.Context(), email.Message{To: address, Subject: "x",
					Text: secret.New("x")})
				if err == nil {
					continue // one address after all: the envelope says which
				}
				requireRejected(t, err, "%q", address)
				require.NotContains(t, err.Error(), "eve")
			}
		}
	}
	for _, m := range s.mails {
		require.NotEqual(t, "eve@example.com", m.to)
		require.Regexp(t, `^[!-?A-~]+@[a-z0-9.-]+$`, m.to, "one recipient")
		read, err := mail.ReadMessage(bytes.NewReader(m.data))
		require.NoError(t, err)
		require.Empty(t, read.Header.Get("Bcc"))
		to, err := read.Header.AddressList("To")
		require.NoError(t, err)
		require.Len(t, to, 1)
	}
	require.Less(t, len(s.mails), 20, "nearly all are refused")
}

// requireRejected checks that no server will take the message, whatever is tried.
func requireRejected(t *testing.T, err error, args ...any) {
	t.Helper()
	e, ok := errors.AsType[*email.SendError](err)
	require.True(t, ok && e.Rejected && !e.Temporary, args...)
}
