package admin_test

import (
	"maps"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp/admin"
)

// The users who asked for help are found without a walk through the directory. They are pages of
// their own, and nobody is on the list whom the administrator may not see.
func TestUsers_ThoseWhoAskedForHelp(t *testing.T) {
	s := newSite(t)
	for i := range 500 {
		id := "u" + itoa(1000+i)
		s.dir.users = append(s.dir.users, admin.Entry{User: mfa.User{ID: id, Tenant: "acme",
			UserType: "employee", Email: id + "@acme.example", EmailVerified: true}})
	}
	asking := []string{"anna", "u1003", "u1250", "u1499"}
	for _, id := range asking {
		s.help(id)
	}
	olivia := s.administrator("acme", "olivia")
	s.dir.queries = 0
	require.Equal(t, asking, olivia.users("status=asked").ids())
	first := olivia.users("status=asked&limit=2")
	require.Equal(t, asking[:2], first.ids())
	require.Equal(t, asking[2:], olivia.users("status=asked&limit=2&cursor="+url.QueryEscape(
		first.JSON["next"].(string))).ids())
	require.Zero(t, s.dir.queries, "of the directory")
	require.Equal(t, true, olivia.users("text=anna").JSON["users"].([]any)[0].(m)["asked"])
	olivia.has(olivia.page("?status=asked", nil), 200, "Anna de Vries", "Asked for help")

	s.mu.Lock()
	s.refuse = func(a mfa.AdminAction) bool {
		return a.Name == "support-cases" || a.Name == "view-user" && a.UserID == "u1003"
	}
	s.mu.Unlock()
	olivia.api("GET", "users?status=asked", nil).is(t, 403, "forbidden")
	require.Equal(t, false, olivia.users("text=anna").JSON["users"].([]any)[0].(m)["asked"])
	s.mu.Lock()
	s.refuse = func(a mfa.AdminAction) bool { return a.Name == "view-user" && a.UserID == "anna" }
	s.mu.Unlock()
	require.Equal(t, asking[1:], olivia.users("status=asked").ids())
}

// A mail from the list of users goes to users of the filter that the list has, and of these to
// those whom it is for, after the page has said how many they are.
func TestPages_MailThoseWhomTheFilterShows(t *testing.T) {
	s := newSite(t)
	for i := range 6 {
		id := "u" + itoa(100+i)
		s.dir.users = append(s.dir.users, admin.Entry{Name: "New " + itoa(i), User: mfa.User{
			Tenant: "acme", ID: id, UserType: []string{"employee", "owner"}[i%2],
			Email: id + "@acme.example", EmailVerified: i >= 4}})
	}
	olivia := s.administrator("acme", "olivia")
	list := olivia.has(olivia.page("?text=new&type=employee&status=none", nil), 200, "Not verified",
		"Verified", "Mail these users")
	to := regexp.MustCompile(`href="\./(mails\?[^"]+)"`).FindStringSubmatch(list.Text)[1]
	form := olivia.has(olivia.page(unescaped(to), nil), 200, "only to users who match this filter",
		`name="status" value="none"`, "Has set up no method")
	f := url.Values{"mail": {"verification"}}
	for _, hidden := range regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]*)"`).
		FindAllStringSubmatch(form.Text, -1) {
		f.Set(hidden[1], hidden[2])
	}
	sent := len(s.mail.All())
	olivia.has(olivia.page("mails/preview", f), 200, "The mail is for 2 users.",
		"A link to verify the address")
	require.Len(t, s.mail.All(), sent, "the preview sends nothing")
	f.Set("reason", "asked again")
	olivia.has(olivia.page("mails", f), 200, "2 mails are sent.", "New 0", "New 2")
	require.Len(t, s.mail.All(), sent+2)
	require.Equal(t, 400, olivia.page("mails?status=x", nil).StatusCode)
}

func unescaped(s string) string { return regexp.MustCompile("&amp;").ReplaceAllString(s, "&") }

