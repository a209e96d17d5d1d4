package phishing_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/integration/programs"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/passkey/passkeytest"
	"github.com/secondgate/secondgate/secret"
)

// demonstration is the program examples/nethttp behind a proxy that ends TLS, with a relay in
// front of both.
type demonstration struct {
	*testing.T
	base string // of the program
	r    *relay
}

// newDemonstration starts the program with users for every way.
func newDemonstration(t *testing.T, users int) *demonstration {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nethttp")
	require.NoError(t, programs.BuildCheap(program, "examples/nethttp"))
	base := programs.Listen(t, program, "-addr", "127.0.0.1:0", "-url", realOrigin, "-data",
		t.TempDir(), "-people", fmt.Sprint(users))
	to, err := url.Parse(base)
	require.NoError(t, err)
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(to)
		p.Out.Host = p.In.Host
	}})
	t.Cleanup(front.Close)
	return &demonstration{t, base, newRelay(t, front)}
}

// ask reads a route of the demonstration mode, or posts to it.
func (d *demonstration) ask(path, body string, into any) {
	d.Helper()
	resp, err := http.Get(d.base + path)
	if body != "" {
		require.NoError(d, err)
		require.NoError(d, resp.Body.Close())
		resp, err = http.Post(d.base+path, "application/json", strings.NewReader(body))
	}
	require.NoError(d, err)
	defer func() { require.NoError(d, resp.Body.Close()) }()
	require.Equal(d, http.StatusOK, resp.StatusCode)
	require.NoError(d, json.NewDecoder(resp.Body).Decode(into))
}

// advance moves the program's clock, and returns its time.
func (d *demonstration) advance(by time.Duration) time.Time {
	d.Helper()
	var clock struct{ Now time.Time }
	d.ask("/demo/clock", fmt.Sprintf(`{"advance":%q}`, by), &clock)
	return clock.Now
}

// mailed is what a pattern finds in the latest mail to a user in which it occurs, or "".
func (d *demonstration) mailed(user string, pattern *regexp.Regexp) string {
	d.Helper()
	var list []struct{ To, Text string }
	d.ask("/demo/outbox", "", &list)
	for _, m := range list {
		if found := pattern.FindStringSubmatch(m.Text); found != nil &&
			m.To == user+"@acme.example" {
			return found[len(found)-1]
		}
	}
	return ""
}

