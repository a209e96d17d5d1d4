package email_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/secret"
)

// every are mails of every purpose and every notice, in a language.
func every(t *testing.T, locale, name string) (list []email.Message) {
	t.Helper()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	add := func(c email.Content) {
		c.To, c.ServiceName, c.Locale = "ann@acme.example", "Acme", locale
		m, err := email.Compose(c)
		require.NoError(t, err)
		list = append(list, m)
	}
	link := secret.New("https://acme.example/x?t=abc")
	for _, purpose := range []string{"sign-in", "step-up", "manage", "replace", "confirm"} {
		add(email.Content{Purpose: purpose, Code: secret.New("012345"), TTL: 90 * time.Second})
		add(email.Content{Purpose: purpose, Code: secret.New("012345"), Link: link,
			TTL: 10 * time.Minute})
	}
	add(email.Content{Purpose: "confirm", Link: link})
	for _, notice := range append(noticeNames, "something.new") {
		kinds := []string{"totp"}
		if notice == "factor.added" {
			kinds = append(kinds, "email", "sms", "pin", "recovery", "questions", "passkey",
				"access")
		}
		for _, kind := range kinds {
			if name == "Authenticator app" && kind != "totp" {
				continue // a user has chosen it
			}
			c := email.Content{Notice: notice, Factor: kind, Name: name, Time: at,
				Until: at.AddDate(0, 0, 1), Left: 2}
			if notice == "setup.link" {
				c.Link = link
			}
			add(c)
		}
	}
	return list
}

// visible is the text of a mail, as plain text or as HTML.
func visible(part string) string {
	if !strings.HasPrefix(part, "<!doctype") {
		return part
	}
	var b strings.Builder
	for _, s := range textstest.Visible(part) {
		b.WriteString(s.Text + "\n")
	}
	return b.String()
}

// One language at a time, also for a name that no user chose.
func TestMails_AreInOneLanguage(t *testing.T) {
	brief.SkipOneGoroutine(t)
	for _, tag := range texts.Tags() {
		strange := textstest.Strange(tag, "Acme", "Zzyzx", "UTC", "https://acme.example/x?t=abc")
		for _, m := range append(every(t, tag, "Zzyzx"), every(t, tag, "Authenticator app")...) {
			for _, part := range []string{m.Subject, m.Text.Reveal(), m.HTML.Reveal()} {
				require.Empty(t, strange(visible(part)), "%s: %s", tag, part)
			}
		}
	}
}

// In Chinese and Japanese no space stands between two sentences.
func TestMails_JoinSentencesAsTheLanguageDoes(t *testing.T) {
	for _, tag := range []string{"ja", "zh-Hans", "zh-Hant"} {
		for _, m := range every(t, tag, "") {
			for _, part := range []string{m.Text.Reveal(), m.HTML.Reveal()} {
				require.NotRegexp(t, `[。？！] [^\s<]`, part, tag)
			}
		}
	}
}

// A mail says its language and its direction.
func TestMails_SayTheirDirection(t *testing.T) {
	for _, tag := range texts.Tags() {
		for _, m := range every(t, tag, "") {
			require.Contains(t, m.HTML.Reveal(), `<html lang="`+tag+`" dir="`+
				texts.Get(tag).Direction()+`">`)
			// Gmail and Outlook drop <html> and <body>, and GMX the attribute.
			require.Contains(t, m.HTML.Reveal(), `<div lang="`+tag+`" dir="`+
				texts.Get(tag).Direction()+`" style="direction:`+texts.Get(tag).Direction()+`">`)
		}
	}
}

// A name in another direction does not reorder the sentence around it.
func TestMails_IsolateNames(t *testing.T) {
	found := 0
	for _, m := range every(t, "en", "הטלפון") {
		for _, part := range []string{m.Subject, m.Text.Reveal(), m.HTML.Reveal()} {
			require.NotRegexp(t, regexp.MustCompile("[^\u2068]הטלפון|הטלפון[^\u2069]"), part)
			found += strings.Count(part, "הטלפון")
		}
	}
	require.Greater(t, found, 10)
}

// A linter looks at every mail.
func TestMails_AreWrittenForTheLinter(t *testing.T) {
	for _, tag := range textstest.LintedTags() {
		for i, m := range every(t, tag, "Phone") {
			textstest.WriteMail(t, tag, fmt.Sprintf("%02d", i), m.HTML.Reveal())
		}
	}
}
