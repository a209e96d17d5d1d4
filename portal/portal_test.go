package portal_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfatest"
	"github.com/secondgate/secondgate/portal"
	"github.com/secondgate/secondgate/storage"
	"github.com/secondgate/secondgate/storage/memory"
)

func TestVerify_ReturnsWhatThePortalSigned(t *testing.T) {
	w := newWorld(t)
	a, err := w.verify(w.issue("mail", said()))
	require.NoError(t, err)
	require.Equal(t, said(), *a)
}

// An assertion is accepted once, whichever browser brings it, to any process.
func TestVerify_AcceptsAnAssertionOnce(t *testing.T) {
	w := newWorld(t)
	token := w.issue("mail", said())
	other := w.verifier()
	var ok atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			v := []*portal.Verifier{w.v, other}[i%2]
			_, err := v.Verify(t.Context(), token, "nonce", portal.Need{})
			switch {
			case err == nil:
				ok.Add(1)
			case !errors.Is(err, portal.ErrInvalid):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, ok.Load())
	for range 60 { // until it has long expired, in whatever slot it was
		w.clock.Advance(20 * time.Second)
		_, err := w.verify(token)
		require.ErrorIs(t, err, portal.ErrInvalid)
	}
	_, err := w.verify(w.issue("mail", said()))
	require.NoError(t, err)
}

// What is remembered of used assertions is bounded, whatever the traffic.
func TestVerify_BoundsTheUsedAssertions(t *testing.T) {
	store := memory.New()
	w := newWorld(t)
	v, err := portal.NewVerifier(portal.VerifierConfig{Portal: w.server.URL, ClientID: "mail",
		Store: store, Clock: w.clock})
	require.NoError(t, err)
	for range 1000 {
		w.clock.Advance(7 * time.Second)
		_, err := v.Verify(t.Context(), w.issue("mail", said()), "nonce", portal.Need{})
		require.NoError(t, err)
	}
	page, _, err := store.List(t.Context(), "portal/", "", 1000)
	require.NoError(t, err)
	require.LessOrEqual(t, len(page), 128)
	for _, e := range page {
		require.Less(t, len(e.Record.Data), 300)
	}
}

func TestVerify_RefusesInvalidAssertions(t *testing.T) {
	w := newWorld(t)
	_, err := w.verify(w.change(nil))
	require.NoError(t, err, "the unchanged one is good")
	now := w.clock.Now().Unix()
	set := func(name string, value any) func(map[string]any, map[jose.HeaderKey]any) {
		return func(c map[string]any, _ map[jose.HeaderKey]any) {
			if value == nil {
				delete(c, name)
			} else {
				c[name] = value
			}
		}
	}
	head := func(name jose.HeaderKey, value any) func(map[string]any, map[jose.HeaderKey]any) {
		return func(_ map[string]any, h map[jose.HeaderKey]any) { h[name] = value }
	}
	for name, alter := range map[string]func(map[string]any, map[jose.HeaderKey]any){
		"issuer": set("iss", "https://elsewhere.example"), "audience": set("aud", "files"),
		"several audiences":        set("aud", []string{"mail", "files"}),
		"one audience in an array": set("aud", []string{"mail"}), "nonce": set("nonce", "another"),
		"expired":  set("exp", now-6),
		"for ever": set("exp", now+1000), "not yet": set("nbf", now+60),
		"issued tomorrow":        set("iat", now+86400),
		"verified in the future": set("auth_time", now+60), "level": set("acr", "aal9"),
		"number as text": set("exp", "soon"),
		"type":           head("typ", "JWT"), "no type": head("typ", ""),
		"key": head("kid", "another"), "critical": head("crit", []string{"x"}),
		"no issuer": set("iss", nil), "no subject": set("sub", nil), "no audience": set("aud", nil),
		"no expiry": set("exp", nil), "no start": set("nbf", nil),
		"no issue": set("iat", nil), "no id": set("jti", nil), "no nonce": set("nonce", nil),
		"no time": set("auth_time", nil), "no amr": set("amr", nil), "no acr": set("acr", nil),
		"long subject": set("sub", strings.Repeat("s", 257)),
	} {
		a, err := w.verify(w.change(alter))
		require.ErrorIs(t, err, portal.ErrInvalid, name)
		require.Nil(t, a, name)
	}
	good := w.issue("mail", said())
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(
		`{"alg":"none","typ":"secondgate-assertion+jwt"}`)) + "." + parts[1] + "."
	// The classic confusion: the public key as the secret of an HMAC.
	hs, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256,
		Key: []byte(w.private.Public().(ed25519.PublicKey))},
		(&jose.SignerOptions{}).WithType("secondgate-assertion+jwt").WithHeader("kid",
			kidOf(t, good)))
	require.NoError(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	mac, err := hs.Sign(payload)
	require.NoError(t, err)
	hmac, err := mac.CompactSerialize()
	require.NoError(t, err)
	for _, bad := range []string{"", "x", "a.b.c", none, hmac, parts[0] + "." + parts[1] + "." +
		parts[0], altered(good), good + "." + good,
		strings.Repeat("a", 9000), parts[0] + "." + parts[1]} {
		_, err := w.verify(bad)
		require.ErrorIs(t, err, portal.ErrInvalid, bad)
	}
	for _, nonce := range []portal.Nonce{"", "other"} {
		_, err = w.v.Verify(t.Context(), good, nonce, portal.Need{})
		require.ErrorIs(t, err, portal.ErrInvalid)
	}
	_, err = w.verify(good)
	require.NoError(t, err, "nothing of that used it up")
}

