package mfahttp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/routes"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/storage"
)

// What a request has to prove before a route changes anything.
const (
	byNobody     = "nobody"      // public, or a link of its own
	byFirst      = "first"       // a challenge of the session, whose response the Manager verifies
	byGrant      = "grant"       // a fresh proof of the user's own
	byEnrollment = "enrollment"  // an enrolment that a grant began
	bySession    = "the session" // changes the session of the request, and no factor
)

// writes are the routes of the Handler that change something. Every route has to be here.
var writes = map[string]string{
	"POST /mfa/verify":                     byFirst,
	"POST /mfa/send":                       byFirst,
	"POST /mfa/unlock":                     byFirst,
	"POST /mfa/lost/link":                  byFirst,
	"POST /mfa/lost/support":               byFirst,
	"POST /mfa/sign-out":                   bySession,
	"POST /mfa/extend":                     bySession,
	"POST /mfa/recovery-codes/saved":       bySession,
	"POST /mfa/factors/{id}/rename":        byGrant,
	"POST /mfa/factors/prefer":             byGrant,
	"POST /mfa/factors/implied":            byGrant,
	"POST /mfa/factors/{id}/remove":        byGrant,
	"POST /mfa/enroll/{kind}":              byGrant,
	"POST /mfa/recovery-codes":             byGrant,
	"POST /mfa/devices/{id}/forget":        byGrant,
	"POST /mfa/enrollments/{id}":           byEnrollment,
	"POST /mfa/enrollments/{id}/resend":    byEnrollment,
	"POST /mfa/enrollments/{id}/elsewhere": byEnrollment,
	"POST /mfa/setup":                      byNobody,
	"POST /mfa/confirm":                    byNobody,

	"POST /mfa/api/verify":               byFirst,
	"POST /mfa/api/send":                 byFirst,
	"POST /mfa/api/unlock":               byFirst,
	"POST /mfa/api/step-up":              byFirst,
	"POST /mfa/api/cancel":               byFirst,
	"POST /mfa/api/later":                byFirst,
	"POST /mfa/later":                    byFirst,
	"POST /mfa/api/lost/link":            byFirst,
	"POST /mfa/api/lost/support":         byFirst,
	"POST /mfa/api/enroll":               byGrant,
	"POST /mfa/api/recovery-codes":       byGrant,
	"POST /mfa/api/recovery-codes/saved": bySession,
	"PATCH /mfa/api/factors/{id}":        byGrant,
	"POST /mfa/api/decline":              bySession,
	"POST /mfa/offer":                    bySession,
	"POST /mfa/api/preference":           byGrant,
	"POST /mfa/api/implied":              byGrant,
	"DELETE /mfa/api/factors/{id}":       byGrant,
	"DELETE /mfa/api/devices":            byGrant,
	"DELETE /mfa/api/devices/{id}":       byGrant,
	"POST /mfa/api/confirm":              byEnrollment,
	"POST /mfa/api/address":              byGrant,
	"POST /mfa/api/address/confirm":      byEnrollment,
	"POST /mfa/api/enroll/resend":        byEnrollment,
	"POST /mfa/api/enroll/elsewhere":     byEnrollment,
	"POST /mfa/api/enroll/cancel":        byEnrollment,
	"POST /mfa/api/sign-out":             bySession,
	"POST /mfa/api/setup":                byNobody,
	"POST /mfa/api/confirm-link":         byNobody,
	"POST /mfa/api/passwordless":         byNobody,
	"POST /mfa/api/passwordless/verify":  byNobody,
}

func TestHandlerRoutes_AreClassified(t *testing.T) {
	s := newKeySite(t)
	var served []string
	for _, r := range mfahttp.Routes(s.h) {
		if !strings.HasPrefix(r, "GET ") {
			served = append(served, r)
			require.Contains(t, writes, r, "say what this route has to prove")
		}
	}
	require.Len(t, writes, len(served), "a route that is gone")
}

// One place asks the Manager what a user has to prove, and passes since when they are signed in.
func TestHandler_AsksTheManagerInOnePlace(t *testing.T) {
	calls, err := routes.Of(".", "Begin")
	require.NoError(t, err)
	require.Len(t, calls, 2, "one, and one for Passwordless, which knows no user")
}

// records is everything in the store.
func (s *site) records() []storage.Entry {
	s.t.Helper()
	page, next, err := s.store.List(s.t.Context(), "", "", 1000)
	must(s.t, err)
	if next != "" {
		s.t.Fatal("there is more")
	}
	return page
}

