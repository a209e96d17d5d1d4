package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// last returns the newest message to an address.
func (c *client) last(to string) message {
	c.t.Helper()
	var list []message
	if err := json.Unmarshal([]byte(c.get(200, "/demo/outbox").text), &list); err != nil {
		c.t.Fatal(err)
	}
	for _, m := range list {
		if m.To == to {
			return m
		}
	}
	c.t.Fatalf("no message to %s", to)
	return message{}
}

// A user whose phone is lost requests support. The owner verifies the user's identity, and makes a
// code that signs the user in and lets them replace the phone.
func TestSupport_AccessCodeReplacesALostPhone(t *testing.T) {
	s := start(t, t.TempDir())
	phone := s.client(t)
	phone.signIn("anna")
	_, old := phone.enrollTOTP()
	if m := phone.last("anna@acme.example"); !strings.Contains(m.Text, "was added") ||
		!strings.Contains(m.Text, "If this was not you") {
		t.Errorf("anna was notified by %q", m.Text)
	}

	anna := s.client(t)
	anna.password("anna")
	anna.has(anna.get(200, "/mfa/verify?kind=totp"), "/mfa/lost")
	anna.has(anna.get(200, "/mfa/lost"), "/mfa/lost/link", "/mfa/lost/support")
	anna.to(anna.post(303, "/mfa/lost/support",
		url.Values{"message": {"It fell into the sea <b>"}}), "/mfa/lost")
	anna.has(anna.get(200, "/mfa/lost"), "We told support")
	anna.get(401, "/api/me")

	owner := s.client(t)
	owner.signIn("olivia")
	owner.has(owner.get(200, "/admin/mfa/cases"), "Anna de Vries",
		"It fell into the sea &lt;b&gt;", "127.0.0.1")
	owner.has(owner.get(200, "/admin/mfa/user?id=acct-anna"), "Make a temporary access code",
		"Authenticator app", "Asked for help")
	access := url.Values{"id": {"acct-anna"}, "valid": {"8"}, "uses": {"once"}, "reason": {" "}}
	owner.has(owner.post(422, "/admin/mfa/user/access-code", access), "Enter a reason")
	access.Set("reason", "knows her badge number")
	access.Set("valid", "8000")
	owner.has(owner.post(422, "/admin/mfa/user/access-code", access), "Choose one of the options")
	access.Set("valid", "8")
	page := owner.post(200, "/admin/mfa/user/access-code", access)
	code := regexp.MustCompile(`(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}`).FindString(page.text)
	if code == "" {
		t.Fatalf("no code in %s", page.text)
	}
	owner.has(owner.get(200, "/admin/mfa/cases"), "No user is waiting for help.")
	if strings.Contains(owner.get(200, "/admin/mfa/user?id=acct-anna").text, code) {
		t.Error("the code is shown again")
	}
	if !strings.Contains(s.log.String(), "knows her badge number") ||
		strings.Contains(s.log.String(), code) {
		t.Error("the log has no reason, or has the code")
	}
	if m := owner.last("anna@acme.example"); !strings.Contains(m.Text, "temporary access code") ||
		strings.Contains(m.Text, code) {
		t.Errorf("anna was notified by %q", m.Text)
	}

	anna.verify(200, "access", strings.ToLower(code))
	anna.field(anna.get(200, "/api/me"), "username", "anna")
	// the code lets the user replace a factor, and remove none
	anna.do(403, "DELETE", "/mfa/api/factors/"+old, nil)
	again := s.client(t)
	again.password("anna")
	again.verify(409, "access", code)
	_, replacement := anna.enrollTOTP()
	if replacement == old || len(anna.kinds()) != 2 {
		t.Error(anna.kinds()) // the old factor stays until the new one's hold ends
	}
	anna.field(anna.do(403, "DELETE", "/mfa/api/factors/"+old, nil), "error", "on_hold")
	if m := anna.last("anna@acme.example"); !strings.Contains(m.Text, "set up by a recovery") ||
		!strings.Contains(m.Text, "cancel it") {
		t.Errorf("anna was notified by %q", m.Text)
	}
	anna.has(anna.get(200, "/mfa/factors"), "On hold until", "Cancel recovery")

	for _, path := range []string{"/admin/mfa/cases", "/admin/mfa/user?id=acct-olivia",
		"/admin/mfa/report", "/admin/account?id=acct-olivia"} {
		anna.get(403, path)
		s.client(t).get(303, path)
	}
	anna.acts(403, "access-code", "olivia")
}

