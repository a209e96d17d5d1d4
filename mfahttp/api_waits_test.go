package mfahttp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
)

// recoverPasskey replaces a user's passkey through the API: by a mailed link and a recovery code.
// It returns the response to the confirmation.
func (p *browser) recoverPasskey(code any, id string) m {
	t := p.s.t
	t.Helper()
	p.login()
	p.api("POST", "lost/link", nil).is(t, 200, "")
	fresh := p.s.browser("")
	fresh.api("POST", "setup", m{"token": p.s.mail.last().Link}).is(t, 200, "")
	fresh.api("POST", "verify", m{"kind": "recovery", "code": code}).is(t, 200, "")
	e := fresh.api("POST", "enroll", m{"kind": "passkey"}).is(t, 200, "")
	return fresh.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
		"code": id + " " + e.JSON["data"].(string)}).is(t, 200, "").JSON
}

// signed responds with a passkey to a challenge of the API.
func (p *browser) signed(id string) *response {
	p.s.t.Helper()
	challenge := p.api("POST", "send", m{"kind": "passkey"}).is(p.s.t, 200, "").JSON["data"]
	return p.api("POST", "verify", m{"kind": "passkey", "code": id + " " + challenge.(string)})
}

// The response says whether the replacement of a lost passkey signs in before its hold ends.
func TestAPI_SaysThatAReplacementWaits(t *testing.T) {
	for name, noDowngrade := range map[string]bool{"NoDowngrade": true, "no NoDowngrade": false} {
		t.Run(name, func(t *testing.T) {
			s := newKeySite(t, func(c *mfahttp.Config) { c.SetupLinks = true })
			p := s.browser("ann")
			p.withPasskey("k1")
			codes := p.api("POST", "recovery-codes", nil).is(t, 200, "").JSON["codes"].([]any)
			e := p.api("POST", "enroll", m{"kind": "passkey"}).is(t, 200, "")
			first := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"],
				"code": "k0 " + e.JSON["data"].(string)}).is(t, 200, "").JSON
			require.Equal(t, false, first["waits"], "no recovery, no hold")

			s.policy.NoDowngrade = noDowngrade
			done := p.recoverPasskey(codes[0], "k2")
			require.Equal(t, noDowngrade, done["waits"])
			until, err := time.Parse(time.RFC3339, done["factor"].(m)["held_until"].(string))
			require.NoError(t, err)
			p.login()
			if !noDowngrade {
				p.signed("k2").is(t, 200, "")
				return
			}
			p.signed("k2").is(t, 401, "incorrect")
			s.clock.Advance(until.Sub(s.clock.Now()))
			p.login()
			p.signed("k2").is(t, 200, "")
		})
	}
}