// The drop-down of a policy has each kind alone. What was set otherwise is in words on the page,
// and is chosen in the drop-down as another combination, whose boxes have what is set.
func TestPages_PolicyIsChosenAndSaidInWords(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	of := policy.Scope{Tenant: "acme", UserType: "employee"}
	f := url.Values{"type": {"employee"}, "mode": {"off"}, "kind": {"email"}, "remember": {"0"},
		"reason": {"r"}}
	for preset, want := range map[string]policy.Policy{
		"only-totp": {Mode: policy.ModeRequired, Kinds: []string{"totp"}},
		"email":     {Mode: policy.ModeRequired, Implicit: []string{"email"}},
		"own":       {Mode: policy.ModeRequired},
		"optional":  {Mode: policy.ModeOptional}, "off": {Mode: policy.ModeOff},
	} {
		f.Set("preset", preset)
		require.Equal(t, 303, olivia.page("policies", f).StatusCode, preset)
		p, err := s.m.Policy(t.Context(), of)
		require.NoError(t, err)
		require.Equal(t, []any{want.Mode, want.Kinds, want.Implicit},
			[]any{p.Mode, p.Kinds, p.Implicit}, preset)
		olivia.has(olivia.page("policies/edit?type=employee", nil), 200,
			`value="`+preset+`" selected`)
	}
	f.Set("preset", "only-recovery")
	require.Equal(t, 400, olivia.page("policies", f).StatusCode, "not alone")

	olivia.api("PUT", "policies", m{"types": []string{"employee"}, "reason": "r", "policy": m{
		"mode": "required", "kinds": []string{"totp", "email"}, "default": "totp",
		"implicit": []string{"email"}, "keep_implicit": true, "max_age": 3600,
		"recovery_hold": 7200, "enroll_within": 90000, "enroll_skips": 3,
		"enroll_by": "2026-06-01T00:00:00Z"}}).is(t, 200, "")
	olivia.has(olivia.page("policies", nil), 200, "Authenticator app, E-mail",
		"Offered first: Authenticator app", "Sensitive pages ask again after 1 hour",
		"on hold for 2 hours", "E-mail stays available", "without a method until",
		"Users may wait 2 days", "“Remind me later” 3 times")
	f.Set("preset", "own")
	f.Set("within", "2")
	f.Set("skips", "5")
	require.Equal(t, 303, olivia.page("policies", f).StatusCode)
	p, err := s.m.Policy(t.Context(), of)
	require.NoError(t, err)
	require.Equal(t, []any{25 * time.Hour, 5}, []any{p.EnrollWithin, p.EnrollSkips}, "as it was")
	f.Set("within", "7")
	require.Equal(t, 303, olivia.page("policies", f).StatusCode)
	p, err = s.m.Policy(t.Context(), of)
	require.NoError(t, err)
	require.Equal(t, 7*24*time.Hour, p.EnrollWithin)
	olivia.has(olivia.page("policies/edit?type=employee", nil), 200, `value="7" selected`,
		`value="5" selected`)
	for _, bad := range []string{"-1", "91", "x"} {
		g := maps.Clone(f)
		g.Set("within", bad)
		require.Equal(t, 400, olivia.page("policies", g).StatusCode)
	}
	olivia.api("PUT", "policies", m{"types": []string{"employee"}, "reason": "r", "policy": m{
		"mode": "optional", "kinds": []string{"totp"}}}).is(t, 200, "")
	olivia.has(olivia.page("policies/edit?type=employee", nil), 200, `value="custom" selected`,
		`value="totp" checked`, `value="email">`)
}

