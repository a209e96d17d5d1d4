package main

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

func TestSessionStore_StoresAndEndsSessions(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := openDatabase(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := sessionStore{db, time.Now}
	in := time.Now().Add(time.Hour)
	data := func(text string) []byte {
		b, err := (scs.GobCodec{}).Encode(in, map[string]any{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	find := func(token, want string) {
		t.Helper()
		b, found, err := s.Find(token)
		if err != nil || found != (want != "") || found && !bytes.Equal(b, data(want)) {
			t.Errorf("%s: %q, %v, %v; want %q", token, b, found, err, want)
		}
	}
	find("a", "")
	for _, text := range []string{"one", "two"} {
		if err := s.Commit("a", data(text), in); err != nil {
			t.Fatal(err)
		}
		find("a", text)
	}
	if err := s.Delete("b"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("a"); err != nil {
		t.Fatal(err)
	}
	find("a", "")
	// A request that began before the session ended does not write it again.
	if err := s.Commit("a", data("three"), in); !errors.Is(err, errSessionEnded) {
		t.Errorf("written after its end: %v", err)
	}
	find("a", "")

	if err := s.Commit("old", data("x"), time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	find("old", "")
	if err := s.sweep(ctx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sessions`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v; want the mark of the ended session only", n, err)
	}
}

func TestClock_MovesForwardOnly(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := openDatabase(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := openClock(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []time.Duration{0, -time.Second, maxAdvance + 1} {
		if err := c.advance(ctx, d); !errors.Is(err, errAdvance) {
			t.Errorf("%s: %v", d, err)
		}
	}
	if err := errors.Join(c.advance(ctx, time.Hour), c.advance(ctx, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if c, err = openClock(ctx, db); err != nil || c.ahead != 2*time.Hour {
		t.Fatalf("ahead by %s, %v", c.ahead, err)
	}
	for err == nil {
		err = c.advance(ctx, maxAdvance)
	}
	if !errors.Is(err, errAdvance) || c.ahead > maxAhead {
		t.Fatalf("ahead by %s, %v", c.ahead, err)
	}
	// If the write fails, the clock does not move.
	ahead := c.ahead
	db.Close()
	if err := c.advance(ctx, time.Nanosecond); err == nil || c.ahead != ahead {
		t.Errorf("ahead by %s more, %v", c.ahead-ahead, err)
	}
}

func TestCodeForm_FindsTheCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Your code is 012345.":             "012345",
		"@acme.example #123456":            "123456",
		"call 4740612345":                  "",
		"2030 is a year, 12345 a postcode": "",
	} {
		got := ""
		if m := codeForm.FindStringSubmatch(text); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Sessions whose second factor did not come end, with a notice. Others stay.
func TestSessionStore_EndsAbandonedSignIns(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := sessionStore{db, time.Now}
	lifetime := 12 * time.Hour
	put := func(token string, age time.Duration, values map[string]any) {
		expiry := time.Now().Add(lifetime - age)
		data, err := (scs.GobCodec{}).Encode(expiry, values)
		if err == nil {
			err = s.CommitCtx(t.Context(), token, data, expiry)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put("waiting", waitsFor+time.Minute, map[string]any{sessionAccount: "a",
		"secondgate.session": []byte("b")})
	put("young", waitsFor-time.Minute, map[string]any{sessionAccount: "a"})
	put("signed in", time.Hour, map[string]any{sessionAccount: "a", sessionSignedIn: true})
	put("nobody", time.Hour, map[string]any{})
	var notified []string
	for range 2 {
		if err := s.abandoned(t.Context(), lifetime, func(get func(string) []byte) error {
			notified = append(notified, string(get("secondgate.session")))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(notified, []string{"b"}) {
		t.Errorf("notified %q", notified)
	}
	for token, want := range map[string]bool{"waiting": false, "young": true, "signed in": true,
		"nobody": true} {
		if _, ok, err := s.FindCtx(t.Context(), token); ok != want || err != nil {
			t.Errorf("%s: %v, %v", token, ok, err)
		}
	}
	failing := errors.New("down")
	put("again", waitsFor+time.Minute, map[string]any{sessionAccount: "a"})
	if err := s.abandoned(t.Context(), lifetime, func(func(string) []byte) error {
		return failing
	}); !errors.Is(err, failing) {
		t.Error(err)
	}
	if _, ok, _ := s.FindCtx(t.Context(), "again"); !ok {
		t.Error("a session whose notice failed has ended")
	}
}

// The letter in place of a picture is a whole one.
func TestInitial_IsAWholeCharacter(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"inês": "I", "éva": "É",
		"e\u0301va": "E\u0301", "": "",
		"日野": "日"} {
		if got := initial(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
