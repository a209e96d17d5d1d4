package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/password"
	"github.com/secondgate/secondgate/secret"
)

const chosen = "herons wade at dusk"

var resetLink = regexp.MustCompile(`/password/reset\?token=[\w-]+`)

// mails waits until an address has n mails that contain the words, because they are sent beside
// the request. It returns their texts, the newest first.
func (c *client) mails(n int, to, words string) (texts []string) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var list []message
		if err := json.Unmarshal([]byte(c.get(200, "/demo/outbox").text), &list); err != nil {
			c.t.Fatal(err)
		}
		texts = nil
		for _, m := range list {
			if m.To == to && strings.Contains(m.Text, words) {
				texts = append(texts, m.Text)
			}
		}
		if len(texts) >= n {
			return texts
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d of %d mails to %s with %q", len(texts), n, to, words)
		}
	}
}

// forgot requests a link and returns its path.
func (c *client) forgot(address string) string {
	c.t.Helper()
	c.post(200, "/password/forgot", url.Values{"email": {address}})
	return resetLink.FindString(c.mails(1, strings.ToLower(address), "new password")[0])
}

func (c *client) login(status int, username, typed string) *response {
	c.t.Helper()
	return c.post(status, "/api/login", obj{"username": username, "password": typed})
}

func twice(token, typed string) url.Values {
	return url.Values{"token": {token}, "password": {typed}, "again": {typed}}
}

func tokenOf(link string) string { return strings.TrimPrefix(link, "/password/reset?token=") }

