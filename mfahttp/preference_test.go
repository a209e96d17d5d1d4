package mfahttp_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A user chooses on the page, or by a program, what is asked first.
func TestPages_AskForThePreferredKindFirst(t *testing.T) {
	s := newSite(t, nil)
	s.policy.KeepImplicit = true
	p := s.browser("ann").signIn()
	require.NotContains(t, p.get("/mfa/factors").Text, "Use this first", "there is one kind")
	p.enroll("100001")
	p.get("/mfa/factors").page(t, 200, `aria-label="Use this first:`, ">Use this first</button>")
	first := func() string {
		q := s.browser("ann")
		q.login()
		options := q.api("GET", "state", nil).JSON["options"].([]any)
		return options[0].(map[string]any)["kind"].(string)
	}
	require.Equal(t, "totp", first())
	p.post("/mfa/factors/prefer", url.Values{"kind": {"email"}}).goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, "We ask for this sign-in method first.", "Used first")
	require.Equal(t, "email", first())
	a := p.api("POST", "preference", m{"kind": "totp"}).is(t, 200, "")
	require.Equal(t, "totp", a.JSON["kind"])
	require.Equal(t, "totp", p.api("GET", "factors", nil).JSON["preferred"])
	require.Equal(t, "totp", first())
	p.api("POST", "preference", m{"kind": "sms"}).is(t, 409, "not_available")
	p.post("/mfa/factors/prefer", url.Values{"kind": {"sms"}}).goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, "This sign-in method is not available.")
}

// A user turns codes to the account's address off, and on again.
func TestPages_TurnTheAccountsAddressOff(t *testing.T) {
	s := newSite(t, nil)
	s.policy.KeepImplicit = true
	p := s.browser("ann").signIn()
	require.NotContains(t, p.get("/mfa/factors").Text, ">Turn off<", "there is nothing stronger")
	p.enroll("100001")
	p.get("/mfa/factors").page(t, 200, `aria-label="Turn off`)
	require.Equal(t, true, p.api("GET", "factors", nil).JSON["can_turn_off_implied"])
	p.post("/mfa/factors/implied", url.Values{"use": {"no"}}).goes(t, "/mfa/factors")
	p.get("/mfa/factors").page(t, 200, "E-mail from your account is turned off.", "Turned off",
		`aria-label="Turn on`)
	q := s.browser("ann")
	q.login()
	q.api("POST", "send", m{"kind": "email"}).is(t, 409, "not_available")
	list := p.api("GET", "factors", nil).is(t, 200, "")
	require.Equal(t, true, list.JSON["implied_off"])
	require.Len(t, list.JSON["factors"], 1)
	p.api("POST", "implied", m{"use": "yes"}).is(t, 400, "malformed")
	p.api("POST", "implied", m{"use": true}).is(t, 200, "")
	q.api("POST", "cancel", nil)
	q.login()
	q.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
}

// A form that says nothing changes nothing, and no page says that it did.
func TestPages_RefuseAPreferenceThatSaysNothing(t *testing.T) {
	s := newSite(t, nil)
	s.policy.KeepImplicit = true
	p := s.browser("ann").signIn()
	p.enroll("100001")
	for _, form := range []url.Values{{}, {"use": {"maybe"}, "kind": {""}}} {
		for _, path := range []string{"/mfa/factors/prefer", "/mfa/factors/implied"} {
			require.Equal(t, 400, p.post(path, form).StatusCode, path)
		}
	}
	list := p.api("GET", "factors", nil).is(t, 200, "").JSON
	require.Equal(t, []any{nil, nil}, []any{list["preferred"], list["implied_off"]})
}
