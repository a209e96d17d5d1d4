package mfahttp_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// extendable is a site whose sessions have an end that its users can move.
func extendable(t *testing.T, change ...func(*mfahttp.Config)) (s *site, asked *int) {
	t.Helper()
	asked = new(int)
	s = newSite(t, func(c *mfahttp.Config) {
		c.ExtendSession = func(http.ResponseWriter, *http.Request) (time.Time, error) {
			*asked++
			s.ends = s.clock.Now().Add(time.Hour)
			return s.ends, nil
		}
		for _, f := range change {
			f(c)
		}
	})
	return s, asked
}

// Every page says when the session ends, and the user stays signed in by a form.
func TestPages_SayWhenTheSessionEnds(t *testing.T) {
	s, asked := extendable(t)
	p := s.browser("ann").signIn()
	require.NotContains(t, p.get("/mfa/factors").page(t, 200).Text, "data-session-ends")
	s.ends = s.clock.Now().Add(time.Hour)
	p.get("/mfa/factors").page(t, 200, `hidden data-session-ends="3600"`)
	s.clock.Advance(59 * time.Minute)
	page := p.get("/mfa/factors").page(t, 200, `"sg-session" data-session-ends="60"`,
		`data-seconds="60">1 minute`, `action="/mfa/extend"`, `value="/mfa/factors"`)
	require.Contains(t, page.Text, "session.js")
	require.Zero(t, *asked, "a page asks for nothing")

	p.post("/mfa/extend", url.Values{"return": {"/mfa/factors"}}).goes(t, "/mfa/factors")
	require.Equal(t, 1, *asked)
	p.get("/mfa/factors").page(t, 200, `data-session-ends="3600"`)
	p.post("/mfa/extend", url.Values{"return": {"https://evil.example/"}}).goes(t, "/home")
	require.Equal(t, 1, *asked, "only in the last minutes")

	s.clock.Advance(59 * time.Minute)
	a := p.do("POST", "/mfa/extend", "return=%2Fhome", map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"})
	require.Equal(t, m{"ends": 3600.0}, a.JSON)
	require.Equal(t, 2, *asked)
	// A user who has passed the first factor alone has such a session too.
	p.login()
	s.clock.Advance(59 * time.Minute)
	p.login()
	p.get("/mfa/verify?kind=email").page(t, 200, `data-session-ends="60"`)
}

func TestPages_ExtendOnlyTheUsersOwnSession(t *testing.T) {
	s, asked := extendable(t)
	s.ends = s.clock.Now().Add(time.Minute)
	s.browser("").post("/mfa/extend", nil).goes(t, "/login")
	p := s.browser("ann").signIn()
	p.do("GET", "/mfa/extend", "", nil)
	p.do("POST", "/mfa/extend", "", map[string]string{"Origin": "https://evil.example"})
	require.Zero(t, *asked)
}

// An application that gives no more time still has its users warned.
func TestPages_SayWhenASessionEndsThatCannotBeExtended(t *testing.T) {
	s, _ := extendable(t, func(c *mfahttp.Config) { c.ExtendSession = nil })
	p := s.browser("ann").signIn()
	s.ends = s.clock.Now().Add(time.Minute)
	page := p.get("/mfa/factors").page(t, 200, `data-session-ends="60"`)
	require.NotContains(t, page.Text, "/mfa/extend")
	require.Equal(t, 404, p.post("/mfa/extend", nil).StatusCode)
}
