package mfahttp_test

import (
	"testing"
	"time"

	"github.com/secondgate/secondgate/mfa/policy"
)

func TestAPI_SignsInByEmail(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.api("GET", "state", nil).is(t, 401, "unauthorized")
	p.login()
	st := p.api("GET", "state", nil).is(t, 200, "")
	if st.JSON["next"] != "verify" || st.JSON["signed_in"] != false || st.JSON["locked"] != false {
		t.Fatal(st.Text)
	}
	if s.mail.count() != 0 {
		t.Fatal("something was sent before it was asked for")
	}
	d := p.api("POST", "send", m{"kind": "email", "nonsense": []int{1}}).is(t, 200, "")
	if d.JSON["hint"] != "masked" || d.JSON["expires_in"] != 90.0 {
		t.Fatal(d.Text)
	}
	wrong := p.api("POST", "verify", m{"kind": "email", "code": "999999"}).is(t, 401, "incorrect")
	if wrong.JSON["attempts_left"] != 4.0 || wrong.Header.Get("WWW-Authenticate") == "" {
		t.Fatal(wrong.Text)
	}
	p.api("GET", "factors", nil).is(t, 403, "forbidden")
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "forbidden")
	right := p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	if right.JSON["next"] != "done" || len(s.verified) != 1 {
		t.Fatal(right.Text, len(s.verified))
	}
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 401, "expired")
	st = p.api("GET", "state", nil).is(t, 200, "")
	if st.JSON["signed_in"] != true || st.JSON["next"] != "done" || len(s.verified) != 1 {
		t.Fatal(st.Text)
	}
}

func TestAPI_RefusesAnExpiredCode(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	s.clock.Advance(90 * time.Second)
	late := p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 401,
		"expired")
	if _, counted := late.JSON["attempts_left"]; counted ||
		late.JSON["reason"] != "response_expired" {
		t.Fatal(late.Text)
	}
	s.clock.Advance(15 * time.Minute)
	over := p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 401,
		"expired")
	if _, counted := over.JSON["attempts_left"]; counted || over.JSON["reason"] != nil {
		t.Fatal(over.Text)
	}
}

func TestAPI_LocksAfterFiveFailedAttempts(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	for left := 4.0; left >= 0; left-- {
		a := p.api("POST", "verify", m{"kind": "email", "code": "999999"}).is(t, 401, "incorrect")
		if a.JSON["attempts_left"] != left {
			t.Fatal(a.Text)
		}
	}
	for _, code := range []string{"999999", s.mail.last().Code} {
		a := p.api("POST", "verify", m{"kind": "email", "code": code}).is(t, 429, "locked")
		if a.JSON["retry_after"] != 180.0 || a.Header.Get("Retry-After") != "180" {
			t.Fatal(a.Text, a.Header)
		}
	}
	p.api("POST", "send", m{"kind": "email"}).is(t, 429, "locked")
	st := p.api("GET", "state", nil).is(t, 200, "")
	if st.JSON["locked"] != true || st.JSON["retry_after"] != 180.0 {
		t.Fatal(st.Text)
	}
	// Who waits as long as told is not told to wait again.
	s.clock.Advance(178*time.Second + 500*time.Millisecond)
	if a := p.api("POST", "verify", m{"kind": "email", "code": "999999"}).is(t, 429,
		"locked"); a.JSON["retry_after"] != 2.0 {
		t.Fatal(a.Text)
	}
	s.clock.Advance(2 * time.Second)
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
}

