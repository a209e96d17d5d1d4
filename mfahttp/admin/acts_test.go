package admin_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/secondgate/secondgate/mfatest"
)

type ctx = context.Context

// Each act does what it says, in an event that names the administrator and the reason.
func TestActs_DoWhatTheySay(t *testing.T) {
	for route, test := range map[string]struct {
		event string
		check func(t *testing.T, s *site, a *response, o *mfa.Overview)
	}{
		"POST user/reset": {"admin.reset", func(t *testing.T, s *site, _ *response,
			o *mfa.Overview) {
			require.Len(t, o.Factors, 1, "the address")
		}},
		"POST user/remove-factor": {"admin.remove", func(t *testing.T, s *site, _ *response,
			o *mfa.Overview) {
			require.Len(t, o.Factors, 1, "the address")
		}},
		"POST user/unlock": {"admin.unlock", func(t *testing.T, s *site, _ *response,
			o *mfa.Overview) {
			require.Equal(t, "totp", o.Factors[0].Kind)
		}},
		"POST user/access-code": {"admin.access", func(t *testing.T, s *site, a *response,
			o *mfa.Overview) {
			code := a.JSON["codes"].([]any)[0].(string)
			c := s.client().password("acme", "anna")
			c.do("POST", "/mfa/api/verify", m{"kind": "access", "code": code}).is(t, 200, "")
		}},
		"POST user/recovery-link": {"send.success", func(t *testing.T, s *site, a *response,
			_ *mfa.Overview) {
			require.Equal(t, "a•••@acme.example", a.JSON["hint"])
			require.Contains(t, mfatest.Link(t, s.last()), "/setup?t=")
		}},
		"POST user/verification-link": {"admin.send-confirmation", func(t *testing.T, s *site,
			a *response, _ *mfa.Overview) {
			require.Equal(t, "a•••@acme.example", a.JSON["hint"])
			require.Contains(t, mfatest.Link(t, s.last()), "/confirm?t=")
		}},
		"POST user/close-case": {"admin.close-support", func(t *testing.T, s *site, _ *response,
			_ *mfa.Overview) {
			list, err := s.m.Admin(s.viewer("olivia"), "").SupportCases(t.Context(), "acme")
			require.NoError(t, err)
			require.Empty(t, list)
		}},
		"POST user/exception": {"admin.exception", func(t *testing.T, s *site, _ *response,
			o *mfa.Overview) {
			require.Equal(t, "2026-04-01 asked on the phone the director", o.Exception.Ends.Format(
				time.DateOnly)+" "+o.Exception.Reason+" "+o.Exception.Approver)
		}},
		"POST user/end-exception": {"admin.exception-ended", func(t *testing.T, s *site,
			_ *response, o *mfa.Overview) {
			require.Nil(t, o.Exception)
		}},
		"POST user/delete": {"admin.delete", func(t *testing.T, s *site, _ *response,
			o *mfa.Overview) {
			require.Len(t, o.Factors, 1, "the address")
		}},
	} {
		t.Run(route, func(t *testing.T) {
			s, anna, factorID := stage(t)
			olivia := s.administrator("acme", "olivia")
			id := subject(route)
			a := olivia.call(route, id, factorID)
			require.Equal(t, http.StatusOK, a.StatusCode, a.Text)
			require.Equal(t, id, a.JSON["id"])
			o, err := s.m.Overview(t.Context(), s.dir.user(t, id))
			require.NoError(t, err)
			var found *mfa.Event
			for _, e := range s.events {
				if e.Name == test.event && e.Actor != "" {
					found = &e
				}
			}
			require.NotNil(t, found, "%s", test.event)
			require.Equal(t, []string{"olivia", "asked on the phone", id},
				[]string{found.Actor, found.Note, found.UserID})
			require.NotContains(t, a.Text, anna.key)
			test.check(t, s, a, o)
		})
	}
}

