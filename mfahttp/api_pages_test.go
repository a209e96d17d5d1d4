package mfahttp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
)

// counterparts names the route of the API for each route of the pages. A route of the pages that a
// client of the API does not need has the reason instead, after a dash.
var counterparts = map[string]string{
	"GET /mfa/{$}":                         "GET /mfa/api/state",
	"GET /mfa/verify":                      "GET /mfa/api/state",
	"POST /mfa/verify":                     "POST /mfa/api/verify",
	"POST /mfa/send":                       "POST /mfa/api/send",
	"GET /mfa/step-up":                     "POST /mfa/api/step-up",
	"POST /mfa/unlock":                     "POST /mfa/api/unlock",
	"POST /mfa/sign-out":                   "POST /mfa/api/sign-out",
	"POST /mfa/extend":                     "- the session is the application's, for a client too",
	"GET /mfa/factors":                     "GET /mfa/api/factors",
	"POST /mfa/factors/{id}/rename":        "PATCH /mfa/api/factors/{id}",
	"POST /mfa/factors/prefer":             "POST /mfa/api/preference",
	"POST /mfa/factors/implied":            "POST /mfa/api/implied",
	"GET /mfa/factors/{id}/remove":         "GET /mfa/api/factors",
	"POST /mfa/factors/{id}/remove":        "DELETE /mfa/api/factors/{id}",
	"POST /mfa/devices/{id}/forget":        "DELETE /mfa/api/devices/{id}",
	"GET /mfa/enroll":                      "GET /mfa/api/enroll",
	"GET /mfa/enroll/{kind}":               "GET /mfa/api/enroll",
	"POST /mfa/later":                      "POST /mfa/api/later",
	"GET /mfa/offer":                       "POST /mfa/api/verify",
	"POST /mfa/offer":                      "POST /mfa/api/decline",
	"POST /mfa/enroll/{kind}":              "POST /mfa/api/enroll",
	"GET /mfa/enrollments/{id}":            "- a client keeps what POST api/enroll returned",
	"POST /mfa/enrollments/{id}":           "POST /mfa/api/confirm",
	"POST /mfa/enrollments/{id}/resend":    "POST /mfa/api/enroll/resend",
	"POST /mfa/enrollments/{id}/elsewhere": "POST /mfa/api/enroll/elsewhere",
	"GET /mfa/recovery-codes":              "GET /mfa/api/factors",
	"POST /mfa/recovery-codes":             "POST /mfa/api/recovery-codes",
	"POST /mfa/recovery-codes/saved":       "POST /mfa/api/recovery-codes/saved",
	"GET /mfa/lost":                        "GET /mfa/api/state",
	"POST /mfa/lost/link":                  "POST /mfa/api/lost/link",
	"POST /mfa/lost/support":               "POST /mfa/api/lost/support",
	"GET /mfa/setup":                       "- a page of the client has the button",
	"POST /mfa/setup":                      "POST /mfa/api/setup",
	"GET /mfa/setup/done":                  "- the response of POST api/confirm",
	"GET /mfa/confirm":                     "- a page of the client has the button",
	"POST /mfa/confirm":                    "POST /mfa/api/confirm-link",
	"GET /mfa/confirmed":                   "- the response of POST api/confirm-link",
	"GET /mfa/continue":                    "- it leads a browser away from the pages",
}

// A client of the API can do what a user can do on the pages.
func TestAPI_HasWhatThePagesHave(t *testing.T) {
	served := mfahttp.Routes(newKeySite(t).h)
	pages := 0
	for _, route := range served {
		if strings.Contains(route, " /mfa/api/") {
			continue
		}
		pages++
		counterpart, ok := counterparts[route]
		require.True(t, ok, "%s: which route of the API does the same?", route)
		if !strings.HasPrefix(counterpart, "- ") {
			require.Contains(t, served, counterpart, route)
		}
	}
	require.Len(t, counterparts, pages, "a route that is gone")
}

func TestAPI_SignsOut(t *testing.T) {
	s := newSite(t, nil)
	s.browser("").api("POST", "sign-out", nil).is(t, 200, "")
	p := s.browser("ann").signIn()
	p.do("POST", "/mfa/api/sign-out", "", map[string]string{"Origin": "https://evil.example"}).
		is(t, 403, "forbidden")
	p.api("GET", "factors", nil).is(t, 200, "")
	p.api("POST", "sign-out", nil).is(t, 200, "")
	p.api("GET", "state", nil).is(t, 401, "unauthorized")
	p.get("/home").goes(t, "/login")
}

