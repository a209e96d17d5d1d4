package admin_test

import (
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
)

// ended submits a page's form after the administrator's session has ended, and returns the page
// to which the sign-in leads back.
func (c *client) ended(page *response, post string, typed url.Values) (back string) {
	t := c.s.t
	t.Helper()
	require.Equal(t, 200, page.StatusCode, page.Text)
	_, rest, ok := strings.Cut(page.Text, `name="keep" value="`)
	require.True(t, ok, page.Text)
	value, _, _ := strings.Cut(rest, `"`)
	form := url.Values{"keep": {value}}
	for name, list := range typed {
		form[name] = list
	}
	c.s.mu.Lock()
	clear(c.s.sessions)
	c.s.mu.Unlock()
	a := c.page(post, form)
	require.Equal(t, 303, a.StatusCode, a.Text)
	to, err := url.Parse(a.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "/login", to.Path)
	back, ok = strings.CutPrefix(to.Query().Get("return"), "/admin/mfa/")
	require.True(t, ok, to)
	return back
}

// again signs in once more as an administrator with an app.
func (c *client) again() *client {
	c.s.t.Helper()
	c.s.clock.Advance(time.Minute)
	c.password(c.user.Tenant, c.user.ID)
	c.do("POST", "/mfa/api/verify", m{"kind": "totp",
		"code": mfatest.AppCode(c.s.t, c.key, c.s.clock.Now())}).is(c.s.t, 200, "")
	return c
}

// What an administrator typed is there again after a session that ended in the middle of a form,
// also on a page that is the response to a form, to which no browser can return.
func TestEnded_ShowsAgainWhatAnAdministratorTyped(t *testing.T) {
	s, _, factorID := stage(t)
	c := s.administrator("acme", "olivia")
	policy := url.Values{"type": {"employee"}, "preset": {"custom"}, "mode": {"required"},
		"kind": {"totp"}, "remember": {"14"}, "enroll_by": {"2027-02-03"}, "within": {"0"},
		"skips": {"0"}, "reason": {"since the audit"}}
	policyPage := []string{`value="2027-02-03"`, `value="14" selected`,
		`name="reason" value="since the audit"`}
	mails := url.Values{"mail": {"enrollment"}, "type": {"employee"},
		"reason": {"a reminder"}}
	for name, test := range map[string]struct {
		page  func() *response
		post  string
		typed url.Values
		back  string
		again []string
	}{
		"a policy": {func() *response { return c.page("policies/edit?type=employee", nil) },
			"policies/preview", policy, "policies/edit?type=employee", policyPage},
		"the preview of a policy": {func() *response { return c.page("policies/preview", policy) },
			"policies", policy, "policies/edit?type=employee", policyPage},
		"the mode for all": {func() *response {
			return c.page("policies/preview", url.Values{"switch": {"off"}})
		}, "policies", url.Values{"switch": {"off"}, "reason": {"x"}}, "policies", nil},
		"the reason for an act": {func() *response {
			return c.page("user/remove-factor?factor="+factorID+"&id=anna", nil)
		}, "user/remove-factor", url.Values{"id": {"anna"}, "factor": {factorID},
			"reason": {"lost at sea"}}, "user/remove-factor?factor=" + factorID + "&id=anna",
			[]string{`value="lost at sea"`}},
		"an access code": {func() *response { return c.page("user/access-code?id=anna", nil) },
			"user/access-code", url.Values{"id": {"anna"}, "valid": {"24"}, "uses": {"any"}},
			"user/access-code?id=anna",
			[]string{`value="24" selected`, `value="any" selected`}},
		"mails": {func() *response { return c.page("mails", nil) }, "mails/preview", mails,
			"mails", []string{`value="enrollment" selected`, `name="type" value="employee"`,
				`name="reason" value="a reminder"`}},
		"the preview of mails": {func() *response { return c.page("mails/preview", mails) },
			"mails", mails, "mails", []string{`name="type" value="employee"`,
				`name="reason" value="a reminder"`}},
	} {
		t.Run(name, func(t *testing.T) {
			c.again()
			require.Equal(t, test.back, c.ended(test.page(), test.post, test.typed))
			c.again()
			a := c.page(test.back, nil)
			text := html.UnescapeString(a.Text)
			require.Equal(t, 200, a.StatusCode, text)
			for _, want := range test.again {
				require.Contains(t, text, want)
			}
			text = c.page(test.back, nil).Text
			for _, list := range test.again {
				require.NotContains(t, html.UnescapeString(text), list, "shown once")
			}
		})
	}
}

// A reason that is no text, and a policy without a kind, are not shown again.
func TestEnded_ShowsAgainNoFormThatNoPageMakes(t *testing.T) {
	s, _, _ := stage(t)
	c := s.administrator("acme", "olivia")
	c.again()
	edit := c.page("policies/edit?type=employee", nil)
	c.ended(edit, "policies", url.Values{"type": {"employee"}, "preset": {"custom"},
		"mode": {"off"}, "reason": {"a\x00b"}})
	c.again()
	require.Equal(t, edit.Text, c.page("policies/edit?type=employee", nil).Text)

	c.ended(c.page("mails", nil), "mails", url.Values{"text": {strings.Repeat("a", 200)},
		"reason": {strings.Repeat("a", 1100)}})
	c.again()
	require.NotContains(t, c.page("mails", nil).Text, "aaaa")
}
