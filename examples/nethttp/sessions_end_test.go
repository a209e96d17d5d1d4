package main

import (
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

// A session may end while a request completes its sign-in, which gives it another token. The
// session must not continue under that token.
func TestEndedSession_GetsNoOtherToken(t *testing.T) {
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
			if renewedBefore { // the old token has ended, and the new one is not written yet
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
				t.Errorf("%s: the user's own has ended, %v", id, err)
			}
		}
	}
	// Sessions without a user have no ID, and do not end one another.
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

// No request that is under way when a session ends writes the session again.
func TestEndedSession_StaysEndedUnderLoad(t *testing.T) {
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

func TestChange_EndsOtherSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c, d := s.client(t), s.client(t)
	c.signIn("anna")
	c.enrollTOTP() // there are no other sessions
	if text := c.get(200, "/mfa/factors").text; strings.Contains(text,
		"Do you want to sign out everywhere else?") {
		t.Error("there are no others, and the question is asked")
	}
	d.signIn("anna")

	// By default the page asks.
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

	// For a user who chose it, the sessions end without a question.
	c.post(303, "/sessions/preference", url.Values{"end": {"yes"}})
	c.has(c.get(200, "/sessions"), "checked")
	d.signIn("anna")
	ben := s.client(t)
	ben.signIn("ben")
	_, id = c.enrollTOTP()
	d.get(401, "/api/me")
	c.get(200, "/api/me")
	ben.get(200, "/api/me")
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

// A lost device, or an attacker, may be signed in when an administrator resets the user.
func TestReset_EndsSessions(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	olivia, c := s.client(t), s.client(t)
	olivia.signIn("olivia")
	for _, reset := range []func(){
		func() { olivia.post(200, "/api/admin/reset", obj{"username": "anna", "reason": "lost"}) },
		func() { olivia.acts(303, "reset", "anna") },
		func() { olivia.acts(303, "end-sessions", "anna") },
	} {
		c.signIn("anna")
		reset()
		c.get(401, "/api/me")
		olivia.get(200, "/api/me")
	}
	c.signIn("anna")
	c.acts(403, "end-sessions", "olivia")
	olivia.get(200, "/api/me")
}

// With a database of an earlier version, which did not store the users of sessions, users sign in
// again.
func TestOpenDatabase_DropsSessionsWithoutUsers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := sql.Open("sqlite3", sqlstore.SQLiteDSN(filepath.Join(dir, databaseFile)))
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
		// New sessions stay.
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
