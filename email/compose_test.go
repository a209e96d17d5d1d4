package email_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/secret"
)

func TestCompose_InFourLanguages(t *testing.T) {
	seen := map[string]bool{}
	for locale, lang := range map[string]string{"en": "en", "en-GB": "en", "nl-BE": "nl",
		"NL": "nl", "nb_NO": "nb", "no": "nb", "nn": "nb", "de": "de", "de-CH": "de",
		"tlh": "en", "": "en", "\xff": "en", "\"><script>": "en"} {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			c := email.Content{To: "ann@example.com", ServiceName: `A&B <"100%s">`, Locale: locale,
				Purpose: purpose, Code: secret.New("012345"), TTL: 90 * time.Second}
			if purpose == "confirm" {
				c.Link = secret.New("https://acme.example/c?token=x&y=1")
			}
			m, err := email.Compose(c)
			require.NoError(t, err)
			require.Equal(t, c.To, m.To)
			for _, part := range []string{m.Text.Reveal(), m.HTML.Reveal()} {
				require.Contains(t, part, "012345")
				require.Contains(t, part, "90 ")
				require.NotContains(t, part, "%!")
				require.NotContains(t, part, "ZgotmplZ")
			}
			require.Contains(t, m.Subject, c.ServiceName)
			require.NotContains(t, m.Subject, "012345", "lock screens show subjects")
			require.Contains(t, m.HTML.Reveal(), `<html lang="`+lang+`" dir="ltr">`)
			require.NotContains(t, m.HTML.Reveal(), `<"100`)
			require.Equal(t, purpose == "confirm", strings.Contains(m.Text.Reveal(),
				c.Link.Reveal()+"\n") && !c.Link.IsZero(), "the link is alone in its line")
			require.Equal(t, purpose == "confirm", strings.Contains(m.HTML.Reveal(),
				`<a href="https://acme.example/c?token=x&amp;y=1"`))
			seen[m.Text.Reveal()] = true
		}
	}
	require.Len(t, seen, 4*5, "four languages, five purposes")
}

// The code is the first thing that a reader sees, and that a list of mails shows.
func TestCompose_BeginsWithTheCode(t *testing.T) {
	for _, locale := range texts.Tags() {
		for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
			m, err := email.Compose(email.Content{To: "ann@example.com", ServiceName: "Acme",
				Locale: locale, Purpose: purpose, Code: secret.New("012345"),
				TTL: 90 * time.Second})
			require.NoError(t, err)
			line, _, _ := strings.Cut(m.Text.Reveal(), "\n")
			require.Contains(t, line, "012345", locale)
			require.Contains(t, line, "Acme", locale)
			seen := strings.TrimPrefix(strings.Join(strings.Fields(
				visible(m.HTML.Reveal())), " "), "Acme ") // the title
			require.True(t, strings.HasPrefix(seen, line), "%s: the preview is %q", locale,
				seen[:60])
			// In the mail itself, only the name of the service is before it.
			const cells = `(</?(div|table|tr|td)[^>]*>|\s)*`
			require.Regexp(t, `</div>`+cells+`<p[^>]*>Acme</p>`+cells+`012345`+cells+`<p`,
				m.HTML.Reveal(), locale)
		}
	}
}

// A mail has one button at most, and no address for the reader to decipher. The plain form has
// the address on a line of its own.
func TestCompose_HasOneButtonAndNoAddressInSight(t *testing.T) {
	link := "https://acme.example/c?token=" + strings.Repeat("x", 300)
	for _, locale := range texts.Tags() {
		for name, c := range map[string]email.Content{
			"code and link": {Purpose: "confirm", Code: secret.New("012345"),
				Link: secret.New(link)},
			"link":     {Purpose: "confirm", Link: secret.New(link)},
			"recovery": {Notice: "setup.link", Link: secret.New(link)},
			"notice": {Notice: "factor.added", Factor: "totp", Name: "Phone",
				SettingsURL: link},
		} {
			c.ServiceName, c.Locale = "Acme", locale
			m, err := email.Compose(c)
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(m.HTML.Reveal(), "<a "), "%s %s", locale, name)
			require.Contains(t, m.HTML.Reveal(), `<a href="`+link+`"`)
			require.NotContains(t, visible(m.HTML.Reveal()), "://", "%s %s", locale, name)
			require.Contains(t, m.Text.Reveal(), "\n"+link+"\n", "%s %s", locale, name)
		}
	}
}

// A mail with a link alone speaks of no code, and does not alarm about passwords: no one has
// typed one.
func TestCompose_LinkAloneSpeaksOfNoCode(t *testing.T) {
	for _, locale := range texts.Tags() {
		m, err := email.Compose(email.Content{ServiceName: "Acme", Locale: locale,
			Purpose: "confirm", Link: secret.New("https://acme.example/c?token=x")})
		require.NoError(t, err)
		for _, part := range []string{m.Text.Reveal(), m.HTML.Reveal()} {
			require.Contains(t, part, "https://acme.example/c?token=x")
			seen := strings.ToLower(visible(part))
			require.NotRegexp(t, `\bcode|\bkode|pass[wo]|wachtwoord|passord|passwort|\b0 `, seen)
		}
	}
}

// What an attacker can put into a name or a link stays text.
func TestCompose_EscapesMarkup(t *testing.T) {
	m, err := email.Compose(email.Content{ServiceName: `<img src=x onerror=alert(1)>`,
		Purpose: "confirm", Code: secret.New("<b>1</b>"),
		Link: secret.New(`javascript:alert(1)//"><script>`)})
	require.NoError(t, err)
	for _, evil := range []string{"<img", "<b>1", "<script", `href="javascript:`} {
		require.NotContains(t, m.HTML.Reveal(), evil)
	}
}

func TestCompose_StatesTheTTL(t *testing.T) {
	for d, want := range map[time.Duration]string{30 * time.Second: "30 seconds",
		time.Minute: "1 minute", 90 * time.Second: "90 seconds",
		2 * time.Minute: "2 minutes", 150 * time.Second: "150 seconds",
		10 * time.Minute: "10 minutes"} {
		m, err := email.Compose(email.Content{ServiceName: "Acme", Purpose: "sign-in",
			Code: secret.New("012345"), TTL: d})
		require.NoError(t, err)
		require.Contains(t, m.Text.Reveal(), "valid for "+want+",")
	}
}
