package email_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/brand"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// Every kind of mail, in every language, has the name, the sender and the colour of the brand, and
// nothing of what is configured.
func TestMails_HaveTheBrandOfTheTenant(t *testing.T) {
	out := &mfatest.Outbox[email.Message]{}
	link := func(token string) string { return "https://example.com/mfa?token=" + token }
	f, err := email.New(email.Config{Sender: out, ServiceName: "Configured", ConfirmURL: link,
		SetupURL: link})
	require.NoError(t, err)
	north := brand.Brand{Product: "Northwind", MailFrom: "Northwind <codes@northwind.example>",
		Accent: "#7a1fa2"}
	check := func(send error, of string) {
		t.Helper()
		require.NoError(t, send, of)
		m, ok := out.Last()
		require.True(t, ok)
		require.Equal(t, north.MailFrom, m.From, of)
		all := m.Subject + m.Text.Reveal() + m.HTML.Reveal()
		require.NotContains(t, all, "Configured", of)
		require.NotContains(t, all, "#1d4ed8", of)
		require.Contains(t, m.Text.Reveal()+m.Subject, "Northwind", of)
		require.Contains(t, m.HTML.Reveal(), "Northwind", of)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, locale := range texts.Tags() {
		in := factor.Message{User: factor.User{Locale: locale}, State: []byte("ann@example.com"),
			Brand: north, Time: now}
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			in.Purpose, in.Payload, in.Expires = purpose, secret.New("123456"), now.Add(time.Minute)
			in.Link = secret.New("a-token")
			check(f.Deliver(t.Context(), in), locale+" "+purpose)
		}
		for _, name := range noticeNames {
			in := factor.Message{User: in.User, State: in.State, Brand: north, Time: now,
				Event: name, Kind: "totp", Label: "Phone", Until: now.Add(time.Hour)}
			if name == "setup.link" {
				in.Link = secret.New("a-token")
			}
			check(f.Notify(t.Context(), in), locale+" "+name)
		}
	}
}

// A Compose of the application's own is given the brand, and cannot choose another sender.
func TestCompose_KnowsTheBrand(t *testing.T) {
	out := &mfatest.Outbox[email.Message]{}
	f, err := email.New(email.Config{Sender: out, ServiceName: "Configured",
		Compose: func(c email.Content) (email.Message, error) {
			m, err := email.Compose(c)
			m.Subject, m.From = "For "+c.Brand.ProductOr("all"), "evil@example.com"
			return m, err
		}})
	require.NoError(t, err)
	for _, b := range []brand.Brand{{}, {Product: "Northwind", MailFrom: "codes@north.example"}} {
		require.NoError(t, f.Deliver(t.Context(), factor.Message{State: []byte("ann@example.com"),
			Payload: secret.New("123456"), Brand: b}))
		m, _ := out.Last()
		require.Equal(t, "For "+b.ProductOr("all"), m.Subject)
		require.Equal(t, b.MailFrom, m.From)
	}
}

// marked are texts of a brand for mails and text messages, each between brackets.
func marked(locale string) map[string]map[string]string {
	own := map[string]string{}
	l := texts.Get(locale)
	for _, key := range l.Keys() {
		if text, _ := l.Lookup(key); texts.Sent(key) && text != "" {
			own[key] = "⟦" + text + "⟧"
		}
	}
	return map[string]map[string]string{locale: own}
}

// unmarked returns the lines that have text outside of brackets.
func unmarked(text string) (lines []string) {
	for line := range strings.Lines(text) {
		depth := 0
		for _, r := range strings.TrimSpace(line) {
			switch {
			case r == '⟦':
				depth++
			case r == '⟧':
				depth--
			case depth == 0 && unicode.IsLetter(r):
				lines = append(lines, strings.TrimSpace(line))
				depth = 1 << 20 // said
			}
		}
	}
	return lines
}

// The texts of a brand replace every text of every mail, in every language.
func TestMails_HaveTheTextsOfTheTenant(t *testing.T) {
	brief.SkipOneGoroutine(t)
	out := &mfatest.Outbox[email.Message]{}
	link := func(token string) string { return "https://example.com/mfa?token=" + token }
	f, err := email.New(email.Config{Sender: out, ServiceName: "Acme", ConfirmURL: link,
		SetupURL: link})
	require.NoError(t, err)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	check := func(err error, what string) {
		t.Helper()
		require.NoError(t, err, what)
		m, _ := out.Last()
		require.Empty(t, unmarked(m.Subject), what)
		body := regexp.MustCompile(`https://\S+`).ReplaceAllString(m.Text.Reveal(), "")
		require.Empty(t, unmarked(body), what)
	}
	for _, locale := range texts.Tags() {
		ours := brand.Brand{Texts: marked(locale)}
		in := factor.Message{User: factor.User{Locale: locale}, State: []byte("ann@example.com"),
			Brand: ours, Time: now, Expires: now.Add(time.Minute)}
		for _, in.Purpose = range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			in.Payload, in.Link = secret.New("123456"), secret.Text{}
			if in.Purpose == "confirm" {
				in.Link = secret.New("a-token")
			}
			check(f.Deliver(t.Context(), in), locale+" "+in.Purpose)
		}
		for _, name := range noticeNames {
			in := factor.Message{User: in.User, State: in.State, Brand: ours, Time: now,
				Event: name, Kind: "totp", Until: now.Add(time.Hour)}
			if name == "setup.link" {
				in.Link = secret.New("a-token")
			}
			check(f.Notify(t.Context(), in), locale+" "+name)
		}
	}
}

// A text that no mail has, or that leaves the code out, sends nothing and says why.
func TestMails_RefuseTextsThatCannotBeSent(t *testing.T) {
	out := &mfatest.Outbox[email.Message]{}
	f, err := email.New(email.Config{Sender: out, ServiceName: "Acme"})
	require.NoError(t, err)
	for key, text := range map[string]string{"mail.code.first": "Your code for {service}",
		"mail.code.valid": "Valid until {until}", "mail.code.of-them": "?",
		"mail.code.ignore": " "} {
		err := f.Deliver(t.Context(), factor.Message{State: []byte("ann@example.com"),
			Payload: secret.New("123456"),
			Brand:   brand.Brand{Texts: map[string]map[string]string{"en": {key: text}}}})
		require.ErrorContains(t, err, key)
	}
	require.Empty(t, out.All())
}
