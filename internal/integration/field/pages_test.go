package field_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/secret"
)

// scan requests a link as a program that scans mails does: without cookies, and without what a
// browser says of a request.
func (s *site) scan(method, link string, form url.Values) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequest(method, link, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return w
}

// pressed is what a scanner that presses the button of a link's page leaves to the user.
func (s *site) pressed(link string) {
	s.Helper()
	page, _, _ := strings.Cut(link, "?")
	s.scan(http.MethodPost, page, url.Values{"token": {s.token(link)}})
}

// A mail gateway followed each link before the user read the mail, and the user was told that the
// link had been used.
func TestMailScanner_FollowsLinksInVain(t *testing.T) {
	s := newSite(t)
	v := s.visitor().signIn("ann")
	v.get("/mfa/enroll/email").post("/mfa/enroll/email", "address", "second@example.com")
	link := s.link()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		for range 3 {
			s.scan(method, link, nil)
			s.scan(method, link+"&utm_source=gateway", nil)
		}
	}
	require.Len(t, s.factors("ann"), 1, "nothing is confirmed")
	reader := s.visitor() // the mail is read on a phone
	reader.get(link).post("/mfa/confirm", "token", s.token(link))
	require.Equal(t, http.StatusOK, reader.page.Status)
	require.Len(t, s.factors("ann"), 2)
}

// Another gateway pressed the button of each page. What it presses confirms that the mailbox is
// reached, which it is, and signs in nobody. The user goes on by the code of the same mail, or
// finds the address confirmed.
func TestMailScanner_PressesTheButtonOfAnAddress(t *testing.T) {
	s := newSite(t)
	v := s.visitor().signIn("ann")
	v.get("/mfa/enroll/email").post("/mfa/enroll/email", "address", "second@example.com")
	form, link := v.page.Path, s.link()
	m, _ := s.mails.Last()
	code := mfatest.Code(t, m.Text)
	s.pressed(link)
	require.Len(t, s.factors("ann"), 2)
	require.Equal(t, []string{"ann"}, s.verified, "the scanner is signed in nowhere")

	// The user, who does not know, types the code, and then looks at the methods.
	v.post(form, "code", code)
	require.Less(t, v.page.Status, 500)
	v.get("/mfa/factors").shows("Security settings").shows("s•••@example.com")
	require.Len(t, s.factors("ann"), 2)
	s.clock.Advance(time.Minute)
	s.visitor().signIn("ann")
}

// It pressed the button of a recovery link too. The scanner has a session in which nothing is
// proven, and the factors of the user stay. The user signs in with what they have, or asks for
// another link.
func TestMailScanner_PressesTheButtonOfARecovery(t *testing.T) {
	s := newSite(t)
	p := s.withApp("ann")
	_, err := s.m.Admin(mfa.System("the help desk"), "lost phone").SendRecoveryLink(t.Context(),
		s.user("ann"))
	require.NoError(t, err)
	link := s.link()
	before := s.factors("ann")
	s.pressed(link)
	require.Equal(t, before, s.factors("ann"))

	v := s.visitor().get(link)
	v.post("/mfa/setup", "token", s.token(link))
	require.Less(t, v.page.Status, 500)
	require.NotEqual(t, http.StatusForbidden, v.page.Status)
	_, err = s.m.Admin(mfa.System("the help desk"), "again").SendRecoveryLink(t.Context(),
		s.user("ann"))
	require.NoError(t, err)
	again := s.link()
	require.NotEqual(t, link, again)
	s.visitor().get(again).post("/mfa/setup", "token", s.token(again)).shows("recovery")

	s.clock.Advance(time.Minute)
	v.login("ann").post("/mfa/verify", "kind", "totp", "code",
		mfatest.AppCode(t, p, s.clock.Now()), "return", "/home").shows("You are signed in.")
}

// A browser restored a tab with the form of a sign-in that was completed in another tab, and the
// user typed another code into it.
func TestRestoredTab_FormOfACompletedSignInArrives(t *testing.T) {
	s := newSite(t)
	v := s.visitor().login("ann")
	old := v.code()
	v.post("/mfa/verify", "kind", "email", "code", old, "return", "/home").shows("signed in")
	for _, code := range []string{old, "000000", ""} {
		v.post("/mfa/verify", "kind", "email", "code", code, "return", "/home").
			shows("You are signed in.")
	}
	v.post("/mfa/send", "kind", "email", "return", "/home").shows("You are signed in.")
	require.Len(t, s.verified, 1)
	require.Zero(t, s.counted)
}

