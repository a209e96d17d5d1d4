package admin_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// ids are the IDs of a list of users.
func (a *response) ids() (list []string) {
	for _, u := range a.JSON["users"].([]any) {
		list = append(list, u.(m)["id"].(string))
	}
	return list
}

func (c *client) users(query string) *response {
	c.s.t.Helper()
	return c.api("GET", "users?"+query, nil).is(c.s.t, 200, "")
}

func TestUsers_ListStatusAndFilter(t *testing.T) {
	s, _, _ := stage(t)
	olivia := s.administrator("acme", "olivia")
	ben := s.client().password("acme", "ben")
	for range 5 {
		ben.do("POST", "/mfa/api/verify", m{"kind": "email", "code": "000000"})
	}
	all := olivia.users("")
	require.Equal(t, []string{"anna", "ben", "carla", "eve", "olivia", "pat"}, all.ids())
	require.NotContains(t, all.JSON, "next")
	require.NotContains(t, all.Text, "@", "no address, masked or not")
	require.Equal(t, m{"id": "anna", "name": "Anna de Vries", "type": "employee",
		"required": true, "missing": false, "enrolled": []any{"totp"}, "implied": []any{},
		"recovery": []any{}, "verified": true, "unverified": false, "locked": false,
		"disabled": false,
		"asked":    true, "self": false, "unreadable": false}, all.JSON["users"].([]any)[0])
	locked := all.JSON["users"].([]any)[1].(m)
	require.Equal(t, []any{true, "2026-03-01T12:05:00Z", []any{"email"}},
		[]any{locked["locked"], locked["locked_until"], locked["implied"]})

	for query, want := range map[string]string{
		"text=carter": "ben", "text=nobody": "", "type=owner": "olivia pat",
		"status=enrolled": "anna olivia", "status=none": "ben carla eve pat",
		"status=missing": "carla", "status=unverified": "carla", "status=locked": "ben",
		"status=disabled": "", "status=asked": "anna", "status=asked&text=ANNA@acme": "anna",
		"status=asked&type=owner": "", "status=asked&text=ben": "",
		"status=required&type=owner": "olivia pat",
		"kind=totp":                  "anna olivia",
		"kind=email&text=e":          "ben eve pat", "kind=sms": "",
	} {
		got := olivia.users(query)
		require.Equal(t, want, strings.Join(got.ids(), " "), query)
	}
	require.NoError(t, s.m.Admin(mfa.System("test"), "").Check(t.Context(), mfa.User{}))
	for _, query := range []string{"status=x", "limit=0", "limit=101", "limit=x", "text=" +
		strings.Repeat("x", 129), "type=" + strings.Repeat("x", 65), "kind=" +
		strings.Repeat("x", 33), "cursor=" + strings.Repeat("x", 513), "text=%00", "text=%ff",
		"text=a&text=b", "tenant=" + strings.Repeat("x", 65), "%zz"} {
		olivia.api("GET", "users?"+query, nil).is(t, 400, "malformed")
	}
}

// A directory of many users is read a page at a time, in requests that each examine a bounded
// number; the pages together have every user once.
func TestUsers_PagesThroughManyUsers(t *testing.T) {
	s := newSite(t)
	for i := range 1000 {
		id := fmt.Sprintf("u%06d", i)
		s.dir.users = append(s.dir.users, admin.Entry{User: mfa.User{ID: id, Tenant: "acme",
			UserType: "employee", Email: id + "@acme.example", EmailVerified: i%400 != 0}})
	}
	olivia := s.administrator("acme", "olivia")
	for query, want := range map[string]int{"limit=100": 1006, "limit=7&text=1": 400,
		"status=unverified": 4, "kind=totp": 1, "status=locked": 0} {
		seen, requests := map[string]bool{}, 0
		for cursor := ""; ; {
			s.dir.queries = 0
			a := olivia.users(query + "&cursor=" + url.QueryEscape(cursor))
			requests++
			require.LessOrEqual(t, a.JSON["examined"], 200.0)
			require.LessOrEqual(t, s.dir.queries, 40, "of the directory, in one request")
			for _, id := range a.ids() {
				require.False(t, seen[id], "%s is there twice", id)
				seen[id] = true
			}
			next, more := a.JSON["next"].(string)
			if !more {
				break
			}
			cursor = next
		}
		if query != "limit=7&text=1" {
			require.Len(t, seen, want, query)
		}
		require.Less(t, requests, 200, query)
	}
	require.LessOrEqual(t, s.dir.most, 100)
}

