// Package smtp sends the mails of package email through an SMTP server: encrypted by
// default, with authentication, timeouts that hold, and a text and an HTML part.
//
//	sender, err := smtp.New(smtp.Config{Host: "mail.example.com", Username: "acme",
//		Password: secret, From: "Acme <no-reply@example.com>"})
//
// A failure is an [*email.SendError], which says whether to try again, and whether the server
// rejects this mail permanently. Send does not retry: a code is valid for a minute or two, and the
// user has a button that sends another.
//
// It is built on github.com/wneessen/go-mail, which this package alone links.
package smtp

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/mailaddr"
	"github.com/secondgate/secondgate/secret"
)

// Security says how the connection is encrypted.
type Security uint8

const (
	// StartTLS upgrades a plain connection and refuses a server that cannot (RFC 3207).
	StartTLS Security = iota
	// TLS is encrypted from the first byte (RFC 8314 section 3.3).
	TLS
	// InsecureNoTLS sends codes that anyone on the way can read. For a server on this host.
	InsecureNoTLS
)

const defaultTimeout = 15 * time.Second

// Config configures a Sender. Host and From are required.
type Config struct {
	// Host is the name of the server, or its IP address; its certificate must be for it.
	Host string
	// Port defaults to 587 for StartTLS, 465 for TLS, 25 for InsecureNoTLS.
	Port int
	// Security defaults to StartTLS, mandatory.
	Security Security
	// Username and Password authenticate, by PLAIN, else by LOGIN, else by a challenge that both
	// sides know; empty means not to. They are never sent over a connection that is not
	// encrypted, unless Host is the local one.
	Username string
	Password secret.Text
	// From is the sender's address, with or without a name: "Acme <no-reply@example.com>". Its
	// domain also makes the Message-ID, so that no machine's name goes out.
	// A mail with a From of its own has that instead.
	From string
	// Timeout bounds each sending. Defaults to 15 seconds. Must be at most 2 minutes. An earlier
	// deadline of the context holds.
	Timeout time.Duration
	// TLSConfig is for private authorities; nil verifies with the system's. ServerName is Host
	// unless it is set.
	TLSConfig *tls.Config
}

// Sender is an email.Sender. It opens a connection for each message and keeps none. It is safe
// for concurrent use.
type Sender struct {
	cfg  Config // without the password
	from string // as a header has it
	// domain is the part of the sender's address after the @.
	domain string
	// login has the password in closures: fmt does not ask a Secret in an unexported field how
	// it wants to be printed.
	login []mail.Option
}

var _ email.Sender = (*Sender)(nil)

// New returns a Sender, or an error that names the field of cfg that is not valid. It does not
// connect.
func New(cfg Config) (*Sender, error) {
	if cfg.Port == 0 {
		cfg.Port = map[Security]int{StartTLS: 587, TLS: 465, InsecureNoTLS: 25}[cfg.Security]
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if err := cfg.checkServer(); err != nil {
		return nil, err
	}
	if err := cfg.checkLogin(); err != nil {
		return nil, err
	}
	from, domain, err := parseFrom(cfg.From)
	if err != nil {
		return nil, err
	}
	cfg.TLSConfig = tlsFor(cfg.Host, cfg.TLSConfig)
	s := &Sender{from: from, domain: domain, login: login(cfg)}
	cfg.Password = secret.Text{}
	s.cfg = cfg
	return s, nil
}

// checkServer decides whether Host, Security, Port and Timeout name a server.
func (cfg *Config) checkServer() error {
	switch {
	case !validHost(cfg.Host):
		return errors.New(
			"smtp: Host must be the name of a mail server, such as mail.example.com; " +
				"a port goes into Port")
	case cfg.Security > InsecureNoTLS:
		return errors.New("smtp: Security must be StartTLS, TLS or InsecureNoTLS")
	case cfg.Port < 1 || cfg.Port > 65535:
		return fmt.Errorf("smtp: Port is %d, want 1 to 65535", cfg.Port)
	case cfg.Timeout < time.Second || cfg.Timeout > 2*time.Minute:
		return fmt.Errorf("smtp: Timeout is %s, want 1s to 2m", cfg.Timeout)
	}
	return nil
}

func validHost(host string) bool {
	if strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return false
	}
	return host != "" && !strings.ContainsAny(host, "/@[]") &&
		!strings.ContainsFunc(host, notPrintable)
}

// checkLogin decides whether a password is there when it is needed, and stays off the wire
// when the wire can be read.
func (cfg *Config) checkLogin() error {
	switch {
	case (cfg.Username == "") != cfg.Password.IsZero():
		return errors.New("smtp: Username and Password belong together")
	case cfg.Username != "" && cfg.Security == InsecureNoTLS && !local(cfg.Host):
		return errors.New("smtp: a password is not sent over a connection that is not encrypted; " +
			"use StartTLS or TLS")
	}
	return nil
}

// parseFrom returns the sender's address as a header has it, and its domain.
func parseFrom(text string) (header, domain string, err error) {
	from, err := netmail.ParseAddress(text)
	// The decoded name is checked too: an encoded word can hold a line break.
	if err != nil || strings.ContainsFunc(text, unicode.IsControl) ||
		strings.ContainsFunc(from.Name, unicode.IsControl) {
		return "", "", errors.New("smtp: From must be one address, such as no-reply@example.com " +
			"or Acme <no-reply@example.com>")
	}
	sender, err := mailaddr.Parse(from.Address, func(string) bool { return true })
	if err != nil {
		return "", "", fmt.Errorf("smtp: From cannot be used: %s", detail(err))
	}
	from.Address = sender.String()
	return from.String(), sender.Domain, nil
}

// tlsFor returns a copy of c that verifies host and speaks nothing older than TLS 1.2.
func tlsFor(host string, c *tls.Config) *tls.Config {
	if c = c.Clone(); c == nil {
		c = &tls.Config{}
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12) // RFC 8996
	return c
}

func login(cfg Config) []mail.Option {
	if cfg.Username == "" {
		return nil
	}
	mechanisms := []mail.SMTPAuthType{mail.SMTPAuthPlain, mail.SMTPAuthLogin}
	if cfg.Security == InsecureNoTLS {
		// New has seen to it that the server is on this host. Those above refuse when the
		// connection is not encrypted.
		mechanisms = []mail.SMTPAuthType{mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc}
	}
	return []mail.Option{mail.WithOpportunisticSMTPAuth(mechanisms...),
		mail.WithUsername(cfg.Username), mail.WithPassword(cfg.Password.Reveal())}
}

func notPrintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
