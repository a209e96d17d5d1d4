package mfahttp_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

// begunAddress begins a change of the address, and returns what confirms it.
func (p *browser) begunAddress(address string) m {
	p.s.t.Helper()
	a := p.api("POST", "address", m{"address": address}).is(p.s.t, 200, "")
	require.Equal(p.s.t, "email", a.JSON["kind"])
	require.Equal(p.s.t, address, p.s.mail.last().To)
	require.Empty(p.s.t, p.s.mail.last().Link, "this session alone confirms")
	return m{"enrollment": a.JSON["enrollment"], "code": p.s.mail.last().Code}
}

func TestAPI_ChangesTheAddress(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	require.Equal(t, true, p.api("GET", "factors", nil).JSON["can_change_address"])
	p.api("POST", "address", m{"address": "ann"}).is(t, 400, "malformed")
	p.api("POST", "address", m{"address": "ann@example.com"}).is(t, 400, "malformed")
	change := p.begunAddress("ann@new.example")
	p.api("POST", "address/confirm", m{"enrollment": change["enrollment"], "code": "000000"}).
		is(t, 401, "incorrect")
	require.Equal(t, "ann@example.com", s.subject("ann").Email, "nothing changes before")
	p.api("POST", "enroll/resend", m{"enrollment": change["enrollment"]}).is(t, 200, "")
	change["code"] = s.mail.last().Code

	s.browser("ann").signIn().api("POST", "address/confirm", change).is(t, 401, "expired")
	p.api("POST", "confirm", change).is(t, 401, "expired")
	p.api("POST", "address/confirm", change).is(t, 200, "")
	require.Equal(t, "ann@new.example", s.subject("ann").Email)
	p.api("POST", "address/confirm", change).is(t, 401, "expired")

	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	require.Equal(t, "ann@new.example", s.mail.last().To)
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code}).is(t, 200, "")
	e := p.api("POST", "enroll", m{"kind": "email", "address": "ann@other.example"})
	p.api("POST", "address/confirm", m{"enrollment": e.JSON["enrollment"],
		"code": s.mail.last().Code}).is(t, 401, "expired")
}

// The application stores the address to which the code went, whatever the user typed for it.
func TestAPI_StoresTheAddressThatTheCodeHasProven(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	e := p.api("POST", "address", m{"address": " mailto:ann@new.example"}).is(t, 200, "")
	require.Equal(t, "ann@new.example", s.mail.last().To)
	p.api("POST", "address/confirm", m{"enrollment": e.JSON["enrollment"],
		"code": s.mail.last().Code}).is(t, 200, "")
	require.Equal(t, "ann@new.example", s.subject("ann").Email)
}

// The response to a new address is the same whether or not another account has it. Only a user who
// has the mailbox learns that, and nothing changes.
func TestAPI_ChangeOfAddressTellsNobodyWhoHasAnAddress(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	keys := func(a *response) (list []string) {
		for key := range a.JSON {
			list = append(list, key)
		}
		slices.Sort(list)
		return list
	}
	own := p.api("POST", "enroll", m{"kind": "email", "address": "ann@example.com"})
	p.api("POST", "confirm", m{"enrollment": own.JSON["enrollment"],
		"code": s.mail.last().Code}).is(t, 200, "")
	free := p.api("POST", "address", m{"address": "ann@new.example"}).is(t, 200, "")
	taken := p.api("POST", "address", m{"address": "eve@example.com"}).is(t, 200, "")
	require.Equal(t, keys(free), keys(taken))
	before := p.api("GET", "factors", nil).JSON
	change := m{"enrollment": taken.JSON["enrollment"], "code": "000000"}
	p.api("POST", "address/confirm", change).is(t, 401, "incorrect")
	change["code"] = s.mail.last().Code
	p.api("POST", "address/confirm", change).is(t, 409, "address_taken")
	require.Equal(t, "ann@example.com", s.subject("ann").Email)
	require.Equal(t, before, p.api("GET", "factors", nil).JSON)
	p.api("POST", "address/confirm", change).is(t, 401, "expired")
}

