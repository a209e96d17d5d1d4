package main

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A user changes the address: the new one proves itself by a code, the old one is notified, and
// sign-ins, codes and links for a new password go to the new one.
func TestAddressChange_MovesTheAccount(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("ben")
	c.has(c.get(200, "/"), `href="/email"`)
	c.has(c.get(200, addressPath), "ben@acme.example")
	form := url.Values{"address": {"ben"}}
	c.has(c.post(422, addressPath, form), "Enter an e-mail address", `value="ben"`)
	form.Set("address", "Ben@acme.example")
	c.has(c.post(422, addressPath, form), "This is your e-mail address already.")
	form.Set("address", "ben@new.example")
	c.to(c.post(303, addressPath, form), addressPath)
	c.has(c.get(200, addressPath), "ben@new.example", `autocomplete="one-time-code"`)
	code := c.mailed("ben@new.example")
	require.NotContains(t, c.mails(1, "ben@new.example", code)[0], "/mfa/confirm", "no link")

	c.has(c.post(422, addressPath, url.Values{"code": {wrong(code)}}), "Wrong code.")
	c.to(c.post(303, addressPath, url.Values{"resend": {"yes"}}), addressPath)
	c.has(c.post(422, addressPath, url.Values{"code": {code}}), "no longer valid")
	c.get(200, "/")
	c.password("ben") // the address is as before
	c.verify(200, "email", c.send("email", "ben@acme.example"))

	form.Set("address", "ben@new.example")
	c.to(c.post(303, addressPath, form), addressPath)
	c.to(c.post(303, addressPath, url.Values{"code": {c.mailed("ben@new.example")}}), "/")
	c.has(c.get(200, "/"), "Your e-mail address is changed.", "ben@new.example")
	c.mails(1, "ben@acme.example", "Another e-mail address took the place")

	other := s.client(t)
	other.login(401, "ben@acme.example", "ben-demo-password")
	other.field(other.login(200, "ben@new.example", "ben-demo-password"), "next", "verify")
	other.verify(200, "email", other.send("email", "ben@new.example"))
	require.NotEmpty(t, other.forgot("ben@new.example"))
}

// Neither a session nor a password moves the address: the user proves the strongest factor, and
// gives the password unless that was minutes ago.
func TestAddressChange_NeedsTheFactorAndThePassword(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	c := s.client(t)
	c.signIn("ben")
	secret, _ := c.enrollTOTP()
	c.advance("20m")
	before := kept(t, data)
	form := url.Values{"address": {"thief@new.example"}}
	for _, a := range []*response{c.get(303, addressPath), c.post(303, addressPath, form),
		c.post(303, addressPath, url.Values{"code": {"123456"}})} {
		c.to(a, "/mfa/step-up?purpose=manage&return=%2Femail")
	}
	c.post(200, "/mfa/api/step-up", obj{})
	c.verify(200, "totp", totpCode(secret, c.step()))
	c.to(c.post(303, addressPath, form), reauthenticatePath+"?return=%2Femail")
	if c.mailed("thief@new.example") != "" {
		t.Fatal("a code was sent")
	}
	require.Contains(t, kept(t, data), before[:40])
	c.to(c.post(303, reauthenticatePath, url.Values{"password": {"ben-demo-password"},
		"return": {addressPath}}), "/mfa/?return=%2Femail")
	c.get(200, addressPath)
	c.to(c.post(303, addressPath, form), addressPath)
}

// A user who recovered with a code signs in, and does not move the address.
func TestAddressChange_IsNoPartOfARecovery(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("ben")
	c.enrollTOTP()
	codes := c.post(200, "/mfa/api/recovery-codes", obj{}).body["codes"].([]any)
	c = s.client(t)
	c.password("ben")
	c.verify(200, "recovery", codes[0].(string))
	c.to(c.get(303, addressPath), "/mfa/step-up?purpose=manage&return=%2Femail")
	c.to(c.post(303, addressPath, url.Values{"address": {"thief@new.example"}}),
		"/mfa/step-up?purpose=manage&return=%2Femail")
}

// One of two accounts with one address gets its own: a proof by one account moves no other.
func TestAddressChange_LeavesOtherAccounts(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("robin.manager")
	c.has(c.get(200, addressPath), "Your other account keeps the old address.")
	c.to(c.post(303, addressPath, url.Values{"address": {"robin@new.example"}}), addressPath)
	c.to(c.post(303, addressPath, url.Values{"code": {c.mailed("robin@new.example")}}), "/")
	c.has(c.get(200, "/"), "robin@new.example")

	other := s.client(t)
	a := other.login(200, "robin.employee", "robin-demo-password")
	other.field(a, "next", "verify")
	other.verify(200, "email", other.send("email", "robin@acme.example"))
	other.field(other.login(200, "robin.manager", "robin-demo-password"), "next", "verify")
	other.verify(200, "email", other.send("email", "robin@new.example"))
}

// Only a user who has proven that the mailbox is theirs learns that another account has the
// address, and then nothing changes: neither the address, nor a factor by e-mail, nor is there a
// notice.
func TestAddressChange_TellsNobodyWhoHasAnAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("ben")
	a := c.post(200, "/mfa/api/enroll", obj{"kind": "email"})
	c.post(200, "/mfa/api/confirm", obj{"enrollment": a.body["enrollment"],
		"code": c.mailed("ben@acme.example")})
	before := c.get(200, "/mfa/api/factors").body["factors"]
	form := url.Values{"address": {"anna@acme.example"}}
	c.to(c.post(303, addressPath, form), addressPath)
	c.has(c.get(200, addressPath), "We sent a code to anna@acme.example")
	code := c.mailed("anna@acme.example")
	c.has(c.post(422, addressPath, url.Values{"code": {code}}), "belongs to another account")
	c.has(c.get(200, "/"), "ben@acme.example")
	require.Equal(t, before, c.get(200, "/mfa/api/factors").body["factors"])
	for _, text := range c.mails(1, "ben@acme.example", "") {
		require.NotContains(t, text, "took the place")
	}
}

// A user without a factor and without a verified address proves the password.
func TestAddressChange_OfAnUnverifiedAddress(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia := s.client(t)
	olivia.signIn("olivia")
	olivia.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "optional"}})
	c := s.client(t)
	c.field(c.login(200, "lena", "lena-demo-password"), "next", "done")
	c.advance("1h")
	c.to(c.get(303, addressPath), reauthenticatePath+"?return=%2Femail")
	c.post(200, "/api/reauthenticate", obj{"password": "lena-demo-password"})
	c.to(c.post(303, addressPath, url.Values{"address": {"lena@new.example"}}), addressPath)
	c.to(c.post(303, addressPath, url.Values{"code": {c.mailed("lena@new.example")}}), "/")
	require.NotEmpty(t, c.forgot("lena@new.example"), "the address is verified")
}

// A program changes the address by the API, with the same results.
func TestAddressChange_ByTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("ben")
	for address, status := range map[string]int{"anna@acme.example": 409, "ben@new.example": 200} {
		a := c.post(200, "/mfa/api/address", obj{"address": address})
		c.post(status, "/mfa/api/address/confirm", obj{"enrollment": a.body["enrollment"],
			"code": c.mailed(address)})
	}
	c.has(c.get(200, "/"), "ben@new.example")
	c.mails(1, "ben@acme.example", "Another e-mail address took the place")
	other := s.client(t)
	other.login(401, "ben@acme.example", "ben-demo-password")
	other.field(other.login(200, "ben@new.example", "ben-demo-password"), "next", "verify")
}
