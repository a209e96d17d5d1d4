package admin_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// What a request has to prove before a route responds.
const (
	byMember = "member" // a signed-in user; says nothing about any user
	byViewer = "viewer" // an administrator who is signed in
	byActor  = "actor"  // an administrator's own fresh proof
)

// routes are all routes, and what each has to prove.
var routes = map[string]string{
	"GET openapi.json":            byMember,
	"GET users":                   byViewer,
	"GET user":                    byViewer,
	"GET policies":                byViewer,
	"GET report":                  byViewer,
	"GET cases":                   byViewer,
	"GET audit":                   byViewer,
	"POST policies/preview":       byViewer,
	"POST mails/preview":          byViewer,
	"PUT policies":                byActor,
	"POST mails":                  byActor,
	"POST user/reset":             byActor,
	"POST user/remove-factor":     byActor,
	"POST user/unlock":            byActor,
	"POST user/access-code":       byActor,
	"POST user/recovery-link":     byActor,
	"POST user/verification-link": byActor,
	"POST user/close-case":        byActor,
	"POST user/end-sessions":      byActor,
	"POST user/delete":            byActor,
	"POST user/exception":         byActor,
	"POST user/end-exception":     byActor,
}

// pages are the pages, and what each has to prove.
var pages = map[string]string{
	"GET {$}": byViewer, "GET user": byViewer, "GET cases": byViewer, "GET report": byViewer,
	"GET audit": byViewer, "GET policies": byViewer, "POST policies/preview": byViewer,
	"POST mails/preview": byViewer, "GET policies/edit": byActor, "POST policies": byActor,
	"GET mails": byActor, "POST mails": byActor, "GET mails/resend": byActor,
	"GET user/reset": byActor, "POST user/reset": byActor,
	"GET user/remove-factor": byActor, "POST user/remove-factor": byActor,
	"GET user/unlock": byActor, "POST user/unlock": byActor,
	"GET user/access-code": byActor, "POST user/access-code": byActor,
	"GET user/recovery-link": byActor, "POST user/recovery-link": byActor,
	"GET user/verification-link": byActor, "POST user/verification-link": byActor,
	"GET user/close-case": byActor, "POST user/close-case": byActor,
	"GET user/end-sessions": byActor, "POST user/end-sessions": byActor,
	"GET user/delete": byActor, "POST user/delete": byActor,
	"GET user/exception": byActor, "POST user/exception": byActor,
	"GET user/end-exception": byActor, "POST user/end-exception": byActor,
}

func TestHandlerRoutes_AreClassified(t *testing.T) {
	for _, r := range admin.Routes(newSite(t).a) {
		api := strings.Contains(r, "/admin/mfa/api/")
		r = strings.NewReplacer("/admin/mfa/api/", "", "/admin/mfa/", "").Replace(r)
		list := pages
		if api {
			list = routes
		}
		require.Contains(t, list, r, "say what this route has to prove")
	}
	require.Len(t, admin.Routes(newSite(t).a), len(routes)+len(pages), "a route that is gone")
}

// bodies are what a route takes, about the user with the ID given.
func body(route, id, factorID string) any {
	order := m{"id": id, "reason": "asked on the phone"}
	switch route {
	case "PUT policies":
		return m{"policy": m{"mode": "optional"}, "reason": "r"}
	case "POST policies/preview":
		return m{"policy": m{"mode": "required"}}
	case "POST mails":
		return m{"mail": "verification", "reason": "r"}
	case "POST mails/preview":
		return m{"mail": "verification"}
	case "POST user/remove-factor":
		order["factor"] = factorID
	case "POST user/access-code":
		order["valid_seconds"], order["uses"] = 8*3600, "once"
	case "POST user/exception":
		order["approver"], order["ends"] = "the director", "2026-04-01T00:00:00Z"
	}
	if strings.HasPrefix(route, "POST ") {
		return order
	}
	return nil
}

// subject is the user whom a route is called about: carla has no method, and ben an exception.
func subject(route string) string {
	switch {
	case strings.HasSuffix(route, "user/exception"):
		return "carla"
	case strings.HasSuffix(route, "user/end-exception"):
		return "ben"
	}
	return "anna"
}

// call requests a route about a user.
func (c *client) call(route, id, factorID string) *response {
	method, path, _ := strings.Cut(route, " ")
	if route == "GET user" {
		path += "?id=" + id
	}
	return c.api(method, path, body(route, id, factorID))
}

