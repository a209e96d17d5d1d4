package mfahttp_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// phone is a factor that is approved on another device.
type phone struct {
	mu      sync.Mutex
	request string           // the latest
	decided map[string]error // nil: approved
	down    bool
}

func (*phone) Kind() string { return "phone" }
func (*phone) Traits() factor.Traits {
	return factor.Traits{Level: factor.LevelStrong, AMR: "pop", Polled: true}
}

func (*phone) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("phone"), MaskedDestination: "Ann's phone"}, nil
}

func (*phone) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	request := rand.Text()
	return &factor.Issue{Keep: []byte(request), Expires: in.Now.Add(90 * time.Second),
		Payload: secret.New(request), Prompt: factor.Prompt{Data: []byte(`{"number":"42"}`)}}, nil
}

func (f *phone) Deliver(_ context.Context, in factor.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.request = in.Payload.Reveal()
	return nil
}

func (f *phone) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err, decided := f.decided[string(in.Issued)]
	switch {
	case f.down:
		return nil, context.DeadlineExceeded
	case !decided:
		return nil, factor.ErrPending
	}
	return nil, err
}

func (f *phone) decide(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decided[f.request] = err
}

// An approval on another device is 202 "pending" until it is decided, at the enrolment and at the
// sign-in, and the client shows the number that belongs to it.
func TestAPI_WaitsForAnApproval(t *testing.T) {
	f := &phone{decided: map[string]error{}}
	s, d := newSite(t, nil, f), readDocument(t)
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "phone"}).is(t, 200, "")
	d.check(t, e, "/api/enroll")
	require.Equal(t, true, e.JSON["polled"])
	require.Equal(t, m{"number": "42"}, e.JSON["data"])
	confirm := m{"enrollment": e.JSON["enrollment"], "code": ""}
	for range 6 { // more than lock
		d.check(t, p.api("POST", "confirm", confirm).is(t, 202, "pending"), "/api/confirm")
	}
	f.decide(nil)
	p.api("POST", "confirm", confirm).is(t, 200, "")

	p.login()
	state := p.api("GET", "state", nil).is(t, 200, "")
	d.check(t, state, "/api/state")
	require.Equal(t, true, state.JSON["options"].([]any)[0].(m)["polled"])
	sent := p.api("POST", "send", m{"kind": "phone"}).is(t, 200, "")
	require.Equal(t, m{"number": "42"}, sent.JSON["data"])
	for range 6 {
		a := p.api("POST", "verify", m{"kind": "phone"}).is(t, 202, "pending")
		d.check(t, a, "/api/verify")
		require.Equal(t, m{"error": "pending"}, a.JSON, "no attempts, no wait")
	}
	f.down = true
	p.api("POST", "verify", m{"kind": "phone", "code": ""}).is(t, 503, "unavailable")
	f.down = false
	p.api("GET", "state", nil).is(t, 200, "")
	f.decide(nil)
	p.api("POST", "verify", m{"kind": "phone", "code": ""}).is(t, 200, "")
}

func TestAPI_ReportsADenialAndItsEnd(t *testing.T) {
	f := &phone{decided: map[string]error{}}
	s := newSite(t, nil, f)
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "phone"}).is(t, 200, "")
	f.decide(nil)
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"]}).is(t, 200, "")
	p.login()
	p.api("POST", "verify", m{"kind": "phone"}).is(t, 401, "expired") // nothing is asked yet
	p.api("POST", "send", m{"kind": "phone"}).is(t, 200, "")
	f.decide(factor.ErrIncorrect)
	a := p.api("POST", "verify", m{"kind": "phone"}).is(t, 401, "incorrect")
	require.EqualValues(t, 4, a.JSON["attempts_left"])
	f.decide(nil)
	a = p.api("POST", "verify", m{"kind": "phone"}).is(t, 401, "expired")
	require.Equal(t, "response_expired", a.JSON["reason"])
	p.api("POST", "send", m{"kind": "phone"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "phone"}).is(t, 202, "pending")
	s.clock.Advance(90 * time.Second)
	p.api("POST", "verify", m{"kind": "phone"}).is(t, 401, "expired")
}

// A function of the application that fails is an outage, whatever it returns.
func TestAPI_ReportsNoFailureAsPending(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	s.verifyErr = factor.ErrPending
	code := s.mail.last().Code
	p.api("POST", "verify", m{"kind": "email", "code": code}).is(t, 503, "unavailable")
}

// The pages say that the approval is missing, and stay where they are.
func TestPages_WaitForAnApproval(t *testing.T) {
	f := &phone{decided: map[string]error{}}
	s := newSite(t, nil, f)
	p := s.browser("ann").signIn()
	e := p.api("POST", "enroll", m{"kind": "phone"}).is(t, 200, "")
	f.decide(nil)
	p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"]}).is(t, 200, "")
	p.login()
	p.post("/mfa/send", url.Values{"kind": {"phone"}, "return": {"/home"}})
	poll := func() *response {
		return p.post("/mfa/verify", url.Values{"kind": {"phone"}, "code": {""},
			"return": {"/home"}})
	}
	for range 6 {
		p.follow(poll()).page(t, 200, "Not approved yet.")
	}
	f.decide(nil)
	poll().goes(t, "/home")
}
