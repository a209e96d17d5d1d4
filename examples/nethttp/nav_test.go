package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every page of a signed-in user, the application's and the library's, has the navigation, and says
// in which of its places the user is.
func TestNav_NamesThePlaceOnEveryPage(t *testing.T) {
	s := start(t, t.TempDir())
	c := s.client(t)
	c.signIn("olivia")
	c.enrollTOTP()
	place := regexp.MustCompile(`<a href="([^"]*)" aria-current="([a-z]*)">`)
	for path, want := range map[string]string{
		"/": "/ page", "/outbox": "/outbox page", "/admin/mfa/": "/admin/mfa/ page",
		"/admin/mfa/cases": "/admin/mfa/ true", "/admin/mfa/report": "/admin/mfa/ true",
		"/admin/mfa/audit": "/admin/mfa/ true", "/admin/sign-on": "/admin/mfa/ true",
		"/admin/account?id=acct-anna": "/admin/mfa/ true",
		"/mfa/factors":                "/mfa/factors page", "/mfa/enroll": "/mfa/factors true",
		"/mfa/enroll/sms": "/mfa/factors true", "/mfa/recovery-codes": "/mfa/factors true",
		"/mfa/enroll/questions": "/mfa/factors true", "/mfa/step-up": "",
		"/mfa/nothing": "/mfa/factors true", "/sessions": "/mfa/factors true",
		"/password": "/mfa/factors true", "/email": "/mfa/factors true",
	} {
		a, err := c.try("GET", path, nil)
		require.NoError(t, err)
		page := a.text
		if path == "/mfa/step-up" { // leads to the question
			page = c.get(200, "/mfa/verify?purpose=manage").text
			want = "/mfa/factors true"
		}
		nav, _, ok := strings.Cut(page[max(0, strings.Index(page, `<nav aria-label="Acme">`)):],
			"</nav>")
		require.True(t, ok && strings.HasPrefix(nav, "<nav"), path)
		found := place.FindAllStringSubmatch(nav, -1)
		require.Len(t, found, 1, path)
		require.Equal(t, want, found[0][1]+" "+found[0][2], path)
		require.Contains(t, page, " data-session-ends=", "%s warns before the session ends", path)
	}
	visitor := s.client(t)
	require.NotContains(t, visitor.get(200, "/login").text, "<nav")
}