// Expiry to the second, with five for clocks that differ.
func TestVerify_RefusesExpiredAssertions(t *testing.T) {
	w := newWorld(t)
	first, second := w.issue("mail", said()), w.issue("mail", said())
	w.clock.Advance(34*time.Second + 999*time.Millisecond)
	_, err := w.verify(first)
	require.NoError(t, err)
	w.clock.Advance(time.Millisecond)
	_, err = w.verify(second)
	require.ErrorIs(t, err, portal.ErrInvalid)
	early := w.issue("mail", said())
	w.clock.Advance(-5 * time.Second)
	_, err = w.verify(early)
	require.NoError(t, err)
	w.clock.Advance(time.Minute)
	early = w.issue("mail", said())
	w.clock.Advance(-6 * time.Second)
	_, err = w.verify(early)
	require.ErrorIs(t, err, portal.ErrInvalid)
}

// An application that needs more is refused, by an error that says what, and not let in.
func TestVerify_ReportsWhatProofIsMissing(t *testing.T) {
	w := newWorld(t)
	for need, ok := range map[portal.Need]bool{
		{}: true, {MaxAge: time.Minute}: true, {MaxAge: 54 * time.Second}: false, {Level: 2}: true,
		{Level: 1, MaxAge: time.Hour}: true,
	} {
		a, err := w.v.Verify(t.Context(), w.issue("mail", said()), "nonce", need)
		if ok {
			require.NoError(t, err, "%+v", need)
			continue
		}
		var more *portal.StepUpError
		require.ErrorAs(t, err, &more, "%+v", need)
		require.Equal(t, need, more.Need)
		require.Nil(t, a)
		require.NotErrorIs(t, err, portal.ErrInvalid)
	}
	weak := said()
	weak.Level = 1
	_, err := w.v.Verify(t.Context(), w.issue("mail", weak), "nonce", portal.Need{Level: 2})
	var more *portal.StepUpError
	require.ErrorAs(t, err, &more)
	for _, bad := range []portal.Need{{Level: 3}, {Level: -1}, {MaxAge: -1},
		{MaxAge: time.Millisecond}} {
		_, err := w.v.Verify(t.Context(), w.issue("mail", said()), "nonce", bad)
		require.Error(t, err)
	}
}