// stage is a site in which anna has an app, a request for support and something to lose, and ben an
// exception.
func stage(t *testing.T, change ...func(*admin.Config)) (s *site, anna *client, factorID string) {
	t.Helper()
	s = newSite(t, append([]func(*admin.Config){func(c *admin.Config) {
		c.Users = &sessionDirectory{directory: c.Users.(*directory)}
	}}, change...)...)
	anna = s.client().password("acme", "anna").mailed()
	factorID = anna.app()
	s.help("anna")
	require.NoError(t, s.m.Admin(mfa.System("root"), "broken arm").GrantException(t.Context(),
		s.dir.user(t, "ben"), "director", s.clock.Now().AddDate(0, 0, 60)))
	return s, anna, factorID
}

// Each route responds to those who have proven what it wants and to nobody else, and a request
// that it refuses changes no record and sends no mail.
func TestHandlerRoutes_PassWhoHasProvenEnough(t *testing.T) {
	everyone := map[string]func(s *site) *client{
		"visitor": func(s *site) *client { return s.client() },
		"first factor only": func(s *site) *client {
			return s.client().password("acme", "olivia")
		},
		"signed in":          func(s *site) *client { return s.administrator("acme", "eve") },
		"of another tenant":  func(s *site) *client { return s.administrator("other", "otto") },
		"with an old proof":  func(s *site) *client { return s.administrator("acme", "olivia") },
		"with a fresh proof": func(s *site) *client { return s.administrator("acme", "olivia") },
	}
	for name, who := range everyone {
		t.Run(name, func(t *testing.T) {
			s, _, factorID := stage(t)
			c := who(s)
			if name == "with an old proof" {
				s.clock.Advance(16 * time.Minute)
			}
			for _, route := range slices.Sorted(mapsKeys(routes)) {
				want := expected(name, routes[route])
				if want == "200" {
					continue // below, one site each
				}
				before, sent := s.records(), len(s.mail.All())
				path := route
				if name == "of another tenant" {
					path = inTenant(route, "acme")
				}
				a := c.call(path, subject(route), factorID)
				got, _ := a.JSON["error"].(string)
				require.Equal(t, want, got, "%s: %d %s", route, a.StatusCode, a.Text)
				require.GreaterOrEqual(t, a.StatusCode, 401)
				require.NotContains(t, a.Text, subject(route))
				require.Equal(t, before, s.records(), "%s changed something", route)
				require.Len(t, s.mail.All(), sent, "%s sent something", route)
			}
		})
	}
	left := len(routes)
	if brief.WithRace() {
		left = 5 // any
	}
	for route, class := range routes {
		if left--; left < 0 {
			break
		}
		for _, name := range []string{"with a fresh proof", "with an old proof"} {
			if class == byActor && name == "with an old proof" {
				continue
			}
			t.Run(route+" "+name, func(t *testing.T) {
				s, _, factorID := stage(t)
				c := everyone[name](s)
				if name == "with an old proof" {
					s.clock.Advance(16 * time.Minute)
				}
				before := s.records()
				a := c.call(route, subject(route), factorID)
				require.Equal(t, http.StatusOK, a.StatusCode, a.Text)
				if class != byActor {
					require.Equal(t, before, s.records(), "it only reads")
				}
			})
		}
	}
}

// expected is the code of the response to a request of who to a route of a class, and "200" for
// one that passes.
func expected(who, class string) string {
	switch {
	case who == "visitor", who == "first factor only":
		return "unauthorized"
	case class == byMember:
		return "200"
	case who == "signed in", who == "of another tenant":
		return "forbidden"
	case who == "with an old proof" && class == byActor:
		return "step_up"
	}
	return "200"
}

func inTenant(route, tenant string) string {
	if route == "GET user" { // call adds a query of its own
		return "GET user?tenant=" + tenant + "&x="
	}
	return route + "?tenant=" + tenant
}

