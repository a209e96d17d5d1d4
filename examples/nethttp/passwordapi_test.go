package main

import (
	"net/url"
	"testing"
)

// A program resets and changes passwords as the pages do.
func TestAPI_ResetsAndChangesPasswords(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, other := s.client(t), s.client(t)
	for _, body := range []any{nil, obj{}, obj{"email": 1}, `null`, `[]`} {
		c.do(400, "POST", "/api/password/forgot", body)
	}
	c.field(c.do(422, "POST", "/api/password/forgot", obj{"email": "ben"}), "reason",
		"address_form")
	c.do(202, "POST", "/api/password/forgot", obj{"email": "nobody@acme.example"})
	c.do(202, "POST", "/api/password/forgot", obj{"email": "ben@acme.example"})
	link := tokenOf(resetLink.FindString(c.mails(1, "ben@acme.example", "new password")[0]))
	c.field(c.do(422, "POST", "/api/password/reset", obj{"token": link, "password": "acmeacme"}),
		"error", "refused")
	c.do(200, "POST", "/api/password/reset", obj{"token": link, "password": chosen})
	c.field(c.do(410, "POST", "/api/password/reset",
		obj{"token": link, "password": "yet another one of mine"}), "error", "link")
	c.do(401, "GET", "/api/me", nil)
	c.login(401, "ben", "ben-demo-password")

	c.do(401, "PUT", "/api/password", obj{"current": chosen, "password": "yet another one of mine"})
	for _, b := range []*client{c, other} {
		b.login(200, "ben", chosen)
		// has verified the password only
		b.do(401, "PUT", "/api/password", obj{"current": chosen,
			"password": "yet another one of mine"})
		b.verify(200, "email", b.send("email", "ben@acme.example"))
	}
	c.do(400, "PUT", "/api/password", obj{"current": chosen})
	c.field(c.do(401, "PUT", "/api/password", obj{"current": "wrong",
		"password": "yet another one of mine"}), "error", "credentials")
	c.field(c.do(422, "PUT", "/api/password", obj{"current": chosen, "password": chosen}), "reason",
		"password_same")
	c.do(200, "PUT", "/api/password", obj{"current": chosen, "password": "yet another one of mine"})
	c.do(200, "GET", "/api/me", nil)
	other.do(401, "GET", "/api/me", nil)
	for range 4 {
		c.do(202, "POST", "/api/password/forgot", obj{"email": "ben@acme.example"})
	}
	if a := c.do(429, "POST", "/api/password/forgot", obj{"email": "ben@acme.example"}); a.header.
		Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// A password that the owner sets is valid for three days. Then the sign-in page says that it has
// expired.
func TestSetPassword_ExpiresAfterThreeDays(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	for _, late := range []bool{false, true} {
		owner.post(303, "/admin/password", url.Values{"id": {"acct-emma"}, "password": {chosen},
			"reason": {"called"}})
		c := s.client(t)
		if late {
			c.advance("72h")
			c.field(c.login(401, "emma", chosen), "error", "password_over")
			c.has(c.post(401, "/login", url.Values{"username": {"emma"}, "password": {chosen}}),
				"has expired")
			c.has(c.post(401, "/login", url.Values{"username": {"emma"}, "password": {"wrong"}}),
				"Wrong username or password")
			owner.signIn("olivia")
			continue
		}
		c.login(200, "emma", chosen)
		c.verify(200, "email", c.send("email", "emma@acme.example"))
		c.field(c.do(403, "GET", "/api/me", nil), "error", "password_change")
		c.do(200, "PUT", "/api/password", obj{"current": chosen, "password": "my very own words"})
		c.do(200, "GET", "/api/me", nil)
		c.advance("71h")
		c.login(200, "emma", "my very own words")
		owner.signIn("olivia")
	}
}
