package admin_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var target = regexp.MustCompile(`<(?:a|form)(?: [^>]*)? (?:href|action)="([^"]*)"`)

// targets are the URLs of the links and forms of a page of the administration that lead to another.
func (c *client) targets(path string) (list []*url.URL) {
	t := c.s.t
	t.Helper()
	a := c.page(path, nil)
	require.Equal(t, 200, a.StatusCode, a.Text)
	for _, m := range target.FindAllStringSubmatch(a.Text, -1) {
		if strings.Contains(m[0], `method="get"`) {
			continue // has inputs for its query
		}
		u, err := a.Request.URL.Parse(html.UnescapeString(m[1]))
		require.NoError(t, err)
		if strings.HasPrefix(u.Path, "/admin/mfa/") {
			list = append(list, u)
		}
	}
	return list
}

// Each link and form on the pages about another tenant keeps the tenant, and each about the users
// of a filter keeps the filter.
func TestPages_LinkWithWholeQueries(t *testing.T) {
	s, _, _ := stage(t)
	c := s.administrator("acme", "olivia")
	s.central = true
	for _, path := range []string{"", "?status=none", "user?id=anna", "policies", "mails", "report",
		"cases", "policies/edit?type=employee", "user/reset?id=anna", "mails?type=employee"} {
		joint := "?"
		if strings.Contains(path, "?") {
			joint = "&"
		}
		path += joint + "tenant=other"
		for _, u := range c.targets(path) {
			if u.Path == "/admin/mfa/audit" || u.Fragment != "" {
				continue
			}
			require.Equal(t, []string{"other"}, u.Query()["tenant"], "%s on %s", u, path)
		}
	}
	found := false
	for _, u := range c.targets("mails/resend?status=unverified&type=employee") {
		if u.Path == "/admin/mfa/mails" && u.RawQuery != "" {
			found = true
			q := u.Query()
			require.Equal(t, "unverified employee", q.Get("status")+" "+q.Get("type"))
		}
	}
	require.True(t, found, "a link to the mails with the filter")
}
