package admin_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/internal/brief"
	"github.com/secondgate/secondgate/internal/texts"
	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/admin"
	"github.com/stretchr/testify/require"
)

// page goes to a page as a browser does, and posts a form if there is one.
func (c *client) page(path string, form url.Values) *response {
	c.s.t.Helper()
	method := "GET"
	if form != nil {
		method = "POST"
	}
	return c.in("", method, path, form)
}

// in is page in a language.
func (c *client) in(lang, method, path string, form url.Values) *response {
	c.s.t.Helper()
	req, err := http.NewRequest(method, c.s.srv.URL+"/admin/mfa/"+path,
		strings.NewReader(form.Encode()))
	require.NoError(c.s.t, err)
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", lang)
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Site", c.origin)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.send(req)
}

// form is the form of an act on a user, with what every act could want.
func form(route, id, factorID string) (path string, f url.Values) {
	method, path, _ := strings.Cut(route, " ")
	path = strings.TrimSuffix(path, "{$}")
	f = url.Values{"id": {id}, "factor": {factorID}, "reason": {"asked on the phone"},
		"valid": {"8"}, "uses": {"once"}, "mail": {"verification"}, "mode": {"required"},
		"kind": {"totp"}, "remember": {"7"}, "approver": {"the director"}, "ends": {"2026-04-01"}}
	if strings.HasPrefix(path, "mails") {
		f.Del("kind")
	}
	if path == "audit" { // its only parameter is another one
		return path, nil
	}
	if method == "GET" {
		return path + "?" + f.Encode(), nil
	}
	return path, f
}

// Each page is for those who have proven what it wants, and nobody else learns or changes
// anything.
func TestPages_AreForWhoHasProvenEnough(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"visitor":           {byViewer: "303 /login", byActor: "303 /login"},
		"signed in":         {byViewer: "403 ", byActor: "403 "},
		"of another tenant": {byViewer: "403 ", byActor: "403 "},
		"with an old proof": {byViewer: "200 ", byActor: "303 /mfa/step-up"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, factorID := stage(t)
			var c *client
			switch name {
			case "visitor":
				c = s.client()
			case "signed in":
				c = s.administrator("acme", "eve")
			case "of another tenant":
				c = s.administrator("other", "otto")
			default:
				c = s.administrator("acme", "olivia")
			}
			s.clock.Advance(10 * time.Minute)
			before, sent := s.records(), len(s.mail.All())
			for route, class := range pages {
				path, f := form(route, "anna", factorID)
				if name == "of another tenant" {
					path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] +
						"tenant=acme"
				}
				a := c.page(path, f)
				to, _, _ := strings.Cut(a.Header.Get("Location"), "?")
				require.Equal(t, want[class], strings.Join([]string{a.Status[:3], to}, " "), route)
				if a.StatusCode != 200 {
					require.NotContains(t, a.Text, "Anna", route)
				}
				require.Equal(t, before, s.records(), route)
				require.Len(t, s.mail.All(), sent, route)
			}
		})
	}
}

// An administrator finds the user, reads what the act will do, gives a reason, and reads that it
// was done. Only the page of the result shows the code.
func TestPages_LeadFromTheListToTheAct(t *testing.T) {
	s, anna, factorID := stage(t)
	olivia := s.administrator("acme", "olivia")
	olivia.has(olivia.page("", nil), 200, "Anna de Vries", "Carla Rossi", "Address not verified")
	olivia.has(olivia.page("?text=anna&status=enrolled", nil), 200, `value="anna"`,
		`href="./user?id=anna"`, `value="enrolled" selected`)
	require.NotContains(t, olivia.page("?text=anna", nil).Text, "Carla")
	olivia.has(olivia.page("cases", nil), 200, "Anna de Vries", "My phone is gone &lt;b&gt;")
	user := olivia.has(olivia.page("user?id=anna", nil), 200, "Authenticator app",
		"Asked for help", "Cannot sign in", "Lost or stolen device", "./user/access-code?id=anna",
		"./user/remove-factor?id=anna&amp;factor="+factorID)
	require.NotContains(t, user.Text, "anna@acme.example")
	olivia.has(olivia.page("report", nil), 200, "Who has enrolled", "<rect", "employee")
	olivia.has(olivia.page("user?id=nobody", nil), 404, "Nothing found")
	olivia.has(olivia.page("nothing", nil), 404, "Nothing found")

	olivia.has(olivia.page("user/access-code?id=anna", nil), 200, "Make sure first",
		`name="reason"`, `<option value="8" selected>`)
	path, f := form("POST user/access-code", "anna", "")
	f.Set("reason", " ")
	olivia.has(olivia.page(path, f), 422, "Enter a reason", `aria-invalid="true"`)
	f.Set("reason", "knows <b>")
	f.Set("valid", "9000")
	olivia.has(olivia.page(path, f), 422, "Choose one of the options", "knows &lt;b&gt;")
	f.Set("valid", "8")
	code := olivia.has(olivia.page(path, f), 200, "shown this once", `data-copy="access-code"`)
	made := regexp.MustCompile(`(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}`).FindString(code.Text)
	require.NotEmpty(t, made)
	require.NotContains(t, olivia.page("user?id=anna", nil).Text, made)
	phone := s.client().password("acme", "anna")
	phone.do("POST", "/mfa/api/verify", m{"kind": "access", "code": made}).is(t, 200, "")

	path, f = form("POST user/remove-factor", "anna", factorID)
	a := olivia.page(path, f)
	require.Equal(t, "303 ./../user?done=remove-factor&id=anna",
		a.Status[:3]+" "+a.Header.Get("Location"))
	olivia.has(olivia.page("user?id=anna&done=remove-factor", nil), 200,
		"The sign-in method was removed")
	olivia.has(olivia.page("user?id=olivia", nil), 200, "This is your own account")
	require.NotContains(t, olivia.page("user?id=olivia", nil).Text, "user/reset")
	require.NotContains(t, olivia.page("user?id=anna&done=x", nil).Text, "sg-good")
	_ = anna
}

