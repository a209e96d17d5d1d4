package browser_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var resetLink = regexp.MustCompile(`/password/reset\?token=[\w-]+`)

// resetLink waits for the mail, which is sent after the answer.
func (s *site) resetLink(to string) (link string) {
	s.t.Helper()
	s.waitFor("a link to "+to, func() bool {
		var all []message
		s.get("/demo/outbox", &all)
		for _, m := range all {
			if link = resetLink.FindString(m.Text); m.To == to && link != "" {
				return true
			}
		}
		return false
	})
	return link
}

func (b *tab) choose(form, typed, again string) {
	b.t.Helper()
	b.fill("password", typed)
	b.fill("again", again)
	b.press(`form[action="` + form + `"] button[type=submit]`)
}

// typedLogin passes the first factor with a password of one's own.
func (b *tab) typedLogin(username, typed string) {
	b.t.Helper()
	b.fill("username", username)
	b.fill("password", typed)
	b.press(`form[action="/login"].acme-form button`)
}

// A password is forgotten, a link is mailed, another is chosen; what was open is over, and the
// second factor is asked for.
func TestPassword_ForgottenOneIsReplaced(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		elsewhere := s.open(in.script)
		elsewhere.signIn("anna")

		b := s.open(in.script)
		b.visit("/login")
		b.press(`a[href="/password/forgot"]`)
		require.LessOrEqual(t, b.narrow(), 320)
		b.fill("email", "anna@acme.example")
		b.press(`form[action="/password/forgot"] button`)
		require.Contains(t, b.text("main"), "If anna@acme.example belongs to an account")

		link := s.resetLink("anna@acme.example")
		b.visit(link)
		require.LessOrEqual(t, b.narrow(), 320)
		var fields []string
		b.eval(
			`[...document.querySelectorAll('form[action="/password/reset"] input:not([type=hidden])')].map(e => e.autocomplete)`, &fields)
		require.Equal(t, []string{"username", "new-password", "new-password"}, fields,
			"what password managers look for")
		b.choose("/password/reset", "herons wade at dusk", "herons wade at dawn")
		require.Contains(t, b.text("[role=alert]"), "do not match")
		b.choose("/password/reset", "anna acme 2026", "anna acme 2026")
		require.Contains(t, b.text("[role=alert]"), "little more than your name")
		b.choose("/password/reset", "herons wade at dusk", "herons wade at dusk")
		require.Equal(t, "/login", b.path(), "no user is signed in")
		require.Contains(t, b.text(says), "Your password is set")

		elsewhere.visit("/")
		require.Equal(t, "/login", elsewhere.path(), "the other session is over")
		elsewhere.visit(link)
		require.Contains(t, elsewhere.text("h1"), "no longer valid")

		b.typedLogin("anna", "anna-demo-password")
		require.Equal(t, "/login", b.path())
		b.typedLogin("anna", "herons wade at dusk")
		require.Equal(t, "/mfa/verify", b.path(), "the second factor is asked for as before")
		b.visit("/mfa/verify?kind=email")
		b.press(sendForm)
		b.answer(b.code("anna@acme.example"))
		require.Equal(t, "/", b.path())
	})
}

// The owner sets a password, and its owner chooses another before anything else.
func TestPassword_SetByTheOwnerIsReplaced(t *testing.T) {
	everywhereAtLength(t, func(t *testing.T, in browsing) {
		s := in.start(t)
		owner := s.open(in.script)
		owner.signIn("olivia")
		owner.visit("/admin/account?id=acct-emma")
		owner.fill("password", "otters swim at noon")
		owner.set("#password-reason", "rang, known voice")
		owner.press(`form[action="/admin/password"] button`)
		require.Contains(t, owner.text(says), "Give it to this user alone")

		b := s.open(in.script)
		b.visit("/login")
		b.typedLogin("emma", "otters swim at noon")
		b.visit("/mfa/verify?kind=email")
		b.press(sendForm)
		b.answer(b.code("emma@acme.example"))
		require.Equal(t, "/password", b.path())
		b.visit("/mfa/factors")
		require.Equal(t, "/password", b.path())
		require.False(t, strings.Contains(b.text("body"), "Administration"))
		b.fill("current", "otters swim at noon")
		b.choose("/password", "otters swim at noon", "otters swim at noon")
		require.Contains(t, b.text("[role=alert]"), "current password")
		b.fill("current", "otters swim at noon")
		b.choose("/password", "herons wade at dusk", "herons wade at dusk")
		require.Equal(t, "/", b.path())
		b.visit("/mfa/factors")
		require.Equal(t, "/mfa/factors", b.path())

		b.visit("/password")
		require.LessOrEqual(t, b.narrow(), 320)
	})
}
