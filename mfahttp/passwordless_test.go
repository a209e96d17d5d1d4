package mfahttp_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfahttp"
)

// passkeys stands for package passkey: a response is "id challenge", alone or as the member
// "signed" of JSON.
type passkeys struct{}

func signedBy(response string) (id, challenge string) {
	var members struct{ Signed string }
	if json.Unmarshal([]byte(response), &members) == nil {
		response = members.Signed
	}
	id, challenge, _ = strings.Cut(response, " ")
	return id, challenge
}

func (passkeys) Kind() string { return "passkey" }
func (passkeys) Traits() factor.Traits {
	return factor.Traits{AMR: "pop", Level: factor.LevelPhishingResistant, SharedChallenge: true}
}
func (passkeys) Enroll(context.Context, factor.EnrollInput) (*factor.EnrollOutput, error) {
	return &factor.EnrollOutput{State: []byte("-"), Name: "Passkey"}, nil
}
func (passkeys) Issue(_ context.Context, in factor.IssueInput) (*factor.Issue, error) {
	c := rand.Text()
	data, err := json.Marshal(c)
	return &factor.Issue{Keep: []byte(c), Expires: in.Now.Add(5 * time.Minute),
		Prompt: factor.Prompt{Data: data}}, err
}
func (passkeys) Deliver(context.Context, factor.Message) error { return nil }
func (passkeys) Verify(_ context.Context, in factor.VerifyInput) (*factor.Verdict, error) {
	id, challenge := signedBy(in.Response.Reveal())
	if challenge != string(in.Issued) || !in.Confirming && id != string(in.State) {
		return nil, factor.ErrIncorrect
	}
	return &factor.Verdict{State: []byte(id), UserVerified: true}, nil
}
func (passkeys) Identity(state []byte) []byte {
	if string(state) == "-" {
		return nil
	}
	return state
}
func (passkeys) Identify(response string) []byte {
	id, _ := signedBy(response)
	return []byte(id)
}
func (passkeys) Describe(state []byte) factor.Description {
	return factor.Description{Public: []byte(`{"rpId":"example.com","credentialId":"` +
		string(state) + `","userId":"h1","backedUp":true,"transports":["hybrid"],` +
		`"provider":{"name":"Own","icon_light":"javascript:alert(1)"}}`)}
}

func newKeySite(t *testing.T, change ...func(*mfahttp.Config)) *site {
	t.Helper()
	var s *site
	s = newSite(t, func(c *mfahttp.Config) {
		c.Account = func(_ context.Context, named mfa.User) (mfa.User, error) {
			switch named.ID {
			case "blocked":
				return mfa.User{}, mfa.ErrForbidden
			case "unlucky":
				return mfa.User{}, errors.New("database is down")
			}
			return s.subject(named.ID), nil
		}
		verified := c.Verified
		c.Verified = func(
			w http.ResponseWriter, r *http.Request, v *mfa.Verification,
		) (string, error) {
			if v.Passwordless {
				must(t, s.Put(r.Context(), "user", []byte(v.UserID)))
			}
			return verified(w, r, v)
		}
		for _, f := range change {
			f(c)
		}
	}, passkeys{})
	s.policy.Passwordless = true
	return s
}

// withPasskey signs in and enrols one through the API.
func (p *browser) withPasskey(id string) string {
	p.s.t.Helper()
	p.signIn()
	e := p.api("POST", "enroll", m{"kind": "passkey"}).is(p.s.t, 200, "")
	c := p.api("POST", "confirm", m{"enrollment": e.JSON["enrollment"], "code": id + " " +
		e.JSON["data"].(string)}).is(p.s.t, 200, "")
	return c.JSON["factor"].(m)["id"].(string)
}

func (p *browser) open(t *testing.T) *response {
	t.Helper()
	return p.api("POST", "passwordless", nil).is(t, 200, "")
}

func (p *browser) respond(ch *response, id string) *response {
	p.s.t.Helper()
	return p.api("POST", "passwordless/verify", m{"challenge": ch.JSON["challenge"], "code": id +
		" " + ch.JSON["data"].(string)})
}