// A user who forgot the password chooses another one by a mailed link. All sessions end, and the
// sign-in requires the second factor as before.
func TestForgot_ChoosesANewPasswordByLink(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, thief := s.client(t), s.client(t)
	thief.signIn("anna")
	thief.get(200, "/")
	half := s.client(t) // has verified the password only
	half.password("anna")

	c.has(c.get(200, "/login"), `href="/password/forgot"`)
	link := c.forgot("Anna@acme.example")
	for range 2 {
		c.has(c.get(200, link), "anna@acme.example")
	}
	thief.get(200, "/")

	c.has(c.post(422, "/password/reset", twice(tokenOf(link), "anna acme")),
		"little more than your name")
	c.has(c.post(422, "/password/reset", url.Values{"token": {tokenOf(link)}, "password": {chosen},
		"again": {"another"}}), "The passwords do not match")
	c.to(c.post(303, "/password/reset", twice(tokenOf(link), chosen)), "/login")
	c.has(c.get(200, "/login"), "Your password is set")

	c.to(thief.get(303, "/"), "/login")
	thief.do(401, "GET", "/api/me", nil)
	half.do(401, "POST", "/mfa/api/send", obj{"kind": "email"})
	c.do(410, "GET", link, nil)
	c.do(410, "POST", "/password/reset", twice(tokenOf(link), "and once again so"))

	c.login(401, "anna", "anna-demo-password")
	c.field(c.login(200, "anna", chosen), "next", "verify")
	c.do(401, "GET", "/api/me", nil)
	c.verify(200, "email", c.send("email", "anna@acme.example"))
	c.field(c.get(200, "/api/me"), "username", "anna")
	if text := c.mails(1, "anna@acme.example", "reset with a link")[0]; strings.Contains(
		text, chosen) {
		t.Error(text)
	}
	for _, secret := range []string{chosen, tokenOf(link), "anna@acme.example"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// The response is the same for an address without a user, byte for byte except the address.
func TestForgot_OfAnUnknownAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	page := func(address string) (int, string) {
		c := s.client(t)
		a := c.post(200, "/password/forgot", url.Values{"email": {address}})
		return a.status, strings.ReplaceAll(a.text, address, "")
	}
	c := s.client(t)
	status, known := page("ben@acme.example")
	statusOther, unknown := page("zoe@acme.example")
	if status != statusOther || known != unknown {
		t.Errorf("known:\n%s\nunknown:\n%s", known, unknown)
	}
	c.mails(1, "ben@acme.example", "new password")
	c.has(c.post(422, "/password/forgot", url.Values{"email": {"ben"}}), "Enter an e-mail address")
	for _, address := range []string{"ben@acme.example", "zoe@acme.example"} {
		for range 4 {
			c.post(200, "/password/forgot", url.Values{"email": {address}})
		}
		a := c.post(429, "/password/forgot", url.Values{"email": {address}})
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	// All five links are valid until one is used.
	all := c.mails(5, "ben@acme.example", "new password")
	c.to(c.post(303, "/password/reset", twice(tokenOf(resetLink.FindString(all[4])), chosen)),
		"/login")
	c.do(410, "GET", resetLink.FindString(all[0]), nil)
	c.get(410, "/password/reset?token=x")
	c.get(410, "/password/reset")
}

func TestResetLink_ExpiresAfterHalfAnHour(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	link := c.forgot("ben@acme.example")
	c.advance("29m")
	c.get(200, link)
	c.advance("1m")
	c.get(410, link)
}

func TestChangePassword_EndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, other := s.client(t), s.client(t)
	c.signIn("carla")
	other.signIn("carla")
	change := func(current, next string) url.Values {
		return url.Values{"current": {current}, "password": {next}, "again": {next}}
	}
	c.get(200, "/password")
	c.has(c.post(422, "/password", change("wrong", chosen)), "Wrong password")
	c.has(c.post(422, "/password", change("carla-demo-password", "carla-demo-password")),
		"your current password")
	c.to(c.post(303, "/password", change("carla-demo-password", chosen)), "/")
	c.has(c.get(200, "/"), "signed out everywhere else")
	c.to(other.get(303, "/"), "/login")
	c.login(200, "carla", chosen)
	c.to(s.client(t).get(303, "/password"), "/login?return=%2Fpassword")
}

// The owner sets a password. All sessions end, and the user can only choose another password with
// it.
func TestSetPassword_MustBeChanged(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner, before, c := s.client(t), s.client(t), s.client(t)
	owner.signIn("olivia")
	before.signIn("emma")
	form := url.Values{"id": {"acct-emma"}, "password": {"otters swim at noon"},
		"reason": {"rang, known voice"}}
	before.do(403, "POST", "/admin/password", form)
	owner.has(owner.post(422, "/admin/password", url.Values{"id": {"acct-emma"},
		"password": {"otters swim at noon"}}), "a reason of up to 500")
	owner.has(owner.post(422, "/admin/password", url.Values{"id": {"acct-emma"},
		"password": {"password1"}, "reason": {"x"}}), "easy to guess")
	owner.to(owner.post(303, "/admin/password", form), "/admin/account?id=acct-emma")
	c.mails(1, "emma@acme.example", "An administrator set a password")
	c.to(before.get(303, "/"), "/login")

	c.field(c.login(200, "emma", "otters swim at noon"), "next", "verify")
	c.verify(200, "email", c.send("email", "emma@acme.example"))
	for _, path := range []string{"/", "/mfa/factors", "/mfa/enroll/totp", "/admin/mfa/"} {
		c.to(c.get(303, path), "/password")
	}
	c.do(403, "GET", "/api/me", nil)
	c.do(403, "GET", "/mfa/api/factors", nil)
	c.do(403, "POST", "/mfa/api/enroll", obj{"kind": "totp"})
	c.has(c.get(200, "/password"), "An administrator knows your current password")
	// Once the proof of the sign-in expires, the user verifies again and can do nothing else.
	c.advance("10m")
	c.to(c.get(303, "/password"), "/mfa/step-up?purpose=manage&return=%2Fpassword")
	c.to(c.get(303, "/mfa/step-up?purpose=manage&return=%2Fpassword"),
		"/mfa/verify?purpose=manage&return=%2Fpassword")
	c.post(200, "/mfa/api/send", obj{"kind": "email"})
	c.post(200, "/mfa/api/verify", obj{"kind": "email", "code": c.mailed("emma@acme.example")})
	c.to(c.get(303, "/mfa/factors"), "/password")
	c.post(422, "/password", url.Values{"current": {"otters swim at noon"},
		"password": {"otters swim at noon"}, "again": {"otters swim at noon"}})
	c.to(c.post(303, "/password", url.Values{"current": {"otters swim at noon"},
		"password": {chosen}, "again": {chosen}}), "/")
	c.get(200, "/")
	c.get(200, "/mfa/factors")
	c.field(c.get(200, "/api/me"), "username", "emma")
	if !strings.Contains(s.log.String(), "password.admin-set") || !strings.Contains(s.log.String(),
		"known voice") {
		t.Errorf("no record of the act: %s", s.log)
	}
}

// A remembered device asks for a code again after a reset.
func TestForgot_ForgetsDevices(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner, c := s.client(t), s.client(t)
	owner.signIn("olivia")
	owner.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "required", "implicit": []string{"email"}, "remember_days": 30}})
	c.password("greta")
	code := c.send("email", "greta@acme.example")
	c.post(303, "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}, "remember": {"yes"}})
	c.post(200, "/api/logout", obj{})
	c.field(c.password("greta"), "next", "done")
	c.to(c.post(303, "/password/reset", twice(tokenOf(c.forgot("greta@acme.example")), chosen)),
		"/login")
	c.field(c.login(200, "greta", chosen), "next", "verify")
}

