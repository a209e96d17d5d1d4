package field_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/email/smtp"
	"github.com/secondgate/secondgate/internal/integration/servers"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// letter is a mail with nothing in it.
func letter(to string) email.Message {
	return email.Message{To: to, Subject: "Your code", Text: secret.New("Code: 012345\n")}
}

// mailServer starts a Postfix and a Dovecot, and a service that knows one access token.
func mailServer(t *testing.T) *servers.Mail {
	t.Helper()
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("token") != "fresh-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"email": "acme"})
	}))
	t.Cleanup(tokens.Close)
	return servers.Postfix(t, tokens.URL+"/?token=")
}

// at is a sender to a service of Postfix.
func at(m *servers.Mail, service string, change func(*smtp.Config)) smtp.Config {
	cfg := smtp.Config{Host: "127.0.0.1", Port: m.Port(service), Security: smtp.InsecureNoTLS,
		From: "Acme <no-reply@acme.example>", Timeout: 2 * time.Minute}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func post(t *testing.T, cfg smtp.Config, m email.Message) error {
	t.Helper()
	s, err := smtp.New(cfg)
	require.NoError(t, err)
	return s.Send(t.Context(), m)
}

func requireFault(t *testing.T, err error, code int, rejected bool, words string) {
	t.Helper()
	e, ok := errors.AsType[*email.SendError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, code, e.Code, "%v", err)
	require.Equal(t, rejected, e.Rejected, "%v", err)
	require.False(t, e.Temporary, "%v", err)
	require.ErrorContains(t, err, words)
	require.NotRegexp(t, `\w@`, err.Error())
}

func withPassword(c *smtp.Config) {
	c.Username, c.Password = "acme", secret.New("tulip-password")
}

func withToken(token string) func(*smtp.Config) {
	return func(c *smtp.Config) {
		c.Username = "acme"
		c.Token = func(context.Context) (secret.Text, error) { return secret.New(token), nil }
	}
}

// Mail goes through a real Postfix, which asks a real Dovecot who the sender is.
func TestMail_GoesThroughPostfix(t *testing.T) {
	m := mailServer(t)
	t.Run("the name in EHLO", func(t *testing.T) {
		// A container's name has no dot. The server refused each recipient with 504, and each
		// user was told that the address does not exist.
		require.NoError(t, post(t, at(m, "strict", nil), letter("ann@example.com")))
		require.NoError(t, post(t, at(m, "strict", func(c *smtp.Config) {
			c.HELO = "app.acme.example"
		}), letter("ann@example.com")))
		require.NoError(t, post(t, at(m, "strict", func(c *smtp.Config) {
			c.From = "acme@intranet"
		}), letter("ann@example.com")))
	})
	t.Run("whose fault it is", func(t *testing.T) {
		// A user's typing error is the user's to correct; a server that relays for nobody is not.
		requireFault(t, post(t, at(m, "plain", nil), letter("nobody@example.com")), 550, true,
			"recipient")
		requireFault(t, post(t, at(m, "plain", nil), letter("ann@other.example")), 554, false,
			"relay")
		requireFault(t, post(t, at(m, "members", nil), letter("ann@example.com")), 554, false,
			"this sender")
		requireFault(t, post(t, at(m, "plain-auth", func(c *smtp.Config) {
			c.Username, c.Password = "acme", secret.New("wrong")
		}), letter("ann@example.com")), 535, false, "user name and password")
	})
	t.Run("authentication", func(t *testing.T) {
		// Each of these is all that some server offers.
		for _, mechanism := range []string{"plain-auth", "login", "scram-sha-256", "scram-sha-1",
			"cram-md5"} {
			require.NoError(t, post(t, at(m, mechanism, withPassword), letter("ann@example.com")),
				mechanism)
		}
		for _, mechanism := range []string{"xoauth2", "oauthbearer"} {
			require.NoError(t, post(t, at(m, mechanism, withToken("fresh-token")),
				letter("ann@example.com")), mechanism)
			requireFault(t, post(t, at(m, mechanism, withToken("expired-token")),
				letter("ann@example.com")), 535, false, "token")
			requireFault(t, post(t, at(m, mechanism, withPassword), letter("ann@example.com")), 0,
				false, "no authentication that this sender knows")
		}
	})
	t.Run("letters outside ASCII", func(t *testing.T) {
		testLetters(t, m)
	})
	t.Run("dots", func(t *testing.T) {
		// Carriers in Japan issued these addresses; the forms of their customers refused them.
		for _, to := range []string{"ann..b@example.com", "ann.@example.com",
			`"ann..b"@example.com`} {
			require.NoError(t, post(t, at(m, "plain", nil), letter(to)), to)
		}
		requireHeader(t, m, "dots", `<"ann..b"@example.com>`, `<"ann."@example.com>`)
	})
	t.Run("names", func(t *testing.T) {
		testNames(t, m)
	})
	t.Run("a domain of letters", func(t *testing.T) {
		require.NoError(t, post(t, at(m, "ascii", nil), letter("ann@BÜCHER.example")))
		requireHeader(t, m, "ann", "<ann@xn--bcher-kva.example>")
	})
}

// A user in Spain has an accent before the @, and one in China writes no Latin letter at all. The
// server takes both if it has SMTPUTF8, and says in plain words that it has not.
func testLetters(t *testing.T, m *servers.Mail) {
	for _, to := range []string{"josé@example.com", "jose\u0301@bücher.example",
		"用户@example.com"} {
		require.NoError(t, post(t, at(m, "plain", nil), letter(to)), to)
		requireFault(t, post(t, at(m, "ascii", nil), letter(to)), 0, true, "SMTPUTF8")
	}
	requireHeader(t, m, "letters", "<josé@example.com>", "<josé@xn--bcher-kva.example>",
		"<用户@example.com>")
}

// requireHeader waits until a mailbox has mails to these addresses, as their headers have them.
func requireHeader(t *testing.T, m *servers.Mail, mailbox string, addresses ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		all := make(map[string]bool)
		for _, text := range m.Received(mailbox) {
			read, err := mail.ReadMessage(strings.NewReader(text))
			require.NoError(t, err)
			all[read.Header.Get("To")] = true
		}
		for _, address := range addresses {
			if !all[address] {
				return false
			}
		}
		return true
	}, time.Minute, 20*time.Millisecond, "%q", addresses)
}