// A challenge that is cancelled verifies no response, not even one to a code that was sent for it.
func TestAPI_CancelsAChallenge(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.api("POST", "cancel", nil).is(t, 401, "unauthorized")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	code := s.mail.last().Code
	saved := p.copy()
	p.api("POST", "cancel", nil).is(t, 200, "")
	p.api("POST", "cancel", nil).is(t, 401, "expired")
	for _, b := range []*browser{p, saved} {
		b.api("POST", "verify", m{"kind": "email", "code": code}).is(t, 401, "expired")
	}
	require.Equal(t, "verify", p.api("GET", "state", nil).is(t, 200, "").JSON["next"],
		"the sign-in begins again")
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")

	p.api("POST", "step-up", m{"purpose": "step-up"}).is(t, 200, "")
	p.api("POST", "cancel", m{"purpose": "manage"}).is(t, 401, "expired")
	p.api("POST", "cancel", m{"purpose": 1}).is(t, 400, "malformed")
	p.api("POST", "cancel", m{"purpose": "sign-in"}).is(t, 400, "malformed")
	p.api("POST", "cancel", nil).is(t, 200, "")
	p.api("POST", "send", m{"kind": "email", "purpose": "step-up"}).is(t, 401, "expired")
	require.Equal(t, true, p.api("GET", "state", nil).is(t, 200, "").JSON["signed_in"])
}

// A recovery that is cancelled enrols nothing, also after its proof.
func TestAPI_CancelsARecovery(t *testing.T) {
	for name, proven := range map[string]bool{"before the proof": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			s := lostSite(t)
			p := s.browser("ann").signIn()
			p.enroll("100001")
			codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
			p.login()
			p.api("POST", "lost/link", nil).is(t, 200, "")
			fresh := s.browser("")
			fresh.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
			response := m{"kind": "recovery", "code": codes[0], "purpose": "replace"}
			if proven {
				fresh.api("POST", "verify", response).is(t, 200, "")
			}
			saved := fresh.copy()
			fresh.api("POST", "cancel", nil).is(t, 200, "")
			fresh.api("POST", "enroll", m{"kind": "totp"}).is(t, 401, "unauthorized")
			fresh.api("GET", "state", nil).is(t, 401, "unauthorized")
			if !proven {
				require.Equal(t, 401, saved.api("POST", "verify", response).StatusCode)
			}
		})
	}
}

func TestAPI_CancelsAnEnrolment(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "").JSON["enrollment"]
	p.api("POST", "enroll/cancel", nil).is(t, 400, "malformed")
	s.browser("bob").signIn().api("POST", "enroll/cancel", m{"enrollment": e}).
		is(t, 401, "expired")
	p.api("POST", "enroll/cancel", m{"enrollment": e}).is(t, 200, "")
	p.api("POST", "confirm", m{"enrollment": e, "code": "100001"}).is(t, 401, "expired")
	p.api("POST", "enroll/cancel", m{"enrollment": e}).is(t, 401, "expired")
	p.enroll("100001")
}

// The link of a mail verifies the address on any device, once, and signs in no user there.
func TestAPI_VerifiesAnAddressByLink(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	p.api("POST", "enroll", m{"kind": "email", "address": "ann@other.example"}).is(t, 200, "")
	link := s.mail.last().Link
	phone := s.browser("")
	phone.api("POST", "confirm-link", nil).is(t, 400, "malformed")
	phone.api("POST", "confirm-link", m{"token": link + "x"}).is(t, 401, "expired")
	phone.api("POST", "confirm-link", m{"token": link}).is(t, 200, "")
	phone.api("POST", "confirm-link", m{"token": link}).is(t, 401, "expired")
	phone.api("GET", "state", nil).is(t, 401, "unauthorized")
	st := p.api("GET", "state", nil).is(t, 200, "")
	require.Equal(t, "verify", st.JSON["next"], "the sign-in asks for the address that is verified")
}

// The choices are those of the page, for a user who is signed in, who must enrol, or who recovers.
func TestAPI_ListsWhatMayBeEnrolled(t *testing.T) {
	s := lostSite(t)
	p := s.browser("ann")
	p.api("GET", "enroll", nil).is(t, 401, "unauthorized")
	p.login()
	p.api("GET", "enroll", nil).is(t, 403, "forbidden")
	choice := func(p *browser, kind string) m {
		t.Helper()
		list := p.api("GET", "enroll", nil).is(t, 200, "").JSON["choices"].([]any)
		i := slices.IndexFunc(list, func(c any) bool { return c.(m)["kind"] == kind })
		if i < 0 {
			return nil
		}
		return list[i].(m)
	}
	p.signIn()
	require.Equal(t, m{"kind": "totp", "enrolled": false, "password": false, "recovery": false},
		choice(p, "totp"))
	require.Equal(t, true, choice(p, "recovery")["recovery"])
	p.enroll("100001")
	p.enrollSMS()
	codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
	require.Equal(t, true, choice(p, "totp")["enrolled"])
	require.Equal(t, true, choice(p, "sms")["password"], "PasswordFor has it, and there is one")

	p.login()
	p.api("POST", "lost/link", nil).is(t, 200, "")
	fresh := s.browser("")
	fresh.api("POST", "setup", m{"token": s.mail.last().Link}).is(t, 200, "")
	fresh.api("GET", "enroll", nil).is(t, 401, "expired")
	fresh.api("POST", "verify", m{"kind": "recovery", "code": codes[0]}).is(t, 200, "")
	require.Nil(t, choice(fresh, "recovery"))
	require.NotNil(t, choice(fresh, "totp"))
}

