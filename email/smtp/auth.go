package smtp

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"github.com/secondgate/secondgate/secret"
)

// login authenticates at a server. It keeps the password in a closure: fmt does not ask a Text in
// an unexported field how it wants to be printed.
type login func(ctx context.Context, c *conversation) error

// newLogin returns how cfg authenticates, or nil for a sender that does not.
func newLogin(cfg Config) login {
	switch user, password, token := cfg.Username, cfg.Password, cfg.Token; {
	case token != nil:
		return func(ctx context.Context, c *conversation) error {
			t, err := token(ctx)
			if err != nil || t.IsZero() {
				return &tokenError{err}
			}
			return c.authenticate(tokenMechanisms(user, t))
		}
	case user != "":
		return func(_ context.Context, c *conversation) error {
			return c.authenticate(passwordMechanisms(user, password, cfg.Host, c))
		}
	}
	return nil
}

// tokenError is the failure of Config.Token, whose text may quote a credential.
type tokenError struct{ err error }

func (*tokenError) Error() string   { return "smtp: no access token" }
func (e *tokenError) Unwrap() error { return e.err }

// mechanism is a way to authenticate (RFC 4954).
type mechanism struct {
	name string
	auth gosmtp.Auth
}

// passwordMechanisms are those of a password, in the order of preference. Those after LOGIN are
// for servers that have neither of the first two.
func passwordMechanisms(user string, password secret.Text, host string,
	c *conversation) []mechanism {
	// New permits a password without encryption at this host alone.
	plain := !c.encrypted
	p := password.Reveal()
	return []mechanism{
		{"PLAIN", gosmtp.PlainAuth("", user, p, host, plain)},
		{"LOGIN", gosmtp.LoginAuth(user, p, host, plain)},
		{"SCRAM-SHA-256", scram{gosmtp.ScramSHA256Auth(user, p)}},
		{"SCRAM-SHA-1", scram{gosmtp.ScramSHA1Auth(user, p)}},
		{"NTLM", gosmtp.NTLMAuth(user, p, "")},
		{"CRAM-MD5", gosmtp.CRAMMD5Auth(user, p)},
	}
}

// scram bounds what a server has this process compute. The server chooses the number of iterations
// (RFC 5802 section 5.1), and no context ends them.
type scram struct{ gosmtp.Auth }

// maxIterations is more than servers ask for: OWASP's advice for stored passwords is 1 300 000.
const maxIterations = 2_000_000

func (s scram) Next(fromServer []byte, more bool) ([]byte, error) {
	for attribute := range bytes.SplitSeq(fromServer, []byte(",")) {
		count, ok := bytes.CutPrefix(attribute, []byte("i="))
		if n, err := strconv.Atoi(string(count)); ok && more && (err != nil || n > maxIterations) {
			return nil, errors.New("smtp: the server asks for too many iterations")
		}
	}
	return s.Auth.Next(fromServer, more)
}

func tokenMechanisms(user string, token secret.Text) []mechanism {
	t := token.Reveal()
	return []mechanism{
		{"XOAUTH2", &bearer{name: "XOAUTH2",
			first: "user=" + user + "\x01auth=Bearer " + t + "\x01\x01"}},
		// RFC 7628 section 3.1; a comma and an equals sign in a name are encoded (RFC 5801)
		{"OAUTHBEARER", &bearer{name: "OAUTHBEARER", afterError: "\x01",
			first: "n,a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) +
				",\x01auth=Bearer " + t + "\x01\x01"}},
	}
}

// bearer is authentication by an access token. A server that refuses the token sends a challenge
// that says why, and its refusal after the next line.
type bearer struct{ name, first, afterError string }

func (b *bearer) Start(*gosmtp.ServerInfo) (string, []byte, error) {
	return b.name, []byte(b.first), nil
}

func (b *bearer) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return []byte(b.afterError), nil
	}
	return nil, nil
}

// authenticate uses the first mechanism that the server offers.
func (c *conversation) authenticate(known []mechanism) error {
	offered := strings.Fields(c.offers["AUTH"])
	i := slices.IndexFunc(known, func(m mechanism) bool {
		return slices.Contains(offered, m.name)
	})
	if i < 0 {
		return errNoMechanism
	}
	name, response, err := known[i].auth.Start(&gosmtp.ServerInfo{Name: c.host,
		TLS: c.encrypted, Auth: offered})
	if err != nil {
		return err
	}
	line := "AUTH " + name
	if response != nil {
		line += " " + encode(response)
	}
	return c.exchange(known[i].auth, line)
}

// maxChallenges bounds an authentication; the longest mechanism has three.
const maxChallenges = 8

func (c *conversation) exchange(auth gosmtp.Auth, line string) error {
	for range maxChallenges {
		code, text, err := c.authLine(line)
		if err != nil {
			return err
		}
		message := []byte(text)
		if code == 334 {
			if message, err = base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err != nil {
				message = []byte(text) // LOGIN's prompts are not always encoded, and never used
			}
		}
		response, err := auth.Next(message, code == 334)
		if err != nil {
			return fmt.Errorf("smtp: the authentication failed: %w", err)
		}
		if code != 334 {
			return nil
		}
		line = base64.StdEncoding.EncodeToString(response)
	}
	return errors.New("smtp: the authentication does not end")
}

// authLine sends a line of an authentication. Its reply is a success, or asks for more.
func (c *conversation) authLine(line string) (code int, text string, err error) {
	code, text, err = c.command(stepAuth, 2, line)
	if r, ok := errors.AsType[*refusal](err); ok && r.code == 334 {
		err = nil
	}
	return code, text, err
}

// encode returns an initial response; an empty one is an equals sign (RFC 4954 section 4).
func encode(response []byte) string {
	if len(response) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(response)
}