// token waits for the mail with a link, and returns its token.
func (d *demonstration) token(user string, link *regexp.Regexp) (token string) {
	d.Helper()
	for range 1200 { // a minute
		if token = d.mailed(user, link); token != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.NotEmpty(d, token)
	token, err := url.QueryUnescape(token)
	require.NoError(d, err)
	return token
}

// signIn is a browser that has passed the password of a user, and stands before the second factor.
func (d *demonstration) signIn(b *browser, user, password string) *browser {
	d.Helper()
	b.post("/login", "username", user, "password", password)
	b.get("/mfa/api/state")
	return b
}

// byMail signs in by a code in a mail.
func (d *demonstration) byMail(user, password string) *browser {
	d.Helper()
	b := d.signIn(d.r.visit(d.T, realOrigin, nil), user, password)
	b.api("send", "kind", "email")
	b.api("verify", "kind", "email", "code", d.mailed(user, digits))
	return b
}

// guard has the owner set a policy for all employees.
func (d *demonstration) guard(noDowngrade bool) {
	d.Helper()
	owner := d.byMail("olivia", "olivia-demo-password")
	body := fmt.Sprintf(`{"types":["employee"],"reason":"phishing","policy":{"mode":"required",`+
		`"implicit":["email"],"keep_implicit":true,"passwordless":true,"remember":86400,`+
		`"no_downgrade":%t}}`, noDowngrade)
	status, text := owner.do(http.MethodPut, "/admin/mfa/api/policies", "application/json", body)
	require.Equal(d, http.StatusOK, status, text)
}

// confirm enrols a factor of a kind, and returns what it showed.
func (d *demonstration) confirm(
	b *browser, kind string, respond func(shown map[string]any) string,
) map[string]any {
	d.Helper()
	e := b.api("enroll", "kind", kind)
	id, _ := e["enrollment"].(string)
	done := b.api("confirm", "enrollment", id, "code", respond(e))
	require.Contains(d, done, "factor", "%s: %v %v", kind, e, done)
	return e
}

// creating responds to an enrolment by a passkey.
func (d *demonstration) creating(key *passkeytest.Authenticator) func(map[string]any) string {
	return func(e map[string]any) string {
		data, err := json.Marshal(e["data"])
		require.NoError(d, err)
		response, err := key.Create(data)
		require.NoError(d, err)
		return response
	}
}

// enrolled is a user with a passkey, an authenticator app and recovery codes.
func (d *demonstration) enrolled(user string) *victim {
	d.Helper()
	v := &victim{name: user, password: "crowd-demo-password", key: passkeytest.New(realOrigin)}
	b := d.byMail(v.name, v.password)
	d.confirm(b, "passkey", d.creating(v.key))
	b.api("step-up", "purpose", "manage")
	signed, err := json.Marshal(b.api("send", "kind", "passkey")["data"])
	require.NoError(d, err)
	response, err := v.key.Get(signed)
	require.NoError(d, err)
	b.api("verify", "kind", "passkey", "code", response)
	d.confirm(b, "totp", func(e map[string]any) string {
		seed, _ := e["secret"].(string)
		v.seed = secret.New(seed)
		return mfatest.AppCode(d.T, v.seed, d.advance(time.Second))
	})
	list, _ := b.api("recovery-codes")["codes"].([]any)
	for _, one := range list {
		code, _ := one.(string)
		v.papers = append(v.papers, secret.New(code))
	}
	require.NotEmpty(d, v.papers)
	return v
}

// response is what the victim types for a kind.
func (d *demonstration) response(v *victim, kind string) string {
	d.Helper()
	switch kind {
	case "totp":
		return mfatest.AppCode(d.T, v.seed, d.advance(time.Minute))
	case "email":
		return d.mailed(v.name, digits)
	default:
		return v.papers[0].Reveal()
	}
}

// relayed types a response for a kind into the relay's pages, or into a client of its API.
func (d *demonstration) relayed(v *victim, kind string, api bool, more ...string) *browser {
	d.Helper()
	b := d.signIn(d.r.visit(d.T, forgedOrigin, nil), v.name, v.password)
	if kind == "email" {
		b.api("send", "kind", kind)
	}
	if response := d.response(v, kind); api {
		b.api("verify", "kind", kind, "code", response)
	} else {
		b.get("/mfa/verify")
		b.post("/mfa/verify", append([]string{"kind", kind, "code", response}, more...)...)
	}
	return b
}

var resetLink = regexp.MustCompile(`/password/reset\?token=(\S+)`)

// demonstrationWays are the ways to sign in to the program without its users' passkeys.
var demonstrationWays = map[string]func(d *demonstration, v *victim){
	"pages, app":           func(d *demonstration, v *victim) { d.relayed(v, "totp", false) },
	"pages, e-mail":        func(d *demonstration, v *victim) { d.relayed(v, "email", false) },
	"pages, recovery code": func(d *demonstration, v *victim) { d.relayed(v, "recovery", false) },
	"API, app":             func(d *demonstration, v *victim) { d.relayed(v, "totp", true) },
	"API, e-mail":          func(d *demonstration, v *victim) { d.relayed(v, "email", true) },
	"API, recovery code":   func(d *demonstration, v *victim) { d.relayed(v, "recovery", true) },
	"remembered device": func(d *demonstration, v *victim) {
		b := d.relayed(v, "totp", false, "remember", "on")
		b.post("/mfa/sign-out")
		d.signIn(b, v.name, v.password)
	},
	"password reset": func(d *demonstration, v *victim) {
		b := d.r.visit(d.T, forgedOrigin, nil)
		b.post("/password/forgot", "email", v.name+"@acme.example")
		token := d.token(v.name, resetLink)
		v.password = "chosen by the attacker"
		b.post("/password/reset", "token", token, "password", v.password, "again", v.password)
		d.relayed(v, "email", false)
	},
	"recovery link": func(d *demonstration, v *victim) {
		b := d.signIn(d.r.visit(d.T, forgedOrigin, nil), v.name, v.password)
		b.get("/mfa/verify")
		b.post("/mfa/lost/link")
		b.post("/mfa/setup", "token", d.token(v.name, setupLink))
		b.post("/mfa/verify", "purpose", "replace", "kind", "recovery",
			"code", d.response(v, "recovery"))
		own := passkeytest.New(realOrigin)
		d.confirm(d.r.visit(d.T, realOrigin, d.r.stolen), "passkey", d.creating(own))
		d.r.begin(d.T)
		b = d.signIn(d.r.visit(d.T, realOrigin, d.r.stolen), v.name, v.password)
		a := &attack{T: d.T, r: d.r, v: v}
		b.api("verify", "kind", "passkey", "code", anyOf(a, own, b.api("send", "kind",
			"passkey")))
	},
}

// attacked returns the ways that gave the relay a session, each of one victim.
func attacked(t *testing.T, noDowngrade bool) (sessions []string) {
	t.Helper()
	d := newDemonstration(t, len(demonstrationWays))
	d.guard(noDowngrade)
	for i, way := range slices.Sorted(maps.Keys(demonstrationWays)) {
		v := d.enrolled(fmt.Sprintf("crowd-%06d", i+1))
		d.r.begin(t)
		demonstrationWays[way](d, v)
		status, _ := d.r.visit(t, realOrigin, d.r.stolen).do(http.MethodGet, "/api/me", "", "")
		if status == http.StatusOK {
			sessions = append(sessions, way)
		}
	}
	return sessions
}

// The program gives a relay no session either, with the policy that its owner has set.
func TestNoDowngrade_GivesNoSessionOfTheDemonstration(t *testing.T) {
	require.Empty(t, attacked(t, true))
}

// Without the switch every way gives one.
func TestNoDowngrade_OffEveryWayIntoTheDemonstrationSucceeds(t *testing.T) {
	require.Equal(t, slices.Sorted(maps.Keys(demonstrationWays)), attacked(t, false))
}