// viewer is the Actor of a user who reads.
func (s *site) viewer(id string) mfa.Actor {
	return s.m.Session(s.dir.user(s.t, id), "viewing").Actor(mfa.Grant{})
}

// A reset, a removal and a deletion end the user's sessions; other acts do not.
func TestActs_EndSessions(t *testing.T) {
	for route, want := range map[string][]string{
		"POST user/reset": {"anna/"}, "POST user/remove-factor": {"anna/"},
		"POST user/delete": {"anna/"}, "POST user/end-sessions": {"anna/"},
		"POST user/unlock": nil, "POST user/access-code": nil,
	} {
		var dir *sessionDirectory
		s, _, factorID := stage(t, func(c *admin.Config) { dir = c.Users.(*sessionDirectory) })
		olivia := s.administrator("acme", "olivia")
		olivia.call(route, "anna", factorID).is(t, 200, "")
		require.Equal(t, want, dir.ended, route)
		if want != nil {
			require.Equal(t, "asked on the phone", dir.reason)
		}
		dir.ended = nil
		olivia.api("POST", "user/end-sessions", m{"id": "anna", "session": "s1",
			"reason": "stolen"}).is(t, 200, "")
		require.Equal(t, []string{"anna/s1"}, dir.ended)
		dir.err = errors.New("down")
		olivia.api("POST", "user/end-sessions", m{"id": "anna", "reason": "r"}).is(t, 503,
			"unavailable")
	}
	s := newSite(t) // an application that has none to end
	s.administrator("acme", "olivia").api("POST", "user/end-sessions", m{"id": "anna",
		"reason": "r"}).is(t, 409, "not_available")
}

// The application does what belongs to an act around it, and may refuse it.
func TestActs_InsideOfWhatTheApplicationDoes(t *testing.T) {
	var around func(name string, u mfa.User, act func(ctx) error) error
	s, _, _ := stage(t, func(c *admin.Config) {
		c.Around = func(_ ctx, by mfa.Admin, name string, u mfa.User,
			act func(ctx) error,
		) error {
			require.Equal(t, "gone", by.Reason())
			return around(name, u, act)
		}
	})
	olivia := s.administrator("acme", "olivia")
	reset := func() *response {
		return olivia.api("POST", "user/reset", m{"id": "anna", "reason": "gone"})
	}
	before := s.records()
	around = func(string, mfa.User, func(ctx) error) error { return errors.New("secret text") }
	reset().is(t, 503, "unavailable")
	require.NotContains(t, s.log.String(), "secret text")
	around = func(string, mfa.User, func(ctx) error) error { return nil }
	reset().is(t, 403, "forbidden")
	around = func(string, mfa.User, func(ctx) error) error { return mfa.ErrForbidden }
	reset().is(t, 403, "forbidden")
	require.Equal(t, before, s.records())
	around = func(name string, u mfa.User, act func(ctx) error) error {
		require.Equal(t, "reset anna", name+" "+u.ID)
		return act(t.Context())
	}
	reset().is(t, 200, "")
	require.NotEqual(t, before, s.records())
}

