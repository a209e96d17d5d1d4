package mfahttp_test

import (
	"net/url"
	"testing"
	"time"
)

func TestPages_TwoTabsVerifySeparately(t *testing.T) {
	s := newSite(t, nil)
	s.mild = true
	p := s.browser("ann").signIn()
	p.enroll("100001")
	s.clock.Advance(10 * time.Minute)
	p.follow(p.get("/recent")).page(t, 200)             // tab one: step up
	p.follow(p.get("/mfa/recovery-codes")).page(t, 200) // tab two: the codes page
	p.follow(p.post("/mfa/recovery-codes", nil))        // which leads to a verification of its own
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"}, "purpose": {"step-up"},
		"return": {"/recent"}}).goes(t, "/recent")
	p.get("/recent").page(t, 200, "welcome")
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100003"}, "purpose": {"manage"},
		"return": {"/mfa/recovery-codes"}}).goes(t, "/mfa/recovery-codes")
	if len(s.verified) != 3 || s.verified[1].Purpose != "step-up" ||
		s.verified[2].Purpose != "manage" {
		t.Fatal(s.verified)
	}
	// A sign-in that was finished in one tab ends in the other, too.
	q := s.browser("ann")
	q.login()
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100004"}}).goes(t, "/home")
	q.follow(q.get("/mfa/step-up?purpose=manage")) // is not answered by a form of the sign-in
	q.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100005"}, "return": {"/recent"}}).
		goes(t, "/recent")
	if len(s.verified) != 4 {
		t.Fatal(len(s.verified))
	}
}

// Where the application starts a new session on every verification, other tabs find
// theirs answered.
func TestPages_TwoTabsSurviveANewSession(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.follow(p.get("/mfa/step-up?purpose=step-up"))
	p.follow(p.get("/mfa/step-up?purpose=manage"))
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"}, "purpose": {"step-up"},
		"return": {"/recent"}}).goes(t, "/recent")
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100003"}, "purpose": {"manage"},
		"return": {"/mfa/enroll"}}).goes(t, "/mfa/enroll")
	p.get("/mfa/enroll").page(t, 200)
	if len(s.verified) != 2 {
		t.Fatal(len(s.verified))
	}
}

// A challenge that was answered is not shown again.
func TestPages_ShowAChallengeThatWasUsed(t *testing.T) {
	s := newSite(t, nil)
	s.mild = true
	p := s.browser("ann").signIn()
	p.enroll("100001")
	p.follow(p.get("/mfa/step-up?purpose=step-up"))
	p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {"100002"}, "purpose": {"step-up"},
		"return": {"/home"}}).goes(t, "/home")
	p.get("/mfa/verify?purpose=step-up&return=%2Fhome").goes(t,
		"/mfa/step-up?purpose=step-up&return=%2Fhome")
}

// A user who begins an enrolment in two tabs finishes the one that was begun last. A code in the
// other tab is no failed attempt, and the page says where the enrolment went.
func TestPages_TwoTabsEnrolSeparately(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	first := p.post("/mfa/enroll/totp", nil).Header.Get("Location")
	second := p.post("/mfa/enroll/totp", nil).Header.Get("Location")
	mails := s.mail.count()
	p.follow(p.post(first, url.Values{"code": {"100001"}})).page(t, 200,
		"This took too long, or you finished it elsewhere.")
	p.post(second, url.Values{"code": {"100002"}}).goes(t, "/mfa/recovery-codes")
	p.follow(p.post(first, url.Values{"code": {"100003"}})).page(t, 200, "AAAA-1111")
	p.get("/mfa/factors").page(t, 200, "Authenticator app")
	if s.mail.count() != mails {
		t.Fatal("a failed attempt was counted")
	}
}
