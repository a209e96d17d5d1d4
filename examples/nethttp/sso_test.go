package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var (
	onwardLink    = regexp.MustCompile(`<a href="([^"]+)"`)
	accountButton = regexp.MustCompile(`<button name="user" value="([^"]+)">([^<]+)<`)
)

// depart begins a sign-on or a link, and returns the address of the provider's page.
func (c *client) depart(provider, action string) (page string) {
	c.t.Helper()
	a := c.post(200, "/sso/"+provider+"/"+action, url.Values{})
	link := onwardLink.FindStringSubmatch(a.text)
	if link == nil {
		c.t.Fatalf("no way on in %s", a.text)
	}
	return html.UnescapeString(link[1])
}

// chosen chooses an account on the provider's page, and returns the path that it redirects to.
func (c *client) chosen(page, name string) (back string) {
	c.t.Helper()
	resp, err := c.Get(page)
	if err != nil {
		c.t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	for _, button := range accountButton.FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(html.UnescapeString(button[2]), name) {
			continue
		}
		resp, err := c.PostForm(page, url.Values{"user": {button[1]}})
		if err != nil {
			c.t.Fatal(err)
		}
		_ = resp.Body.Close()
		return strings.TrimPrefix(resp.Header.Get("Location"), c.s.base)
	}
	c.t.Fatalf("no account is called %s on %s", name, text)
	return ""
}

// signOn chooses an account at a provider, and returns the response to the callback.
func (c *client) signOn(status int, provider, action, name string) *response {
	c.t.Helper()
	return c.get(status, c.chosen(c.depart(provider, action), name))
}

// activates activates Microsoft sign-on for Acme.
func (c *client) activates(more url.Values) {
	c.t.Helper()
	form := url.Values{"provider": {"microsoft"}, "organization": {demoTenant}, "reason": {"ours"}}
	for k, v := range more {
		form[k] = v
	}
	c.to(c.post(303, "/admin/sign-on/activate", form), "/admin/sign-on")
}

func TestSignOn_LinksAndSignsIn(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia, anna, visitor := s.client(t), s.client(t), s.client(t)

	// Google needs no activation, and Microsoft needs one.
	text := visitor.get(200, "/login").text
	if !strings.Contains(text, "Sign in with Google") ||
		strings.Contains(text, "Sign in with Microsoft") {
		t.Error("the sign-in page offers something else")
	}
	olivia.signIn("olivia")
	olivia.activates(nil)
	olivia.has(olivia.get(200, "/admin/sign-on"), demoTenant, "by Olivia Berg", "ours is asked")
	visitor.has(visitor.get(200, "/login"), "Sign in with Microsoft")

	// An address is no link: no user has linked the account.
	visitor.has(visitor.signOn(403, "microsoft", "sign-in", "Anna de Vries"),
		"is not linked to any user here", "Back to sign-in")
	visitor.has(visitor.signOn(403, "google", "sign-in", "Anna de Vries"),
		"is not linked to any user here")

	anna.signIn("anna")
	anna.has(anna.get(200, "/mfa/factors"), "Activate Microsoft sign-on", "Activate Google sign-on")
	anna.has(anna.signOn(403, "google", "link", "Sam Visser"),
		"does not have the e-mail address",
		"Back to security settings")
	anna.has(anna.signOn(403, "microsoft", "link", "Anna of another"), "has not activated sign-on")
	anna.to(anna.signOn(303, "microsoft", "link", "Anna de Vries"), "/mfa/factors")
	anna.has(anna.get(200, "/mfa/factors"), "Microsoft sign-on is active: you can sign in with "+
		"anna@acme.example", "Unlink")
	anna.mails(1, "anna@acme.example", "a Microsoft account that was linked")

	// Sign-on replaces only the password, also in a browser in which another user is signed in.
	in := s.client(t)
	in.signIn("ben")
	in.to(in.signOn(303, "microsoft", "sign-in", "Anna de Vries"), "/mfa/")
	in.get(401, "/api/me")
	in.verify(200, "email", in.send("email", "anna@acme.example"))
	in.field(in.get(200, "/api/me"), "username", "anna")
	in.has(in.get(200, "/sessions"), "Microsoft, e-mail")

	// Another user cannot link the same account.
	ben := s.client(t)
	ben.signIn("ben")
	ben.has(ben.signOn(409, "microsoft", "link", "Anna de Vries"),
		"already linked to another user")

	// Without the activation the account does not sign in, even for a user who has linked it.
	olivia.to(olivia.post(303, "/admin/sign-on/deactivate", url.Values{"provider": {"microsoft"},
		"organization": {demoTenant}}), "/admin/sign-on")
	in = s.client(t)
	in.has(in.signOn(403, "microsoft", "sign-in", "Anna de Vries"), "has not activated sign-on")
	anna.has(anna.get(200, "/mfa/factors"), "not active", "withdrawn")
	olivia.activates(nil)
	in.to(in.signOn(303, "microsoft", "sign-in", "Anna de Vries"), "/mfa/")

	// An unlinked account does not sign in.
	link := regexp.MustCompile(`name="link" value="([^"]+)"`).FindStringSubmatch(anna.get(200,
		"/mfa/factors").text)
	if link == nil {
		t.Fatal("no link to end")
	}
	ben.has(ben.post(404, "/sso/microsoft/unlink", url.Values{"link": link[1:]}),
		"no longer exists")
	anna.to(anna.post(303, "/sso/microsoft/unlink", url.Values{"link": link[1:]}), "/mfa/factors")
	anna.mails(1, "anna@acme.example", "can no longer sign in")
	in = s.client(t)
	in.has(in.signOn(403, "microsoft", "sign-in", "Anna de Vries"), "is not linked")
}