// The mailed link begins the set-up once, in the browser that opens it.
func TestSetupLink_WorksOnceInOneBrowser(t *testing.T) {
	s := start(t, t.TempDir())
	phone := s.client(t)
	phone.signIn("ben")
	phone.enrollTOTP()
	codes := phone.post(200, "/mfa/api/recovery-codes", obj{}).body["codes"].([]any)
	ben := s.client(t)
	ben.password("ben")
	ben.to(ben.post(303, "/mfa/lost/link", url.Values{}), "/mfa/lost")
	link := linkForm.FindString(ben.last("ben@acme.example").Text)
	path := strings.TrimPrefix(link, s.base)
	if !strings.HasPrefix(path, "/mfa/setup?token=") {
		t.Fatalf("the link is %q", link)
	}
	token := url.Values{"token": {strings.TrimPrefix(path, "/mfa/setup?token=")}}

	other := s.client(t)
	other.get(200, path)
	other.get(200, path) // opening the page does not use the link
	signedIn := s.client(t)
	signedIn.signIn("carla")
	signedIn.post(403, "/mfa/setup", token) // another user's browser
	other.to(other.post(303, "/mfa/setup", token), "/mfa/verify?purpose=replace")
	other.has(other.get(200, "/mfa/verify?purpose=replace"), "Use a recovery code")
	other.post(401, "/mfa/setup", token)
	other.get(401, "/api/me")
	other.to(other.post(303, "/mfa/verify", url.Values{"kind": {"recovery"}, "purpose": {"replace"},
		"code": {codes[0].(string)}}), "/mfa/enroll")
	other.get(401, "/api/me") // the recovery does not sign in
	phone.get(200, "/api/me")
	enrollment := other.post(303, "/mfa/enroll/totp", url.Values{})
	page := other.get(200, enrollment.header.Get("Location"))
	key := regexp.MustCompile(`secret=([A-Z2-7]{32})`).FindStringSubmatch(page.text)
	if key == nil {
		t.Fatalf("no key in %s", page.text)
	}
	secret := key[1]
	done := other.post(303, enrollment.header.Get("Location"),
		url.Values{"code": {totpCode(secret, other.step())}})
	other.to(done, "/mfa/setup/done")
	other.has(other.get(200, "/mfa/setup/done"), "Your new sign-in method is ready")
	phone.get(401, "/api/me") // an attacker who found the phone is signed out
	signedIn.get(200, "/api/me")
	other.get(401, "/api/me")
	other.advance("30s")
	other.password("ben")
	other.verify(200, "totp", totpCode(secret, other.step()))
}

// A remembered device signs in without a code until it is forgotten, the policy changes, or the
// owner resets the user.
func TestVerify_RemembersADevice(t *testing.T) {
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	owner.chooses(303, "employee", "email", url.Values{"remember": {"14"}})
	owner.has(owner.get(200, "/admin/mfa/policies/edit?type=employee"),
		`<option value="14" selected>`)
	owner.chooses(400, "employee", "email", url.Values{"remember": {"91"}})

	c := s.client(t)
	c.password("carla")
	code := c.send("email", "carla@acme.example")
	c.has(c.get(200, "/mfa/verify?kind=email"), "Remember this device for 14 days")
	c.post(303, "/mfa/verify", url.Values{"kind": {"email"}, "code": {code}, "remember": {"yes"}})
	c.field(c.get(200, "/api/me"), "username", "carla")
	c.post(200, "/api/logout", obj{})
	c.field(c.password("carla"), "next", "done")
	c.field(c.get(200, "/api/me"), "username", "carla")
	c.has(c.get(200, "/mfa/factors"), "Remembered devices")
	c.field(s.client(t).password("carla"), "next", "verify") // another browser
	c.post(200, "/api/logout", obj{})
	c.field(c.password("david"), "next", "verify") // another user
	c.field(c.password("carla"), "next", "done")

	owner.post(200, "/api/admin/reset", obj{"username": "carla", "reason": "asked for it"})
	c.post(200, "/api/logout", obj{})
	c.field(c.password("carla"), "next", "verify")
}

// The report lists users who have not enrolled, and mails them a link to enrol a first factor.
func TestReport_InvitesUsersWithoutAFactor(t *testing.T) {
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	emma := s.client(t)
	emma.signIn("emma")
	emma.enrollTOTP()
	owner.has(owner.get(200, "/admin/mfa/?status=missing"), "Lena Fischer", "Milan Novák")
	// Codes to a verified e-mail address count as a second factor.
	if strings.Contains(owner.get(200, "/admin/mfa/?status=missing").text, "Farid Haddad") {
		t.Error("a user who receives codes is listed")
	}
	owner.chooses(303, "employee", "own", nil)
	owner.has(owner.get(200, "/admin/mfa/report"), "Authenticator app", "employee")
	page := owner.get(200, "/admin/mfa/?status=missing")
	owner.has(page, "Farid Haddad")
	if strings.Contains(page.text, "Emma Schulz") {
		t.Error("emma has enrolled")
	}
	counted := owner.post(200, "/admin/mfa/mails/preview", url.Values{"mail": {"enrollment"},
		"status": {"missing"}, "type": {"employee"}})
	owner.has(counted, "The mail is for 13 users.")
	owner.has(owner.mailsAll(counted), "11 mails are sent.")
	link := linkForm.FindString(owner.last("farid@acme.example").Text)
	farid := s.client(t)
	farid.to(farid.post(303, "/mfa/setup", url.Values{"token": {strings.TrimPrefix(link,
		s.base+"/mfa/setup?token=")}}), "/mfa/enroll")
	farid.get(200, "/mfa/enroll")
	farid.get(401, "/api/me")
}