// The session ended over night. The form of the day before leads to a new sign-in, in which the
// code of the day before is no failed attempt.
func TestRestoredTab_FormOfTheDayBeforeBeginsAgain(t *testing.T) {
	s := newSite(t)
	v := s.visitor().login("ann")
	old := v.code()
	s.clock.Advance(12 * time.Hour)
	v.post("/mfa/verify", "kind", "email", "code", old, "return", "/home")
	require.Less(t, v.page.Status, 500)
	require.Empty(t, s.verified)
	v.login("ann")
	v.post("/mfa/verify", "kind", "email", "code", v.code(), "return", "/home").
		shows("You are signed in.")
	require.Zero(t, s.counted)
}

// A family has one browser. The form that ann left open is sent while ben signs in: it signs
// nobody in, and ben arrives by his own code.
func TestRestoredTab_FormOfAnotherUserSignsNobodyIn(t *testing.T) {
	s := newSite(t)
	key := s.withApp("ann")
	s.clock.Advance(time.Minute)
	s.verified = nil
	v := s.visitor().login("ann")
	v.login("ben")
	v.post("/mfa/verify", "kind", "totp", "code", mfatest.AppCode(t, key, s.clock.Now()))
	require.Empty(t, s.verified)
	v.get("/mfa/verify")
	v.post("/mfa/verify", "kind", "email", "code", v.code(), "return", "/home").
		shows("You are signed in.")
	require.Equal(t, []string{"ben"}, s.verified)
}

// The form of an enrolment that was confirmed in another tab, or that has expired.
func TestRestoredTab_FormOfAnEndedEnrollmentChangesNothing(t *testing.T) {
	s := newSite(t)
	v := s.visitor().signIn("ann")
	v.get("/mfa/enroll/email").post("/mfa/enroll/email", "address", "second@example.com")
	form := v.page.Path
	m, _ := s.mails.Last()
	code := mfatest.Code(t, m.Text)
	v.post(form, "code", code)
	require.Len(t, s.factors("ann"), 2)
	v.post(form, "code", code)
	require.Less(t, v.page.Status, 500)
	v.post(form + "/resend")
	require.Less(t, v.page.Status, 500)
	require.Len(t, s.factors("ann"), 2)
	v.get("/home").shows("You are signed in.")
}

// Password managers filled the password of the account into the field for the PIN, since its type
// is "password". A password with a letter is no PIN: it is refused with what is wrong, and
// is no failed attempt. One of digits alone cannot be told from a PIN, and counts.
func TestPasswordManager_FillsThePasswordIntoThePIN(t *testing.T) {
	s := newSite(t)
	v := s.visitor().signIn("ann")
	v.get("/mfa/enroll/pin")
	require.Contains(t, v.page.Text, `autocomplete="one-time-code"`)
	v.post("/mfa/enroll/pin", "pin", "739162", "pin2", "739162")
	v.post(v.page.Path, "code", "739162")
	require.Len(t, s.factors("ann"), 2)

	v = s.visitor().login("ann").get("/mfa/verify?kind=pin")
	require.Regexp(t, `<input[^>]*name="code"[^>]*autocomplete="one-time-code"`, v.page.Text)
	require.NotContains(t, v.page.Text, `autocomplete="current-password"`)
	for range 12 {
		v.post("/mfa/verify", "kind", "pin", "code", "correct horse 7", "return", "/home").
			shows("digits")
		require.NotContains(t, v.page.Text, "correct horse", "it is not shown again")
	}
	require.Zero(t, s.counted)
	v.post("/mfa/verify", "kind", "pin", "code", "20190814", "return", "/home")
	require.Equal(t, 1, s.counted)
	v.post("/mfa/verify", "kind", "pin", "code", "739162", "return", "/home").
		shows("You are signed in.")
}

// factors are the user's factors, the implied one too, without recovery codes.
func (s *site) factors(user string) (names []string) {
	s.Helper()
	o, err := s.m.Overview(s.Context(), s.user(user))
	require.NoError(s, err)
	for _, f := range o.Factors {
		if !f.Recovery {
			names = append(names, f.Kind+" "+f.Name)
		}
	}
	return names
}

// withApp enrols an authenticator app and returns its key.
func (s *site) withApp(user string) secret.Text {
	s.Helper()
	h := s.m.Session(s.user(user), "enrolling")
	ch, err := h.Begin(s.Context())
	require.NoError(s, err)
	_, err = h.Send(s.Context(), ch, "email")
	require.NoError(s, err)
	m, _ := s.mails.Last()
	v, err := h.Verify(s.Context(), ch, "email", secret.New(mfatest.Code(s, m.Text)))
	require.NoError(s, err)
	e, err := h.Enroll(s.Context(), v.Grant, mfa.EnrollRequest{Kind: "totp"})
	require.NoError(s, err)
	c, err := h.Confirm(s.Context(), e, secret.New(mfatest.AppCode(s, e.Prompt.Secret,
		s.clock.Now())))
	require.NoError(s, err)
	_, err = h.NewRecoveryCodes(s.Context(), c.Grant)
	require.NoError(s, err)
	s.clock.Advance(time.Minute)
	s.key = e.Prompt.Secret
	return s.key
}
