package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/secondgate/secondgate/storage/sqlstore"
)

// sessions are those the API lists.
func (c *client) sessions() (list []obj) {
	c.t.Helper()
	all, _ := c.get(200, "/api/sessions").body["sessions"].([]any)
	for _, s := range all {
		list = append(list, s.(obj))
	}
	return list
}

// other is the id of a session in the list that is not the client's own.
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

func TestSessionsOfAPerson(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, d, stranger := s.client(t), s.client(t), s.client(t)
	c.get(401, "/api/sessions")
	c.to(c.get(303, "/sessions"), "/login")
	c.signIn("anna")
	d.signIn("anna")
	stranger.signIn("ben")

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
	c.has(c.get(200, "/sessions"), "password and e-mail", "this browser",
		"Sign out everywhere else")
	c.has(c.get(200, "/mfa/factors"), "In 2 places.")

	// Nobody sees or ends another's, and is not told whether there is one of that id.
	if len(stranger.sessions()) != 1 {
		t.Error("a stranger sees sessions of others")
	}
	foreign := stranger.do(404, "DELETE", "/api/sessions/"+c.other(), nil).text
	if unknown := stranger.do(404, "DELETE", "/api/sessions/NOBODYS",
		nil).text; unknown != foreign {
		t.Errorf("%q for another's, %q for nobody's", foreign, unknown)
	}
	stranger.to(stranger.post(303, "/sessions/end", url.Values{"id": {c.other()}}), "/sessions")
	d.get(200, "/api/me")

	// One, from the page.
	c.to(c.post(303, "/sessions/end", url.Values{"id": {c.other()}}), "/sessions")
	c.has(c.get(200, "/sessions"), "Session signed out.")
	d.get(401, "/api/me")
	d.to(d.get(303, "/"), "/login")
	c.get(200, "/api/me")
	stranger.get(200, "/api/me")

	// One, by the API; then all others.
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
	stranger.get(200, "/api/me")

	// One's own, as signing out.
	c.do(200, "DELETE", "/api/sessions/"+c.sessions()[0]["id"].(string), nil)
	c.get(401, "/api/me")
}

// A session that waits for the second factor tells its person that somebody has their password.
func TestWaitingSessionIsSeen(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, thief := s.client(t), s.client(t)
	c.signIn("ben")
	thief.password("ben")
	code := thief.send("email", "ben@acme.example")
	thief.get(401, "/api/sessions")
	c.has(c.get(200, "/sessions"), "waits for the second step", "somebody else knows your password")
	c.do(200, "DELETE", "/api/sessions/"+c.other(), nil)
	thief.verify(401, "email", code)
	thief.get(401, "/api/me")
	c.mails(1, "ben@acme.example", "did not complete")
}

