package mfahttp_test

import (
	"net/url"
	"testing"
	"time"

	oldtotp "github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/secret"
)

// A user whose app came with a secret of 80 bits signs in, and is asked to add it again: on the
// pages, and by the API.
func TestRenewal_IsAskedForAfterTheSignIn(t *testing.T) {
	const key = "JBSWY3DPEHPK3PXP"
	s, _ := realSite(t)
	_, err := s.m.Admin(mfa.System("import"), "moved").Import(t.Context(), s.subject("583920"),
		[]mfa.EnrollRequest{{Kind: "totp", Params: map[string]secret.Text{
			"secret": secret.New(key)}}})
	require.NoError(t, err)
	code := func() string {
		code, err := oldtotp.GenerateCode(key, s.clock.Now())
		require.NoError(t, err)
		return code
	}
	p := s.browser("583920")
	p.login()
	answer := p.api("POST", "verify", m{"kind": "totp", "code": code()})
	answer.is(t, 200, "")
	require.Equal(t, true, answer.JSON["renewal_due"])
	require.Equal(t, true, answer.JSON["recovery_due"], "codes come first")

	made := p.api("POST", "recovery-codes", m{})
	made.is(t, 200, "")
	p.api("POST", "recovery-codes/saved", m{"factor": made.JSON["factor"]}).is(t, 200, "")
	s.clock.Advance(time.Minute)
	p = s.browser("583920")
	p.login()
	page := p.follow(p.post("/mfa/verify", url.Values{"kind": {"totp"}, "code": {code()}}))
	require.Contains(t, page.Text, "Renew a sign-in method")
	require.Contains(t, page.Text, "weaker than a new one. Add it again")
}