// The address moves by a fresh proof of the strongest factor, and by the password unless that was
// minutes ago.
func TestAPI_ChangeOfAddressNeedsTheFactorAndThePassword(t *testing.T) {
	for name, reauthenticates := range map[string]bool{"password": false, "reauthenticate": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *mfahttp.Config) {
				if reauthenticates {
					c.PasswordFor, c.CheckPassword = nil, nil
				}
			})
			body := m{"address": "thief@new.example"}
			p := s.browser("ann")
			p.api("POST", "address", body).is(t, 401, "unauthorized")
			p.login()
			p.api("POST", "address", body).is(t, 403, "forbidden")
			p = s.browser("ann").signIn()
			p.enroll("100001")
			sent := s.mail.count()
			s.clock.Advance(time.Hour)
			p.api("POST", "address", body).is(t, 403, "step_up")
			p.api("POST", "step-up", nil).is(t, 200, "")
			p.api("POST", "verify", m{"kind": "totp", "code": "100002"}).is(t, 200, "")
			p.api("POST", "address", body).is(t, 403, name)
			require.Equal(t, sent, s.mail.count(), "no code was sent")
			if reauthenticates {
				return
			}
			body["password"] = "battery staple"
			p.api("POST", "address", body).is(t, 403, "password")
			body["password"] = "correct horse"
			p.api("POST", "address", body).is(t, 200, "")
			delete(body, "password")
			p.api("POST", "address", body).is(t, 200, "")
		})
	}
}

// What fails behind Config.StoreAddress is a failure of the service, and the code is used.
func TestAPI_ChangeOfAddressThatIsNotStored(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	change := p.begunAddress("ann@new.example")
	s.addressErr = errors.New("postgres://app:hunter2@db")
	p.api("POST", "address/confirm", change).is(t, 503, "unavailable")
	s.addressErr = nil
	p.api("POST", "address/confirm", change).is(t, 401, "expired")
	require.Equal(t, "ann@example.com", s.subject("ann").Email)
}

func TestAPI_ChangeOfAddressIsTheApplications(t *testing.T) {
	s := newSite(t, func(c *mfahttp.Config) { c.StoreAddress = nil })
	p := s.browser("ann").signIn()
	require.NotContains(t, p.api("GET", "factors", nil).JSON, "can_change_address")
	p.api("POST", "address", m{"address": "ann@new.example"}).is(t, 404, "not_found")
	p.api("POST", "address/confirm", m{"enrollment": "x", "code": "1"}).is(t, 404, "not_found")
}

// A user who has to enrol a factor before the sign-in is complete changes no address.
func TestAPI_ChangeOfAddressIsForUsersWhoAreSignedIn(t *testing.T) {
	s := newSite(t, nil)
	s.policy = policy.Policy{}
	p := s.browser("ann")
	p.login()
	p.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	p.api("POST", "address", m{"address": "thief@new.example"}).is(t, 403, "forbidden")
	require.Zero(t, s.mail.count())
}

// A request about another enrolment, without one, or that cannot be read, ends no enrolment.
func TestAPI_ChangeOfAddressEndsNoOtherEnrolment(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	e := p.enrolments(1)[0]
	for body, want := range map[string]string{`{`: "malformed", `{"code":"1"}`: "malformed",
		`{"enrollment":1}`: "malformed"} {
		p.api("POST", "address/confirm", body).is(t, 400, want)
		p.api("POST", "address", body).is(t, 400, want)
	}
	p.api("POST", "address/confirm", m{"enrollment": e, "code": "100001"}).is(t, 401, "expired")
	p.api("POST", "confirm", m{"enrollment": e, "code": "100001"}).is(t, 200, "")
}

// A confirmation that meets an outage is repeated, and after it the user goes on without another
// step-up.
func TestAPI_ChangeOfAddressIsRepeatedAfterAnOutage(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	change := p.begunAddress("ann@new.example")
	s.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errors.New("down")})
	p.api("POST", "address/confirm", change).is(t, 503, "unavailable")
	s.store.Heal()
	p.api("POST", "address/confirm", change).is(t, 200, "")
	p.api("POST", "address/confirm", change).is(t, 401, "expired")
	p.enroll("100001")
}
