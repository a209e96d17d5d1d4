package phishing_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/passkey/passkeytest"
)

// attempts is how many victims each laboratory has.
func attempts() int {
	if os.Getenv("SECONDGATE_LONG") != "" {
		return 10_000
	}
	return 300
}

// attack is one attempt on one victim.
type attack struct {
	*testing.T
	s *site
	r *relay
	v *victim
	// there is the victim's browser, which shows the relay's site.
	there *browser
}

// response is what the victim types for a kind.
func (a *attack) response(kind string) string {
	a.Helper()
	switch kind {
	case "totp":
		return a.s.appCode(a.T, a.v)
	case "email":
		return a.s.mailedCode(a.T)
	case "recovery":
		return a.v.papers[0].Reveal()
	default:
		return a.v.code.Reveal()
	}
}

func (a *attack) login() { a.there.post("/login", "user", a.v.name, "password", a.v.password) }

// byPages relays the pages: the relay's own form asks for a kind, whatever the page offers.
func byPages(kind string, more ...string) func(*attack) {
	return func(a *attack) {
		a.login()
		a.there.get("/mfa/verify")
		if kind == "email" {
			a.there.post("/mfa/send", "kind", kind)
		}
		a.there.post("/mfa/verify", append([]string{"kind", kind, "code", a.response(kind)},
			more...)...)
	}
}

// byAPI relays the JSON API of a single-page application.
func byAPI(kind string) func(*attack) {
	return func(a *attack) {
		a.login()
		a.there.get("/mfa/api/state")
		if kind == "email" {
			a.there.api("send", "kind", kind)
		}
		a.there.api("verify", "kind", kind, "code", a.response(kind))
	}
}

// byDevice has the victim remember the attacker's device, and signs in again on it.
func byDevice(a *attack) {
	byPages("totp", "remember", "on")(a)
	a.s.clock.Advance(time.Minute)
	a.login()
}

// byReset chooses a new password by the mail that the victim passes on.
func byReset(a *attack) {
	a.there.post("/forgot", "user", a.v.name)
	m, _ := a.s.mails.Last()
	a.v.password = "chosen by the attacker"
	a.there.post("/reset", "token", m.Text.Reveal(), "password", a.v.password)
	byPages("email")(a)
}

// bySignOn relays a sign-on whose provider verified a second factor.
func bySignOn(a *attack) { a.there.post("/sign-on", "user", a.v.name) }

// byRecovery relays the mailed link and a recovery code, enrols the attacker's own passkey, and
// signs in with it: after the password, and without it.
func byRecovery(a *attack) {
	a.login()
	a.there.get("/mfa/verify")
	a.there.post("/mfa/lost/link")
	a.there.post("/mfa/setup", "token", a.s.mailedToken(a.T))
	a.there.post("/mfa/verify", "purpose", "replace", "kind", "recovery",
		"code", a.response("recovery"))
	own := passkeytest.New(realOrigin)
	began := a.r.visit(a.T, realOrigin, a.r.stolen)
	enrolment := began.api("enroll", "kind", "passkey")
	data, err := json.Marshal(enrolment["data"])
	require.NoError(a, err)
	created, err := own.Create(data)
	require.NoError(a, err)
	id, _ := enrolment["enrollment"].(string)
	confirmed := began.api("confirm", "enrollment", id, "code", created)
	require.Contains(a, confirmed, "factor", "the recovery itself succeeds: %v", confirmed)

	a.r.begin(a.T)
	began = a.r.visit(a.T, realOrigin, a.r.stolen)
	began.post("/login", "user", a.v.name, "password", a.v.password)
	began.get("/mfa/api/state")
	began.api("verify", "kind", "passkey", "code", anyOf(a, own, began.api("send", "kind",
		"passkey")))
	if a.inside() {
		return
	}
	open := began.api("passwordless")
	challenge, _ := open["challenge"].(string)
	began.api("passwordless/verify", "challenge", challenge, "code", anyOf(a, own, open))
}

// anyOf signs the options of a passkey as if they allowed every passkey.
func anyOf(a *attack, own *passkeytest.Authenticator, response map[string]any) string {
	a.Helper()
	data, ok := response["data"].(map[string]any)
	require.True(a, ok, "%v", response)
	options, ok := data["publicKey"].(map[string]any)
	require.True(a, ok)
	delete(options, "allowCredentials")
	forged, err := json.Marshal(data)
	require.NoError(a, err)
	signed, err := own.Get(forged)
	require.NoError(a, err)
	return signed
}

// inside reports whether the stolen cookies are a session: at the application, or of its portal.
func (a *attack) inside() bool {
	a.Helper()
	thief := a.r.visit(a.T, realOrigin, a.r.stolen)
	return thief.get("/home") == "signed in as "+a.v.name ||
		strings.Contains(thief.get("/portal/authorize?client_id=shop&nonce=n&state=s"),
			"assertion=")
}

// ways are all ways to sign in.
var ways = map[string]func(*attack){
	"pages, app": byPages("totp"), "pages, e-mail": byPages("email"),
	"pages, recovery code": byPages("recovery"), "pages, access code": byPages("access"),
	"API, app": byAPI("totp"), "API, e-mail": byAPI("email"),
	"API, recovery code": byAPI("recovery"), "API, access code": byAPI("access"),
	"remembered device": byDevice, "password reset": byReset, "sign-on": bySignOn,
	"recovery link": byRecovery,
}

