package main

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var adviceForm = regexp.MustCompile(`data-advice="([a-z]*)"`)

// advice returns the warning about recovery codes on a page, or "".
func (c *client) advice(path string) string {
	c.t.Helper()
	if found := adviceForm.FindStringSubmatch(c.get(200, path).text); found != nil {
		return found[1]
	}
	return ""
}

// The home page says of recovery codes what the page of security settings says, from no code to
// enough of them and down to a few.
func TestHome_WarnsOfFewRecoveryCodes(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.client(t)
	both := func(want string) {
		t.Helper()
		require.Equal(t, want, c.advice("/mfa/factors"))
		require.Equal(t, want, c.advice("/"))
	}
	c.signIn("anna")
	both("")
	c.enrollTOTP()
	both("none")
	c.has(c.get(200, "/"), "You have no recovery codes", `href="/mfa/recovery-codes"`)
	made := c.post(200, "/mfa/api/recovery-codes", obj{}).body
	codes := made["codes"].([]any)
	require.Len(t, codes, 10)
	both("unsaved")
	c.post(200, "/mfa/api/recovery-codes/saved", obj{"factor": made["factor"]})
	both("")
	for left, code := range codes[:8] {
		left = 9 - left
		c.post(303, "/logout", url.Values{})
		c.password("anna")
		c.verify(200, "recovery", code.(string))
		if left > 3 {
			continue
		}
		both("few")
		c.has(c.get(200, "/"), "Recovery codes left: "+strconv.Itoa(left)+".")
	}
}

// Every demonstration user is on the sign-in page, and those whose address is not verified are
// marked there. /demo/people lists only users to whom a code can be sent, and users for
// examples/load are on no page: there may be a million.
func TestLogin_ShowsEveryDemonstrationUser(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir(), "-people=30")
	page := s.client(t).get(200, "/login").text
	rows := strings.Split(page, "<tr>")[2:]
	unverified := map[string]bool{"lena": true, "milan": true}
	seen := map[string]bool{}
	for _, row := range rows {
		name := regexp.MustCompile(`<code dir="ltr">([^<]*)</code>`).FindStringSubmatch(row)[1]
		seen[name] = true
		require.Equal(t, unverified[name], strings.Contains(row, "address not verified"), name)
		require.Contains(t, row, `<button`, name)
	}
	for _, n := range seededUsers() {
		for _, a := range n.accounts {
			require.True(t, seen[a.Username], a.Username)
			delete(seen, a.Username)
		}
	}
	require.Empty(t, seen)
	require.Contains(t, page, "these users set up a method when they sign in")
	for _, u := range s.seeded(t) {
		require.False(t, unverified[u.Username])
	}
}