func TestAPI_ListsCountriesAndQuestions(t *testing.T) {
	var asked []string
	s := newSite(t, func(c *mfahttp.Config) {
		c.Countries = func(locale string) []mfahttp.Country {
			asked = append(asked, locale)
			return []mfahttp.Country{{Region: "NL", Name: "Nederland", CallingCode: "31"}}
		}
		c.Questions = func(locale string) []string {
			asked = append(asked, locale)
			return []string{"Which book?"}
		}
	})
	p := s.browser("ann")
	p.api("GET", "countries", nil).is(t, 401, "unauthorized")
	p.api("GET", "questions", nil).is(t, 401, "unauthorized")
	p.login()
	a := p.api("GET", "countries?locale=nl-BE", nil).is(t, 200, "")
	require.Equal(t, m{"locale": "nl", "countries": []any{
		m{"region": "NL", "name": "Nederland", "calling_code": "31"}}}, a.JSON)
	a = p.api("GET", "questions", nil).is(t, 200, "")
	require.Equal(t, m{"locale": "en", "questions": []any{"Which book?"}}, a.JSON)
	require.Equal(t, []string{"nl", "en"}, asked)
	for _, path := range []string{"countries", "questions"} {
		p.api("GET", path+"?locale="+strings.Repeat("x", 65), nil).is(t, 400, "malformed")
	}
	// Without the hooks the lists are empty, and no null.
	s = newSite(t, func(c *mfahttp.Config) { c.Countries, c.Questions = nil, nil })
	p = s.browser("ann")
	p.login()
	require.Equal(t, []any{}, p.api("GET", "countries", nil).is(t, 200, "").JSON["countries"])
	require.Equal(t, []any{}, p.api("GET", "questions", nil).is(t, 200, "").JSON["questions"])
}

// The state has what the page of a sign-in shows beside the options.
func TestAPI_StateHasWhatThePageShows(t *testing.T) {
	s := lostSite(t)
	s.policy.Remember = 24 * time.Hour
	p := s.browser("ann").signIn()
	id := p.enrollSMS()
	p.login()
	st := p.api("GET", "state", nil).is(t, 200, "").JSON
	require.Equal(t, 86400.0, st["remember_seconds"])
	require.Equal(t, []any{true, true}, []any{st["lost_link"], st["lost_support"]})
	require.Empty(t, st["sent"])
	p.api("POST", "send", m{"kind": "sms", "factor": id}).is(t, 200, "")
	s.clock.Advance(30 * time.Second)
	sent := p.api("GET", "state", nil).is(t, 200, "").JSON["sent"].([]any)
	require.Len(t, sent, 1)
	require.Equal(t, []any{"sms", id, "+•••78", 60.0}, []any{sent[0].(m)["kind"],
		sent[0].(m)["factor"], sent[0].(m)["hint"], sent[0].(m)["expires_in"]})
	s.clock.Advance(60 * time.Second)
	require.Empty(t, p.api("GET", "state", nil).is(t, 200, "").JSON["sent"])
	p.api("GET", "state?kind="+strings.Repeat("x", 33), nil).is(t, 400, "malformed")

	s.policy = policy.Policy{EnrollBy: s.clock.Now().Add(time.Hour)}
	p = s.browser("new")
	p.login()
	list := p.api("GET", "factors", nil).is(t, 200, "").JSON
	require.Equal(t, s.clock.Now().Add(time.Hour).Format(time.RFC3339), list["enroll_by"])
	require.Equal(t, []any{"sms"}, list["password_for"])
}

// A factor is named when it is confirmed, as on the page.
func TestAPI_NamesAFactorThatIsConfirmed(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	for name, want := range map[string]string{"Phone": "Phone", "a\x00b": "app"} {
		e := p.api("POST", "enroll", m{"kind": "totp", "name": "app"}).is(t, 200, "")
		s.clock.Advance(30 * time.Second)
		c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100001",
			"name": name}).is(t, 200, "")
		require.Equal(t, want, c.JSON["factor"].(m)["name"])
	}
}

// A user whom an administrator gives an access code during a sign-in asks for it by its kind, and
// the codes that are on their way stay valid.
func TestAPI_StateAddsWhatWasMadeSince(t *testing.T) {
	s := newSite(t, nil, &issued{})
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	offered := func(query string) bool {
		t.Helper()
		list := p.api("GET", "state"+query, nil).is(t, 200, "").JSON["options"].([]any)
		return slices.ContainsFunc(list, func(o any) bool { return o.(m)["kind"] == "access" })
	}
	require.False(t, offered("?kind=access"))
	_, err := s.m.Admin(mfa.System("support"), "").Enroll(t.Context(), s.subject("ann"),
		mfa.EnrollRequest{Kind: "access"})
	require.NoError(t, err)
	require.False(t, offered(""))
	require.True(t, offered("?kind=access"))
	require.True(t, offered(""), "it stays an option")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
}
