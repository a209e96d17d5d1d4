package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLogin_SignsInByEmail(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)

	c.field(c.get(401, "/api/me"), "error", "unauthorized")
	c.post(401, "/mfa/api/send", obj{"kind": "email"})
	c.field(c.post(401, "/api/login", obj{"username": "anna", "password": "wrong"}), "error",
		"credentials")
	c.field(c.post(401, "/api/login", obj{"username": "nobody", "password": "wrong"}), "error",
		"credentials")

	a := c.password("anna")
	c.field(a, "next", "verify")
	c.field(a, "accounts", []any{})
	option := a.body["options"].([]any)[0].(map[string]any)
	if option["kind"] != "email" || option["default"] != true ||
		!strings.Contains(fmt.Sprint(option["hint"]), "•") {
		t.Fatalf("the first option is %v", option)
	}
	c.get(401, "/api/me")
	code := c.send("email", "anna@acme.example")
	c.field(c.verify(401, "email", wrong(code)), "attempts_left", 4)
	c.verify(400, "email", "not a code")
	c.get(401, "/api/me")
	c.verify(200, "email", code)
	a = c.get(200, "/api/me")
	c.field(a, "username", "anna")
	c.field(a, "type", "employee")
	c.post(200, "/api/logout", nil)
	c.get(401, "/api/me")
	// The address signs in like the username.
	c.field(c.post(200, "/api/login", obj{"username": "Anna@acme.example",
		"password": "anna-demo-password"}), "next", "verify")
}

func TestVerify_RefusesAnExpiredCode(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.password("ben")
	code := c.send("email", "ben@acme.example")
	c.advance("91s")
	a := c.verify(401, "email", code)
	c.field(a, "error", "expired")
	c.field(a, "reason", "response_expired")
	c.field(a, "attempts_left", nil)
	c.verify(200, "email", c.send("email", "ben@acme.example"))
}

func TestVerify_LocksAfterFiveFailedAttempts(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.password("carla")
	code := c.send("email", "carla@acme.example")
	for left := 4; left >= 0; left-- {
		c.field(c.verify(401, "email", wrong(code)), "attempts_left", left)
	}
	locked := func(c *client, code string) {
		t.Helper()
		a := c.verify(429, "email", code)
		c.field(a, "error", "locked")
		n, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || n < 1 || n > 180 {
			t.Fatalf("Retry-After is %q", a.header.Get("Retry-After"))
		}
		c.field(a, "retry_after", n)
	}
	locked(c, code) // the correct code
	// Another session of the same user is locked too. Another user's is not.
	other := s.client(t)
	other.password("carla")
	locked(other, code)
	s.client(t).signIn("david")
	c.advance("181s")
	c.password("carla")
	c.verify(200, "email", c.send("email", "carla@acme.example"))
}

// The session of an earlier user of the browser does not help an attacker who knows another user's
// password.
func TestSignIn_AsAnotherUserInTheSameBrowser(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("anna")
	c.password("olivia")
	c.get(401, "/api/me")
	c.get(401, "/api/admin/policy")
	c.get(403, "/mfa/api/factors")
	c.post(403, "/mfa/api/enroll", obj{"kind": "totp"}) // with anna's grant
	// A wrong password changes nothing for the user who is signed in.
	c.signIn("anna")
	c.post(401, "/api/login", obj{"username": "olivia", "password": "wrong"})
	c.field(c.get(200, "/api/me"), "username", "anna")
}

func TestLogin_IncorrectPasswordsDoNotLock(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	for range 12 {
		c.post(401, "/api/login", obj{"username": "emma", "password": "wrong"})
	}
	c.signIn("emma")
}

func TestEnroll_AddsAnAuthenticatorApp(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("farid")
	secret, id := c.enrollTOTP()
	if got := c.kinds(); !slices.Equal(got, []string{"totp"}) {
		t.Fatalf("factors: %v", got)
	}
	used := totpCode(secret, c.step())
	d := s.client(t)
	a := d.password("farid")
	if o := a.body["options"].([]any); len(o) != 2 || o[0].(map[string]any)["kind"] != "totp" {
		t.Fatalf("options: %v", o)
	}
	d.field(d.verify(401, "totp", used), "error", "incorrect") // the code that confirmed
	c.advance("30s")
	code := totpCode(secret, c.step())
	d.verify(200, "totp", code)
	e := s.client(t)
	e.password("farid")
	e.verify(401, "totp", code) // the code is accepted once
	c.advance("30s")
	e.verify(200, "totp", totpCode(secret, c.step()))
	e.do(200, "DELETE", "/mfa/api/factors/"+id, nil)
	if got := e.kinds(); len(got) != 0 {
		t.Fatalf("factors: %v", got)
	}
}

