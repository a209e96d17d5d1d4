package smtp

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/mailaddr"
)

// farewell is how long a server has to say goodbye to a mail that is settled.
const farewell = time.Second

// Send implements email.Sender. Its errors are *email.SendError. They hold no recipient, no
// text, no password, and of what the server said only the reply code, because servers quote
// recipients.
func (s *Sender) Send(ctx context.Context, m email.Message) error {
	msg, err := s.message(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.deliver(ctx, msg); err != nil {
		return classify(ctx, err)
	}
	return nil
}

// message is m in the form that is sent: the recipient's domain in ASCII, as a server without
// SMTPUTF8 wants it (RFC 6531). What would be another header or recipient is refused.
func (s *Sender) message(m email.Message) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	from, domain := s.from, s.domain
	if m.From != "" {
		var err error
		if from, domain, err = parseFrom(m.From); err != nil {
			return nil, failure("the sender's address is refused")
		}
	}
	if err := msg.From(from); err != nil {
		return nil, failure("the sender's address is refused")
	}
	// A host without a dot is for who wrote the message to refuse.
	to, err := mailaddr.Parse(m.To, func(string) bool { return true })
	if err != nil {
		return nil, rejected("the recipient is refused: " + detail(err))
	}
	if msg.To(to.String()) != nil {
		return nil, rejected("the recipient is not one bare address")
	}
	if strings.ContainsFunc(m.Subject, unicode.IsControl) {
		return nil, rejected("the subject is not one line")
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(rand.Text() + "@" + domain)
	// RFC 3834 section 5: no vacation replies
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All") // the same, for Exchange
	// RFC 2046 section 5.1.4: the best form last
	msg.SetBodyString(mail.TypeTextPlain, m.Text.Reveal())
	if !m.HTML.IsZero() {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML.Reveal())
	}
	return msg, nil
}

// detail is why an address is refused, which holds nothing of it.
func detail(err error) string {
	var bad *mailaddr.Error
	if errors.As(err, &bad) {
		return bad.Detail
	}
	return "it is not one bare address"
}

// deliver dials and sends. The connection is ours, because go-mail takes only a deadline of
// its own into account, and leaves the connection open when a greeting, TLS or authentication
// fails.
func (s *Sender) deliver(ctx context.Context, msg *mail.Msg) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp",
		net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	// Closing, unlike a deadline in the past, is not undone by the deadlines that go-mail sets.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()

	conn := raw
	if s.cfg.Security == TLS {
		t := tls.Client(raw, s.cfg.TLSConfig)
		if err := t.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = t
	}
	client, err := mail.NewClient(s.cfg.Host, s.options(conn)...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(session, msg)
	// The mail is accepted or refused. An error of the farewell would have it sent twice.
	_ = raw.SetDeadline(time.Now().Add(farewell))
	_ = client.CloseWithSMTPClient(session)
	return err
}

func (s *Sender) options(conn net.Conn) []mail.Option {
	policy := mail.NoTLS // for TLS: conn is encrypted already, and go-mail sees that it is
	if s.cfg.Security == StartTLS {
		policy = mail.TLSMandatory
	}
	// the context is over first
	return append([]mail.Option{mail.WithTimeout(s.cfg.Timeout + farewell),
		mail.WithTLSPolicy(policy), mail.WithTLSConfig(s.cfg.TLSConfig),
		mail.WithoutNoop(), mail.WithoutRset(), // one mail for each connection needs neither
		mail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) {
			return conn, nil
		})}, s.login...)
}
