package smtp

import (
	"bytes"
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

// message is m in the form that is sent: the recipient's domain in ASCII, as every server takes it,
// and the part before it as it is. What would be another header or recipient is refused.
func (s *Sender) message(m email.Message) (*letter, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	from, sender := s.from, s.address
	if m.From != "" {
		var err error
		if from, sender, err = parseFrom(m.From); err != nil {
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
	if msg.To(to.Wire()) != nil {
		return nil, rejected("the recipient is not one bare address")
	}
	if strings.ContainsFunc(m.Subject, unicode.IsControl) {
		return nil, rejected("the subject is not one line")
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(rand.Text() + "@" + sender.Domain)
	// RFC 3834 section 5: no vacation replies
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All") // the same, for Exchange
	// RFC 2046 section 5.1.4: the best form last
	msg.SetBodyString(mail.TypeTextPlain, m.Text.Reveal())
	if !m.HTML.IsZero() {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML.Reveal())
	}
	var body bytes.Buffer
	if _, err := msg.WriteTo(&body); err != nil {
		return nil, failure("the message cannot be written")
	}
	return &letter{from: sender.Wire(), to: to.Wire(), international: to.International(),
		body: body.Bytes()}, nil
}

// detail is why an address is refused, which holds nothing of it.
func detail(err error) string {
	var bad *mailaddr.Error
	if errors.As(err, &bad) {
		return bad.Detail
	}
	return "it is not one bare address"
}

// deliver dials and sends.
func (s *Sender) deliver(ctx context.Context, msg *letter) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp",
		net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	// Closing, unlike a deadline, also ends what sets another one.
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
	c := &conversation{host: s.cfg.Host}
	c.over(conn)
	if err := s.introduce(ctx, c); err != nil {
		return err
	}
	err = c.hand(msg)
	c.quit()
	return err
}

// introduce brings a conversation to where a mail can be handed over.
func (s *Sender) introduce(ctx context.Context, c *conversation) error {
	if _, _, err := c.expect(stepGreeting, 2); err != nil {
		return err
	}
	if err := c.hello(s.cfg.HELO); err != nil {
		return err
	}
	if s.cfg.Security == StartTLS {
		if err := c.startTLS(ctx, s.cfg.HELO, s.cfg.TLSConfig); err != nil {
			return err
		}
	}
	if s.login == nil {
		return nil
	}
	return s.login(ctx, c)
}
