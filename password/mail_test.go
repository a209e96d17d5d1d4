package password_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

// Every mail in every language says what happened and what to do, and no placeholder is left.
func TestMails_SayWhatToDoInEachLanguage(t *testing.T) {
	subjects := map[string]string{}
	for _, locale := range []string{"", "nl-BE", "nb_NO", "no", "nn", "de-AT", "tlh"} {
		r := newRig(t, nil)
		r.people.change("acme/1", func(a *password.Account) { a.Locale = locale })
		require.NoError(t, r.reset(r.link("olivia@acme.example")))
		require.NoError(t, r.Change(t.Context(), password.ChangeRequest{Tenant: "acme", ID: "1",
			Session: r.session("1"),
			Current: secret.New(newPassword), Password: secret.New(oldPassword)}))
		require.NoError(t, r.AdminSet(t.Context(), password.AdminRequest{Tenant: "acme", ID: "1",
			Admin: r.second.Admin(mfa.System("admin"), ""), Password: secret.New(newPassword)}))
		require.NoError(t, r.work())
		mails := r.mails.All()
		require.Len(t, mails, 4)
		for i, m := range mails {
			subjects[m.Subject] = locale
			tag := texts.For(locale).Tag()
			require.Contains(t, m.HTML.Reveal(), `<html lang="`+tag+`" dir="ltr">`)
			require.Empty(t, textstest.Strange(tag, "Acme", "Olivia Berg", "UTC",
				regexp.MustCompile(`https://\S+`).FindString(m.Text.Reveal()))(m.Text.Reveal()))
			text := m.Text.Reveal()
			require.Contains(t, text, "Olivia Berg")
			require.NotContains(t, m.Subject+text, "%")
			require.NotRegexp(t, `%[^";]`, m.HTML.Reveal())
			require.Contains(t, m.HTML.Reveal(), "Acme")
			require.Equal(t, i == 0, strings.Contains(text, "https://"), text)
			require.Equal(t, i > 0, strings.Contains(text, "2026, 12:00\u00a0UTC"), text)
		}
	}
	require.Len(t, subjects, 4*4, "four mails in four languages, English for all others: %v",
		subjects)
}

// A mail about a change leads to where the user sees what else has changed. A mail with a link has
// that one alone.
func TestMails_LinkToTheSettings(t *testing.T) {
	const settings = "https://acme.example/mfa/"
	r := newRig(t, func(cfg *password.Config) { cfg.SettingsURL = settings })
	require.NoError(t, r.reset(r.link("olivia@acme.example")))
	require.NoError(t, r.work())
	mails := r.mails.All()
	require.Len(t, mails, 2)
	for i, m := range mails {
		text, html := m.Text.Reveal(), m.HTML.Reveal()
		require.Equal(t, i == 1, strings.Contains(text,
			"Check your security settings:\n"+settings+"\n"), text)
		require.Equal(t, i == 1, strings.Contains(html, `href="`+settings+`"`), html)
		require.Equal(t, 1, strings.Count(text, "https://"), text)
	}
}

// The application keeps an address as it likes. The sender gets the form that servers take.
func TestMails_InternationalDomain(t *testing.T) {
	r := newRig(t, nil)
	r.people.change("acme/1", func(a *password.Account) { a.Email = "olivia@bücher.example" })
	r.link("olivia@bücher.example")
	m, _ := r.mails.Last()
	require.Equal(t, "olivia@xn--bcher-kva.example", m.To)
}

// A name is chosen by people, and carries nothing into a mail that others are to trust.
func TestMails_NamesCarryNoLinks(t *testing.T) {
	for _, name := range []string{"win at https://evil.example", "evil.example/x",
		"www.evil.example", strings.Repeat("x", 65), "a\nb", "<b>x</b>",
		"\u202egnihsihp", "a\u200bb", "evil。com"} {
		r := newRig(t, nil)
		r.people.change("acme/1", func(a *password.Account) { a.Name = name })
		r.link("olivia@acme.example")
		m, _ := r.mails.Last()
		require.NotContains(t, m.Text.Reveal()+m.HTML.Reveal(), name)
	}
	r := newRig(t, nil)
	r.people.change("acme/1", func(a *password.Account) { a.Name = "J. O'Hara & %s" })
	r.link("olivia@acme.example")
	m, _ := r.mails.Last()
	require.Contains(t, m.Text.Reveal(), "Hello J. O'Hara & %s.")
	require.Contains(t, m.HTML.Reveal(), "Hello J. O&#39;Hara &amp; %s.")
}

func TestMails_ComposeReplacesTheText(t *testing.T) {
	text := "Go to "
	var fail error
	r := newRig(t, func(c *password.Config) {
		c.Compose = func(m password.Mail) (email.Message, error) {
			if m.Name != "reset.link" {
				return email.Message{}, nil
			}
			return email.Message{To: "mallory@evil.example", Subject: "Ours",
				Text: secret.New(secret.New(text).Reveal() + m.Link.Reveal())}, fail
		}
	})
	require.NoError(t, r.forgot("olivia@acme.example"))
	require.NoError(t, r.work())
	m, _ := r.mails.Last()
	require.Equal(t, "Ours", m.Subject)
	require.Equal(t, "olivia@acme.example", m.To)
	fail = errors.New("no template")
	require.NoError(t, r.forgot("olivia@acme.example"))
	err := r.work()
	require.ErrorIs(t, err, fail)
	require.NotContains(t, err.Error(), "no template", "it may quote the link")
	r = newRig(t, func(c *password.Config) {
		c.Compose = func(password.Mail) (email.Message, error) {
			return email.Message{Subject: "Ours", Text: secret.New("no link")}, nil
		}
	})
	require.NoError(t, r.forgot("olivia@acme.example"))
	require.ErrorContains(t, r.work(), "without the link")
}

// A linter looks at every mail.
func TestMails_AreWrittenForTheLinter(t *testing.T) {
	for _, tag := range textstest.LintedTags() {
		for _, name := range []string{"reset.link", "password.reset", "password.changed",
			"password.admin-set"} {
			in := password.Mail{Name: name, User: "Olivia Berg", Locale: tag,
				ServiceName: "Acme", TTL: 30 * time.Minute, Time: time.Unix(1, 0)}
			if name == "reset.link" {
				in.Link = secret.New("https://acme.example/reset?token=abc")
			}
			m, err := password.Compose(in)
			require.NoError(t, err)
			textstest.WriteMail(t, tag, name, m.HTML.Reveal())
		}
	}
}
