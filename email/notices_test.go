package email_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
)

var noticeNames = []string{"factor.added", "factor.replaced", "factor.removed", "address.confirmed", "recovery.regenerated", "recovery.replacement", "recovery.used",
	"recovery.low", "lockout.locked", "lockout.stopped", "lockout.unlocked", "verify.failure", "challenge.abandoned", "device.remembered",
	"device.reused", "factor.cloned", "admin.reset", "admin.unlock", "admin.access", "support.requested", "setup.link"}

// Every notice has a text of its own in every language, and says what to do if it was not the
// person.
func TestNotices(t *testing.T) {
	seen, at := map[string]string{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	notYou := map[string]string{"en": "not you", "nl": "niet?", "nb": "ikke deg", "de": "nicht"}
	for locale, phrase := range notYou {
		for _, name := range append(noticeNames, "something.new") {
			c := email.Content{To: "ann@example.com", ServiceName: "A&B 100%", Locale: locale, Notice: name, Factor: "totp",
				Name: `<b>"Phone"</b> %s`, Time: at, Until: at.Add(3 * time.Minute), Left: 2}
			m, err := email.Compose(c)
			require.NoError(t, err)
			require.Contains(t, m.Subject, "A&B 100%")
			require.NotContains(t, m.Subject+m.Text.Reveal()+m.HTML.Reveal(), "%!")
			require.NotContains(t, m.Subject, "\n")
			require.NotContains(t, m.HTML.Reveal(), "<b>")
			require.Contains(t, m.Text.Reveal(), phrase, "%s %s", locale, name)
			require.Contains(t, m.Text.Reveal(), "2026-03-01 12:00 UTC")
			require.Empty(t, seen[m.Subject], "%s has the subject of %s", name, seen[m.Subject])
			seen[m.Subject] = name
		}
	}
	m, err := email.Compose(email.Content{ServiceName: "Acme", Notice: "lockout.locked", Factor: "sms", Time: at, Until: at.Add(3 * time.Minute)})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "12:03 UTC")
	require.Contains(t, m.Text.Reveal(), "text message")
	// A replacement's mail says until when it is on hold, and how to cancel it.
	for locale, cancel := range map[string]string{"en": "cancel", "nl": "annuleer", "nb": "avbryter", "de": "brechen Sie"} {
		m, err = email.Compose(email.Content{ServiceName: "Acme", Locale: locale, Notice: "recovery.replacement", Factor: "totp",
			Name: "Phone", Time: at, Until: at.Add(24 * time.Hour)})
		require.NoError(t, err)
		require.Contains(t, m.Text.Reveal(), "2026-03-02 12:00 UTC")
		require.Contains(t, m.Text.Reveal(), cancel)
	}
	m, err = email.Compose(email.Content{ServiceName: "Acme", Notice: "recovery.low", Left: 2})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "You have 2 recovery codes left")
}

func TestNotify(t *testing.T) {
	out := &mfatest.Outbox[email.Message]{}
	cfg := email.Config{Sender: out, ServiceName: "Acme"}
	f, err := email.New(cfg)
	require.NoError(t, err)
	in := factor.NotifyInput{Person: factor.Person{Locale: "nl"}, State: []byte("ann@example.com"), Name: "factor.added", Kind: "totp", Label: "Telefoon"}
	require.NoError(t, f.Notify(t.Context(), in))
	m, ok := out.Last()
	require.True(t, ok)
	require.Equal(t, "ann@example.com", m.To)
	require.Contains(t, m.Text.Reveal(), "‘Telefoon’ (authenticator-app)")

	in.Name, in.Link = "setup.link", "TOKEN"
	require.ErrorContains(t, f.Notify(t.Context(), in), "SetupURL is nil")
	cfg.SetupURL = func(token string) string { return "/relative?" + token }
	f, err = email.New(cfg)
	require.NoError(t, err)
	require.ErrorContains(t, f.Notify(t.Context(), in), "absolute")
	cfg.SetupURL = func(token string) string { return "https://acme.example/mfa/setup?token=" + token }
	f, err = email.New(cfg)
	require.NoError(t, err)
	require.NoError(t, f.Notify(t.Context(), in))
	m, _ = out.Last()
	require.Contains(t, m.Text.Reveal(), "\nhttps://acme.example/mfa/setup?token=TOKEN\n")
	require.Contains(t, m.HTML.Reveal(), "Nieuw apparaat instellen")
	require.Equal(t, 1, strings.Count(m.Text.Reveal(), "een uur"))
}
