package mfahttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// twice submits a form twice before a response to the first has come, as an impatient user does
// in a browser without JavaScript. The browser keeps the cookies of both responses and goes where
// the second leads. It returns that page.
func (p *browser) twice(path string, form url.Values) *response {
	p.s.t.Helper()
	before := p.copy()
	p.post(path, form)
	second := before.post(path, form)
	for _, c := range second.Cookies() {
		if strings.HasPrefix(c.Name, "secondgate-") { // the application gives visitors a session
			p.client.Jar.SetCookies(second.Request.URL, []*http.Cookie{c})
		}
	}
	if second.StatusCode == 200 {
		return second
	}
	return p.follow(p.get(second.leadsTo()))
}

// A user who pressed the button twice was told to begin again, although the first response had
// signed them in.
func TestPages_FormSubmittedTwiceArrives(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *site{
		"state in cookies":    func(t *testing.T) *site { return cookieSite(t, nil) },
		"state on the server": func(t *testing.T) *site { return newSite(t, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			p := s.browser("ann")
			p.login()
			p.post("/mfa/send", url.Values{"kind": {"email"}, "return": {"/home"}})
			sent := s.mail.count()
			p.twice("/mfa/verify", url.Values{"kind": {"email"}, "code": {s.mail.last().Code},
				"return": {"/home"}}).page(t, 200, "welcome")
			require.Equal(t, sent, s.mail.count(), "no mail about a failed attempt")

			p.post("/mfa/step-up", url.Values{"return": {"/home"}})
			p.get("/mfa/enroll/totp")
			form := p.post("/mfa/enroll/totp", nil).leadsTo()
			require.Contains(t, form, "/mfa/enrollments/")
			page := p.twice(form, url.Values{"code": {"100001"}}).page(t, 200)
			require.NotContains(t, page.Text, `role="alert"`)
			require.Contains(t, page.Text, "AAAA-1111")
			require.Len(t, p.api("GET", "factors", nil).is(t, 200, "").JSON["factors"], 2,
				"the app, and recovery codes")
		})
	}
}