// laboratory attacks victims by all ways in turn, and returns how many sessions each way gave.
func laboratory(t *testing.T, p policy.Policy) (n int, sessions map[string]int) {
	t.Helper()
	p.Implicit, p.KeepImplicit, p.Passwordless = []string{"email"}, true, true
	p.Remember = 24 * time.Hour
	s, server := newSite(t, p)
	r := newRelay(t, server)
	names := slices.Sorted(maps.Keys(ways))
	sessions = map[string]int{}
	for n = range attempts() {
		way := names[n%len(names)]
		r.begin(t)
		a := &attack{T: t, s: s, r: r, v: s.enrolled(t, fmt.Sprintf("user%d", n)),
			there: r.visit(t, forgedOrigin, nil)}
		ways[way](a)
		if a.inside() {
			sessions[way]++
		}
	}
	require.Positive(t, r.stripped, "the relay strips passkeys")
	return n + 1, sessions
}

// With the switch, no way gives the attacker a session.
func TestNoDowngrade_GivesARelayNoSession(t *testing.T) {
	_, sessions := laboratory(t, policy.Policy{NoDowngrade: true})
	require.Empty(t, sessions)
}

// Without it the same attempts succeed, so that the laboratory is known to work.
func TestNoDowngrade_OffTheRelaySucceeds(t *testing.T) {
	n, sessions := laboratory(t, policy.Policy{})
	total := 0
	for _, got := range sessions {
		total += got
	}
	require.Greater(t, 100*total, 99*n, "%v", sessions)
}

// A browser at the relay's site signs nothing for the application, whatever the options say.
func TestRelay_CannotHaveAPasskeySign(t *testing.T) {
	s, server := newSite(t, policy.Policy{Implicit: []string{"email"}, NoDowngrade: true})
	r := newRelay(t, server)
	a := &attack{T: t, s: s, r: r, v: s.enrolled(t, "ann"), there: r.visit(t, forgedOrigin, nil)}
	a.login()
	a.there.get("/mfa/api/state")
	rewritten, err := json.Marshal(a.there.api("send", "kind", "passkey")["data"])
	require.NoError(t, err)
	unchanged := strings.ReplaceAll(string(rewritten), forgedHost, realHost)
	for _, options := range []string{string(rewritten), unchanged} {
		_, err = passkeytest.New(forgedOrigin).Get([]byte(options))
		require.Error(t, err)
	}
	own := r.visit(t, realOrigin, nil)
	own.post("/login", "user", a.v.name, "password", a.v.password)
	own.get("/mfa/api/state")
	data, err := json.Marshal(own.api("send", "kind", "passkey")["data"])
	require.NoError(t, err)
	signed, err := a.v.key.Get(data)
	require.NoError(t, err)
	own.api("verify", "kind", "passkey", "code", signed)
	require.Equal(t, "signed in as ann", own.get("/home"))
}

// A second factor that a provider verified signs no user with a passkey in.
func TestCompleteSignIn_SignsInNoUserWithAPasskey(t *testing.T) {
	for noDowngrade, want := range map[bool]string{true: "verify", false: "done"} {
		s, server := newSite(t, policy.Policy{Implicit: []string{"email"},
			NoDowngrade: noDowngrade})
		v := s.enrolled(t, "ann")
		b := newRelay(t, server).visit(t, realOrigin, nil)
		b.post("/sign-on", "user", v.name)
		var state struct{ Next string }
		require.NoError(t, json.Unmarshal([]byte(b.get("/mfa/api/state")), &state))
		require.Equal(t, want, state.Next)
	}
}

// A session that was proven by less, before the switch, is asked for the passkey within a minute.
func TestRequire_AsksSessionsThatWereProvenByLess(t *testing.T) {
	off := policy.Policy{Implicit: []string{"email"}, KeepImplicit: true}
	s, server := newSite(t, off)
	r := newRelay(t, server)
	a := &attack{T: t, s: s, r: r, v: s.enrolled(t, "ann"), there: r.visit(t, forgedOrigin, nil)}
	byPages("totp")(a)
	require.True(t, a.inside())
	on := off
	on.NoDowngrade = true
	require.NoError(t, s.m.Admin(mfa.System("owner"), "").SetPolicy(t.Context(),
		policy.StoredPolicy{Policy: on}))
	s.clock.Advance(time.Minute)
	require.False(t, a.inside())
}

// The page at the end of a recovery says that the replacement waits.
func TestSetupDone_SaysThatTheReplacementWaits(t *testing.T) {
	s, server := newSite(t, policy.Policy{})
	r := newRelay(t, server)
	until := s.clock.Now().Add(24 * time.Hour).Format(time.RFC3339)
	waits := r.visit(t, realOrigin, nil).get("/mfa/setup/done?until=" + url.QueryEscape(until))
	require.Contains(t, waits, "You can sign in with it when its hold ends.")
	require.Contains(t, waits, until)
	require.Contains(t, r.visit(t, realOrigin, nil).get("/mfa/setup/done"), "Sign in with it now.")
}