// One switch changes the second step of the whole organisation, and nothing else of what each user
// type has.
func TestPages_OneSwitchForTheOrganisation(t *testing.T) {
	s := newSite(t)
	olivia := s.administrator("acme", "olivia")
	olivia.api("PUT", "policies", m{"types": []string{"employee"}, "reason": "r", "policy": m{
		"mode": "optional", "kinds": []string{"totp"}, "remember": 86400}}).is(t, 200, "")
	olivia.has(olivia.page("policies", nil), 200, "Whole organisation", `name="switch"`)
	f := url.Values{"switch": {"required"}}
	olivia.has(olivia.page("policies/preview", f), 200, "It concerns 6 users.", "Required: "+
		"Authenticator app alone", `name="switch" value="required"`)
	f.Set("reason", "all of us")
	require.Equal(t, 303, olivia.page("policies", f).StatusCode)
	for userType, kinds := range map[string][]string{"employee": {"totp"}, "owner": nil} {
		p, err := s.m.Policy(t.Context(), policy.Scope{Tenant: "acme", UserType: userType})
		require.NoError(t, err)
		require.Equal(t, []any{policy.ModeRequired, kinds}, []any{p.Mode, p.Kinds}, userType)
	}
	before := s.records()
	for _, body := range []m{{"mode": "off", "policy": m{"mode": "off"}}, {}} {
		body["reason"] = "r"
		olivia.api("PUT", "policies", body).is(t, 400, "malformed")
	}
	olivia.api("PUT", "policies", m{"mode": "x", "reason": "r"}).is(t, 400, "policy")
	f.Set("switch", "sometimes")
	require.Equal(t, 400, olivia.page("policies", f).StatusCode)
	require.Equal(t, before, s.records())
	olivia.api("PUT", "policies", m{"mode": "off", "reason": "holiday"}).is(t, 200, "")
}

// "Resend all confirmations" is for the users without a verified address of those that the list
// shows, and is sent once the page has said how many they are.
func TestPages_ResendConfirmationsToThoseShown(t *testing.T) {
	s := newSite(t)
	for i := range 6 {
		id := "u" + itoa(100+i)
		s.dir.users = append(s.dir.users, admin.Entry{Name: "New " + itoa(i), User: mfa.User{
			Tenant: "acme", ID: id, UserType: []string{"employee", "owner"}[i%2],
			Email: id + "@acme.example", EmailVerified: i >= 4}})
	}
	olivia := s.administrator("acme", "olivia")
	list := olivia.has(olivia.page("?text=new&type=employee", nil), 200, "Resend all confirmations")
	to := regexp.MustCompile(`href="\./(mails/resend\?[^"]+)"`).FindStringSubmatch(list.Text)[1]
	sent := len(s.mail.All())
	form := olivia.has(olivia.page(unescaped(to), nil), 200, "The mail is for 2 users.",
		"A link to verify the address", "only to users who match this filter")
	f := url.Values{"reason": {"asked again"}}
	for _, hidden := range regexp.MustCompile(`type="hidden" name="(\w+)" value="([^"]*)"`).
		FindAllStringSubmatch(form.Text, -1) {
		f.Set(hidden[1], hidden[2])
	}
	require.Len(t, s.mail.All(), sent, "to say how many sends nothing")
	olivia.has(olivia.page("mails", f), 200, "2 mails are sent.", "New 0", "New 2")
	require.Len(t, s.mail.All(), sent+2)
	require.Equal(t, 400, olivia.page("mails/resend?status=x", nil).StatusCode)
}

// The application's own pages are beside the tabs, and on the page of each user but the
// administrator.
func TestPages_LinkToTheApplicationsOwn(t *testing.T) {
	s := newSite(t, func(c *admin.Config) {
		c.Links = func(language string, user *mfa.User) []admin.Link {
			if user == nil {
				return []admin.Link{{Name: "Sign-on in " + language, URL: "/sign-on"}}
			}
			return []admin.Link{{Name: "Password", About: "Sets the password.",
				URL: "/password?of=" + user.ID}, {Name: "Bad", URL: "javascript:alert(1)"}}
		}
	})
	olivia := s.administrator("acme", "olivia")
	olivia.has(olivia.in("nl", "GET", "", nil), 200, `href="/sign-on" dir="auto">Sign-on in nl<`)
	ben := olivia.has(olivia.page("user?id=ben", nil), 200, `href="/password?of=ben"`,
		"Sets the password.", "Other settings")
	require.NotContains(t, ben.Text, "javascript:")
	require.NotContains(t, olivia.page("user?id=olivia", nil).Text, "/password?of=")
}