// The same user is another one to each pairwise application, and the same one each time.
func TestIssue_GivesPairwiseSubjects(t *testing.T) {
	w := newWorld(t)
	files, err := portal.NewVerifier(portal.VerifierConfig{Portal: w.server.URL, ClientID: "files",
		Store: w.store, Clock: w.clock})
	require.NoError(t, err)
	one, err := files.Verify(t.Context(), w.issue("files", said()), "nonce", portal.Need{})
	require.NoError(t, err)
	two, err := files.Verify(t.Context(), w.issue("files", said()), "nonce", portal.Need{})
	require.NoError(t, err)
	require.Equal(t, one.Subject, two.Subject)
	require.NotContains(t, one.Subject, "ann")
	bob := said()
	bob.Subject = "bob"
	three, err := files.Verify(t.Context(), w.issue("files", bob), "nonce", portal.Need{})
	require.NoError(t, err)
	require.NotEqual(t, one.Subject, three.Subject)
	_, err = w.verify(w.issue("files", said()))
	require.ErrorIs(t, err, portal.ErrInvalid, "one application's assertion is nothing to another")
}

// Keys change without an interruption; a retired one ends with its time.
func TestKeys_RotateWithoutInterruption(t *testing.T) {
	w := newWorld(t)
	old := w.issue("mail", said())
	_, err := w.verify(w.issue("mail", said()))
	require.NoError(t, err)
	next := newKey(t)
	w.issuer = w.newIssuer(portal.Key{Private: next}, portal.Key{Private: w.private,
		Until: start.Add(time.Hour)})
	_, err = w.verify(old)
	require.NoError(t, err)
	w.clock.Advance(time.Minute)
	_, err = w.verify(w.issue("mail", said()))
	require.NoError(t, err, "an unknown key makes for another look")
	w.clock.Advance(2 * time.Hour)
	w.private, next = next, w.private
	stale := w.newIssuer(portal.Key{Private: next})
	w.newIssuer(portal.Key{Private: w.private}, portal.Key{Private: next,
		Until: start.Add(time.Hour)})
	token, err := stale.Issue("mail", "nonce", said())
	require.NoError(t, err)
	_, err = w.verify(token)
	require.ErrorIs(t, err, portal.ErrInvalid, "the retired key is over")
}

// Nonsense does not make the application call the portal without end, and an outage of the
// portal does not end what is known of its keys.
func TestKeys_FetchesAreLimitedAndSurviveOutages(t *testing.T) {
	w := newWorld(t)
	w.down.Store(true)
	_, err := w.verify(w.issue("mail", said()))
	require.ErrorIs(t, err, portal.ErrUnavailable)
	_, err = w.verify(w.issue("mail", said()))
	require.ErrorIs(t, err, portal.ErrUnavailable)
	require.EqualValues(t, 1, w.fetches.Load(), "once a minute")
	w.down.Store(false)
	w.clock.Advance(time.Minute)
	_, err = w.verify(w.issue("mail", said()))
	require.NoError(t, err)
	require.EqualValues(t, 2, w.fetches.Load())
	for range 50 {
		_, err := w.verify(w.change(func(_ map[string]any, h map[jose.HeaderKey]any) {
			h["kid"] = rand.Text()
		}))
		require.ErrorIs(t, err, portal.ErrInvalid)
	}
	require.EqualValues(t, 2, w.fetches.Load())
	w.down.Store(true)
	w.clock.Advance(23 * time.Hour)
	_, err = w.verify(w.issue("mail", said()))
	require.NoError(t, err, "the keys of yesterday are better than none")
	w.clock.Advance(2 * time.Hour)
	_, err = w.verify(w.issue("mail", said()))
	require.ErrorIs(t, err, portal.ErrUnavailable)

	for name, body := range map[string]string{"nothing": "", "no JSON": "<html>",
		"no keys": `{"keys":[]}`, "other keys": `{"keys":[{"kty":"oct","k":"AAAA","kid":"x"}]}`,
		"too much": `{"keys":"` + strings.Repeat("x", 300<<10) + `"}`} {
		w := newWorld(t)
		w.jwks = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, body)
		})
		_, err := w.verify(w.issue("mail", said()))
		require.ErrorIs(t, err, portal.ErrUnavailable, name)
	}
}