// An administrator who is refused learns the same of a user who exists and of one who does not;
// one who may list users and not see this one does too.
func TestUsers_RefusalsDiscloseNothing(t *testing.T) {
	s, _, factorID := stage(t)
	eve := s.administrator("acme", "eve")
	olivia := s.administrator("acme", "olivia")
	s.mu.Lock()
	hidden := []string{"anna", "ben", "carla"}
	s.refuse = func(a mfa.AdminAction) bool {
		return a.Name == "view-user" && slices.Contains(hidden, a.UserID)
	}
	s.mu.Unlock()
	for route, class := range routes {
		if class == byMember || !strings.Contains(route, "user/") && route != "GET user" {
			continue
		}
		for _, c := range []*client{eve, olivia} {
			there := c.call(route, subject(route), factorID)
			gone := c.call(route, "nobody", factorID)
			require.GreaterOrEqual(t, there.StatusCode, 400, route)
			require.Equal(t, there.StatusCode, gone.StatusCode, route)
			require.Equal(t, there.Text, gone.Text, route)
		}
	}
	require.NotContains(t, olivia.api("GET", "users", nil).is(t, 200, "").Text, "anna")
	require.Contains(t, olivia.api("GET", "cases", nil).is(t, 200, "").Text, `"cases":[]`)
	require.NotContains(t, olivia.api("POST", "policies/preview",
		m{"policy": m{"mode": "required"}}).is(t, 200, "").Text, `"users":6`)
}

// Administrators do nothing to themselves, whatever they have proven.
func TestActs_NotOnOneself(t *testing.T) {
	s, _, _ := stage(t)
	olivia := s.client().password("acme", "olivia").mailed()
	own := olivia.app()
	olivia.proves()
	before := s.records()
	for route, class := range routes {
		if class == byActor && strings.HasPrefix(route, "POST user/") {
			olivia.call(route, "olivia", own).is(t, 403, "forbidden")
			require.Equal(t, before, s.records(), route)
		}
	}
	require.Equal(t, true, olivia.api("GET", "user?id=olivia", nil).is(t, 200, "").JSON["self"])
}

// What the application refuses is not done, by its name in mfa.AdminAction.
func TestActs_AskTheApplicationByName(t *testing.T) {
	names := map[string]string{
		"GET users": "list-users", "GET user": "view-user", "GET policies": "view-policy",
		"GET report": "report", "GET cases": "support-cases", "GET audit": "audit",
		"POST policies/preview": "preview-policy", "PUT policies": "set-policy",
		"POST mails/preview": "list-users", "POST mails": "list-users",
		"POST user/reset": "reset", "POST user/remove-factor": "remove",
		"POST user/unlock": "unlock", "POST user/access-code": "enroll",
		"POST user/recovery-link":     "send-recovery-link",
		"POST user/verification-link": "send-verification-link",
		"POST user/close-case":        "close-support-case",
		"POST user/end-sessions":      "end-sessions", "POST user/delete": "delete",
		"POST user/exception":     "grant-exception",
		"POST user/end-exception": "end-exception",
	}
	around := 0
	s, _, factorID := stage(t, func(c *admin.Config) {
		c.Around = counting(&around)
	})
	olivia := s.administrator("acme", "olivia")
	for route, name := range names {
		s.mu.Lock()
		s.refuse = func(a mfa.AdminAction) bool { return a.Name == name }
		s.mu.Unlock()
		before := s.records()
		a := olivia.call(route, subject(route), factorID)
		require.Contains(t, []int{403, 404}, a.StatusCode, "%s: %s", route, a.Text)
		require.Equal(t, before, s.records(), route)
	}
	require.Len(t, names, len(routes)-1, "all routes but that of the document")
	require.Zero(t, around, "the application's own part is not reached either")
}

// No form and no script of another site reaches a route, and no GET changes anything.
func TestHandler_RefusesOtherOrigins(t *testing.T) {
	s, _, factorID := stage(t)
	olivia := s.administrator("acme", "olivia")
	olivia.origin = "cross-site"
	before := s.records()
	for route := range routes {
		if !strings.HasPrefix(route, "GET ") {
			olivia.call(route, "anna", factorID).is(t, 403, "forbidden")
		}
	}
	require.Equal(t, before, s.records())
	olivia.origin = "same-origin"
	for route := range routes {
		_, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(route, "GET ") && routes["GET "+path] == "" {
			a := olivia.api("GET", path+"?id=anna", nil).is(t, 405, "method_not_allowed")
			require.NotEmpty(t, a.Header.Get("Allow"))
		}
	}
	olivia.api("GET", "nothing", nil).is(t, 404, "not_found")
	require.Equal(t, before, s.records())
}