// A linked account signs in without the password, so linking requires a recent second factor: when
// it begins, and when it completes.
func TestLink_NeedsAFreshFactor(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.to(c.post(303, "/sso/google/link", url.Values{}), "/login")
	c.password("anna")
	c.to(c.post(303, "/sso/google/link", url.Values{}), "/mfa/")
	c.signIn("anna")
	back := c.chosen(c.depart("google", "link"), "Anna de Vries")
	c.advance("6m") // the sign-on is valid for ten minutes, the proof for less
	c.has(c.get(403, back), "too long since you confirmed")
	if a := c.post(303, "/sso/google/link", url.Values{}); !strings.HasPrefix(
		a.header.Get("Location"), "/mfa/step-up?purpose=manage") {
		t.Errorf("sent to %s", a.header.Get("Location"))
	}
	c.signIn("anna")
	c.to(c.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
	c.advance("6m")
	link := regexp.MustCompile(`name="link" value="([^"]+)"`).FindStringSubmatch(c.get(200,
		"/mfa/factors").text)
	if a := c.post(303, "/sso/google/unlink", url.Values{"link": link[1:]}); !strings.HasPrefix(
		a.header.Get("Location"), "/mfa/step-up?purpose=manage") {
		t.Errorf("sent to %s", a.header.Get("Location"))
	}
	c.has(c.get(200, "/mfa/factors"), "Unlink")
}

// Another browser cannot complete a sign-on, and a callback is accepted once.
func TestSignOn_CompletesInItsBrowserOnly(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	anna, mallory := s.client(t), s.client(t)
	anna.signIn("anna")
	anna.to(anna.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
	back := mallory.chosen(mallory.depart("google", "sign-in"), "Anna de Vries")
	victim := s.client(t)
	victim.has(victim.get(400, back), "another browser")
	victim.get(401, "/api/me")
	mallory.to(mallory.get(303, back), "/mfa/")
	mallory.get(400, back)

	// A link that was begun before another user signed in is not completed in the new session.
	ben := s.client(t)
	ben.signIn("ben")
	back = ben.chosen(ben.depart("google", "link"), "Ben Carter")
	ben.signIn("anna")
	ben.has(ben.get(400, back), "another browser")
	if text := ben.get(200, "/mfa/factors").text; strings.Contains(text, "ben@acme.example") {
		t.Error("linked to another user")
	}
	cancelled := s.client(t)
	page := cancelled.depart("google", "sign-in")
	resp, err := cancelled.PostForm(page, url.Values{"user": {"cancel"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	cancelled.has(cancelled.get(200, strings.TrimPrefix(resp.Header.Get("Location"), s.base)),
		"You did not sign in with Google")
}

// The provider's own second factor replaces ours only if the owner accepts it, and never where a
// recent proof is required.
func TestSignOn_AcceptsTheProvidersSecondFactor(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia, ben := s.client(t), s.client(t)
	olivia.signIn("olivia")
	olivia.activates(nil)
	ben.signIn("ben")
	ben.to(ben.signOn(303, "microsoft", "link", "Ben Carter"), "/mfa/factors")
	in := s.client(t)
	in.to(in.signOn(303, "microsoft", "sign-in", "Ben Carter"), "/mfa/")
	in.get(401, "/api/me")

	olivia.activates(url.Values{"accept_mfa": {"yes"}})
	olivia.has(olivia.get(200, "/admin/sign-on"), "its second step counts")
	in = s.client(t)
	in.to(in.signOn(303, "microsoft", "sign-in", "Ben Carter"), "/")
	in.field(in.get(200, "/api/me"), "username", "ben")
	in.get(200, "/")
	in.has(in.get(200, "/sessions"), "Microsoft, its second step")
	if a := in.post(303, "/sso/microsoft/unlink", url.Values{"link": {"x"}}); !strings.HasPrefix(
		a.header.Get("Location"), "/mfa/step-up?purpose=manage") {
		t.Errorf("sent to %s", a.header.Get("Location"))
	}

	// It lets the owner read pages. To change something, the owner verifies our factor.
	olivia.to(olivia.signOn(303, "microsoft", "link", "Olivia Berg"), "/mfa/factors")
	anna := s.client(t)
	anna.signIn("anna")
	anna.to(anna.signOn(303, "microsoft", "link", "Anna de Vries"), "/mfa/factors")
	in = s.client(t)
	in.to(in.signOn(303, "microsoft", "sign-in", "Olivia Berg"), "/")
	in.get(200, "/admin/mfa/")
	for _, wait := range []string{"1s", "16m"} { // the provider's does not count, however recent
		in.advance(wait)
		in.to(in.acts(303, "end-sessions", "anna"), "/mfa/step-up?purpose=manage&return=%2F")
		anna.get(200, "/api/me")
	}
	in.get(303, "/mfa/step-up?purpose=manage&return=%2F")
	in.post(200, "/mfa/api/send", obj{"kind": "email", "purpose": "manage"})
	in.post(200, "/mfa/api/verify", obj{"kind": "email", "purpose": "manage",
		"code": in.mailed("olivia@acme.example")})
	in.acts(303, "end-sessions", "anna")
	anna.get(401, "/api/me")

	// If the token names no second factor, the sign-in requires ours.
	anna.to(anna.signOn(303, "microsoft", "sign-in", "Anna de Vries"), "/mfa/")
}

// A reset unlinks every account, so that only the password signs in.
func TestReset_UnlinksEveryAccount(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia, anna := s.client(t), s.client(t)
	olivia.signIn("olivia")
	for _, unlink := range []string{"/admin/sign-on/unlink", "/admin/mfa/user/reset"} {
		anna.signIn("anna")
		anna.to(anna.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
		olivia.has(olivia.get(200, "/admin/account?id=acct-anna"),
			"anna@acme.example&nbsp;· linked")
		olivia.post(303, unlink, url.Values{"id": {"acct-anna"},
			"reason": {"taken over"}})
		in := s.client(t)
		in.has(in.signOn(403, "google", "sign-in", "Anna de Vries"), "is not linked")
	}
	anna.mails(2, "anna@acme.example", "an administrator has unlinked them all")
	anna.signIn("anna")
	anna.post(403, "/admin/sign-on/unlink", url.Values{"id": {"acct-ben"}})
	olivia.has(olivia.post(422, "/admin/sign-on/unlink", url.Values{"id": {"acct-ben"}}),
		"Enter a reason")
	anna.post(403, "/admin/sign-on/activate", url.Values{"provider": {"microsoft"},
		"organization": {demoTenant}})
	anna.get(403, "/admin/sign-on")
	olivia.has(olivia.post(422, "/admin/sign-on/activate", url.Values{"provider": {"microsoft"},
		"organization": {"acme"}, "reason": {"our tenant"}, "accept_mfa": {"yes"}}),
		"This is no organisation", `value="our tenant"`, `value="yes" autocomplete="off" checked`)
}

// Linked accounts still sign in after a restart.
func TestSignOn_AfterARestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	c := s.client(t)
	c.signIn("anna")
	c.to(c.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
	if err := s.end(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s = start(t, data)
	c = s.client(t)
	c.to(c.signOn(303, "google", "sign-in", "Anna de Vries"), "/mfa/")
}

// Without credentials there is no sign-on. With them the page has the buttons, and it asks to try
// again if the provider cannot be reached.
func TestSignOn_ByEnvironment(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "-demo=false")
	c := s.client(t)
	if text := c.get(200, "/login").text; strings.Contains(text, "Sign in with") {
		t.Error("there is a button")
	}
	c.post(404, "/sso/google/sign-in", url.Values{})
	if got := refused(t, "-addr=127.0.0.1:0", "-data="+t.TempDir(), "-demo=false",
		"ACME_GOOGLE_CLIENT_ID=x"); !strings.Contains(got, "ACME_GOOGLE_CLIENT_SECRET") {
		t.Errorf("said %q", got)
	}
	s = start(t, t.TempDir(), "-demo=false", "ACME_GOOGLE_CLIENT_ID=x",
		"ACME_GOOGLE_CLIENT_SECRET=y", "HTTPS_PROXY=http://127.0.0.1:1")
	c = s.client(t)
	c.has(c.get(200, "/login"), "Sign in with Google")
	c.has(c.post(503, "/sso/google/sign-in", url.Values{}), "Google cannot be reached")
	req, err := http.NewRequest("POST", s.base+"/sso/google/sign-in", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("another site begins a sign-on: %d", resp.StatusCode)
	}
}

// A link does not sign in a user who was deleted, and notices are sent only to verified addresses.
func TestSignOn_OfADeletedUser(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	db, err := openDatabase(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, d := s.client(t), s.client(t)
	d.signIn("anna")
	c.signIn("anna")
	c.post(303, "/sessions/preference", url.Values{"end": {"yes"}})
	c.to(c.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
	d.get(401, "/api/me") // a link is a change of the sign-in methods
	c.mails(1, "anna@acme.example", "that was linked")
	if _, err :=
		db.Exec(`UPDATE accounts SET email_confirmed = 0 WHERE id = 'acct-anna'`); err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`name="link" value="([^"]+)"`).FindStringSubmatch(c.get(200,
		"/mfa/factors").text)
	c.to(c.post(303, "/sso/google/unlink", url.Values{"link": link[1:]}), "/mfa/factors")
	c.to(c.signOn(303, "google", "link", "Anna de Vries"), "/mfa/factors")
	if n := len(c.mails(1, "anna@acme.example", "that was linked")); n != 1 {
		t.Errorf("%d mails, one to an address that is not verified", n)
	}
	if _, err := db.Exec(`DELETE FROM preferences WHERE account = 'acct-anna';
		DELETE FROM accounts WHERE id = 'acct-anna'`); err != nil {
		t.Fatal(err)
	}
	in := s.client(t)
	in.has(in.signOn(403, "google", "sign-in", "Anna de Vries"), "is not linked to any user")
	in.get(401, "/api/me")
}