func TestPasswordless_SignsIn(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	b := s.browser("")
	sessions := len(s.sessions)
	ch := b.open(t)
	require.Empty(t, s.sessions[s.sessionOf(b)], "strangers leave nothing in a session")
	require.LessOrEqual(t, len(s.sessions), sessions+1)
	done := b.respond(ch, "k1").is(t, 200, "")
	require.Equal(t, "done", done.JSON["next"])
	last := s.verified[len(s.verified)-1]
	require.True(t, last.Passwordless)
	require.Equal(t, "ann", last.UserID)
	require.Equal(t, "welcome", b.get("/home").Text)

	// The session has what a sign-in leaves: a fresh grant, and what it was proven by.
	b.api("POST", "enroll", m{"kind": "totp"}).is(t, 200, "")
	require.Equal(t, "welcome", b.get("/recent").Text)

	again := s.browser("")
	again.respond(ch, "k1").is(t, 401, "expired")
}

func (s *site) sessionOf(p *browser) string {
	u, _ := url.Parse(s.srv.URL)
	for _, c := range p.client.Jar.Cookies(u) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

// A challenge belongs to the browser that began it, and two tabs have one each.
func TestPasswordless_ChallengeBelongsToTheBrowser(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	one, two := s.browser(""), s.browser("")
	ch := one.open(t)
	two.respond(ch, "k1").is(t, 401, "expired")
	two.open(t)
	two.respond(ch, "k1").is(t, 401, "expired")
	tab := one.open(t)
	require.NotEqual(t, ch.JSON["challenge"], tab.JSON["challenge"])
	one.respond(ch, "k1").is(t, 200, "")
}

func TestPasswordless_RefusesOtherResponses(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	s.browser("blocked").withPasskey("k2")
	s.browser("unlucky").withPasskey("k3")
	b := s.browser("")
	b.respond(b.open(t), "k2").is(t, 403, "forbidden")
	b.respond(b.open(t), "k3").is(t, 503, "unavailable")
	require.Contains(t, s.log.String(), "Config.Account failed")
	require.NotContains(t, s.log.String(), "database is down")
	b.respond(b.open(t), "k9").is(t, 404, "unknown_factor")
	b.api("POST", "passwordless/verify", m{"challenge": b.open(t).JSON["challenge"],
		"code": "k1 wrong"}).is(t, 401, "incorrect")
	ch := b.open(t)
	s.clock.Advance(5 * time.Minute)
	b.respond(ch, "k1").is(t, 401, "expired")
	s.policy.Passwordless = false
	b.respond(b.open(t), "k1").is(t, 409, "not_available")
	s.policy.Passwordless = true
	require.NotEqual(t, "welcome", b.get("/home").Text)

	for _, path := range []string{"passwordless", "passwordless/verify"} {
		b.do("POST", "/mfa/api/"+path, "{}", map[string]string{"Content-Type": "application/json",
			"Sec-Fetch-Site": "cross-site"}).is(t, 403, "forbidden")
		b.do("POST", "/mfa/api/"+path, "challenge=x",
			map[string]string{"Content-Type": "application/x-www-form-urlencoded"}).is(t, 415,
			"media_type")
	}
	s.verifyErr = errors.New("no")
	b.respond(b.open(t), "k1").is(t, 503, "unavailable")
	s.verifyErr = nil
	require.NotEqual(t, "welcome", b.get("/home").Text)
}

// What a session waited for is over when another user signs in by passkey in it.
func TestPasswordless_EndsAnotherUsersSession(t *testing.T) {
	s := newKeySite(t)
	s.browser("ann").withPasskey("k1")
	b := s.browser("bob")
	b.login()
	b.respond(b.open(t), "k1").is(t, 200, "")
	require.Equal(t, "ann", s.verified[len(s.verified)-1].UserID)
	b.api("POST", "send", m{"kind": "email", "purpose": "sign-in"}).is(t, 400, "malformed")
	st := b.api("GET", "state", nil).is(t, 200, "")
	require.Equal(t, true, st.JSON["signed_in"])
	b.api("POST", "passwordless", nil).is(t, 403, "forbidden")
}

func TestPasswordless_IsOffWithoutConfig(t *testing.T) {
	s := newSite(t, nil, passkeys{})
	b := s.browser("")
	b.api("POST", "passwordless", nil).is(t, 404, "not_found")
	b.api("POST", "passwordless/verify", m{}).is(t, 404, "not_found")
	r, err := http.NewRequest("GET", "/", nil)
	require.NoError(t, err)
	require.Empty(t, s.h.PasswordlessForm(r, "/"))
	_, err = mfahttp.New(mfahttp.Config{Manager: newSite(t, nil).m, Session: s,
		Identify: func(*http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{}, nil
		},
		Verified: func(http.ResponseWriter, *http.Request, *mfa.Verification) (string, error) {
			return "", nil
		},
		Account: func(context.Context, mfa.User) (mfa.User, error) { return mfa.User{}, nil }})
	require.ErrorContains(t, err, "passkey")
}

func TestPasswordlessForm_LinksToLocalPagesOnly(t *testing.T) {
	s := newKeySite(t, func(c *mfahttp.Config) {
		c.Identify = func(*http.Request) (mfahttp.Identity, error) {
			return mfahttp.Identity{}, nil
		}
	})
	r, err := http.NewRequest("GET", "/login", nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Language", "nl")
	form := string(s.h.PasswordlessForm(r, "/recent?x=1"))
	require.Contains(t, form, "Inloggen met een passkey")
	require.Contains(t, form, `data-done="/recent?x=1"`)
	require.Contains(t, form, `data-base="/mfa/"`)
	for _, elsewhere := range []string{"https://evil.test/", "//evil.test", ""} {
		require.Contains(t, string(s.h.PasswordlessForm(r, elsewhere)), `data-done="/home"`)
	}
}

// Pages: the options are in the page that creates one, and nowhere else; a passkey that was
// removed is named once, so that the browser can forget it.
func TestPages_EnrolAPasskey(t *testing.T) {
	s := newKeySite(t)
	p := s.browser("ann").signIn()
	to := p.post("/mfa/enroll/passkey", url.Values{}).Header.Get("Location")
	require.Contains(t, to, "/mfa/enrollments/")
	page := p.get(to)
	require.Contains(t, page.Text, `data-passkey="create"`)
	_, rest, _ := strings.Cut(page.Text, `data-options="&#34;`)
	challenge, _, _ := strings.Cut(rest, "&#34;")
	require.Len(t, challenge, 26)
	p.post(to, url.Values{"code": {"k1 wrong"}}).goes(t, to)
	require.Contains(t, p.get(to).Text, "That passkey was not accepted.")
	p.post(to, url.Values{"code": {"k1 " + challenge}, "name": {"Laptop"}}).goes(t,
		"/mfa/recovery-codes")
	page = p.get("/mfa/factors")
	require.Contains(t, page.Text, "Laptop")
	require.Contains(t, page.Text, "Synchronised")
	require.NotContains(t, page.Text, "data-passkey-gone")

	other := s.browser("ann")
	other.login()
	page = other.get("/mfa/verify?kind=passkey")
	require.Contains(t, page.Text, `data-passkey="get"`)
	require.NotContains(t, page.Text, `data-options="{`, "nothing is issued by looking")

	f := p.api("GET", "factors", nil).JSON["factors"].([]any)[0].(m)
	require.Equal(t, "k1", f["data"].(m)["credentialId"])
	remove := "/mfa/factors/" + f["id"].(string) + "/remove"
	require.Contains(t, p.get(remove).Text, "Laptop")
	p.post(remove, url.Values{}).goes(t, "/mfa/factors")
	require.Contains(t, p.get("/mfa/factors").Text,
		`data-passkey-gone="{&#34;rpId&#34;:&#34;example.com&#34;,&#34;credentialId&#34;:&#34;k1&#34;`)
	require.NotContains(t, p.get("/mfa/factors").Text, "data-passkey-gone")
}