func TestEnroll_AddsEveryOtherKind(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("greta")

	a := c.post(200, "/mfa/api/enroll", obj{"kind": "sms", "number": "+47 406 12 345"})
	number := "+4740612345"
	c.post(200, "/mfa/api/confirm", obj{"enrollment": a.body["enrollment"],
		"code": c.mailed(number)})
	// Another number requires the password.
	c.field(c.post(403, "/mfa/api/enroll", obj{"kind": "sms", "number": "+47 406 12 346"}), "error",
		"password")
	c.post(403, "/mfa/api/enroll", obj{"kind": "sms", "number": "+47 406 12 346",
		"password": "wrong"})
	c.post(200, "/mfa/api/enroll", obj{"kind": "sms", "number": "+47 406 12 346",
		"password": "greta-demo-password"})

	codes := c.post(200, "/mfa/api/recovery-codes", obj{}).body["codes"].([]any)
	if len(codes) != 10 {
		t.Fatalf("codes: %d", len(codes))
	}
	a = c.post(200, "/mfa/api/enroll", obj{"kind": "pin", "pin": "274918"})
	c.post(200, "/mfa/api/confirm", obj{"enrollment": a.body["enrollment"], "code": "274918"})

	d := s.client(t)
	d.password("greta")
	d.verify(200, "sms", d.send("sms", number))
	d = s.client(t)
	d.password("greta")
	d.verify(401, "pin", "274919")
	d.verify(200, "pin", "274918")
	for i, status := range []int{200, 401} { // a recovery code works once
		d = s.client(t)
		d.password("greta")
		if a := d.verify(status, "recovery", codes[0].(string)); i == 0 {
			d.field(a, "recovery_left", 9)
			d.get(200, "/api/me")
		}
	}
}

func TestLogin_ChoosesAnAccountOfTheAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	users := s.seeded(t)
	count := map[string]int{}
	for _, p := range users {
		count[p.Type]++
	}
	if count["owner"] < 1 || count["manager"] < 2 || count["employee"] < 10 {
		t.Fatalf("users: %v", count)
	}
	c := s.client(t)
	for _, name := range []string{"robin@acme.example", "robin.manager", "robin.employee"} {
		a := c.post(200, "/api/login", obj{"username": name, "password": "robin-demo-password"})
		c.field(a, "next", "account")
		if accounts := a.body["accounts"].([]any); len(accounts) != 2 {
			t.Fatalf("accounts: %v", accounts)
		}
	}
	c.get(401, "/api/me")
	c.post(401, "/mfa/api/send", obj{"kind": "email"})
	c.post(403, "/api/account", obj{"id": "acct-olivia"}) // another user's
	c.post(400, "/api/account", obj{})
	s.client(t).post(401, "/api/account", obj{"id": "acct-robin.manager"})
	for _, p := range users {
		if len(p.Accounts) == 0 {
			continue
		}
		c := s.client(t)
		c.signIn(p.Username)
		c.field(c.get(200, "/api/me"), "type", p.Type)
		c.field(c.post(401, "/api/account", obj{"id": p.Accounts[1].ID}), "error", "unauthorized")
	}
	// The accounts of one address share no factors.
	m, e := s.client(t), s.client(t)
	m.signIn("robin.manager")
	m.enrollTOTP()
	e.signIn("robin.employee")
	if got := e.kinds(); len(got) != 0 {
		t.Fatalf("the other account has %v", got)
	}
}

func TestLogin_SignsInEveryUser(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, p := range s.seeded(t) {
		s.client(t).signIn(p.Username)
	}
}

func TestSession_RenewsItsID(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(t)
	id := func() string {
		for _, k := range c.Jar.Cookies(base) {
			if k.Name == "acme" {
				return k.Value
			}
		}
		return ""
	}
	seen := map[string]bool{"": true}
	fresh := func(when string) {
		t.Helper()
		if seen[id()] {
			t.Fatalf("the session keeps its id %s", when)
		}
		seen[id()] = true
	}
	c.password("jonas")
	fresh("after the password")
	planted := id()
	c.password("jonas") // in a browser that has a session
	fresh("after the password, when there was one")
	first := id()
	c.verify(200, "email", c.send("email", "jonas@acme.example"))
	fresh("after the second factor")
	old := s.client(t)
	old.Jar.SetCookies(base, []*http.Cookie{{Name: "acme", Value: first, Path: "/"}})
	old.get(401, "/api/me")
	old.Jar.SetCookies(base, []*http.Cookie{{Name: "acme", Value: planted, Path: "/"}})
	old.field(old.post(401, "/mfa/api/send", obj{"kind": "email"}), "error", "unauthorized")

	signedIn := id()
	c.post(200, "/api/logout", nil)
	old.Jar.SetCookies(base, []*http.Cookie{{Name: "acme", Value: signedIn, Path: "/"}})
	old.get(401, "/api/me")

	resp := c.post(200, "/api/login", obj{"username": "jonas", "password": "jonas-demo-password"})
	cookie := resp.header.Get("Set-Cookie")
	for _, attribute := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, attribute) {
			t.Errorf("the cookie has no %s: %s", attribute, cookie)
		}
	}
}

func TestSignIn_KeepsTwoUsersApart(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	a, b := s.client(t), s.client(t)
	a.signIn("kofi")
	_, id := a.enrollTOTP()
	b.signIn("anna")
	if got := b.kinds(); len(got) != 0 {
		t.Fatalf("anna sees %v", got)
	}
	b.do(404, "DELETE", "/mfa/api/factors/"+id, nil)
	b.do(404, "PATCH", "/mfa/api/factors/"+id, obj{"name": "mine"})
	if got := a.kinds(); !slices.Equal(got, []string{"totp"}) {
		t.Fatalf("kofi has %v", got)
	}
	// Another user's session cannot confirm a pending enrolment.
	e := a.post(200, "/mfa/api/enroll", obj{"kind": "totp"})
	b.post(401, "/mfa/api/confirm", obj{"enrollment": e.body["enrollment"],
		"code": totpCode(e.body["secret"].(string), a.step())})
}