func TestAPI_EnrolsRenamesAndRemovesAFactor(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()

	e := p.api("POST", "enroll", m{"kind": "totp", "name": "Phone"}).is(t, 200, "")
	for _, field := range []string{"enrollment", "secret", "uri", "qr_svg", "expires",
		"expires_in"} {
		if e.JSON[field] == nil {
			t.Errorf("no %s: %s", field, e.Text)
		}
	}
	p.api("POST", "confirm", m{"enrollment": "nonsense", "code": "100001"}).is(t, 401, "expired")
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "x"}).is(t, 400,
		"malformed")
	if a := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "000001"}).is(t,
		401, "incorrect"); a.JSON["attempts_left"] != 4.0 {
		t.Fatal(a.Text)
	}
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100 001"}).is(t,
		200, "")
	id := c.JSON["factor"].(m)["id"].(string)
	if c.JSON["factor"].(m)["name"] != "Phone" || c.JSON["signed_in"] != true ||
		len(s.verified) != 1 {
		t.Fatal(c.Text, len(s.verified))
	}
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": "100002"}).is(t, 401,
		"expired")

	p.api("PATCH", "factors/"+id, m{"name": "Old phone"}).is(t, 200, "")
	p.api("PATCH", "factors/"+id, m{"name": "a\x00b"}).is(t, 400, "malformed")
	p.api("PATCH", "factors/"+id, "{\"name\":\"\xff\"}").is(t, 400, "malformed")
	p.api("PATCH", "factors/none", m{"name": "x"}).is(t, 404, "not_available")
	list := p.api("GET", "factors", nil).is(t, 200, "").JSON["factors"].([]any)
	if len(list) != 1 || list[0].(m)["name"] != "Old phone" {
		t.Fatal(list)
	}
	codes := p.api("POST", "recovery-codes", nil).is(t, 200, "")
	if len(codes.JSON["codes"].([]any)) != 3 {
		t.Fatal(codes.Text)
	}
	if f := p.api("GET", "factors", nil); f.JSON["recovery_left"] != 3.0 {
		t.Fatal(f.Text)
	}
	again := p.api("POST", "enroll", m{"kind": "recovery"}).is(t, 200, "")
	if again.JSON["codes"] == nil || again.JSON["enrollment"] != nil {
		t.Fatal(again.Text)
	}
	p.api("DELETE", "factors/none", nil).is(t, 404, "not_available")
	p.api("DELETE", "factors/"+id, nil).is(t, 200, "")
	p.api("DELETE", "factors/"+id, nil).is(t, 404, "not_available")
}

// Another user's factor is as unknown as one that never was.
func TestAPI_HidesOtherUsersFactors(t *testing.T) {
	s := newSite(t, nil)
	id := s.browser("ann").signIn().enroll("100001")
	bob := s.browser("bob").signIn()
	bob.api("DELETE", "factors/"+id, nil).is(t, 404, "not_available")
	bob.api("PATCH", "factors/"+id, m{"name": "mine"}).is(t, 404, "not_available")
}

func TestAPI_RequiresAStepUpForChanges(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	s.clock.Advance(6 * time.Minute) // the grant is over
	for method, path := range map[string]string{"DELETE": "factors/" + id,
		"POST": "recovery-codes"} {
		p.api(method, path, nil).is(t, 403, "step_up")
	}
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 403, "step_up")
	p.api("PATCH", "factors/"+id, m{"name": "x"}).is(t, 403, "step_up")
	up := p.api("POST", "step-up", nil).is(t, 200, "")
	if up.JSON["next"] != "verify" || up.JSON["purpose"] != "manage" {
		t.Fatal(up.Text)
	}
	p.api("POST", "step-up", m{"purpose": "sign-in"}).is(t, 400, "malformed")
	p.api("POST", "verify", m{"kind": "totp", "code": "100001"}).is(t, 401, "incorrect") // replayed
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
	if len(s.verified) != 2 || s.verified[1].Purpose != "manage" {
		t.Fatal(s.verified)
	}
	p.api("DELETE", "factors/"+id, nil).is(t, 200, "")
}