// An administrator sees what a policy changes, in steps that add up, before they set it.
func TestPages_PolicyIsPreviewedAndSet(t *testing.T) {
	s := newSite(t)
	for i := range 300 {
		s.dir.users = append(s.dir.users, admin.Entry{User: mfa.User{Tenant: "acme",
			ID: "u" + itoa(1000+i), UserType: "employee"}})
	}
	olivia := s.administrator("acme", "olivia")
	olivia.has(olivia.page("policies", nil), 200, "Required from every user", "owner", "employee",
		`href="./policies/edit?type=employee"`, "Change for all")
	olivia.has(olivia.page("policies/edit?type=employee", nil), 200, "Policy for employee",
		`value="totp" checked`, `value="email" checked`, `id="implicit"`)
	olivia.page("policies/edit?type=intern", nil).is(t, 404, "")
	f := url.Values{"type": {"employee"}, "mode": {"required"}, "kind": {"totp"},
		"remember": {"14"}, "enroll_by": {"2026-09-01"}}
	first := olivia.has(olivia.page("policies/preview", f), 200, "Counted so far",
		"Count the next users", `name="sum-users" value="200"`, `name="sum-barred" value="3"`)
	f.Set("cursor", regexp.MustCompile(`name="cursor" value="([^"]+)"`).FindStringSubmatch(
		first.Text)[1])
	f.Set("sum-users", "200")
	f.Set("sum-enroll", "200")
	f.Set("sum-barred", "3")
	last := olivia.has(olivia.page("policies/preview", f), 200, "<td>304</td>",
		"301 have no method and must set one up. 3 have only methods")
	require.NotContains(t, last.Text, "Counted so far")
	off := olivia.has(olivia.page("policies/preview", url.Values{"preset": {"off"}}), 200,
		"Whole organisation", "Off, the password alone")
	require.NotContains(t, off.Text, "set one up", "nobody must")
	f.Del("cursor")
	olivia.has(olivia.page("policies", f), 422, `aria-invalid="true"`)
	f.Set("reason", "apps for all")
	a := olivia.page("policies", f)
	require.Equal(t, "303 ./policies?done=yes", a.Status[:3]+" "+a.Header.Get("Location"))
	p, err := s.m.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: "employee"})
	require.NoError(t, err)
	require.Equal(t, []any{policy.ModeRequired, []string{"totp"}, 14 * 24 * time.Hour,
		"2026-09-01"},
		[]any{p.Mode, p.Kinds, p.Remember, p.EnrollBy.Format(time.DateOnly)})
	owner, err := s.m.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: "owner"})
	require.NoError(t, err)
	require.Equal(t, []string{"email"}, owner.Implicit, "another type's")

	before := s.records()
	for name, value := range map[string]string{"mode": "x", "remember": "91", "enroll_by": "soon",
		"kind": "pigeon", "type": "intern", "no_downgrade": "yes"} { // without a passkey
		bad := maps.Clone(f)
		bad.Set(name, value)
		want := map[string]int{"mode": 422, "kind": 422, "type": 404, "no_downgrade": 422}[name]
		if want == 0 {
			want = 400
		}
		require.Equal(t, want, olivia.page("policies", bad).StatusCode, name)
		require.Equal(t, want, olivia.page("policies/preview", bad).StatusCode, name)
	}
	olivia.page("policies", url.Values{"x": {strings.Repeat("x", 70_000)}}).is(t, 400, "")
	require.NotContains(t, s.log.String(), "unavailable")
	f.Del("kind")
	olivia.page("policies", f).is(t, 400, "")
	require.Equal(t, before, s.records())
	f = url.Values{"mode": {"off"}, "kind": {"totp", "email"}, "reason": {"holiday"}}
	require.Equal(t, 303, olivia.page("policies", f).StatusCode)
	owner, err = s.m.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: "owner"})
	require.NoError(t, err)
	require.Equal(t, policy.ModeOff, owner.Mode, "for all")
	require.Empty(t, owner.Kinds, "every kind")
	olivia.has(olivia.page("audit?profile=nist-aal2", nil), 200, "N-", `value="nist-aal2" selected`)
}

