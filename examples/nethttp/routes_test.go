package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/secondgate/secondgate/internal/routes"
)

// The proof that a route requires before it changes anything.
const (
	byNobody = "nobody" // begins a sign-in, or uses a link
	// ends or describes the user's sessions, and changes no sign-in method
	bySession = "the session"
	byFirst   = "the password"
	byGrant   = "a grant" // a recent proof of the user's own
	byActor   = "an actor"
	byDemo    = "nothing, in a demonstration"
	byHandler = "what mfahttp asks for"
)

// writes lists the routes that change something, as the source names them, with their proof.
var writes = map[string]string{
	"POST /login":                    byFirst,
	"POST /api/login":                byFirst,
	"POST /account":                  byFirst,
	"POST /api/account":              byFirst,
	"POST reauthenticatePath":        byFirst,
	"POST /api/reauthenticate":       byFirst,
	"POST forgotPath":                byNobody,
	"POST /api/password/forgot":      byNobody,
	"POST resetPath":                 byNobody,
	"POST /api/password/reset":       byNobody,
	"POST ssoPath{provider}/sign-in": byNobody,
	"POST /logout":                   bySession,
	"POST /api/logout":               bySession,
	"POST sessionsPath/end":          bySession,
	"POST sessionsPath/end-others":   bySession,
	"POST sessionsPath/keep":         bySession,
	"POST sessionsPath/preference":   bySession,
	"DELETE /api/sessions":           bySession,
	"DELETE /api/sessions/{id}":      bySession,
	"POST changePath":                byGrant,
	"PUT /api/password":              byGrant,
	"POST addressPath":               byGrant,
	"POST ssoPath{provider}/link":    byGrant,
	"POST ssoPath{provider}/unlink":  byGrant,
	"POST /admin/password":           byActor,
	"POST /admin/sign-on/activate":   byActor,
	"POST /admin/sign-on/deactivate": byActor,
	"POST /admin/sign-on/unlink":     byActor,
	"POST /api/admin/reset":          byActor,
	"POST /api/admin/unlock":         byActor,
	"PUT /api/admin/policy":          byActor,
	"POST /demo/clock":               byDemo,
	"POST /outbox/clock":             byDemo,
	"POST /tour/restart":             byDemo,
	"a.gate.URL()":                   byHandler,
	"/admin/mfa/":                    byHandler,
}

func TestRoutes_AreClassified(t *testing.T) {
	t.Parallel()
	list, err := routes.Of(".", "Handle", "HandleFunc", "page", "change")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, r := range list {
		if strings.HasPrefix(r, "GET ") {
			continue
		}
		found[r] = true
		if writes[r] == "" {
			t.Errorf("%q is new: say in this test what it has to prove, and prove it", r)
		}
	}
	for r := range writes {
		if !found[r] {
			t.Errorf("%q is gone", r)
		}
	}
}

