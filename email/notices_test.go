package email_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// noticeNames are the events that users are notified of, by the table at mfa.SlogEvents, and the
// message whose purpose is a link.
var noticeNames = func() (names []string) {
	source, err := os.ReadFile("../mfa/event.go")
	if err != nil {
		panic(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^//\t\* ([a-z.-]+) `).FindAllStringSubmatch(
		string(source), -1) {
		names = append(names, m[1])
	}
	return append(names, "setup.link")
}()

// Every notice has a text of its own in every language, and says what to do if it was not the
// user.
func TestNotices_SayWhatToDoInEachLanguage(t *testing.T) {
	require.Greater(t, len(noticeNames), 20)
	seen, at := map[string]string{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, locale := range texts.Tags() {
		phrase := texts.Get(locale).Say("mail.not-you", "service", "A&B 100%")
		for _, name := range append(noticeNames, "something.new") {
			c := email.Content{To: "ann@example.com", ServiceName: "A&B 100%", Locale: locale,
				Notice: name, Factor: "totp",
				Name: `<b>"Phone"</b> %s`, Time: at, Until: at.Add(3 * time.Minute), Left: 2}
			m, err := email.Compose(c)
			require.NoError(t, err)
			require.Contains(t, m.Subject, "A&B 100%")
			require.NotContains(t, m.Subject+m.Text.Reveal()+m.HTML.Reveal(), "%!")
			require.NotContains(t, m.Subject, "\n")
			require.NotContains(t, m.HTML.Reveal(), "<b>")
			require.Contains(t, m.Text.Reveal(), phrase, "%s %s", locale, name)
			require.Contains(t, m.Text.Reveal(), "12:00 UTC")
			require.Empty(t, seen[m.Subject], "%s has the subject of %s", name, seen[m.Subject])
			seen[m.Subject] = name
		}
	}
	for name, want := range map[string]string{"Laptop": "The device “Laptop” no longer",
		"":             "Remembered devices no longer",
		"evil.example": "Remembered devices no longer"} {
		m, err := email.Compose(email.Content{ServiceName: "Acme", Notice: "device.revoked",
			Name: name})
		require.NoError(t, err)
		require.Contains(t, m.Text.Reveal(), want)
		require.NotContains(t, m.Text.Reveal(), "“”")
	}
	m, err := email.Compose(email.Content{ServiceName: "Acme", Notice: "lockout.locked",
		Factor: "sms", Time: at, Until: at.Add(3 * time.Minute)})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "12:03 UTC")
	require.Contains(t, m.Text.Reveal(), "text message")
	// A replacement's mail says until when it is on hold, and how to cancel it.
	for locale, cancel := range map[string]string{"en": "cancel", "nl": "annuleer",
		"nb": "avbryter", "de": "brechen Sie"} {
		m, err = email.Compose(email.Content{ServiceName: "Acme", Locale: locale,
			Notice: "recovery.replacement", Factor: "totp",
			Name: "Phone", Time: at, Until: at.Add(24 * time.Hour)})
		require.NoError(t, err)
		require.Contains(t, m.Text.Reveal(), texts.Get(locale).Date(at.Add(24*time.Hour)))
		require.Contains(t, m.Text.Reveal(), cancel)
	}
	m, err = email.Compose(email.Content{ServiceName: "Acme", Notice: "recovery.low", Left: 2})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "You have 2 recovery codes left")
	m, err = email.Compose(email.Content{ServiceName: "Acme", Notice: "recovery.low", Left: 1})
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "You have one recovery code left")
}

// A name that a user chose stands between the quotation marks of the language wherever it
// stands, and cannot end them; one that mail programs make a link of is not there at all,
// whenever it was accepted.
func TestNotices_QuoteNames(t *testing.T) {
	marks := map[string][2]string{"en": {"“", "”"}, "nl": {"‘", "’"}, "nb": {"«", "»"},
		"de": {"„", "“"}}
	for locale, marks := range marks {
		named := 0
		for _, name := range noticeNames {
			compose := func(label string) []string {
				m, err := email.Compose(email.Content{To: "ann@example.com", ServiceName: "Acme",
					Locale: locale,
					Notice: name, Factor: "totp", Name: label, Time: time.Unix(1, 0), Left: 2})
				require.NoError(t, err)
				return []string{m.Subject, m.Text.Reveal(), strings.ReplaceAll(m.HTML.Reveal(),
					"&#39;", "'")}
			}
			quoted := marks[0] + "NAME" + strings.Repeat("'", 4) + marks[1]
			for _, s := range compose("NAME”’»“") {
				require.Equal(t, strings.Count(s, "NAME"), strings.Count(s, quoted), "%s %s: %s",
					locale, name, s)
				named += strings.Count(s, "NAME")
			}
			for _, evil := range []string{"URGENT https://evil.example", "www.evil",
				"go to evil.example/x", "eve@evil",
				"x <a href=evil>", "evil\u202e", "evil\nevil", "evil\u200b",
				strings.Repeat("evil.example ", 100)} {
				require.NotContains(t, strings.Join(compose(evil), ""), "evil", "%s %s",
					locale, name)
			}
		}
		require.GreaterOrEqual(t, named, 4*2)
	}
}

func TestNotify_MailsTheNotice(t *testing.T) {
	out := &mfatest.Outbox[email.Message]{}
	cfg := email.Config{Sender: out, ServiceName: "Acme"}
	f, err := email.New(cfg)
	require.NoError(t, err)
	in := factor.Message{User: factor.User{Locale: "nl"}, State: []byte("ann@example.com"),
		Event: "factor.added", Kind: "totp", Label: "Telefoon"}
	require.NoError(t, f.Notify(t.Context(), in))
	m, ok := out.Last()
	require.True(t, ok)
	require.Equal(t, "ann@example.com", m.To)
	require.Contains(t, m.Text.Reveal(), "‘Telefoon’ (authenticator-app)")

	in.Event, in.Link = "setup.link", secret.New("TOKEN")
	require.ErrorContains(t, f.Notify(t.Context(), in), "SetupURL is nil")
	cfg.SetupURL = func(token string) string { return "/relative?" + token }
	f, err = email.New(cfg)
	require.NoError(t, err)
	require.ErrorContains(t, f.Notify(t.Context(), in), "absolute")
	cfg.SetupURL = func(token string) string {
		return "https://acme.example/mfa/setup?token=" + token
	}
	f, err = email.New(cfg)
	require.NoError(t, err)
	require.NoError(t, f.Notify(t.Context(), in))
	m, _ = out.Last()
	require.Contains(t, m.Text.Reveal(), "\nhttps://acme.example/mfa/setup?token=TOKEN\n")
	require.Contains(t, m.HTML.Reveal(), "Nieuw apparaat instellen")
	require.Equal(t, 1, strings.Count(m.Text.Reveal(), "een uur"))
}