// addresses are forms in which users typed and pasted addresses, and what they meant.
var addresses = []struct{ name, whom, typed, means string }{
	{"a domain of letters", "a bookshop in Germany signs in with the name on its door",
		"ann@bücher.example", "ann@xn--bcher-kva.example"},
	{"the form on the wire", "a browser rewrote the domain in a field for addresses",
		"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"},
	{"full width", "a user in Japan typed with the input method on", "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
		"ann@example.com"},
	{"marks of direction", "a directory of staff put them around what it copies",
		"\u202aann@example.com\u202c", "ann@example.com"},
	{"a no-break space", "a table on a web page ended with one", "ann@example.com\u00a0",
		"ann@example.com"},
	{"a link", "a browser copied the link and not its text", "mailto:ann@example.com",
		"ann@example.com"},
	{"two dots", "a carrier in Japan issued it", "ann..b@example.com", `"ann..b"@example.com`},
	{"a dot at the end", "another carrier did", "ann.@example.com", `"ann."@example.com`},
	{"quotes", "the carrier's help page told its customers to type them",
		`"ann..b"@example.com`, `"ann..b"@example.com`},
	{"an accent", "a user in Spain has it in the name", "josé@example.com", "josé@example.com"},
	{"an accent of its own", "a file system wrote the name so", "jose\u0301@example.com",
		"josé@example.com"},
}

// An address means the same when a user types it and when it is the address of record, and the
// sender gets it in the form that mail systems take.
func TestAddress_IsReadAsTyped(t *testing.T) {
	for _, c := range addresses {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(t)
			s := p.m.Session(mfa.User{ID: "new-" + c.name, Email: c.typed, EmailVerified: true},
				session)
			ch, err := s.Begin(t.Context())
			require.NoError(t, err, c.whom)
			_, err = s.Send(t.Context(), ch, "email")
			require.NoError(t, err, c.whom)
			got, ok := p.mails.Last()
			require.True(t, ok)
			require.Equal(t, c.means, got.To, c.whom)

			_, err = p.s.Enroll(t.Context(), p.grant(), mfa.EnrollRequest{Kind: "email",
				Params: map[string]secret.Text{"address": secret.New(c.typed)}})
			if problem, ok := errors.AsType[*factor.Problem](err); ok {
				require.Equal(t, "address_duplicate", problem.Reason)
				require.Equal(t, ann.Email, c.means, "it is the address of record")
				return
			}
			require.NoError(t, err, c.whom)
			got, _ = p.mails.Last()
			require.Equal(t, c.means, got.To, c.whom)
		})
	}
}

// grant verifies with the app, and returns what that permits.
func (p *person) grant() mfa.Grant {
	p.Helper()
	ch := p.begin()
	v, err := p.s.Verify(p.Context(), ch, "totp", p.correct(ch, "totp"))
	require.NoError(p, err)
	return v.Grant
}
