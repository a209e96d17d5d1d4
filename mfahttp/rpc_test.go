package mfahttp_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/mfa/policy"
	"github.com/secondgate/secondgate/mfahttp"
	"github.com/secondgate/secondgate/mfatest"
)

// procedures makes the site one that asks Check at /check, as an interceptor does: with the
// metadata of the request and its context, and with no response to write to.
func (s *site) procedures() {
	before := s.srv.Config.Handler
	checks := s.withSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		metadata := map[string][]string{}
		for name, values := range r.Header {
			metadata[strings.ToLower(name)] = values
		}
		age, err := time.ParseDuration(r.URL.Query().Get("age"))
		must(s.t, err)
		err = s.h.Check(r.Context(), metadata, age)
		code, reason := mfahttp.GRPCStatus(err)
		_, _ = fmt.Fprint(w, code, " ", reason, " ", errors.Is(err, mfa.ErrForbidden), " ",
			errors.Is(err, mfahttp.ErrStepUp))
	}))
	s.srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/check" {
			checks.ServeHTTP(w, r)
			return
		}
		before.ServeHTTP(w, r)
	})
}

const (
	isServed     = "0  false false"
	notSignedIn  = "16 unauthorized true false"
	needsStepUp  = "16 step_up false true"
	cannotDecide = "14 unavailable false false"
)

func (p *browser) checks(t *testing.T, age time.Duration, want string) {
	t.Helper()
	a := p.get("/check?age=" + age.String())
	require.Equal(t, want, a.Text)
	require.NotContains(t, fmt.Sprint(a.Header["Set-Cookie"]), "secondgate", "it has no response")
}

func TestCheck_DecidesAsRequireAndRequireRecent(t *testing.T) {
	s := newSite(t, nil)
	s.procedures()
	p := s.browser("ann")
	p.checks(t, 0, notSignedIn)
	p.checks(t, time.Minute, notSignedIn)
	p.login()
	p.checks(t, 0, notSignedIn)
	p.checks(t, time.Minute, notSignedIn)
	p = s.browser("ann").signIn()
	p.checks(t, 0, isServed)
	p.checks(t, time.Minute, isServed)
	s.clock.Advance(time.Minute + time.Second)
	p.checks(t, 0, isServed)
	p.checks(t, time.Minute, needsStepUp)
	p.checks(t, 2*time.Minute, isServed)

	t.Run("a stricter policy", func(t *testing.T) {
		s.policy.Implicit, s.policy.Kinds = nil, []string{"totp"}
		s.clock.Advance(2 * time.Minute)
		p.checks(t, 0, needsStepUp)
		s.policyErr = errors.New("down")
		p.checks(t, 0, cannotDecide)
		s.policyErr = nil
	})
	t.Run("outages", func(t *testing.T) {
		s.store.Inject(mfatest.OpGet, -1, mfatest.Fault{Before: errors.New("down")})
		p.checks(t, time.Minute, cannotDecide)
		s.browser("").checks(t, 0, notSignedIn)
		s.store.Heal()
		s.identifyErr = errors.New("down")
		s.browser("").checks(t, 0, cannotDecide)
		s.identifyErr, s.sessionErr = nil, errors.New("down")
		if !inCookies {
			p.checks(t, 0, cannotDecide)
		}
		s.sessionErr = nil
	})
}

// Where the policy asks for nothing, a user without a factor is served.
func TestCheck_AsksNothingWherePolicyDoesNot(t *testing.T) {
	s := newSite(t, nil)
	s.procedures()
	s.policy = policy.Policy{Mode: policy.ModeOff}
	p := s.browser("ann")
	p.login()
	p.checks(t, 0, isServed)
	p.checks(t, time.Minute, isServed)
}

// A device that is remembered gets a new token each time it is recognised. Check cannot deliver
// one, so that it must not use one up.
func TestCheck_LeavesRememberedDevicesAlone(t *testing.T) {
	s := newSite(t, nil)
	s.procedures()
	s.policy.Remember = 24 * time.Hour
	p := s.browser("ann")
	p.login()
	p.api("POST", "send", m{"kind": "email"}).is(t, 200, "")
	p.api("POST", "verify", m{"kind": "email", "code": s.mail.last().Code,
		"remember": "Laptop"}).is(t, 200, "")
	s.whole()
	s.procedures()
	p.post("/login", url.Values{"user": {"ann"}})
	for range 3 {
		p.checks(t, 0, notSignedIn)
	}
	p.get("/home").page(t, 200, "page /home")
}

