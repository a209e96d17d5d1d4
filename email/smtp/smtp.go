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
// The text of mails and the authentication are those of github.com/wneessen/go-mail, which this
// package alone links.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"strings"
	"time"
	"unicode"

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
	// HELO is the name that the sender gives the server in EHLO: a domain name with a dot, or an
	// address in brackets. Servers refuse other names. Defaults to the domain of From, or to
	// [127.0.0.1] where that has no dot, so that no machine's name goes out.
	HELO string
	// Username and Password authenticate, by PLAIN, else by LOGIN, else by a challenge that both
	// sides know; empty means not to. They are never sent over a connection that is not
	// encrypted, unless Host is the local one.
	Username string
	Password secret.Text
	// Token, instead of Password, returns an OAuth 2.0 access token for Username, which
	// authenticates by XOAUTH2, else by OAUTHBEARER (RFC 7628). Google and Microsoft accept it
	// where they accept no password. It is called for each message, and returns a token that it
	// keeps until that expires. Its error is temporary, and its text is never printed.
	Token func(context.Context) (secret.Text, error)
	// From is the sender's address, with or without a name: "Acme <no-reply@example.com>". Its
	// domain also makes the Message-ID. A mail with a From of its own has that instead.
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
	cfg  Config // without the password and the token
	from string // as a header has it
	// address is the sender's address alone.
	address mailaddr.Address
	login   login
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
	from, address, err := parseFrom(cfg.From)
	if err != nil {
		return nil, err
	}
	if cfg.HELO, err = nameInEHLO(cfg.HELO, address.Domain); err != nil {
		return nil, err
	}
	cfg.TLSConfig = tlsFor(cfg.Host, cfg.TLSConfig)
	s := &Sender{from: from, address: address, login: newLogin(cfg)}
	cfg.Password, cfg.Token = secret.Text{}, nil
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
	case !cfg.Password.IsZero() && cfg.Token != nil:
		return errors.New("smtp: Password and Token exclude each other")
	case (cfg.Username == "") != (cfg.Password.IsZero() && cfg.Token == nil):
		return errors.New("smtp: Username belongs together with Password or Token")
	case strings.ContainsFunc(cfg.Username, unicode.IsControl):
		return errors.New("smtp: Username has a control character")
	case cfg.Username != "" && cfg.Security == InsecureNoTLS && !local(cfg.Host):
		return errors.New("smtp: a password is not sent over a connection that is not encrypted; " +
			"use StartTLS or TLS")
	}
	return nil
}

// nameInEHLO returns the name that a sender gives in EHLO.
func nameInEHLO(name, domain string) (string, error) {
	switch {
	case name == "" && strings.Contains(domain, "."):
		return domain, nil
	case name == "":
		return "[127.0.0.1]", nil // RFC 5321 section 4.1.4: an address, for a client without a name
	}
	literal, isLiteral := strings.CutPrefix(strings.TrimSuffix(name, "]"), "[")
	v6, isV6 := strings.CutPrefix(literal, "IPv6:")
	if ip, err := netip.ParseAddr(v6); isLiteral && strings.HasSuffix(name, "]") && err == nil &&
		ip.Is4() != isV6 && ip.Zone() == "" {
		return name, nil
	}
	a, err := mailaddr.Parse("postmaster@"+name, nil)
	if err != nil {
		return "", errors.New("smtp: HELO must be a domain name with a dot, such as " +
			"app.example.com, or an address in brackets, such as [192.0.2.1]")
	}
	return a.Domain, nil
}

// parseFrom returns the sender's address as a header has it, and the address alone.
func parseFrom(text string) (header string, sender mailaddr.Address, err error) {
	from, err := netmail.ParseAddress(text)
	// The decoded name is checked too: an encoded word can hold a line break.
	if err != nil || strings.ContainsFunc(text, unicode.IsControl) ||
		strings.ContainsFunc(from.Name, unicode.IsControl) {
		return "", sender, errors.New("smtp: From must be one address, such as " +
			"no-reply@example.com " +
			"or Acme <no-reply@example.com>")
	}
	sender, err = mailaddr.Parse(from.Address, func(string) bool { return true })
	switch {
	case err != nil:
		return "", sender, fmt.Errorf("smtp: From cannot be used: %s", detail(err))
	case sender.International():
		return "", sender, errors.New("smtp: From cannot be used: only servers with SMTPUTF8 " +
			"take letters outside ASCII before the @")
	}
	from.Address = sender.String()
	return from.String(), sender, nil
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

func notPrintable(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
