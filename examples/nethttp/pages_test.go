package main

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// has fails unless the page contains all of the texts.
func (c *client) has(a *response, texts ...string) {
	c.t.Helper()
	for _, s := range texts {
		if !strings.Contains(a.text, s) {
			c.t.Errorf("the page has no %q: %s", s, a.text)
		}
	}
}

// to fails unless the response redirects to the place. After a form of the second factor's pages
// the application's pages are reached by a page that goes on to them.
func (c *client) to(a *response, place string) {
	c.t.Helper()
	got := a.header.Get("Location")
	if u, err := url.Parse(got); err == nil && u.Path == "/mfa/continue" {
		got = u.Query().Get("to")
	}
	if got != place {
		c.t.Fatalf("redirected to %q, want %q", got, place)
	}
}

func TestPages_SignInAndOut(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.to(c.get(303, "/"), "/login")
	c.to(c.get(303, "/admin/mfa/"), "/login?return=%2Fadmin%2Fmfa%2F")
	a := c.get(200, "/login")
	c.has(a, "Demonstration users", "olivia-demo-password", `autocomplete="current-password"`)
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options",
		"Referrer-Policy"} {
		if a.header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control: %s", a.header.Get("Cache-Control"))
	}
	if css := c.get(200, "/assets/app.css").header.Get("Content-Type"); !strings.HasPrefix(css,
		"text/css") {
		t.Errorf("stylesheet: %s", css)
	}
	a = c.post(401, "/login", url.Values{"username": {`"><b>anna`}, "password": {"wrong"}})
	c.has(a, "Wrong username or password", "&lt;b&gt;anna")
	c.get(404, "/nothing")
	c.get(404, "/assets/")

	c.to(c.post(303, "/login", url.Values{"username": {"anna"},
		"password": {"anna-demo-password"}}), "/mfa/")
	c.to(c.get(303, "/"), "/mfa/")
	c.to(c.get(303, "/admin/mfa/"), "/mfa/?return=%2Fadmin%2Fmfa%2F")
	c.post(303, "/mfa/send", url.Values{"kind": {"email"}})
	code := c.mailed("anna@acme.example")
	c.has(c.get(200, "/outbox"), "anna@acme.example", code, "Demonstration clock")
	c.to(c.post(303, "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}}), "/")
	c.has(c.get(200, "/"), "Anna de Vries", "e-mail", `href="/mfa/"`)
	c.to(c.get(303, "/login"), "/")
	c.get(403, "/admin/mfa/")
	c.has(c.get(403, "/admin/sign-on"), "Only the owner")
	c.chooses(403, "employee", "off", nil)
	c.get(403, "/admin/mfa/mails/resend")
	c.to(c.post(303, "/logout", url.Values{}), "/login")
	c.to(c.get(303, "/"), "/login")
}

func TestAccountPage_ListsTheAddressesAccounts(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.to(c.get(303, "/account"), "/")
	c.to(c.post(303, "/login", url.Values{"username": {"robin@acme.example"},
		"password": {"robin-demo-password"}}), "/account")
	c.to(c.get(303, "/"), "/account")
	c.has(c.get(200, "/account"), "manager", "employee", "robin.manager",
		"robin.employee")
	c.post(404, "/account", url.Values{"id": {"acct-olivia"}})
	c.to(c.post(303, "/account", url.Values{"id": {"acct-robin.manager"}}), "/mfa/")
	c.to(c.post(303, "/logout", url.Values{}), "/login")
	c.to(c.get(303, "/account"), "/")
}

func TestConfirmationLink_ConfirmsByItsButton(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("olivia")
	c.acts(303, "verification-link", "marcus")
	link := linkForm.FindString(c.get(200, "/demo/outbox").text)
	u, err := url.Parse(strings.TrimRight(strings.Split(link, `\n`)[0], `".`))
	if err != nil || !strings.HasPrefix(u.String(), s.base+"/mfa/confirm?") {
		t.Fatalf("link: %s", link)
	}
	d := s.client(t) // the link also works without a session
	d.has(d.get(200, u.RequestURI()), "<form")
	d.to(d.post(303, u.Path, url.Values{"token": {u.Query().Get("token")}}),
		"/mfa/confirmed?"+u.RawQuery)
	s.client(t).signIn("marcus")
}

func TestOutboxPage_MovesTheClock(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	before := c.now()
	c.to(c.post(303, "/outbox/clock", url.Values{"advance": {"24h"}}), "/outbox")
	if d := c.now().Sub(before); d < 24*time.Hour {
		t.Errorf("moved by %s", d)
	}
	c.has(c.get(200, "/outbox"), "moved forward", "Nothing has been sent yet")
	c.post(303, "/outbox/clock", url.Values{"advance": {"-24h"}})
	c.has(c.get(200, "/outbox"), "only be moved forward")
}

// A user whose session ended while a form was open signs in, and returns to the form.
func TestPages_ReturnAfterTheSessionEnded(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	const back = "/login?return=%2Femail"
	c.to(c.get(303, "/email"), back)
	c.to(c.post(303, "/email", url.Values{"address": {"anna@new.example"}}), "/login")
	a := c.get(200, back)
	c.has(a, "Sign in to continue where you were.", `name="return" value="/email"`)
	c.has(c.post(401, "/login", url.Values{"username": {"anna"}, "password": {"no"},
		"return": {"/email"}}), `name="return" value="/email"`)
	c.to(c.post(303, "/login", url.Values{"username": {"anna"}, "password": {"anna-demo-password"},
		"return": {"/email"}}), "/mfa/?return=%2Femail")
	c.to(c.post(303, "/login", url.Values{"username": {"robin@acme.example"},
		"password": {"robin-demo-password"}, "return": {"/email"}}), "/account?return=%2Femail")
	c.has(c.get(200, "/account?return=%2Femail"), `name="return" value="/email"`)
}
