package command_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// mailServer is a real SMTP server with StartTLS, which takes mail from acme with its password.
type mailServer struct {
	url, roots string
	mu         sync.Mutex
	mails      []mail
}

type mail struct{ to, text string }

func (s *mailServer) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	return &mailSession{server: s}, nil
}

type mailSession struct {
	server        *mailServer
	authenticated bool
	to            string
}

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "acme" || password != "tulip-password" {
			return errors.New("wrong password")
		}
		c.authenticated = true
		return nil
	}), nil
}

func (c *mailSession) Mail(string, *gosmtp.MailOptions) error {
	if !c.authenticated {
		return gosmtp.ErrAuthRequired
	}
	return nil
}

func (c *mailSession) Rcpt(to string, _ *gosmtp.RcptOptions) error { c.to = to; return nil }

func (c *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(quotedprintable.NewReader(r))
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.mails = append(c.server.mails, mail{c.to, string(text)})
	return err
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

// received returns the mails that came.
func (s *mailServer) received() []mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]mail(nil), s.mails...)
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	s := &mailServer{roots: filepath.Join(t.TempDir(), "roots.pem")}
	require.NoError(t, os.WriteFile(s.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: der}), 0o600))
	server := gosmtp.NewServer(s)
	server.Domain = "localhost"
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der},
		PrivateKey: key}}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	s.url = "smtp://acme:tulip-password@localhost:" + port + "?from=no-reply@acme.example"
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// mailsBy lets the operator mail recovery links by a server.
func (o *operator) mailsBy(server *mailServer) {
	o.env = append(o.env, "SECONDGATE_SMTP="+server.url, "SSL_CERT_FILE="+server.roots,
		"SECONDGATE_SETUP_URL=https://acme.example/mfa/setup", "SECONDGATE_SERVICE=Acme")
}

// opensLink opens a recovery link of ann in the application.
func (o *operator) opensLink(token string) {
	o.t.Helper()
	mails, err := email.New(email.Config{Sender: new(mfatest.Outbox[email.Message]),
		ServiceName: "Acme"})
	require.NoError(o.t, err)
	m := o.application(func(cfg *mfa.Config) { cfg.Factors = append(cfg.Factors, mails) })
	ch, err := m.Session(mfa.User{ID: "ann", Enrolled: true}, "a session").
		OpenRecoveryLink(o.t.Context(), secret.New(token))
	require.NoError(o.t, err)
	require.Equal(o.t, mfa.NextVerify, ch.Next)
}

var linkInMail = regexp.MustCompile(`https://acme\.example/mfa/setup\?token=([\w-]+)`)

// An operator mails a recovery link, and the application opens it for the user. The address that a
// user enrolled and the address of record both get it.
func TestRecoveryLink_IsMailedAndOpens(t *testing.T) {
	server := newMailServer(t)
	o := onSQLite(t)
	o.mailsBy(server)
	a := o.auditedBy(t, filepath.Join(t.TempDir(), "trail.jsonl"))
	file := filepath.Join(t.TempDir(), "users.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"id": "ann", "factors": [{"kind": "totp",`+
		`"params": {"secret": "`+key+`"}}, {"kind": "email", "params": {"address":`+
		`"ann@example.com"}}]}`), 0o600))
	o.does(act("import", file)...)

	r := o.does(act("recovery-link", "-email", "ann@work.example", "ann")...)
	require.Contains(t, r.out, "@")
	require.NotContains(t, r.out+r.messages, "ann@")
	got := server.received()
	require.Len(t, got, 2)
	require.ElementsMatch(t, []string{"ann@example.com", "ann@work.example"},
		[]string{got[0].to, got[1].to})
	found := linkInMail.FindStringSubmatch(got[0].text)
	require.NotNil(t, found, got[0].text)
	require.NotContains(t, r.out+r.messages, found[1], "the operator does not see the link")
	o.opensLink(found[1])

	require.Regexp(t, `command\.recovery-link +ann +carol +ticket 4711`,
		o.does("trail", "show").out)
	require.Zero(t, a.verify().code)
	require.Contains(t, o.run(act("recovery-link", "bob")...).messages, "record")
	require.Equal(t, 2, o.run("recovery-link", "ann").code, "it needs an operator and a reason")
	require.Len(t, server.received(), 2)
}

// What a recovery link needs is asked for before anything is sent, and no password is shown.
func TestRecoveryLink_RefusesWrongSettings(t *testing.T) {
	o := onSQLite(t)
	o.moveIn("id,otp,codes", "ann,"+key+",")
	good := map[string]string{"SECONDGATE_SMTP": "smtp://u:hunter2@localhost:1?from=a@acme.example",
		"SECONDGATE_SETUP_URL": "https://acme.example/mfa/setup", "SECONDGATE_SERVICE": "Acme"}
	for name, value := range map[string]string{"SECONDGATE_SMTP": "ftp://u:hunter2@localhost",
		"SECONDGATE_SETUP_URL": "acme.example", "SECONDGATE_SERVICE": "", "": ""} {
		o.env = nil
		for n, v := range good {
			o.env = append(o.env, n+"="+v)
		}
		want, said := 1, "no address is known"
		if name != "" {
			o.env, want, said = append(o.env, name+"="+value), 2, "see: secondgate help"
		}
		r := o.run(act("recovery-link", "ann")...)
		require.Equal(t, want, r.code, "%s: %s", name, r.messages)
		require.Contains(t, r.messages, said)
		require.NotContains(t, r.messages, "hunter2")
	}
}
