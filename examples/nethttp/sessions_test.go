package main

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"
)

// sessions returns the sessions that the API lists.
func (c *client) sessions() (list []obj) {
	c.t.Helper()
	all, _ := c.get(200, "/api/sessions").body["sessions"].([]any)
	for _, s := range all {
		list = append(list, s.(obj))
	}
	return list
}

// other returns the ID of a session in the list that is not the client's own.
func (c *client) other() string {
	c.t.Helper()
	for _, s := range c.sessions() {
		if s["current"] != true {
			return s["id"].(string)
		}
	}
	c.t.Fatal("there is no other session")
	return ""
}

func TestSessions_ListsAUsersOwn(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, d, ben := s.client(t), s.client(t), s.client(t)
	c.get(401, "/api/sessions")
	c.to(c.get(303, "/sessions"), "/login?return=%2Fsessions")
	c.signIn("anna")
	d.signIn("anna")
	ben.signIn("ben")

	list := c.sessions()
	if len(list) != 2 || list[0]["current"] != true || list[1]["current"] != false {
		t.Fatalf("sessions: %v", list)
	}
	for _, got := range list {
		if fmt.Sprint(got["how"]) != "[password email]" || got["client"] != "127.0.0.1" ||
			got["device"] != "Browser" || got["waiting"] != false {
			t.Errorf("session: %v", got)
		}
	}
	c.has(c.get(200, "/sessions"), "password, e-mail", "this browser",
		"Sign out everywhere else")
	c.has(c.get(200, "/mfa/factors"), "In 2 places.")

	// A user neither sees nor ends another user's session, and the response does not say whether
	// a session with that ID exists.
	if len(ben.sessions()) != 1 {
		t.Error("another user's sessions are listed")
	}
	foreign := ben.do(404, "DELETE", "/api/sessions/"+c.other(), nil).text
	if unknown := ben.do(404, "DELETE", "/api/sessions/NOBODYS",
		nil).text; unknown != foreign {
		t.Errorf("%q for another user's, %q for an unknown ID", foreign, unknown)
	}
	ben.to(ben.post(303, "/sessions/end", url.Values{"id": {c.other()}}), "/sessions")
	d.get(200, "/api/me")

	// The page ends one session.
	c.to(c.post(303, "/sessions/end", url.Values{"id": {c.other()}}), "/sessions")
	c.has(c.get(200, "/sessions"), "Session signed out.")
	d.get(401, "/api/me")
	d.to(d.get(303, "/"), "/login")
	c.get(200, "/api/me")
	ben.get(200, "/api/me")

	// The API ends one session, and then all others.
	d.signIn("anna")
	c.do(200, "DELETE", "/api/sessions/"+c.other(), nil)
	d.get(401, "/api/me")
	for range 3 {
		s.client(t).signIn("anna")
	}
	d.signIn("anna")
	if n := len(c.sessions()); n != 5 {
		t.Fatalf("%d sessions, want 5", n)
	}
	c.do(200, "DELETE", "/api/sessions", nil)
	if n := len(c.sessions()); n != 1 {
		t.Fatalf("%d sessions are left", n)
	}
	d.get(401, "/api/me")
	d.signIn("anna")
	c.to(c.post(303, "/sessions/end-others", nil), "/sessions")
	d.get(401, "/api/me")
	c.get(200, "/api/me")
	ben.get(200, "/api/me")

	// Ending one's own session signs out.
	c.do(200, "DELETE", "/api/sessions/"+c.sessions()[0]["id"].(string), nil)
	c.get(401, "/api/me")
}

// The page shows a session that waits for the second factor: an attacker may know the password.
func TestSessions_ShowOneThatWaits(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, thief := s.client(t), s.client(t)
	c.signIn("ben")
	thief.password("ben")
	code := thief.send("email", "ben@acme.example")
	thief.get(401, "/api/sessions")
	c.has(c.get(200, "/sessions"), "waits for the second step", "your password is known to others")
	c.do(200, "DELETE", "/api/sessions/"+c.other(), nil)
	thief.verify(401, "email", code)
	thief.get(401, "/api/me")
	c.mails(1, "ben@acme.example", "did not complete")
}

// The page shows from where a session was last used, so that a user sees a stolen cookie.
func TestSessions_ShowWhereTheyWereUsed(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	s := sessionStore{db, func() time.Time { return now }}
	from := func(device, client string) context.Context {
		return context.WithValue(t.Context(), usedByKey{}, usedBy{device, client})
	}
	user := &account{ID: "a"}
	seen := func(device, client string, at time.Time) {
		t.Helper()
		list, err := s.sessionsOf(t.Context(), user)
		if err != nil || len(list) != 1 || list[0].Device != device || list[0].Client != client ||
			list[0].Seen.UnixMilli() != at.UnixMilli() {
			t.Fatalf("%+v, %v", list, err)
		}
	}
	use := func(ctx context.Context) {
		t.Helper()
		if _, ok, err := s.FindCtx(ctx, "token"); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if err := s.CommitCtx(from("Firefox, Windows", "192.0.2.1"), "token",
		sessionData(t, "id", "a", true), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	began := now
	now = now.Add(59 * time.Second)
	use(from("Firefox, Windows", "192.0.2.1"))
	seen("Firefox, Windows", "192.0.2.1", began)
	use(t.Context()) // no request of a browser
	now = now.Add(time.Second)
	use(from("Firefox, Windows", "192.0.2.1"))
	seen("Firefox, Windows", "192.0.2.1", now)
	now = now.Add(time.Second)
	use(from("Browser, Linux", "203.0.113.9"))
	seen("Browser, Linux", "203.0.113.9", now)
	// The password was changed since.
	user.changes = 1
	if list, err := s.sessionsOf(t.Context(), user); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
