// Package smtp sends the mails of package email through an SMTP server: encrypted unless told
// otherwise, with authentication, timeouts that are kept, and a text and an HTML part.
//
//	sender, err := smtp.New(smtp.Config{Host: "mail.example.com", Username: "acme", Password: secret, From: "Acme <no-reply@example.com>"})
//
// It is built on github.com/wneessen/go-mail, which this package alone links.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
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
	// Host is the name of the server; its certificate must be for it.
	Host string
	// Port defaults to 587 for StartTLS, 465 for TLS, 25 for InsecureNoTLS.
	Port int
	// Security defaults to StartTLS, mandatory.
	Security Security
	// Username and Password authenticate; empty means not to. They are never sent over a
	// connection that is not encrypted, unless Host is the local one.
	Username string
	Password factor.Secret
	// From is the sender's address, with or without a name.
	From string
	// Timeout bounds each sending; default 15 s, at most 2 minutes. An earlier deadline of the
	// context holds.
	Timeout time.Duration
	// TLSConfig is for private authorities; nil verifies with the system's. ServerName is Host
	// unless it is set.
	TLSConfig *tls.Config
}

// Sender is an email.Sender. It opens a connection for each message and keeps none. It is safe
// for concurrent use.
type Sender struct {
	cfg  Config
	from *netmail.Address
}

var _ email.Sender = (*Sender)(nil)

// Error is a failure to send. It holds no recipient, text or password.
type Error struct {
	// Temporary says that trying again later may help.
	Temporary bool
	// Code is the server's reply (RFC 5321 section 4.2), 0 if the failure was before one.
	Code int
	err  error
}

func (e *Error) Error() string {
	kind := "permanent"
	if e.Temporary {
		kind = "temporary"
	}
	if e.Code != 0 {
		return fmt.Sprintf("smtp: %s failure, reply %d", kind, e.Code)
	}
	return fmt.Sprintf("smtp: %s failure: %v", kind, e.err)
}

// Unwrap makes a permanent refusal of the message an email.ErrRejected, and a context's error
// detectable.
func (e *Error) Unwrap() error { return e.err }

// New returns a Sender, or an error that says what is wrong with cfg. It does not connect.
func New(cfg Config) (*Sender, error) {
	if cfg.Host == "" || strings.ContainsAny(cfg.Host, " \r\n/") {
		return nil, errors.New("smtp: Host must be the name of a mail server")
	}
	if cfg.Security > InsecureNoTLS {
		return nil, errors.New("smtp: Security must be StartTLS, TLS or InsecureNoTLS")
	}
	if cfg.Port == 0 {
		cfg.Port = map[Security]int{StartTLS: 587, TLS: 465, InsecureNoTLS: 25}[cfg.Security]
	}
	if cfg.Port < 1 || cfg.Port > 65535 {
		return nil, fmt.Errorf("smtp: Port is %d, want 1 to 65535", cfg.Port)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Timeout < time.Second || cfg.Timeout > 2*time.Minute {
		return nil, fmt.Errorf("smtp: Timeout is %s, want 1s to 2m", cfg.Timeout)
	}
	if (cfg.Username == "") != (cfg.Password == "") {
		return nil, errors.New("smtp: Username and Password belong together")
	}
	if cfg.Username != "" && cfg.Security == InsecureNoTLS && !local(cfg.Host) {
		return nil, errors.New("smtp: a password is not sent over a connection that is not encrypted; use StartTLS or TLS")
	}
	if strings.ContainsAny(cfg.From, "\r\n") {
		return nil, errors.New("smtp: From must be one address, such as no-reply@example.com")
	}
	from, err := netmail.ParseAddress(cfg.From)
	if err != nil {
		return nil, errors.New("smtp: From must be one address, such as no-reply@example.com")
	}
	return &Sender{cfg: cfg, from: from}, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ParseURL reads a Config from a URL, as command lines and environments have them:
//
//	smtp://user:password@mail.example.com:587?from=no-reply@example.com    StartTLS
//	smtps://user:password@mail.example.com:465?from=no-reply@example.com   TLS
//	smtp+insecure://localhost:1025?from=no-reply@example.com               no encryption
//
// Its errors do not hold the URL, which has the password.
func ParseURL(s string) (Config, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Config{}, errors.New("smtp: not a URL; want smtp://user:password@host:587?from=address")
	}
	c := Config{Host: u.Hostname(), From: u.Query().Get("from")}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		c.Security = TLS
	case "smtp+insecure":
		c.Security = InsecureNoTLS
	default:
		return Config{}, errors.New("smtp: the scheme must be smtp, smtps or smtp+insecure")
	}
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil {
			return Config{}, errors.New("smtp: the port is not a number")
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		c.Username, c.Password = u.User.Username(), factor.Secret(password)
	}
	if c.From == "" {
		return Config{}, errors.New("smtp: the URL needs ?from=address")
	}
	return c, nil
}