// When the use cannot be recorded, nobody is let in.
func TestVerify_FailsWithTheStore(t *testing.T) {
	w := newWorld(t)
	for _, f := range []mfatest.Fault{{Before: errors.New("down")}, {After: errors.New("cut")}} {
		w.store.Inject(mfatest.OpSwap, 1, f)
		a, err := w.verify(w.issue("mail", said()))
		require.ErrorIs(t, err, portal.ErrUnavailable)
		require.Nil(t, a)
	}
	w.store.Inject(mfatest.OpGet, 1, mfatest.Fault{Before: errors.New("down")})
	_, err := w.verify(w.issue("mail", said()))
	require.ErrorIs(t, err, portal.ErrUnavailable)
}

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	key := newKey(t)
	client := portal.Client{ID: "a", ReturnURL: "https://a.example/callback"}
	good := portal.IssuerConfig{URL: "https://portal.example", Keys: []portal.Key{{Private: key}},
		Clients: []portal.Client{client}}
	_, err := portal.NewIssuer(good)
	require.NoError(t, err)
	for want, change := range map[string]func(*portal.IssuerConfig){
		"URL":           func(c *portal.IssuerConfig) { c.URL = "http://portal.example" },
		"Keys is empty": func(c *portal.IssuerConfig) { c.Keys = nil },
		"Keys[0]": func(c *portal.IssuerConfig) {
			c.Keys = []portal.Key{{Private: key[:10]}}
		},
		"TTL":              func(c *portal.IssuerConfig) { c.TTL = 2 * time.Minute },
		"Clients is empty": func(c *portal.IssuerConfig) { c.Clients = nil },
		"there once": func(c *portal.IssuerConfig) {
			c.Clients = []portal.Client{client, client}
		},
		"ReturnURL": func(c *portal.IssuerConfig) {
			c.Clients = []portal.Client{{ID: "a", ReturnURL: "/callback"}}
		},
		"pairwise": func(c *portal.IssuerConfig) { c.Clients[0].Pairwise = true },
	} {
		cfg := good
		cfg.Clients = append([]portal.Client{}, good.Clients...)
		change(&cfg)
		_, err := portal.NewIssuer(cfg)
		require.ErrorContains(t, err, want)
	}
	for want, cfg := range map[string]portal.VerifierConfig{
		"Portal": {}, "ClientID": {Portal: "https://p.example"},
		"Store": {Portal: "https://p.example", ClientID: "a"},
	} {
		_, err := portal.NewVerifier(cfg)
		require.ErrorContains(t, err, want)
	}
	issuer, err := portal.NewIssuer(good)
	require.NoError(t, err)
	for _, a := range []portal.Assertion{{}, {Subject: "a", Level: 1},
		{Subject: "a", Level: 3, AuthTime: start}, {Level: 1, AuthTime: start}} {
		_, err := issuer.Issue("a", "n", a)
		require.ErrorIs(t, err, portal.ErrInvalid)
	}
	_, err = issuer.Issue("b", "n", said())
	require.ErrorIs(t, err, portal.ErrInvalid)
}

func TestFromVerification_CopiesTheProof(t *testing.T) {
	v := &mfa.Verification{UserID: "42", Time: start, AMR: []string{"otp"}, AssuranceLevel: 2}
	require.Equal(t, portal.Assertion{Subject: "ann", AuthTime: start, AMR: []string{"otp"},
		Level: 2}, portal.FromVerification("ann", v))
}

func FuzzVerify(f *testing.F) {
	_, private, _ := ed25519.GenerateKey(rand.Reader)
	issuer, err := portal.NewIssuer(portal.IssuerConfig{URL: "https://p.example",
		Keys: []portal.Key{{Private: private}}, Clients: []portal.Client{{ID: "a",
			ReturnURL: "https://a.example/"}}})
	if err != nil {
		f.Fatal(err)
	}
	keys := httptest.NewRecorder()
	issuer.JWKS().ServeHTTP(keys, httptest.NewRequest("GET", "/", nil))
	v, err := portal.NewVerifier(portal.VerifierConfig{Portal: "https://p.example", ClientID: "a",
		Store: memory.New(), Client: &http.Client{Transport: fixed(keys.Body.String())}})
	if err != nil {
		f.Fatal(err)
	}
	good, err := issuer.Issue("a", "nonce", said())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, token string) {
		a, err := v.Verify(t.Context(), token, "another nonce", portal.Need{})
		if err == nil || a != nil {
			t.Fatalf("accepted %q", token)
		}
	})
}

type fixed string

func (s fixed) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(s))),
		Header: http.Header{}}, nil
}

var _ storage.Store = (*mfatest.FaultyStore)(nil)