// Mails are counted first, and then go out in steps with the result for each user.
func TestPages_MailsGoOutInSteps(t *testing.T) {
	s := newSite(t)
	for i := range 30 {
		id := "u" + itoa(100+i)
		s.dir.users = append(s.dir.users, admin.Entry{Name: "New " + itoa(i), User: mfa.User{
			Tenant: "acme", ID: id, UserType: "employee", Email: id + "@acme.example"}})
	}
	olivia := s.administrator("acme", "olivia")
	olivia.has(olivia.page("mails", nil), 200, "A link to verify the address")
	sent := len(s.mail.All())
	f := url.Values{"mail": {"verification"}, "text": {"new"}}
	olivia.has(olivia.page("mails/preview", f), 200, "The mail is for 30 users.",
		"Send the mails", `name="total" value="30"`, `name="text" value="new"`)
	olivia.has(olivia.page("mails", f), 422, `aria-invalid="true"`)
	require.Len(t, s.mail.All(), sent)
	f.Set("reason", "yearly")
	f.Set("total", "30")
	first := olivia.has(olivia.page("mails", f), 200, "20 mails are sent.", "20 of 30",
		"Sent to u•••@acme.example", `name="sent" value="20"`, "data-continue", "steps.js",
		`name="reason" value="yearly"`)
	f.Set("cursor", regexp.MustCompile(`name="cursor" value="([^"]+)"`).FindStringSubmatch(
		first.Text)[1])
	f.Set("sent", "20")
	last := olivia.has(olivia.page("mails", f), 200, "30 mails are sent. These were all users.")
	require.NotContains(t, last.Text, "data-continue")
	require.Len(t, s.mail.All(), sent+30)
	f.Set("mail", "spam")
	olivia.page("mails", f).is(t, 400, "")
}

// has checks a page.
func (c *client) has(a *response, status int, texts ...string) *response {
	c.s.t.Helper()
	require.Equal(c.s.t, status, a.StatusCode, a.Text)
	for _, text := range texts {
		require.Contains(c.s.t, a.Text, text)
	}
	return a
}

// One language at a time: every page is in the language of the browser, with every text.
func TestPages_AreInOneLanguage(t *testing.T) {
	s, _, factorID := stage(t)
	olivia := s.administrator("acme", "olivia")
	tags := texts.Tags()
	if brief.Enabled() {
		tags = []string{"en", "de", "ar", "ja"}
	}
	for _, lang := range tags {
		s.clock.Advance(time.Minute)
		olivia.proves()
		for route := range pages {
			method, _, _ := strings.Cut(route, " ")
			if method != "GET" {
				continue
			}
			path, f := form(route, "anna", factorID)
			a := olivia.has(olivia.in(lang, "GET", path, f), 200, `<html lang="`+lang+`"`)
			require.NotContains(t, a.Text, "admin.")
			require.NotRegexp(t, `(?i)<script>|<style| style=| on[a-z]+=`, a.Text)
			if lang != "en" {
				for _, english := range []string{">Users<", ">Reason<", ">Cannot sign in<",
					">Sign-in methods<", ">None<", "Name or address"} {
					require.NotContains(t, a.Text, english, "%s %s", lang, route)
				}
			}
		}
	}
}

// The preview tells users who have no method from users whose methods the policy does not allow.
func TestPages_PreviewSaysWhoLacksWhat(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"dora", "emil"} {
		s.dir.users = append(s.dir.users, admin.Entry{User: mfa.User{Tenant: "acme", ID: id,
			UserType: "owner"}})
	}
	s.client().password("acme", "pat").mailed().app()
	olivia := s.administrator("acme", "olivia")
	of := func(kind string) *response {
		return olivia.page("policies/preview", url.Values{"type": {"owner"},
			"mode": {"required"}, "kind": {kind}, "remember": {"0"}})
	}
	olivia.has(of("email"), 200, "It concerns 4 users. 2 have no method and must set one up. "+
		"2 have only methods that the policy does not allow, and must set up another one.")
	app := olivia.has(of("totp"), 200, "2 have no method and must set one up.")
	require.NotContains(t, app.Text, "does not allow")
}