// request calls a route that acts on a user, with all values that it could read.
func (c *client) request(route, username string) *response {
	c.t.Helper()
	route = strings.NewReplacer("changePath", changePath, "addressPath", addressPath,
		"ssoPath", ssoPath, "{provider}", "microsoft").Replace(route)
	method, path, _ := strings.Cut(route, " ")
	var body any = url.Values{"id": {"acct-" + username}, "reason": {"asked"},
		"password": {"herons wade at dusk"}, "again": {"herons wade at dusk"},
		"current": {"olivia-demo-password"}, "valid": {"1"}, "uses": {"any"},
		"provider": {"microsoft"}, "organization": {demoTenant}, "link": {"x"}}
	if strings.HasPrefix(path, "/api/") {
		body = obj{"username": username, "type": "owner", "policy": obj{"mode": "off"},
			"current": "olivia-demo-password", "password": "herons wade at dusk"}
	}
	a, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// kept returns the database of a running program as text, without sessions, mails and the clock.
func kept(t *testing.T, data string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(data, databaseFile)+
		"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(q string) (list [][]any) {
		rows, err := db.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			list = append(list, row)
		}
		return list
	}
	var all strings.Builder
	for _, table := range query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN
		('sessions', 'settings', 'outbox') ORDER BY name`) {
		fmt.Fprintln(&all, table, query(fmt.Sprintf(`SELECT * FROM %q ORDER BY 1`, table[0])))
	}
	return all.String()
}

// provesFirst fails unless the response redirects a browser to a proof, or asks a program for one.
func (c *client) provesFirst(route string, a *response, code, page string) {
	c.t.Helper()
	if strings.Contains(route, " /api/") {
		if a.status != 403 || a.body["error"] != code {
			c.t.Errorf("%s: %d %.200s", route, a.status, a.text)
		}
		return
	}
	if to := a.header.Get("Location"); a.status != 303 || !strings.HasPrefix(to, page) {
		c.t.Errorf("%s: %d to %q: %.200s", route, a.status, to, a.text)
	}
}

// An owner's session that is hours old changes nothing by any route, neither other users nor the
// owner's own account.
func TestRoutes_OldSessions(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	anna, olivia := s.client(t), s.client(t)
	anna.signIn("anna")
	anna.enrollTOTP()
	olivia.signIn("olivia")
	olivia.activates(nil)
	olivia.enrollTOTP()
	olivia.advance("5h")
	before := kept(t, data)
	if !strings.Contains(before, "acct-olivia") || strings.Count(before, "\n") < 4 {
		t.Fatalf("this is not the database: %.300s", before)
	}
	for route, class := range writes {
		if class != byActor && class != byGrant {
			continue
		}
		olivia.provesFirst(route, olivia.request(route, "anna"), "step_up",
			"/mfa/step-up?purpose=manage&return=")
		if kept(t, data) != before {
			t.Fatalf("%s changed something", route)
		}
	}
	// Package mfahttp tests the Handler's own routes; these matter most.
	for _, path := range []string{"enroll", "recovery-codes"} {
		olivia.field(olivia.post(403, "/mfa/api/"+path, obj{"kind": "totp"}), "error", "step_up")
	}
	if kept(t, data) != before {
		t.Fatal("changed")
	}
}

// Even with a recent proof, owners do not act on their own account as administrators. They use the
// security settings like any user.
func TestRoutes_OwnersOnThemselves(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	olivia := s.client(t)
	olivia.signIn("olivia")
	before := kept(t, data)
	for _, route := range []string{"POST /admin/password", "POST /admin/mfa/user/reset",
		"POST /admin/mfa/user/access-code", "POST /admin/mfa/user/recovery-link",
		"POST /admin/mfa/user/verification-link", "POST /admin/mfa/user/end-sessions",
		"POST /admin/mfa/user/unlock", "POST /admin/mfa/user/close-case",
		"POST /api/admin/reset", "POST /api/admin/unlock"} {
		if a := olivia.request(route, "olivia"); a.status != 403 {
			t.Errorf("%s: %d %.200s", route, a.status, a.text)
		}
		if kept(t, data) != before {
			t.Fatalf("%s changed something", route)
		}
	}
	olivia.has(olivia.get(200, "/admin/account?id=acct-olivia"), "This is your own account")
	olivia.get(200, "/api/me")
	if kept(t, data) != before {
		t.Fatal("changed")
	}
	olivia.request("POST /api/admin/reset", "anna")
	olivia.field(olivia.get(200, "/api/me"), "username", "olivia")
}

// A user without a second factor must have verified the password minutes ago: an owner to act on
// other users, any user to set up the first factor or to link an account.
func TestRoutes_WithoutAFactor(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := start(t, data)
	olivia, ben := s.client(t), s.client(t)
	olivia.signIn("olivia")
	olivia.activates(nil)
	for _, t := range []string{"owner", "employee"} {
		olivia.do(200, "PUT", "/api/admin/policy",
			obj{"type": t, "policy": obj{"mode": "optional"}})
	}
	olivia.field(olivia.password("olivia"), "next", "done")
	ben.field(ben.password("ben"), "next", "done")
	olivia.post(200, "/api/admin/unlock", obj{"username": "anna"})
	olivia.advance("5h")

	before := kept(t, data)
	for route, class := range writes {
		switch {
		case class == byActor:
			olivia.provesFirst(route, olivia.request(route, "anna"), "reauthenticate",
				reauthenticatePath+"?return=")
		case strings.HasPrefix(route, "POST ssoPath"):
			if class == byGrant {
				ben.provesFirst(route, ben.request(route, ""), "", reauthenticatePath+"?return=")
			}
		}
		if kept(t, data) != before {
			t.Fatalf("%s changed something", route)
		}
	}
	ben.field(ben.post(403, "/mfa/api/enroll", obj{"kind": "totp"}), "error", "reauthenticate")
	ben.field(ben.post(403, "/mfa/api/recovery-codes", obj{}), "error", "reauthenticate")
	ben.to(ben.get(303, "/mfa/enroll"), reauthenticatePath+"?return=%2Fmfa%2Fenroll")
	if kept(t, data) != before {
		t.Fatal("changed")
	}

	// Users verify the password again by the API, or on a page, which returns to the first one.
	olivia.field(olivia.post(401, "/api/reauthenticate", obj{"password": "wrong"}), "error",
		"credentials")
	olivia.field(olivia.post(400, "/api/reauthenticate", obj{}), "error", "malformed")
	s.client(t).post(401, "/api/reauthenticate", obj{"password": "olivia-demo-password"})
	olivia.field(olivia.post(403, "/api/admin/unlock", obj{"username": "anna"}), "error",
		"reauthenticate")
	olivia.post(200, "/api/reauthenticate", obj{"password": "olivia-demo-password"})
	olivia.post(200, "/api/admin/unlock", obj{"username": "anna"})

	ben.has(ben.get(200, reauthenticatePath+"?return=%2Fmfa%2Fenroll"),
		"It has been a while since you signed in")
	form := url.Values{"password": {"wrong"}, "return": {"/mfa/enroll"}}
	ben.has(ben.post(401, reauthenticatePath, form), "Wrong password", `value="/mfa/enroll"`)
	form.Set("password", "ben-demo-password")
	ben.to(ben.post(303, reauthenticatePath, form), "/mfa/?return=%2Fmfa%2Fenroll")
	ben.to(ben.get(303, "/mfa/?return=%2Fmfa%2Fenroll"), "/mfa/enroll")
	ben.enrollTOTP()

	// A policy that requires a factor asks an old session for the password before it sets one up.
	olivia.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "required"}})
	carla := s.client(t)
	olivia.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "optional"}})
	carla.field(carla.password("carla"), "next", "done")
	olivia.do(200, "PUT", "/api/admin/policy", obj{"type": "employee",
		"policy": obj{"mode": "required"}})
	carla.advance("1h")
	carla.to(carla.get(303, "/"), reauthenticatePath+"?return=%2F")
	carla.get(200, reauthenticatePath)
}

// The password alone does not suffice to change the password.
func TestPasswordChange_NeedsTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	ben := s.client(t)
	ben.signIn("ben")
	ben.advance("10m")
	change := obj{"current": "ben-demo-password", "password": "herons wade at dusk"}
	ben.field(ben.do(403, "PUT", "/api/password", change), "error", "step_up")
	ben.to(ben.get(303, changePath), "/mfa/step-up?purpose=manage&return=%2Fpassword")
	ben.post(200, "/mfa/api/step-up", obj{})
	ben.post(200, "/mfa/api/send", obj{"kind": "email"})
	ben.post(200, "/mfa/api/verify", obj{"kind": "email", "code": ben.mailed("ben@acme.example")})
	ben.get(200, changePath)
	ben.do(200, "PUT", "/api/password", change)
	ben.get(200, "/api/me")
}

// The user chooses an account within minutes of the password, or verifies the password again.
func TestChoosingAnAccount_EndsInTime(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	robin := s.client(t)
	a := robin.post(200, "/api/login", obj{"username": "robin@acme.example",
		"password": "robin-demo-password"})
	robin.field(a, "next", "account")
	robin.advance("15m")
	id := a.body["accounts"].([]any)[0].(obj)["id"]
	robin.post(401, "/api/account", obj{"id": id})
}