// A sign-in that demands an enrolment is completed by it, and told once.
func TestAPI_SignsInByARequiredEnrolment(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	st := p.api("GET", "state", nil).is(t, 200, "")
	if st.JSON["next"] != "enroll" || len(st.JSON["kinds"].([]any)) != 4 {
		t.Fatal(st.Text)
	}
	p.api("POST", "verify", m{"kind": "totp", "code": "100001"}).is(t, 401, "expired")
	e := p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678"}).is(t, 200, "")
	if e.JSON["hint"] != "+•••78" || e.JSON["expires_in"] != 90.0 {
		t.Fatal(e.Text)
	}
	first := s.text.last().Code
	s.clock.Advance(80 * time.Second)
	again := p.api("POST", "enroll/resend", m{"enrollment": e.JSON["enrollment"]}).is(t, 200, "")
	if again.JSON["expires_in"] != 90.0 || s.text.count() != 2 {
		t.Fatal(again.Text)
	}
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": first}).is(t, 401,
		"expired")
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
		"code": s.text.last().Code}).is(t, 200, "")
	if c.JSON["signed_in"] != true || len(s.verified) != 1 || s.verified[0].Purpose != "sign-in" {
		t.Fatal(c.Text, s.verified)
	}
	if f := p.api("GET", "factors", nil).is(t, 200, ""); len(f.JSON["factors"].([]any)) != 1 {
		t.Fatal(f.Text)
	}
}

func TestAPI_RequiresThePasswordForAReplacement(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	enroll := func(password string) *response {
		return p.api("POST", "enroll", m{"kind": "sms", "number": "+31612345678",
			"password": password})
	}
	e := enroll("").is(t, 200, "") // the first number replaces nothing
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
		"code": s.text.last().Code}).is(t, 200, "")
	id := c.JSON["factor"].(m)["id"].(string)
	enroll("").is(t, 403, "password")
	enroll("wrong").is(t, 403, "password")
	enroll("database down").is(t, 503, "unavailable")
	busy := enroll("one of thousands").is(t, 429, "busy")
	if busy.Header.Get("Retry-After") != "2" || busy.JSON["retry_after"] != 2.0 {
		t.Fatal(busy.Header, busy.Text)
	}
	if s.text.count() != 1 {
		t.Fatal("sent without the password")
	}
	enroll("correct horse").is(t, 200, "")
	p.api("DELETE", "factors/"+id, nil).is(t, 403, "password")
	p.api("DELETE", "factors/"+id, m{"password": "correct horse"}).is(t, 200, "")
}

func TestAPI_RecoveryPermitsAReplacementOnly(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	id := p.enroll("100001")
	p.api("POST", "recovery-codes", m{}).is(t, 200, "")

	again := s.browser("ann")
	again.login()
	a := again.api("POST", "verify", m{"kind": "recovery", "code": "AAAA-1111"}).is(t, 200, "")
	if a.JSON["recovery_left"] != 2.0 {
		t.Fatal(a.Text)
	}
	// What a recovery opens is the replacement, and nothing else.
	again.api("DELETE", "factors/"+id, nil).is(t, 403, "step_up")
	again.api("POST", "recovery-codes", m{}).is(t, 403, "step_up")
	again.api("POST", "enroll", m{"kind": "pin", "pin": "739162"}).is(t, 403, "step_up")
	held := again.enroll("100001")
	// The replacement is on hold: it changes nothing that was there before.
	again.api("DELETE", "factors/"+id, nil).is(t, 403, "on_hold")
	again.api("POST", "recovery-codes", m{}).is(t, 403, "on_hold")
	count := func() int {
		return len(again.api("GET", "factors", nil).is(t, 200, "").JSON["factors"].([]any))
	}
	if count() != 3 {
		t.Fatal(count())
	}
	// The old app cancels it, in a session of its owner's.
	s.clock.Advance(30 * time.Minute)
	p.api("DELETE", "factors/"+held, nil).is(t, 403, "step_up")
	p.api("POST", "step-up", nil).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": "000000"}).is(t, 409, "not_available")
	p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
	p.api("DELETE", "factors/"+held, nil).is(t, 200, "")
	if count() != 2 {
		t.Fatal(count())
	}
}

// A user who has asked for too many codes waits as long as the response says.
func TestAPI_LimitsTheCodesThatAreSent(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	for range 30 {
		p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	}
	a := p.api("POST", "send", m{"kind": "email"}).is(t, 429, "budget")
	if a.JSON["retry_after"].(float64) < 1 || a.Header.Get("Retry-After") == "" ||
		s.mail.count() != 30 {
		t.Fatal(a.Text, s.mail.count())
	}
}
