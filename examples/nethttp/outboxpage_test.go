package main

import (
	"context"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/email"
	"github.com/secondgate/secondgate/secret"
)

var framedMail = regexp.MustCompile(`<iframe src="(/outbox/mail/\d+)"[^>]*>`)

// The outbox shows the document of a mail in a frame, beside its text. The document may do nothing
// but look as it says, in the frame and in a tab of its own, and nothing else can frame it.
func TestOutboxPage_ShowsTheDocumentOfAMail(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.password("anna")
	code := c.send("email", "anna@acme.example")

	page := s.client(t).get(200, "/outbox")
	frame := framedMail.FindStringSubmatch(page.text)
	require.NotNil(t, frame, page.text)
	require.Contains(t, frame[0], `sandbox="allow-popups allow-popups-to-escape-sandbox"`)
	require.Contains(t, page.header.Get("Content-Security-Policy"), "; frame-src 'self'")
	require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'; ")
	require.NotContains(t, page.text, "<table", "no part of the document is in the page")
	require.NotContains(t, c.get(200, "/login").header.Get("Content-Security-Policy"), "frame-src")

	document := s.client(t).get(200, frame[1])
	require.Contains(t, document.text, code)
	require.Contains(t, document.text, `<head><base target="_blank">`)
	policy := document.header.Get("Content-Security-Policy")
	require.Equal(t, mailPolicy, policy)
	require.NotContains(t, policy, "script")
	require.NotContains(t, policy, "allow-same-origin")
	require.NotContains(t, policy, "allow-top-navigation")
	require.Equal(t, "SAMEORIGIN", document.header.Get("X-Frame-Options"))
	require.Equal(t, "nosniff", document.header.Get("X-Content-Type-Options"))
	require.Equal(t, "no-store", document.header.Get("Cache-Control"))

	for _, id := range []string{"0", "-1", "99", "x", "9223372036854775808", "1%2f2"} {
		c.get(404, mailPath+id)
	}
}

// A message without a document, which a text message is, has no frame. Neither has a mail that an
// earlier version stored.
func TestOutboxPage_HasNoFrameForAText(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	db, err := openDatabase(t.Context(), data)
	require.NoError(t, err)
	for _, statement := range []string{`ALTER TABLE outbox DROP COLUMN html`,
		`INSERT INTO outbox (time, channel, recipient, subject, text)
			VALUES ('2026-01-02T03:04:05Z', 'email', 'old@acme.example', 'Old', 'Of before')`} {
		_, err = db.Exec(statement)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
	s := start(t, data)
	c := s.client(t)
	c.signIn("anna")
	c.post(200, "/mfa/api/enroll", obj{"kind": "sms", "number": "+31612345678",
		"password": "anna-demo-password"})
	page := c.get(200, "/outbox").text
	require.Contains(t, page, "Of before")
	require.Contains(t, page, "31612345678")
	require.Len(t, framedMail.FindAllString(page, -1), 1, "the mail with the code")
	require.Equal(t, 1, strings.Count(page, "<details class=\"acme-rendered\""))
	c.get(404, mailPath+"1")
}

// What a sender puts into a document stays there: it reaches the outbox as it is, and only under
// the address whose policy holds it.
func TestOutbox_KeepsADocumentAsItIs(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer db.Close()
	o := &outbox{db: db, clock: &clock{}}
	evil := `<head></head><script>top.location="https://evil.example"</script>`
	sender := mailSender{outbox: o}
	require.NoError(t, sender.Send(context.WithoutCancel(t.Context()), email.Message{
		To: "a@acme.example", Subject: "<b>", Text: secret.New("text"), HTML: secret.New(evil)}))
	list, err := o.list(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, list[0].Rendered)
	got, err := o.document(t.Context(), list[0].ID)
	require.NoError(t, err)
	require.Equal(t, evil, got)
	_, err = o.document(t.Context(), list[0].ID+1)
	require.ErrorIs(t, err, errNoMail)
	p, err := newPages()
	require.NoError(t, err)
	var page strings.Builder
	require.NoError(t, p.in("en").ExecuteTemplate(&page, "outbox.html", view{Data: outboxView{
		Messages: []messageView{{message: list[0], Document: mailPath + "1"}}}}))
	require.NotContains(t, page.String(), "evil")
	require.NotContains(t, html.UnescapeString(page.String()), "<script")
	require.NotContains(t, page.String(), url.PathEscape("<b>"))
}