func TestActs_RefuseWhatIsMalformed(t *testing.T) {
	s, _, factorID := stage(t)
	olivia := s.administrator("acme", "olivia")
	before := s.records()
	for _, test := range []struct {
		path   string
		body   any
		status int
		code   string
	}{
		{"user/reset", m{"id": "anna"}, 400, "reason"},
		{"user/reset", m{"id": "anna", "reason": " \t"}, 400, "reason"},
		{"user/reset", m{"id": "anna", "reason": strings.Repeat("x", 1025)}, 400, "reason"},
		{"user/reset", m{"reason": "r"}, 404, "not_found"},
		{"user/reset", m{"id": strings.Repeat("x", 129), "reason": "r"}, 400, "malformed"},
		{"user/reset", m{"id": "anna", "reasn": "r"}, 400, "malformed"},
		{"user/reset", m{"id": 1, "reason": "r"}, 400, "malformed"},
		{"user/reset", `null`, 400, "malformed"}, {"user/reset", `[]`, 400, "malformed"},
		{"user/reset", `{"id":"anna","reason":"r"}{}`, 400, "malformed"},
		{"user/reset", "{\"id\":\"anna\",\"reason\":\"\xff\"}", 400, "malformed"},
		{"user/reset", `{"id":"` + strings.Repeat("x", 70_000) + `"}`, 413, "too_large"},
		{"user/reset", nil, 415, "media_type"},
		{"user/remove-factor", m{"id": "anna", "reason": "r"}, 404, "not_found"},
		{"user/remove-factor", m{"id": "anna", "reason": "r", "factor": "x"}, 404, "not_found"},
		{"user/remove-factor", m{"id": "ben", "reason": "r", "factor": factorID}, 404,
			"not_found"},
		{"user/remove-factor", m{"id": "anna", "reason": "r",
			"factor": strings.Repeat("x", 65)}, 400, "malformed"},
		{"user/access-code", m{"id": "anna", "reason": "r", "valid_seconds": 9000 * 3600}, 400,
			"malformed"},
		{"user/access-code", m{"id": "anna", "reason": "r", "uses": "twice"}, 400, "malformed"},
		{"user/close-case", m{"id": "ben", "reason": "r"}, 409, "not_available"},
		{"user/exception", exception("ends", nil), 400, "malformed"},
		{"user/exception", exception("ends", "2026-03-01T11:59:59Z"), 400, "malformed"},
		{"user/exception", exception("ends", "2026-06-01T00:00:00Z"), 400, "malformed"},
		{"user/exception", exception("approver", " "), 400, "malformed"},
		{"user/exception", exception("approver", "olivia"), 400, "malformed"},
		{"user/exception", exception("approver", strings.Repeat("x", 257)), 400, "malformed"},
		{"user/exception", exception("reason", ""), 400, "reason"},
		{"user/exception", exception("id", "anna"), 409, "not_available"},
		{"user/end-exception", m{"id": "carla", "reason": "r"}, 409, "not_available"},
	} {
		olivia.api("POST", test.path, test.body).is(t, test.status, test.code)
		require.Equal(t, before, s.records(), "%v", test)
	}
}

func TestPolicies_AreSetForTypesOrForAll(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	got := olivia.api("GET", "policies", nil).is(t, 200, "")
	require.Equal(t, []any{"totp", "email", "recovery", "access"}, got.JSON["kinds"])
	mode := func(a *response, userType string) any {
		return a.JSON["policies"].(m)[userType].(m)["mode"]
	}
	a := olivia.api("PUT", "policies", m{"types": []string{"employee"}, "reason": "pilot",
		"policy": m{"mode": "optional", "remember": 86400, "enroll_by": "2026-06-01T00:00:00Z"}}).
		is(t, 200, "")
	require.Equal(t, "optional required", mode(a, "employee").(string)+" "+
		mode(a, "owner").(string))
	a = olivia.api("PUT", "policies", m{"reason": "all", "policy": m{"mode": "off"}}).is(t, 200, "")
	require.Equal(t, "off off", mode(a, "employee").(string)+" "+mode(a, "owner").(string))
	// The policy that GET returns can be sent back, and changes nothing.
	again := olivia.api("PUT", "policies", m{"reason": "same", "types": []string{"employee"},
		"policy": a.JSON["policies"].(m)["employee"]}).is(t, 200, "")
	require.Equal(t, a.Text, again.Text)
	other, err := s.m.Policy(t.Context(), policy.Scope{Tenant: "other", UserType: "employee"})
	require.NoError(t, err)
	require.Equal(t, policy.ModeRequired, other.Mode)

	before := s.records()
	for _, test := range []struct {
		body m
		code string
	}{
		{m{"policy": m{"mode": "off"}}, "reason"},
		{m{"reason": "r"}, "malformed"}, {m{"reason": "r", "policy": m{}}, "malformed"},
		{m{"reason": "r", "policy": m{"mode": "off"}, "types": []string{"intern"}}, "malformed"},
		{m{"reason": "r", "policy": m{"mode": "off"}, "types": []string{"owner", "owner"}},
			"malformed"},
		{m{"reason": "r", "policy": m{"mode": "off", "kind": []string{"totp"}}}, "malformed"},
		{m{"reason": "r", "policy": m{"mode": "off", "remember": -1}}, "malformed"},
		{m{"reason": "r", "policy": m{"mode": "off", "remember": 1 << 60}}, "malformed"},
		{m{"reason": "r", "policy": m{"mode": "sometimes"}}, "policy"},
		{m{"reason": "r", "policy": m{"mode": "required", "kinds": []string{"pigeon"}}}, "policy"},
	} {
		olivia.api("PUT", "policies", test.body).is(t, 400, test.code)
		require.Equal(t, before, s.records(), "%v", test)
	}
}

