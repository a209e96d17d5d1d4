package email_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/plainname"
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
			require.Contains(t, m.Text.Reveal(), "12:00\u00a0UTC")
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
	require.Contains(t, m.Text.Reveal(), "12:03\u00a0UTC")
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
	brief.SkipOneGoroutine(t)
	for _, locale := range texts.Tags() {
		marks := quotationMarks(t, locale)
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
				s = strings.NewReplacer("\u2068", "", "\u2069", "").Replace(s) // in he and ar
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

// quotationMarks returns the marks of a language. Each of the two is one that no name keeps.
func quotationMarks(t *testing.T, locale string) (marks [2]string) {
	t.Helper()
	named, ok := texts.Get(locale).Lookup("mail.named")
	require.True(t, ok)
	before, rest, _ := strings.Cut(named, "{name}")
	after, _, _ := strings.Cut(rest, "{kind}")
	marks = [2]string{strings.TrimLeft(before, " "), strings.TrimRight(after, " (（")}
	for _, m := range marks {
		mark := strings.Trim(m, "\u00a0\u202f")
		require.Len(t, []rune(mark), 1, "%s: %q", locale, named)
		require.Contains(t, plainname.ForQuotation("x"+mark+"y"), "x'y", "%s: %q", locale, mark)
	}
	return marks
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

// A notice names what it is about once, in words that the user knows.
func TestNotices_NameAThingOnce(t *testing.T) {
	for _, locale := range texts.Tags() {
		for kind, own := range map[string]string{"sms": "Text message", "email": "E-mail",
			"totp": "Authenticator app", "passkey": "Passkey", "recovery": "Recovery codes"} {
			c := email.Content{ServiceName: "Acme", Locale: locale, Notice: "factor.added",
				Factor: kind, Name: own}
			said := texts.Get(locale).Say("mail.kind." + kind)
			for _, c.Name = range []string{own, strings.ToLower(own), said, ""} {
				m, err := email.Compose(c)
				require.NoError(t, err)
				require.Equal(t, 1, strings.Count(strings.ToLower(m.Text.Reveal()),
					strings.ToLower(said)), "%s %q: %s", locale, c.Name, m.Text.Reveal())
				require.NotContains(t, m.Text.Reveal(), "("+said+")", locale)
			}
		}
	}
	c := email.Content{ServiceName: "Acme", Notice: "lockout.unlocked", Factor: "sms"}
	m, err := email.Compose(c)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(m.Text.Reveal(), "Text message was"), m.Text.Reveal())
	// A third-party kind is called what the application calls it, and never by its raw name.
	c.Factor = "acme_badge"
	m, err = email.Compose(c)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(m.Text.Reveal(), "Sign-in method was"), m.Text.Reveal())
	out := &mfatest.Outbox[email.Message]{}
	f, err := email.New(email.Config{Sender: out, ServiceName: "Acme",
		KindName: func(c email.Content) string { return c.Locale + " name of " + c.Factor }})
	require.NoError(t, err)
	require.NoError(t, f.Notify(t.Context(), factor.Message{User: factor.User{Locale: "en"},
		State: []byte("ann@example.com"), Event: "lockout.unlocked", Kind: "acme_badge"}))
	m, _ = out.Last()
	require.True(t, strings.HasPrefix(m.Text.Reveal(), "En name of acme_badge was"),
		m.Text.Reveal())
}

// A notice says what came before, and does not say that a password was entered if a link was.
func TestNotices_SayTheCause(t *testing.T) {
	causes := []string{"first-factor", "recovery-link", "session"}
	for _, locale := range texts.Tags() {
		for _, notice := range []string{"verify.failure", "lockout.locked", "support.requested",
			"challenge.abandoned", "recovery.used"} {
			for _, cause := range append(causes, "", "unknown") {
				m, err := email.Compose(email.Content{ServiceName: "Acme", Locale: locale,
					Notice: notice, Factor: "totp", Cause: cause})
				require.NoError(t, err)
				lead, _, _ := strings.Cut(m.Text.Reveal(), "\n")
				for _, other := range causes {
					say := texts.Get(locale).Say("mail.cause." + other)
					require.Equal(t, other == cause, strings.Contains(m.Text.Reveal(), say),
						"%s %s: %s", locale, notice, m.Text.Reveal())
				}
				if cause != "first-factor" {
					require.NotRegexp(t, `(?i)pass[wo]|wachtwoord|passord|passwort`, lead)
				}
			}
		}
	}
}

// A notice says when and where something happened, in the user's time zone, as far as that is
// known. What an attacker's browser calls itself is no link.
func TestNotices_SayWhenAndWhere(t *testing.T) {
	c := email.Content{ServiceName: "Acme", Notice: "factor.added", Factor: "totp",
		Time: time.Date(2026, 1, 5, 23, 30, 0, 0, time.UTC), Browser: "Firefox, Windows",
		Place: "Utrecht, Netherlands", TimeZone: "Europe/Amsterdam"}
	m, err := email.Compose(c)
	require.NoError(t, err)
	require.Contains(t, m.Text.Reveal(), "This happened on 6\u00a0January 2026, 00:30\u00a0CET.\n"+
		"Browser: Firefox, Windows\nApproximate place: Utrecht, Netherlands\n")
	require.Contains(t, visible(m.HTML.Reveal()), "Browser: Firefox, Windows")
	c.Browser, c.Place = "https://evil.example", "evil.example/x"
	for _, c.TimeZone = range []string{"", "Local", "../../etc/passwd", "Nowhere/None"} {
		m, err = email.Compose(c)
		require.NoError(t, err)
		require.Contains(t, m.Text.Reveal(), "23:30\u00a0UTC")
		require.NotContains(t, m.Text.Reveal()+m.HTML.Reveal(), "evil")
	}
}