// Until the day, users without a factor sign in, and the pages name the day.
func TestPolicy_LetsUsersEnrolBeforeADay(t *testing.T) {
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	day := owner.now().AddDate(0, 0, 7).Format("2006-01-02")
	owner.chooses(303, "employee", "own", url.Values{"enroll_by": {day}})
	owner.chooses(400, "employee", "own", url.Values{"enroll_by": {"soon"}})
	c := s.client(t)
	c.field(c.password("greta"), "next", "done")
	c.has(c.get(200, "/mfa/factors"), "Add a sign-in method before")
	c.has(c.get(200, "/"), "Set one up before")
	c.advance("200h")
	c.field(s.client(t).password("greta"), "next", "enroll")
}

// Three correct answers together let a user replace a lost app.
func TestSetupLink_TakesSecurityQuestions(t *testing.T) {
	s := start(t, t.TempDir())
	phone := s.client(t)
	phone.signIn("jonas")
	phone.enrollTOTP()
	phone.has(phone.get(200, "/mfa/factors"), "No security questions are set")
	phone.has(phone.get(200, "/mfa/enroll/questions"),
		"Which book did you read more often than any other?", `name="answer3"`)
	set := url.Values{"question1": {"Which book did you read more often?"}, "answer1": {"Momo"},
		"question2": {"Which street was it?"}, "answer2": {"x"},
		"question3": {"Which dish did you cook?"}, "answer3": {"Pannenkoeken"}}
	phone.has(phone.post(422, "/mfa/enroll/questions", set), "This answer is too short",
		"Which street was it?", "Pannenkoeken")
	set.Set("answer2", "Lange Straße")
	phone.to(phone.post(303, "/mfa/enroll/questions", set), "/mfa/factors")
	phone.has(phone.get(200, "/mfa/factors"), "Your three security questions are set")

	c := s.client(t)
	for _, o := range c.password("jonas").body["options"].([]any) {
		if o.(obj)["kind"] == "questions" {
			t.Error("questions are offered for a sign-in")
		}
	}
	c.post(303, "/mfa/lost/link", url.Values{})
	token := strings.TrimPrefix(linkForm.FindString(c.last("jonas@acme.example").Text),
		s.base+"/mfa/setup?token=")
	c.post(303, "/mfa/setup", url.Values{"token": {token}})
	c.has(c.get(200, "/mfa/verify?purpose=replace"), "Which street was it?",
		"Answer your security questions")
	response := func(second string) *response {
		return c.post(303, "/mfa/verify", url.Values{"kind": {"questions"}, "purpose": {"replace"},
			"code": {"MOMO", second, "pannenkoeken"}})
	}
	response("Kurze Gasse")
	c.has(c.get(200, "/mfa/verify?purpose=replace"), "Your answers do not match")
	c.to(response("lange strasse"), "/mfa/enroll")
	c.get(401, "/api/me")

	// An application need not have them.
	off := start(t, t.TempDir(), "-questions=false").client(t)
	off.signIn("jonas")
	off.get(404, "/mfa/enroll/questions")
}

// A sign-in that ends after the password may be an attacker's, so the user is notified.
func TestAbandonedSignIn_IsNotified(t *testing.T) {
	s := start(t, t.TempDir())
	c := s.client(t)
	c.password("kofi")
	c.post(303, "/mfa/sign-out", url.Values{})
	if m := c.last("kofi@acme.example"); !strings.Contains(m.Text, "did not complete the sign-in") {
		t.Errorf("kofi was notified by %q", m.Text)
	}
	c.signIn("david")
	c.post(303, "/mfa/sign-out", url.Values{})
	if m := c.last("david@acme.example"); strings.Contains(m.Text, "did not complete") {
		t.Error("david did sign in")
	}
}

// The owner sees how the configuration compares with a standard.
func TestAudit_ListsFindings(t *testing.T) {
	s := start(t, t.TempDir())
	owner := s.client(t)
	owner.signIn("olivia")
	owner.has(owner.get(200, "/admin/mfa/audit"), "others know, or can find out")
	owner.has(owner.get(200, "/admin/mfa/audit?profile=asvs-l2"), "A-6",
		`<option value="asvs-l2" selected>`)
	owner.get(400, "/admin/mfa/audit?profile=nonsense")
	anna := s.client(t)
	anna.signIn("anna")
	anna.get(403, "/admin/mfa/audit")
}