// A field of a policy that the API did not know would vanish when an administrator sends a policy
// back.
func TestPolicies_KnowEveryField(t *testing.T) {
	core, api := reflect.TypeFor[policy.Policy](), reflect.TypeFor[admin.PolicyJSON]()
	for i := range core.NumField() {
		_, known := api.FieldByName(core.Field(i).Name)
		require.True(t, known, "policy.Policy.%s", core.Field(i).Name)
	}
	require.Equal(t, core.NumField(), api.NumField())
}

func TestPreview_CountsInSteps(t *testing.T) {
	s := newSite(t)
	for i := range 500 {
		s.dir.users = append(s.dir.users, admin.Entry{User: mfa.User{Tenant: "acme",
			ID: "u" + strings.Repeat("0", 3-len(itoa(i))) + itoa(i), UserType: "employee",
			Email: "u@acme.example", EmailVerified: i%2 == 0}})
	}
	olivia := s.administrator("acme", "olivia")
	for _, test := range []struct {
		proposal                    m
		users, done, verify, enroll int
		// barred is how many of enroll have methods, and none that the policy allows.
		barred int
	}{
		{m{"policy": m{"mode": "required", "kinds": []string{"totp"}}}, 506, 0, 1, 505, 254},
		{m{"policy": m{"mode": "required", "implicit": []string{"email"}},
			"types": []string{"employee"}}, 504, 0, 253, 251, 0},
		{m{"policy": m{"mode": "required", "kinds": []string{"email"}},
			"types": []string{"owner"}}, 2, 0, 0, 2, 2},
		{m{"policy": m{"mode": "optional"}, "types": []string{"owner"}}, 2, 1, 1, 0, 0},
	} {
		var users, done, verify, enroll, barred, requests int
		before := s.records()
		for body, more := test.proposal, true; more; {
			a := olivia.api("POST", "policies/preview", body).is(t, 200, "")
			users, done = users+int(a.JSON["users"].(float64)), done+int(a.JSON["done"].(float64))
			verify += int(a.JSON["verify"].(float64))
			enroll += int(a.JSON["enroll"].(float64))
			barred += int(a.JSON["barred"].(float64))
			require.LessOrEqual(t, a.JSON["examined"], 200.0)
			require.Zero(t, a.JSON["failed"])
			body["cursor"], more = a.JSON["next"]
			requests++
		}
		require.Equal(t, []int{test.users, test.done, test.verify, test.enroll, test.barred},
			[]int{users, done, verify, enroll, barred}, "%v", test.proposal)
		if users > 400 {
			require.GreaterOrEqual(t, requests, 3)
		}
		require.Equal(t, before, s.records())
	}
	olivia.api("POST", "policies/preview", m{"policy": m{"mode": "x"}}).is(t, 400, "policy")
	olivia.api("POST", "policies/preview", m{"policy": m{"mode": "off"},
		"cursor": strings.Repeat("x", 513)}).is(t, 400, "malformed")
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}
