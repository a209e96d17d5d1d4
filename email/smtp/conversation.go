package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// step is a part of the conversation with a server: errors name the one that failed.
type step uint8

const (
	stepGreeting step = iota
	stepHello
	stepStartTLS
	stepAuth
	stepSender
	stepRecipient
	stepData
	stepBody
)

// refusal is a reply that ended a conversation.
type refusal struct {
	step step
	code int
	text string // may quote the recipient; it is looked at and never printed
}

func (*refusal) Error() string { return "smtp: refused" }

// maxReplies bounds what a server says on a connection. A real one says a few hundred bytes.
const maxReplies = 1 << 16

// conversation is one connection to a server (RFC 5321).
type conversation struct {
	host string
	conn net.Conn
	text *textproto.Conn
	// offers are the capabilities of the server. Their names and parameters are in upper case.
	offers    map[string]string
	encrypted bool
}

// over continues the conversation on another connection, and forgets what the last one still had:
// bytes that came before the encryption are not the server's.
func (c *conversation) over(conn net.Conn) {
	c.conn, c.text = conn, textproto.NewConn(struct {
		io.Reader
		io.Writer
		io.Closer
	}{io.LimitReader(conn, maxReplies), conn, conn})
	_, c.encrypted = conn.(*tls.Conn)
}

// expect reads a reply, and returns a *refusal for one of another kind: 2 is success, 3 asks for
// more.
func (c *conversation) expect(at step, kind int) (code int, text string, err error) {
	code, text, err = c.text.ReadResponse(0)
	if err == nil && code/100 != kind {
		return code, text, &refusal{at, code, text}
	}
	return code, text, err
}

// command sends a line and expects a reply to it.
func (c *conversation) command(at step, kind int, line string) (code int, text string, err error) {
	if strings.ContainsAny(line, "\r\n") {
		return 0, "", errors.New("smtp: a command has a line break")
	}
	if err := c.text.PrintfLine("%s", line); err != nil {
		return 0, "", err
	}
	return c.expect(at, kind)
}

// hello introduces the client, and reads what the server offers. A server that has no EHLO
// offers nothing.
func (c *conversation) hello(name string) error {
	c.offers = make(map[string]string)
	_, text, err := c.command(stepHello, 2, "EHLO "+name)
	if r, ok := errors.AsType[*refusal](err); ok && (r.code == 500 || r.code == 502) {
		_, _, err = c.command(stepHello, 2, "HELO "+name)
		return err
	}
	if err != nil {
		return err
	}
	_, lines, _ := strings.Cut(text, "\n") // the first line is a greeting
	for line := range strings.Lines(lines) {
		c.offer(strings.ToUpper(strings.TrimSpace(line)))
	}
	return nil
}

// offer keeps a capability. RFC 5321 section 2.4 has names in any case, and so are parameters in
// practice. "AUTH=LOGIN" is from before RFC 2554; servers still send it, some of them alone.
func (c *conversation) offer(line string) {
	name, parameters, _ := strings.Cut(line, " ")
	if mechanisms, ok := strings.CutPrefix(name, "AUTH="); ok {
		name, parameters = "AUTH", mechanisms+" "+parameters
	}
	if name == "AUTH" {
		parameters = strings.TrimSpace(c.offers[name] + " " + parameters)
	}
	c.offers[name] = parameters
}

func (c *conversation) has(capability string) bool {
	_, ok := c.offers[capability]
	return ok
}

// startTLS encrypts the connection, and introduces the client again (RFC 3207 section 4.2).
func (c *conversation) startTLS(ctx context.Context, name string, cfg *tls.Config) error {
	if !c.has("STARTTLS") {
		return errNoStartTLS
	}
	if _, _, err := c.command(stepStartTLS, 2, "STARTTLS"); err != nil {
		return err
	}
	conn := tls.Client(c.conn, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.over(conn)
	return c.hello(name)
}

// letter is a mail in the form that is sent.
type letter struct {
	from, to string // of the envelope
	// international is true if the recipient is outside of ASCII.
	international bool
	body          []byte
}

// hand hands a mail over. The server has it when hand returns nil.
func (c *conversation) hand(m *letter) error {
	mail := "MAIL FROM:<" + m.from + ">"
	if m.international {
		if !c.has("SMTPUTF8") {
			return errNoUTF8
		}
		mail += " SMTPUTF8"
		if c.has("8BITMIME") {
			mail += " BODY=8BITMIME"
		}
	}
	if _, _, err := c.command(stepSender, 2, mail); err != nil {
		return err
	}
	if _, _, err := c.command(stepRecipient, 2, "RCPT TO:<"+m.to+">"); err != nil {
		return err
	}
	if _, _, err := c.command(stepData, 3, "DATA"); err != nil {
		return err
	}
	w := c.text.DotWriter()
	if _, err := io.Copy(w, bytes.NewReader(m.body)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, _, err := c.expect(stepBody, 2)
	return err
}

// quit takes leave, and closes the connection. The reply no longer matters: the mail is accepted or
// refused, and an error would have it sent twice.
func (c *conversation) quit() {
	_ = c.conn.SetDeadline(time.Now().Add(farewell))
	_, _, _ = c.command(stepGreeting, 2, "QUIT")
	_ = c.text.Close()
}
