package main

import (
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa"
)

// acts does an act on a user on the pages of administration, with a reason.
func (c *client) acts(status int, act, username string) *response {
	c.t.Helper()
	return c.post(status, "/admin/mfa/user/"+act, url.Values{"id": {"acct-" + username},
		"reason": {"asked in person"}, "valid": {"8"}, "uses": {"once"}})
}

// chooses sets the policy of a user type as an entry of the drop-down says.
func (c *client) chooses(status int, userType, preset string, more url.Values) *response {
	c.t.Helper()
	form := url.Values{"type": {userType}, "preset": {preset}, "reason": {"new rules"}}
	maps.Copy(form, more)
	return c.post(status, "/admin/mfa/policies", form)
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// mailsAll sends the mail that a page has counted the users of, and returns the page with the
// results.
func (c *client) mailsAll(counted *response) *response {
	c.t.Helper()
	_, form, ok := strings.Cut(counted.text, `action="./../mails"`)
	if !ok {
		_, form, ok = strings.Cut(counted.text, `action="./mails"`)
	}
	if !ok {
		c.t.Fatalf("nothing to send: %s", counted.text)
	}
	f := url.Values{"reason": {"they asked"}}
	for _, h := range hiddenField.FindAllStringSubmatch(strings.Split(form, "</form>")[0], -1) {
		f.Set(h[1], html.UnescapeString(h[2]))
	}
	return c.post(200, "/admin/mfa/mails", f)
}

func TestAdministration_ChangesPoliciesAndUsers(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("olivia")
	d := s.client(t)
	d.password("ben")
	for range 5 {
		d.verify(401, "email", "000000") // no code was sent, so none is correct
	}
	c.to(c.get(303, "/admin"), "/admin/mfa/")
	c.has(c.get(200, "/admin/mfa/"), "Ben Carter", "Locked", "Not verified", "Sign-on")
	if strings.Contains(c.get(200, "/admin/mfa/?text=ben+c").text, "Anna") {
		t.Error("the search lists other users")
	}
	c.has(c.get(200, "/admin/mfa/user?id=acct-ben"), "Locked", "Failed attempt",
		"First step passed",
		`href="/admin/account?id=acct-ben"`)
	c.acts(303, "unlock", "ben")
	ben := c.get(200, "/admin/mfa/user?id=acct-ben&done=unlock")
	c.has(ben, "The user is unlocked.", "acct-olivia", "asked in person")
	if strings.Contains(c.get(200, "/admin/mfa/?text=ben+c").text, ">Locked</span>") {
		t.Error("still locked")
	}

	// The drop-down has the PIN, and a combination is chosen by its boxes and said in words.
	c.chooses(303, "employee", "only-totp", nil)
	c.has(c.get(200, "/admin/mfa/policies/edit?type=employee"), `value="only-totp" selected`,
		`value="only-pin"`)
	c.chooses(400, "employee", "none", nil)
	c.chooses(404, "intern", "off", nil)
	c.acts(303, "reset", "ben")
	c.acts(404, "reset", "nobody")
	e := s.client(t)
	e.field(e.password("ben"), "next", "enroll")
	c.chooses(303, "manager", "custom", url.Values{"mode": {"required"}, "kind": {"pin", "sms"}})
	c.has(c.get(200, "/admin/mfa/policies"), "Authenticator app alone", "PIN", "Text message")
	c.do(200, "PUT", "/api/admin/policy", obj{"type": "manager", "policy": obj{"mode": "required",
		"kinds": []string{"pin"}}})
	c.has(c.get(200, "/admin/mfa/policies/edit?type=manager"), `value="only-pin" selected`)

	// The owner sends one link, and then those of all whose address is not verified.
	c.acts(303, "verification-link", "mei")
	c.has(c.get(200, "/demo/outbox"), "mei@acme.example")
	list := c.get(200, "/admin/mfa/?type=employee")
	to := regexp.MustCompile(`href="\.(/mails/resend\?[^"]+)"`).FindStringSubmatch(list.text)
	if to == nil || !strings.Contains(list.text, "Resend all confirmations") {
		t.Fatalf("no button: %s", list.text)
	}
	counted := c.get(200, "/admin/mfa"+html.UnescapeString(to[1]))
	c.has(counted, "The mail is for 2 users.", "only to users who match")
	c.has(c.mailsAll(counted), "2 mails are sent.", "Lena Fischer", "Milan Novák")
	if link := c.last("lena@acme.example").Text; !strings.Contains(link, "/mfa/confirm?token=") {
		t.Errorf("no link in %s", link)
	}
	if strings.Contains(c.get(200, "/demo/outbox").text, "anna@acme.example") {
		t.Error("a user with a verified address was mailed")
	}

	// Routes that change something require a recent second factor.
	c.advance("16m")
	a := c.acts(303, "unlock", "ben")
	if to := a.header.Get("Location"); !strings.Contains(to, "mfa/step-up") {
		t.Errorf("redirected to %s", to)
	}
	c.get(200, "/admin/mfa/")
}

// The history keeps the last events of a user and of the last users, and no more.
func TestHistory_IsBounded(t *testing.T) {
	t.Parallel()
	var h history
	id := func(i int) string { return fmt.Sprint("u", i) }
	for i := range maxHistories + 10 {
		h.add(mfa.Event{UserID: id(i)})
	}
	last := mfa.User{ID: id(maxHistories)}
	for i := range maxEvents + 10 {
		h.add(mfa.Event{UserID: last.ID, Time: time.Unix(int64(i), 0)})
	}
	h.add(mfa.Event{Name: "admin.set-policy"}) // of no user
	list, err := h.of(t.Context(), last, 100)
	if err != nil || len(list) != maxEvents || list[0].Time.Unix() != maxEvents+9 {
		t.Error(len(list), err)
	}
	if list, _ = h.of(t.Context(), last, 3); len(list) != 3 {
		t.Error(len(list))
	}
	if len(h.events) != maxHistories || len(h.users) != maxHistories {
		t.Error(len(h.events), len(h.users))
	}
}

// The page of a policy has its own box for the rule that a user with a passkey gives nothing less.
func TestAdministration_RequiresThePasskeyOfAUserWithOne(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "-url=http://localhost:8080")
	c := s.client(t)
	c.signIn("olivia")
	c.chooses(422, "manager", "custom", url.Values{"mode": {"required"}, "kind": {"totp"},
		"no_downgrade": {"yes"}})
	c.chooses(303, "manager", "custom", url.Values{"mode": {"required"},
		"kind": {"passkey", "totp"}, "no_downgrade": {"yes"}})
	c.has(c.get(200, "/admin/mfa/policies"), "sign in with it, and with nothing weaker")
	c.has(c.get(200, "/admin/mfa/policies/edit?type=manager"),
		`name="no_downgrade" value="yes" checked`)
	c.chooses(303, "manager", "custom", url.Values{"mode": {"required"},
		"kind": {"passkey", "totp"}})
	if page := c.get(200, "/admin/mfa/policies"); strings.Contains(page.text, "nothing weaker") {
		t.Error("the rule is still set")
	}
}

