package admin_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// Mails go to those whom they are for and whom the filter has, some in each request, with the
// result for each. The preview counts the same users and sends nothing.
func TestMails_GoOutInSteps(t *testing.T) {
	s := newSite(t)
	for i := range 50 {
		s.dir.users = append(s.dir.users, admin.Entry{Name: "New " + itoa(i),
			User: mfa.User{Tenant: "acme", ID: "u" + itoa(100+i), UserType: "employee",
				Email: "u" + itoa(100+i) + "@acme.example", EmailVerified: i%2 == 0}})
	}
	olivia := s.administrator("acme", "olivia")
	sent := len(s.mail.All())
	matching := 0
	body := m{"mail": "verification", "text": "new"}
	for more := true; more; {
		a := olivia.api("POST", "mails/preview", body).is(t, 200, "")
		matching += int(a.JSON["matching"].(float64))
		require.Empty(t, a.JSON["results"])
		body["cursor"], more = a.JSON["next"]
	}
	require.Equal(t, 25, matching)
	require.Len(t, s.mail.All(), sent, "a preview sends nothing")

	s.mail.FailNext(errors.New("mailbox full"))
	body = m{"mail": "verification", "text": "new", "reason": "annual check"}
	var results []any
	for more := true; more; {
		a := olivia.api("POST", "mails", body).is(t, 200, "")
		require.LessOrEqual(t, len(a.JSON["results"].([]any)), 20)
		require.Equal(t, false, a.JSON["stopped"])
		results = append(results, a.JSON["results"].([]any)...)
		body["cursor"], more = a.JSON["next"]
	}
	require.Len(t, results, 25)
	require.Equal(t, m{"id": "u101", "name": "New 1", "error": "unavailable"}, results[0])
	require.Equal(t, m{"id": "u103", "name": "New 3", "hint": "u•••@acme.example"}, results[1])
	require.Len(t, s.mail.All(), sent+24)
	for _, e := range s.events {
		if e.Name == "admin.send-confirmation" {
			require.Equal(t, "olivia annual check", e.Actor+" "+e.Note)
		}
	}

	// A link to enrol goes to users without a factor only, and never to the administrator.
	ben := s.client().password("acme", "ben").mailed()
	ben.app()
	olivia.proves()
	a := olivia.api("POST", "mails", m{"mail": "enrollment", "type": "employee", "text": "e",
		"reason": "join"}).is(t, 200, "")
	require.NotContains(t, a.Text, `"ben"`)
	require.Contains(t, a.Text, `"anna"`)

	for _, body := range []m{{"mail": "spam", "reason": "r"}, {"reason": "r"},
		{"mail": "verification", "reason": "r", "status": "x"},
		{"mail": "verification", "reason": "r", "cursor": strings.Repeat("x", 513)}} {
		olivia.api("POST", "mails", body).is(t, 400, "malformed")
	}
	olivia.api("POST", "mails", m{"mail": "verification"}).is(t, 400, "reason")
	s.clock.Advance(16 * time.Minute)
	olivia.api("POST", "mails", m{"mail": "verification", "reason": "r"}).is(t, 403, "step_up")
}

// A rate limit that refuses mails says how long to wait, and the page warns that a mail was not
// sent.
func TestMails_SayWhenARateLimitEnds(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	limited := false
	for range 40 {
		a := olivia.api("POST", "mails", m{"mail": "verification", "reason": "r"}).is(t, 200, "")
		if results := a.JSON["results"].([]any); results[0].(m)["error"] == "budget" {
			limited = true
			require.Greater(t, a.JSON["retry_after"], 0.0)
			break
		}
	}
	require.True(t, limited)
	page := olivia.in("en", "POST", "mails", url.Values{"mail": {"verification"}, "reason": {"r"}})
	require.Contains(t, page.Text, `<p class="sg-notice sg-warn" role="status">`)
	require.Contains(t, page.Text, "could not be sent.")
}

// To try again is no use where the user has no address that is verified, and the page says so.
func TestMails_SayWhoseAddressIsNotVerified(t *testing.T) {
	s := newSite(t)
	page := s.administrator("acme", "olivia").in("en", "POST", "mails",
		url.Values{"mail": {"enrollment"}, "text": {"Carla"}, "reason": {"r"}})
	require.Contains(t, page.Text, "1 mail could not be sent.")
	require.Contains(t, page.Text, "<td>Address not verified</td>")
	require.NotContains(t, page.Text, "try again")
}