// Send implements email.Sender. Its errors are *Error.
func (s *Sender) Send(ctx context.Context, m email.Message) error {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(s.from.Name, s.from.Address); err != nil {
		return &Error{err: errors.New("the sender's address is refused")}
	}
	if err := msg.To(m.To); err != nil || strings.ContainsAny(m.To, "\r\n") {
		return &Error{err: fmt.Errorf("%w: not an address", email.ErrRejected)}
	}
	if strings.ContainsAny(m.Subject, "\r\n") {
		return &Error{err: fmt.Errorf("%w: a subject is one line", email.ErrRejected)}
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
	msg.SetBodyString(mail.TypeTextPlain, m.Text.Reveal())
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML.Reveal())
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.deliver(ctx, msg); err != nil {
		return classify(ctx, err)
	}
	return nil
}

// deliver dials and sends. go-mail's own timeouts do not look at the context, so the
// connection is one that ends with it.
func (s *Sender) deliver(ctx context.Context, msg *mail.Msg) error {
	tlsConfig := s.cfg.TLSConfig.Clone()
	if tlsConfig == nil {
		tlsConfig = &tls.Config{}
	}
	if tlsConfig.ServerName == "" {
		tlsConfig.ServerName = s.cfg.Host
	}
	tlsConfig.MinVersion = max(tlsConfig.MinVersion, tls.VersionTLS12)
	opts := []mail.Option{mail.WithPort(s.cfg.Port), mail.WithTimeout(s.cfg.Timeout), mail.WithTLSConfig(tlsConfig),
		mail.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			return dial(ctx, network, address, s.cfg.Security == TLS, tlsConfig)
		})}
	switch s.cfg.Security {
	case StartTLS:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory))
	default: // TLS is in the dialling
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if s.cfg.Username != "" {
		auth := mail.SMTPAuthPlain
		if s.cfg.Security != StartTLS {
			auth = mail.SMTPAuthPlainNoEnc // go-mail does not see the encryption that the dialling made
		}
		opts = append(opts, mail.WithSMTPAuth(auth), mail.WithUsername(s.cfg.Username), mail.WithPassword(s.cfg.Password.Reveal()))
	}
	client, err := mail.NewClient(s.cfg.Host, opts...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// dial connects, and has the connection end when ctx does, whatever is waiting on it.
func dial(ctx context.Context, network, address string, encrypted bool, cfg *tls.Config) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	wrapped := net.Conn(&bounded{Conn: conn, ctx: ctx, stop: stop})
	if encrypted {
		t := tls.Client(wrapped, cfg)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return t, nil
	}
	return wrapped, nil
}

// bounded is a connection whose deadlines cannot be moved past its context.
type bounded struct {
	net.Conn
	ctx  context.Context
	stop func() bool
}

func (b *bounded) SetDeadline(t time.Time) error {
	if end, ok := b.ctx.Deadline(); ok && (t.IsZero() || t.After(end)) {
		t = end
	}
	if b.ctx.Err() != nil {
		t = time.Unix(1, 0)
	}
	return b.Conn.SetDeadline(t)
}

func (b *bounded) Close() error {
	b.stop()
	return b.Conn.Close()
}

// classify turns an error of the library, which may quote the recipient, into an Error.
func classify(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &Error{Temporary: true, err: ctx.Err()}
	}
	var send *mail.SendError
	if errors.As(err, &send) {
		e := &Error{Temporary: send.IsTemp(), Code: send.ErrorCode(), err: errors.New("the server refused the message")}
		if !e.Temporary && e.Code >= 500 {
			e.err = email.ErrRejected
		}
		if e.Code == 0 {
			e.Temporary = true
		}
		return e
	}
	var cert *tls.CertificateVerificationError
	var network net.Error
	switch {
	case errors.As(err, &cert):
		return &Error{err: errors.New("the server's certificate is not trusted")}
	case strings.Contains(err.Error(), "STARTTLS"):
		return &Error{err: errors.New("the server does not offer STARTTLS")}
	case errors.As(err, &network):
		return &Error{Temporary: true, err: errors.New("the server cannot be reached")}
	case strings.Contains(strings.ToLower(err.Error()), "auth"):
		return &Error{err: errors.New("the server refused the user name and password")}
	default:
		return &Error{Temporary: true, err: errors.New("the conversation with the server failed")}
	}
}