// What a session is used from last is what shows that its cookie was stolen.
func TestSessionShowsWhereItIsUsed(t *testing.T) {
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
	who := &account{ID: "a"}
	seen := func(device, client string, at time.Time) {
		t.Helper()
		list, err := s.of(t.Context(), who)
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
	use(t.Context()) // not a request
	now = now.Add(time.Second)
	use(from("Firefox, Windows", "192.0.2.1"))
	seen("Firefox, Windows", "192.0.2.1", now)
	now = now.Add(time.Second)
	use(from("Browser, Linux", "203.0.113.9"))
	seen("Browser, Linux", "203.0.113.9", now)
	// Of a password that was changed since.
	who.changes = 1
	if list, err := s.of(t.Context(), who); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func sessionData(t *testing.T, id, account string, signedIn bool) []byte {
	t.Helper()
	values := map[string]any{sessionID: id, sessionAccount: account,
		sessionBegan: time.Now().UnixMilli(), sessionHow: byPassword}
	if signedIn {
		values[sessionSignedIn] = true
	}
	b, err := (scs.GobCodec{}).Encode(time.Now().Add(time.Hour), values)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A sign-in that is being completed while the session is ended gets another token, and must not
// live on under it.
func TestEndedSessionGetsNoOtherToken(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, in, nothing := sessionStore{db, time.Now}, time.Now().Add(time.Hour),
		func(func(string) []byte) error {
			return nil
		}
	for name, end := range map[string]func(id string) error{
		"one":    func(id string) error { return s.end(t.Context(), "a", id, nothing) },
		"others": func(string) error { return s.endOthers(t.Context(), "a", "mine", nothing) },
	} {
		for _, renewedBefore := range []bool{false, true} {
			id := fmt.Sprint(name, renewedBefore)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(id, err)
				}
			}
			must(s.Commit("mine"+id, sessionData(t, "mine", "a", true), in))
			must(s.Commit("old"+id, sessionData(t, id, "a", false), in))
			if renewedBefore { // the token is given up, and the next one not written yet
				must(s.Delete("old" + id))
			}
			must(end(id))
			if !renewedBefore {
				must(s.Delete("old" + id))
			}
			if err := s.Commit("new"+id, sessionData(t, id, "a", true), in); !errors.Is(err,
				errSessionEnded) {
				t.Errorf("%s: written under another token: %v", id, err)
			}
			if _, found, err := s.Find("new" + id); found || err != nil {
				t.Errorf("%s: found, %v", id, err)
			}
			if _, found, err := s.Find("mine" + id); !found || err != nil {
				t.Errorf("%s: one's own has ended, %v", id, err)
			}
		}
	}
	// Sessions of nobody have no id, and do not end one another.
	if err := s.Commit("nobody", sessionData(t, "", "", false), in); err != nil {
		t.Error(err)
	}
	if err := s.end(t.Context(), "", "", nothing); err != nil {
		t.Error(err)
	}
	if err := s.Commit("nobody else", sessionData(t, "", "", false), in); err != nil {
		t.Error(err)
	}
}

// Requests that are under way when a session ends do not bring it back, whatever they do.
func TestEndedSessionUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, d := s.client(t), s.client(t)
	c.signIn("anna")
	d.signIn("anna")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = d.try("GET", "/mfa/api/factors", nil)
				_, _ = d.try("GET", "/sessions", nil)
			}
		}
	}()
	c.do(200, "DELETE", "/api/sessions", nil)
	close(stop)
	<-done
	d.get(401, "/api/me")
	if n := len(c.sessions()); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestSessionsEndOnChange(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, d := s.client(t), s.client(t)
	c.signIn("anna")
	c.enrollTOTP() // nobody else to sign out
	if text := c.get(200, "/mfa/factors").text; strings.Contains(text,
		"Do you want to sign out everywhere else?") {
		t.Error("there are no others, and the question is asked")
	}
	d.signIn("anna")

	// By default the person is asked.
	_, id := c.enrollTOTP()
	d.get(200, "/api/me")
	c.has(c.get(200, "/mfa/factors"), "Do you want to sign out everywhere else?")
	if text := d.get(200, "/mfa/factors").text; strings.Contains(text,
		"Do you want to sign out everywhere else?") {
		t.Error("another session asks")
	}
	c.to(c.post(303, "/sessions/keep", nil), "/mfa/")
	if text := c.get(200, "/mfa/factors").text; strings.Contains(text,
		"Do you want to sign out everywhere else?") {
		t.Error("asked again")
	}
	d.get(200, "/api/me")
	c.do(200, "DELETE", "/mfa/api/factors/"+id, nil)
	c.has(c.get(200, "/mfa/factors"), "Do you want to sign out everywhere else?")
	c.to(c.post(303, "/sessions/end-others", nil), "/sessions")
	d.get(401, "/api/me")
	if text := c.get(200, "/mfa/factors").text; strings.Contains(text,
		"Do you want to sign out everywhere else?") {
		t.Error("asked again")
	}

	// Or it is done, of the person who chose it.
	c.post(303, "/sessions/preference", url.Values{"end": {"yes"}})
	c.has(c.get(200, "/sessions"), "checked")
	d.signIn("anna")
	stranger := s.client(t)
	stranger.signIn("ben")
	_, id = c.enrollTOTP()
	d.get(401, "/api/me")
	c.get(200, "/api/me")
	stranger.get(200, "/api/me")
	d.signIn("anna")
	c.do(200, "DELETE", "/mfa/api/factors/"+id, nil)
	d.get(401, "/api/me")
	d.signIn("anna")
	c.post(200, "/mfa/api/recovery-codes", nil)
	d.get(401, "/api/me")
	c.post(303, "/sessions/preference", url.Values{})
	d.signIn("anna")
	c.enrollTOTP()
	d.get(200, "/api/me")
}

// What was lost or taken over may be signed in.
func TestResetEndsSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia, c := s.client(t), s.client(t)
	olivia.signIn("olivia")
	for _, reset := range []func(){
		func() { olivia.post(200, "/api/admin/reset", obj{"username": "anna", "reason": "lost"}) },
		func() {
			olivia.post(303, "/admin/reset", url.Values{"username": {"anna"}, "reason": {"lost"}})
		},
		func() {
			olivia.post(303, "/admin/sign-out", url.Values{"username": {"anna"},
				"reason": {"stolen"}})
		},
	} {
		c.signIn("anna")
		reset()
		c.get(401, "/api/me")
		olivia.get(200, "/api/me")
	}
	c.signIn("anna")
	c.post(403, "/admin/sign-out", url.Values{"username": {"olivia"}})
	olivia.get(200, "/api/me")
}

// A database of a version that did not know whose sessions are: people sign in again.
func TestOldSessionsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(dir, databaseFile)))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB, expiry INTEGER NOT NULL)`,
		`INSERT INTO sessions VALUES ('x', 'y', 9999999999999)`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if db, err = openDatabase(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		s := sessionStore{db, time.Now}
		if _, found, err := s.Find("x"); found || err != nil {
			t.Error(found, err)
		}
		// What is kept now stays.
		if _, found, err := s.Find("kept"); found != (i == 1) || err != nil {
			t.Error(i, found, err)
		}
		if err := s.Commit("kept", sessionData(t, "k", "a", true),
			time.Now().Add(time.Hour)); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
