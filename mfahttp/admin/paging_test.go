package admin_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// crowd is a directory of many users, all employees of acme. It counts the users that it returns.
type crowd struct {
	*directory
	n int

	mu   sync.Mutex
	read int
}

func (c *crowd) entry(i int) admin.Entry {
	id := fmt.Sprintf("u%06d", i)
	return admin.Entry{Name: "User " + id, User: mfa.User{ID: id, Tenant: "acme",
		UserType: "employee", Email: id + "@acme.example", EmailVerified: i%1000 != 999}}
}

func (c *crowd) Search(_ context.Context, q admin.Query) (admin.Page, error) {
	begin := -1
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "u%06d", &begin); err != nil {
			return admin.Page{}, err
		}
	}
	var p admin.Page
	for i := begin + 1; i < c.n && q.Tenant == "acme" && q.UserType != "owner"; i++ {
		e := c.entry(i)
		if q.Unverified && e.User.EmailVerified || !strings.Contains(e.Name, q.Text) {
			continue
		}
		if len(p.Users) == q.Limit {
			p.Next = p.Users[q.Limit-1].User.ID
			break
		}
		p.Users = append(p.Users, e)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most, c.read = max(c.most, q.Limit), c.read+len(p.Users)
	return p, nil
}

// An organisation with 100 000 users is administered like a small one: no request reads more than
// 200 of them, wherever it begins and whatever the filter is, and the pages lead through all users,
// each once. The walk through all is for SECONDGATE_LONG; otherwise it is through the first 2 000.
func TestUsers_ReadABoundedPartOf100000(t *testing.T) {
	users := &crowd{n: 100_000}
	s := newSite(t, func(c *admin.Config) { c.Users = users })
	users.directory = s.dir
	olivia := s.administrator("acme", "olivia")
	request := func(query string) ([]string, string) {
		t.Helper()
		users.read = 0
		began := time.Now()
		a := olivia.users(query)
		require.LessOrEqual(t, users.read, 200, query)
		require.LessOrEqual(t, users.most, 100)
		t.Logf("%s: %s, %d users read", query, time.Since(began), users.read)
		next, _ := a.JSON["next"].(string)
		return a.ids(), next
	}
	for query, want := range map[string][]string{
		"limit=2":                            {"u000000", "u000001"},
		"limit=2&cursor=u050000":             {"u050001", "u050002"},
		"limit=2&cursor=u099997":             {"u099998", "u099999"},
		"limit=2&text=u09999":                {"u099990", "u099991"},
		"limit=2&status=unverified":          {"u000999", "u001999"},
		"limit=2&status=locked":              nil,
		"limit=2&kind=totp&cursor=u050000":   nil,
		"limit=2&type=owner":                 nil,
		"limit=2&status=none&cursor=u099998": {"u099999"},
	} {
		ids, _ := request(query)
		require.Equal(t, want, ids, query)
	}
	page := olivia.has(olivia.page("?status=locked", nil), 200, "No match in these 200 users")
	require.Contains(t, page.Text, "cursor=u000199")

	until := 2000
	if os.Getenv("SECONDGATE_LONG") != "" {
		until = users.n
	}
	seen, cursor := 0, ""
	for seen < until {
		ids, next := request("limit=100&cursor=" + url.QueryEscape(cursor))
		for _, id := range ids {
			require.Equal(t, fmt.Sprintf("u%06d", seen), id)
			seen++
		}
		require.Equal(t, seen == users.n, next == "")
		cursor = next
	}
}
