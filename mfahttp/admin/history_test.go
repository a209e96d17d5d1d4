package admin_test

import (
	"context"
	"crypto/ed25519"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/texts/textstest"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/trail"
)

// documentedEvents are the names of the table at mfa.SlogEvents, which has every event.
func documentedEvents(t *testing.T) (names []string) {
	t.Helper()
	source, err := os.ReadFile("../../mfa/event.go")
	require.NoError(t, err)
	for _, found := range regexp.MustCompile(`(?m)^//\t[* ] ([a-z]+\.[a-z-]+) `).FindAllStringSubmatch(
		string(source), -1) {
		names = append(names, found[1])
	}
	require.Greater(t, len(names), 40)
	return names
}

// The history is for a reader who does not know the names of events: each has words in the
// language of the page.
func TestUserPage_SaysEveryEventInWords(t *testing.T) {
	names := append(documentedEvents(t), "admin.totp")
	var events []mfa.Event
	for i, name := range names {
		events = append(events, mfa.Event{Name: name, UserID: "ben", Tenant: "acme",
			Time: time.Unix(int64(i), 0), Kind: "totp"})
	}
	s := newSite(t, func(c *admin.Config) {
		c.History = func(context.Context, mfa.User, int) ([]mfa.Event, error) { return events, nil }
	})
	olivia := s.administrator("acme", "olivia")
	a := olivia.in(textstest.Pseudo, "GET", "user?id=ben", nil)
	require.Equal(t, 200, a.StatusCode)
	require.Empty(t, textstest.Foreign(a.Text, append(named, "ben", "Ben Carter",
		"b•••@acme.example")...))
	_, history, _ := strings.Cut(a.Text, `id="history"`)
	require.Equal(t, len(names), strings.Count(history, `<th scope="row">`))
	require.NotContains(t, history, "<code")
	require.Contains(t, history, `datetime="1970-01-01T00:00:00Z" data-moment`)
	require.Contains(t, history, "00:00\u00a0UTC", "events of one day are told apart")
	for _, name := range names {
		require.NotContains(t, a.Text, name)
	}

	events = []mfa.Event{{Name: "acme.sold", UserID: "ben", Tenant: "acme"},
		{Name: "admin.sold", UserID: "ben", Tenant: "acme"},
		{Name: "notice.sent", Reason: "factor.added", UserID: "ben", Tenant: "acme"}}
	a = olivia.in("en", "GET", "user?id=ben", nil)
	for _, want := range []string{`<code dir="ltr">acme.sold</code>`,
		`<code dir="ltr">admin.sold</code>`,
		`User was notified <span class="sg-sub">Method set up</span>`} {
		require.Contains(t, html.UnescapeString(a.Text), want)
	}
}

// The history of an exception has the approver and the end, also after the exception is gone.
func TestUserPage_SaysWhoApprovedAnException(t *testing.T) {
	s := newSite(t, func(c *admin.Config) {
		c.History = func(context.Context, mfa.User, int) ([]mfa.Event, error) {
			return []mfa.Event{{Name: "admin.exception", UserID: "ben", Tenant: "acme",
				Actor: "carla", Note: "broken arm", Approver: "Dr <b>",
				ExceptionEnds: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}}, nil
		}
	})
	olivia := s.administrator("acme", "olivia")
	_, history, _ := strings.Cut(olivia.in("en", "GET", "user?id=ben", nil).Text, `id="history"`)
	for _, want := range []string{"broken arm", "Approved by", "Dr &lt;b&gt;",
		"1\u00a0April 2026"} {
		require.Contains(t, history, want)
	}
	require.Contains(t, olivia.api("GET", "user?id=ben", nil).Text,
		`"approver":"Dr \u003cb\u003e","ends":"2026-04-01T00:00:00Z"`)
}

// The history is that of an audit trail, and ends when the user is erased from it.
func TestUserPage_ShowsTheHistoryOfATrail(t *testing.T) {
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	file, err := trail.OpenFile(filepath.Join(t.TempDir(), "trail.jsonl"))
	require.NoError(t, err)
	audit, err := trail.New(trail.Config{Log: file, Key: secret.Bytes(key), Origin: "acme/trail"})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = audit.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	s := newSite(t, func(c *admin.Config) { c.History = audit.Newest })
	audit.Events(nil)(t.Context(), mfa.Event{Name: "admin.unlock", UserID: "ben", Tenant: "acme",
		Time: time.Unix(1, 0), Actor: "carol", Note: "ticket 4711"})
	require.NoError(t, audit.Flush(t.Context()))
	olivia := s.administrator("acme", "olivia")
	history := func() any {
		return olivia.api("GET", "user?id=ben", nil).is(t, 200, "").JSON["history"]
	}
	require.Equal(t, []any{m{"event": "admin.unlock", "time": "1970-01-01T00:00:01Z",
		"actor": "carol", "note": "ticket 4711"}}, history())
	require.NoError(t, audit.Erase(t.Context(), mfa.User{ID: "ben", Tenant: "acme"}))
	require.Nil(t, history())
}

// An attacker who knows the password alone begins as many sign-ins as they like, which hide nothing
// that happened before.
func TestUserPage_HistoryIsNotPushedOutByBegunSignIns(t *testing.T) {
	var events []mfa.Event
	var asked []int
	s := newSite(t, func(c *admin.Config) {
		c.History = func(_ context.Context, _ mfa.User, limit int) ([]mfa.Event, error) {
			asked = append(asked, limit)
			return events[:min(len(events), limit)], nil
		}
	})
	begun := mfa.Event{Name: "challenge.begun", UserID: "ben", Tenant: "acme"}
	removed := mfa.Event{Name: "factor.removed", UserID: "ben", Tenant: "acme"}
	olivia := s.administrator("acme", "olivia")
	for _, c := range []struct {
		begun, removed       int
		showsBegun, showsAll int
		asked                []int
	}{
		{1500, 1, 20, 21, []int{100, 2000}},
		{30, 0, 20, 20, []int{100}},
		{20, 80, 20, 100, []int{100}},
		{50, 150, 20, 100, []int{100, 2000}},
		{0, 150, 0, 100, []int{100}},
	} {
		asked = nil
		events = append(slices.Repeat([]mfa.Event{begun}, c.begun),
			slices.Repeat([]mfa.Event{removed}, c.removed)...)
		text := olivia.api("GET", "user?id=ben", nil).is(t, 200, "").Text
		require.Equal(t, c.showsBegun, strings.Count(text, `"event":"challenge.begun"`), c)
		require.Equal(t, c.showsAll, strings.Count(text, `"event":`), c)
		require.Equal(t, c.asked, asked, c)
	}
}