// A directory that does not do what it should is a failure, never another tenant's users. Nothing
// of what it said is logged.
func TestUsers_RefuseABrokenDirectory(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	for name, change := range map[string]func(p *admin.Page){
		"another tenant": func(p *admin.Page) { p.Users[0].User.Tenant = "other" },
		"no ID":          func(p *admin.Page) { p.Users[0].User.ID = "" },
		"too many": func(p *admin.Page) {
			for range 30 {
				p.Users = append(p.Users, p.Users[0])
			}
		},
		"a long cursor": func(p *admin.Page) { p.Next = strings.Repeat("x", 513) },
		"a loop":        func(p *admin.Page) { p.Users, p.Next = nil, "same" },
	} {
		s.dir.change = change
		path := "users"
		if name == "a loop" {
			path += "?cursor=same"
		}
		require.Equal(t, 503, olivia.api("GET", path, nil).StatusCode, name)
	}
	s.dir.change, s.dir.err = nil, errors.New("SELECT secret-statement")
	olivia.api("GET", "users", nil).is(t, 503, "unavailable")
	require.Contains(t, s.log.String(), "Directory.Search failed")
	require.NotContains(t, s.log.String(), "secret-statement")
}

func TestUser_ShowsFactorsHistoryAndCase(t *testing.T) {
	var s *site
	s, anna, factorID := stage(t, func(c *admin.Config) {
		c.History = func(_ ctx, u mfa.User, limit int) ([]mfa.Event, error) {
			return append([]mfa.Event{{Name: "not.this", UserID: "ben", Tenant: "acme"}},
				s.events...), nil
		}
	})
	anna.do("POST", "/mfa/api/recovery-codes", nil).is(t, 200, "")
	olivia := s.administrator("acme", "olivia")
	a := olivia.api("GET", "user?id=anna", nil).is(t, 200, "")
	f := a.JSON["factors"].([]any)[0].(m)
	require.Equal(t, []any{factorID, "totp", "2026-03-01T12:00:00Z"},
		[]any{f["id"], f["kind"], f["created"]})
	require.Equal(t, 10.0, a.JSON["recovery_codes_left"])
	require.Equal(t, "My phone is gone <b>", a.JSON["case"].(m)["message"])
	require.Equal(t, "Firefox on Windows", a.JSON["sessions"].([]any)[0].(m)["device"])
	require.Equal(t, "required", a.JSON["policy"].(m)["mode"])
	require.Contains(t, a.Text, `"event":"factor.added"`)
	require.NotContains(t, a.Text, "not.this")
	require.NotContains(t, a.Text, "anna@acme.example")
	require.NotContains(t, a.Text, anna.key)
	ben := olivia.api("GET", "user?id=ben", nil).is(t, 200, "")
	require.Equal(t, "b•••@acme.example", ben.JSON["factors"].([]any)[0].(m)["hint"])
	for _, id := range []string{"", "nobody", "otto", strings.Repeat("x", 128)} {
		olivia.api("GET", "user?id="+id, nil).is(t, 404, "not_found")
	}
	olivia.api("GET", "user?id="+strings.Repeat("x", 129), nil).is(t, 400, "malformed")
	cases := olivia.api("GET", "cases", nil).is(t, 200, "").JSON["cases"].([]any)
	require.Equal(t, "Anna de Vries", cases[0].(m)["name"])

	report := olivia.api("GET", "report", nil).is(t, 200, "")
	require.Contains(t, report.Text, `"kinds":{`)
	audit := olivia.api("GET", "audit?profile=nist-aal2", nil).is(t, 200, "")
	require.Contains(t, audit.Text, `"row":"N-`)
	olivia.api("GET", "audit?profile=nonsense", nil).is(t, 400, "policy")
	require.NoError(t, s.m.Admin(mfa.System("x"), "").Check(t.Context(), mfa.User{}))
	require.NotEqual(t, policy.ModeOff, a.JSON["policy"].(m)["mode"])
}

// A record that cannot be read is a user of whom nothing is known, and not one without factors.
func TestUsers_SayWhichRecordCannotBeRead(t *testing.T) {
	s, _, _ := stage(t)
	olivia := s.administrator("acme", "olivia")
	for _, e := range s.records() {
		if strings.Contains(e.Key, "anna") && strings.HasPrefix(e.Key, "p/") {
			next := e.Record
			next.Revision, next.Data = "altered", append([]byte("x"), next.Data[1:]...)
			require.NoError(t, s.store.Swap(t.Context(), e.Key, e.Record.Revision, next))
		}
	}
	require.Equal(t, []string{"anna"}, olivia.users("status=unreadable").ids())
	require.NotContains(t, olivia.users("status=none").ids(), "anna")
	a := olivia.api("GET", "user?id=anna", nil).is(t, 200, "")
	require.Equal(t, true, a.JSON["unreadable"])
	preview := olivia.api("POST", "policies/preview", m{"policy": m{"mode": "required"}}).is(t,
		200, "")
	require.Equal(t, 1.0, preview.JSON["failed"])
}