// Two accounts with one address share a password.
func TestResetPassword_ForEveryAccountOfTheAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, chooser := s.client(t), s.client(t)
	chooser.login(200, "robin@acme.example", "robin-demo-password")
	chooser.get(200, "/account")
	link := c.forgot("robin@acme.example")
	c.to(c.post(303, "/password/reset", twice(tokenOf(link), chosen)), "/login")
	c.to(chooser.get(303, "/account"), "/")
	c.to(chooser.get(303, "/"), "/login")
	chooser.do(401, "POST", "/api/account", obj{"id": "acct-robin.manager"})
	c.field(c.login(200, "robin.manager", chosen), "next", "account")
}

// Hashes with earlier parameters are replaced when their users sign in.
func TestRehash_UsesPresentParameters(t *testing.T) {
	t.Parallel()
	public, _ := url.Parse("http://127.0.0.1")
	a, err := newApp(t.Context(), config{data: t.TempDir(), public: public, demo: true},
		func(string) string {
			return ""
		}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	old, err := password.NewHasher(password.HasherConfig{Memory: 12288, Passes: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := old.Hash(t.Context(), secret.New("anna-demo-password"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.db.ExecContext(t.Context(), `UPDATE logins SET password = ? WHERE email =
		'anna@acme.example'`, hash); err != nil {
		t.Fatal(err)
	}
	id, _, _, _, err := a.users.login(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	a.rehash(t.Context(), id, hash, "anna-demo-password")
	_, now, changes, _, err := a.users.login(t.Context(), "anna")
	if err != nil || now == hash || a.passwords.NeedsRehash(now) || changes != 0 {
		t.Fatalf("%s, %d changes, %v", now, changes, err)
	}
	if err := a.passwords.Verify(t.Context(), now, secret.New("anna-demo-password")); err != nil {
		t.Error(err)
	}
}

func TestClientOf_ReturnsTheNetwork(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, forwarded, public, want string }{
		{"192.0.2.1:99", "", "http://x", "192.0.2.1"},
		{"192.0.2.1:99", "203.0.113.9", "http://x", "192.0.2.1"},
		{"192.0.2.1:99", "198.51.100.7, 203.0.113.9", "https://x", "203.0.113.9"},
		{"[2001:db8:1:2:3:4:5:6]:99", "", "http://x", "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.1]:99", "", "http://x", "192.0.2.1"},
		{"@", "", "http://x", "unknown"},
	} {
		u, _ := url.Parse(c.public)
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := (&app{cfg: config{public: u}}).clientOf(r); got != c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
}