// What a policy asks of passkeys is said in words, and has boxes; a form without them leaves
// it as it is. Without the metadata of authenticators nothing can prove hardware.
func TestAdministration_SaysWhichPasskeysAreAllowed(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "-url=http://localhost:8080")
	c := s.client(t)
	c.signIn("olivia")
	set := func(status int, term string, value any) {
		c.do(status, "PUT", "/admin/mfa/api/policies", obj{"types": []string{"manager"},
			"reason": "a test", "policy": obj{"mode": "required",
				"kinds": []string{"passkey", "totp"}, term: value}})
	}
	set(400, "hardware", true)
	set(400, "certified", "L1")
	set(200, "device_bound", true)
	c.has(c.get(200, "/admin/mfa/policies"), "Only passkeys that cannot be copied")
	c.chooses(303, "manager", "custom", url.Values{"mode": {"required"}, "kind": {"passkey"}})
	c.has(c.get(200, "/admin/mfa/policies"), "Only passkeys that cannot be copied")

	keys := url.Values{"mode": {"required"}, "kind": {"passkey", "totp"}, "keys": {"yes"}}
	c.chooses(303, "manager", "custom", keys)
	if page := c.get(200, "/admin/mfa/policies"); strings.Contains(page.text, "cannot be copied") {
		t.Error("the box is not ticked, and the policy is still set")
	}
	keys.Set("hardware", "yes")
	keys.Set("certified", "L2")
	c.has(c.chooses(422, "manager", "custom", keys), `name="hardware" value="yes" checked`,
		`<option value="L2" selected>`)
	keys.Del("hardware")
	keys.Del("certified")
	keys.Set("device_bound", "yes")
	keys.Set("attestation", "direct")
	c.chooses(303, "manager", "custom", keys)
	c.has(c.get(200, "/admin/mfa/policies"), "Only passkeys that cannot be copied")
	c.has(c.get(200, "/admin/mfa/policies/edit?type=manager"), "Requirements for passkeys",
		`name="device_bound" value="yes" checked`, `<option value="direct" selected`)
	keys.Set("certified", "L9")
	c.chooses(422, "manager", "custom", keys)
}

// A user who puts off the set-up is signed in, on the pages and for a program.
func TestAdministration_LetsUsersPutOffTheSetUp(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	owner.chooses(303, "employee", "only-totp", url.Values{"skips": {"2"}})

	c := s.client(t)
	c.field(c.login(200, "david", "david-demo-password"), "next", "enroll")
	c.to(c.get(303, "/"), "/mfa/")
	c.get(401, "/api/me")
	c.to(c.post(303, "/mfa/later", url.Values{"return": {"/"}}), "/")
	c.has(c.get(200, "/"), "david@acme.example")

	d := s.client(t)
	d.field(d.login(200, "david", "david-demo-password"), "next", "enroll")
	d.field(d.post(200, "/mfa/api/later", obj{}), "next", "done")
	d.field(d.get(200, "/api/me"), "username", "david")
}