// request calls a route with every value that it could want.
func (p *browser) request(route, id string) *response {
	p.s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	path = strings.NewReplacer("{id}", id, "{kind}", "pin", "{$}", "").Replace(path)
	if strings.HasPrefix(path, "/mfa/api/") {
		if method == "GET" {
			return p.do(method, path, "", asJSON)
		}
		return p.api(method, strings.TrimPrefix(path, "/mfa/api/"),
			m{"kind": "pin", "pin": "739162", "name": "n",
				"code": "000000", "use": true, "enrollment": "none", "token": "x",
				"challenge": "x", "address": "ann@new.example"})
	}
	if method == "GET" {
		return p.get(path)
	}
	return p.post(path, url.Values{"kind": {"pin"}, "pin": {"739162"}, "pin2": {"739162"},
		"name": {"n"}, "use": {"no"},
		"code": {"000000"}, "token": {"x"}})
}

// A session that is hours old changes nothing by any route that wants a proof: the user is sent
// to prove a factor, or the first factor if there is no other, and no record changes.
func TestHandlerRoutes_WantAFreshProof(t *testing.T) {
	for name, test := range map[string]struct {
		own  bool
		code string
		page string
	}{
		"a user with a factor": {true, "step_up", "/mfa/step-up?"},
		"a user with nothing":  {false, "reauthenticate", "/again?"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newKeySite(t, func(c *mfahttp.Config) { c.Reauthenticate = "/again" })
			s.policy = policy.Policy{Mode: policy.ModeOptional, Remember: 24 * time.Hour}
			p, id := s.browser("ann"), "none"
			p.login()
			if test.own {
				id = p.enroll("100001")
				p.api("POST", "recovery-codes", nil).is(t, 200, "")
			}
			s.clock.Advance(5 * time.Hour)
			before := s.records()
			for route, class := range writes {
				// whose factors?
				if class != byGrant || !test.own && strings.Contains(route, "/factors/{id}") {
					continue
				}
				a := p.request(route, id)
				if strings.Contains(route, "/api/") {
					a.is(t, 403, test.code)
				} else {
					require.Equal(t, http.StatusSeeOther, a.StatusCode, "%s: %s", route, a.Text)
					require.Truef(t, strings.HasPrefix(a.leadsTo(), test.page),
						"%s: %s", route, a.leadsTo())
				}
				require.Equal(t, before, s.records(), route)
			}
			for route, class := range writes {
				if class == byEnrollment {
					p.request(route, "none")
					require.Equal(t, before, s.records(), route)
				}
			}
		})
	}
}

// No GET changes a record, or makes a code worthless that is on its way, whatever is asked for.
func TestHandlerRoutes_GetChangesNothing(t *testing.T) {
	for _, purpose := range []string{"sign-in", "manage", "step-up"} {
		t.Run(string(purpose), func(t *testing.T) {
			s := newKeySite(t, func(c *mfahttp.Config) { c.SetupLinks, c.Support = true, true })
			p := s.browser("ann").signIn()
			id := p.enrollSMS()
			p.login()
			if purpose != "sign-in" {
				p.api("POST", "send", m{"kind": "sms"}).is(t, 200, "")
				p.api("POST", "verify", m{"kind": "sms", "code": s.text.last().Code}).is(t, 200, "")
				s.clock.Advance(time.Hour)
				p.api("POST", "step-up", m{"purpose": purpose}).is(t, 200, "")
			}
			p.api("POST", "send", m{"kind": "sms", "purpose": purpose}).is(t, 200, "")
			code, before := s.text.last().Code, s.records()
			var gets []string
			for _, r := range mfahttp.Routes(s.h) {
				if strings.HasPrefix(r, "GET ") {
					gets = append(gets, r)
				}
			}
			gets = append(gets, "GET /mfa/verify?kind=access", "GET /mfa/verify?kind=totp&purpose="+
				string(purpose),
				"GET /mfa/step-up?purpose=step-up", "GET /mfa/step-up?purpose=manage")
			slices.Sort(gets)
			for _, r := range gets {
				p.request(r, id)
				p.do("GET", strings.TrimPrefix(strings.ReplaceAll(r, "{id}", id), "GET "), "",
					asJSON)
				require.Equal(t, before, s.records(), r)
			}
			require.Equal(t, 1, strings.Count(p.api("POST", "verify",
				m{"kind": "sms", "code": code, "purpose": purpose}).is(t, 200, "").Text, `"done"`))
		})
	}
}

// enrollSMS enrols a phone number through the API and returns the factor's id.
func (p *browser) enrollSMS() string {
	p.s.t.Helper()
	e := p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678"}).is(p.s.t, 200, "")
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
		"code": p.s.text.last().Code}).is(p.s.t, 200, "")
	return c.JSON["factor"].(m)["id"].(string)
}
