package mfahttp_test

import (
	"html"
	"html/template"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

// signals are the user's passkeys as a response of the API has them.
func signals(name string, ids ...any) m {
	if ids == nil {
		ids = []any{}
	}
	return m{"rpId": "example.com", "userId": "h1", "credentialIds": ids, "name": name,
		"displayName": name}
}

// Each sign-in by passkey and each removal says which passkeys the server accepts, also when none
// remains: the browser forgets the others.
func TestAPI_SaysWhichPasskeysItAccepts(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	first := p.withPasskey("k1")
	require.Equal(t, signals("ann@example.com", "k1"), p.api("GET", "factors", nil).
		JSON["passkeys"])

	again := s.browser("ann")
	again.login()
	options := again.api("POST", "send", m{"kind": "passkey"}).is(t, 200, "")
	done := again.api("POST", "verify", m{"kind": "passkey", "code": "k1 " +
		options.JSON["data"].(string)}).is(t, 200, "")
	require.Equal(t, signals("ann@example.com", "k1"), done.JSON["passkeys"])

	alone := s.browser("ann")
	done = alone.respond(alone.open(t), "k1").is(t, 200, "")
	require.Equal(t, signals("ann@example.com", "k1"), done.JSON["passkeys"])

	gone := p.api("DELETE", "factors/"+first, nil).is(t, 200, "")
	require.Equal(t, signals("ann@example.com"), gone.JSON["passkeys"])
	require.NotContains(t, p.api("GET", "factors", nil).JSON, "passkeys")
}

func TestAPI_SignsInByPasskeyWithTwoReads(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	alone := s.browser("ann")
	challenge := alone.open(t)
	reads := s.store.Calls(mfatest.OpGet)
	alone.respond(challenge, "k1").is(t, 200, "")
	require.Equal(t, reads+2, s.store.Calls(mfatest.OpGet), "of the identity and of the record")
}

// The pages hand the same to the browser: the page that follows a sign-in, and the settings.
func TestPages_SignalPasskeys(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	id := p.withPasskey("k1")
	accepted := `data-passkeys="{"rpId":"example.com","userId":"h1","credentialIds":["k1"],` +
		`"name":"ann@example.com","displayName":"ann@example.com"}"`
	require.Contains(t, html.UnescapeString(p.get("/mfa/factors").Text), accepted)

	again := s.browser("ann")
	again.login()
	options := again.api("POST", "send", m{"kind": "passkey"}).is(t, 200, "")
	to := again.post("/mfa/verify", url.Values{"kind": {"passkey"},
		"code": {"k1 " + options.JSON["data"].(string)}}).Header.Get("Location")
	require.Equal(t, "/mfa/continue?to=%2Fhome&passkeys=1", to)
	page := again.get(to)
	require.Contains(t, html.UnescapeString(page.Text), accepted+` data-then="/home"`)
	require.Contains(t, page.Text, `<noscript><meta http-equiv="refresh"`)

	p.post("/mfa/factors/"+id+"/remove", url.Values{}).goes(t, "/mfa/factors")
	require.Contains(t, html.UnescapeString(p.get("/mfa/factors").Text), `"credentialIds":[]`)
	require.NotContains(t, p.get("/mfa/factors").Text, "data-passkeys")
	require.NotContains(t, s.browser("ann").get(to).Text, "data-passkeys", "a visitor has none")
}

// The page shows what a factor calls the provider, and no icon that is not a part of the page.
func TestPages_ShowNoIconFromElsewhere(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann")
	p.withPasskey("k1")
	page := p.get("/mfa/factors").Text
	require.Contains(t, page, "Own")
	require.NotContains(t, page, "javascript:")
}

// An application puts the element on the page that follows a change of the account's name.
func TestPasskeySignals_AreForUsersWithPasskeys(t *testing.T) {
	var element string
	var s *site
	s = newKeySite(t, func(c *mfahttp.Config) {
		c.Settings = func(r *http.Request) (above, below template.HTML, err error) {
			element = html.UnescapeString(string(s.h.PasskeySignals(r)))
			return "", "", nil
		}
	})
	p := s.browser("ann")
	p.signIn()
	p.get("/mfa/factors")
	require.Empty(t, element, "the user has no passkey")
	p.withPasskey("k1")
	p.get("/mfa/factors")
	require.Contains(t, element, `"name":"ann@example.com"`)
	require.Contains(t, element, "passkey.js")

	visited := newKeySite(t, func(c *mfahttp.Config) {
		c.Identify = func(*http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{}, nil
		}
	})
	r, err := http.NewRequest("GET", "/renamed", nil)
	require.NoError(t, err)
	require.Empty(t, visited.h.PasskeySignals(r), "a visitor has none")
}