// Clients of remote procedures read an error in their own protocol, and never a redirect.
func TestRequire_RespondsToRemoteProcedures(t *testing.T) {
	s := newSite(t, nil)
	half := s.browser("ann")
	half.login()
	late := s.browser("bob").signIn()
	s.clock.Advance(2 * time.Minute)
	for reason, from := range map[string]struct {
		*browser
		path string
	}{
		"unauthorized": {half, "/home"},
		"step_up":      {late, "/recent"},
	} {
		info := "\n" + string(rune(len(reason))) + reason + "\x12\nsecondgate"
		for _, grpc := range []string{"application/grpc", "application/grpc+proto",
			"application/grpc-web+proto", "application/grpc-web-text"} {
			a := from.do("POST", from.path, "", m2{"Content-Type": grpc,
				"Accept": "text/html, */*"})
			require.Equal(t, 200, a.StatusCode)
			require.Equal(t, grpc, a.Header.Get("Content-Type"))
			require.Equal(t, "16", a.Header.Get("Grpc-Status"))
			require.Equal(t, reason, a.Header.Get("Grpc-Message"))
			details, err := base64.RawStdEncoding.DecodeString(
				a.Header.Get("Grpc-Status-Details-Bin"))
			must(t, err)
			require.Contains(t, string(details), info)
			require.Empty(t, a.Text)
		}
		connect := func(a *response, status int, body string) {
			t.Helper()
			require.Equal(t, status, a.StatusCode)
			var e struct {
				Code, Message string
				Details       []struct{ Type, Value string }
			}
			must(t, json.Unmarshal([]byte(body), &e))
			require.Equal(t, "unauthenticated", e.Code)
			require.Equal(t, reason, e.Message)
			value, err := base64.RawStdEncoding.DecodeString(e.Details[0].Value)
			must(t, err)
			require.Equal(t, info, string(value))
			require.Equal(t, "google.rpc.ErrorInfo", e.Details[0].Type)
		}
		a := from.do("POST", from.path, "", m2{"Content-Type": "application/proto"})
		connect(a, 401, a.Text)
		a = from.do("POST", from.path, "{}", m2{"Content-Type": "application/json",
			"Connect-Protocol-Version": "1"})
		connect(a, 401, a.Text)
		a = from.do("GET", from.path+"?connect=v1&encoding=json", "", nil)
		connect(a, 401, a.Text)
		a = from.do("POST", from.path, "", m2{"Content-Type": "application/connect+json"})
		require.Equal(t, "application/connect+json", a.Header.Get("Content-Type"))
		require.EqualValues(t, 2, a.Text[0], "the last envelope")
		require.EqualValues(t, len(a.Text)-5, a.Text[4])
		connect(a, 200, strings.TrimSuffix(strings.TrimPrefix(a.Text[5:], `{"error":`), "}"))

		a = from.do("POST", from.path, "{}", m2{"Content-Type": "application/json"})
		a.is(t, 401, reason)
	}
}

type m2 = map[string]string

func TestGRPCStatus_KnowsEveryError(t *testing.T) {
	for want, err := range map[string]error{
		"0 ":                       nil,
		"16 step_up":               fmt.Errorf("call: %w", mfahttp.ErrStepUp),
		"16 reauthenticate":        mfa.ErrFirstFactorRequired,
		"16 expired":               mfa.ErrTokenExpired,
		"8 locked":                 &mfa.LockedError{RetryAfter: time.Minute},
		"8 budget":                 &mfa.RateLimitError{RetryAfter: time.Minute},
		"7 forbidden":              mfa.ErrForbidden,
		"9 kind_not_configured":    mfa.ErrKindNotConfigured,
		"5 unknown_factor":         mfa.ErrUnknownFactor,
		"3 malformed":              factor.ErrMalformed,
		"14 unavailable":           mfa.ErrUnavailable,
		"14 unavailable ":          errors.New("another"),
		"14 unavailable (records)": mfa.ErrRecordMissing,
	} {
		code, reason := mfahttp.GRPCStatus(err)
		require.True(t, strings.HasPrefix(want, fmt.Sprint(code, " ", reason)), "%s: %d %s", want,
			code, reason)
	}
}
