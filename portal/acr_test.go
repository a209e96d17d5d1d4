package portal_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfa"
	"github.com/secondgate/secondgate/portal"
)

var assertionIn = regexp.MustCompile(`assertion=([^&"]+)`)

// resistant is what the portal says after a verification by a passkey.
func resistant() portal.Assertion {
	a := said()
	a.PhishingResistant = true
	return a
}

// authorized returns the assertion of Authorize for a request with acr_values.
func (w *world) authorized(acr string, a portal.Assertion) (assertion string, asked portal.Need) {
	w.t.Helper()
	h := w.issuer.Authorize(func(_ http.ResponseWriter, _ *http.Request, n portal.Need) (
		*portal.Assertion, error) {
		asked = n
		return &a, nil
	})
	q := url.Values{"client_id": {"mail"}, "nonce": {"nonce"}, "state": {"s"}}
	if acr != "" {
		q.Set("acr_values", acr)
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, "/authorize?"+q.Encode(), nil))
	page := html.UnescapeString(out.Body.String())
	if found := assertionIn.FindStringSubmatch(page); found != nil {
		return found[1], asked
	}
	return "", asked
}

// An application asks for "phr", and is served by nothing less. One that asks for less, or that
// does not know the class, gets the classes that it knows.
func TestAuthorize_AnswersInTheClassThatWasAsked(t *testing.T) {
	w := newWorld(t)
	need := portal.Need{Level: 2, PhishingResistant: true}
	token, asked := w.authorized("phr", resistant())
	require.Equal(t, need, asked)
	a, err := w.v.Verify(t.Context(), token, "nonce", portal.Need{PhishingResistant: true})
	require.NoError(t, err)
	require.True(t, a.PhishingResistant)
	require.Equal(t, 2, a.Level)

	token, _ = w.authorized("phr", said())
	require.Empty(t, token, "the verification does not meet the need")
	for _, acr := range []string{"aal2", ""} {
		token, _ = w.authorized(acr, resistant())
		_, err = w.v.Verify(t.Context(), token, "nonce", portal.Need{PhishingResistant: true})
		var more *portal.StepUpError
		require.ErrorAs(t, err, &more, acr)
		require.ErrorContains(t, err, `"phr"`)
	}
	weak := resistant()
	weak.Level = 1
	_, err = w.issuer.Issue("mail", "nonce", weak)
	require.ErrorIs(t, err, portal.ErrInvalid)
}

// Start asks in the same terms.
func TestStart_AsksForTheClass(t *testing.T) {
	w := newWorld(t)
	v, err := portal.NewVerifier(portal.VerifierConfig{Portal: w.server.URL, ClientID: "mail",
		Store: w.store, Clock: w.clock, Session: &sessions{data: map[string]map[string]string{}}})
	require.NoError(t, err)
	for acr, need := range map[string]portal.Need{"phr": {PhishingResistant: true},
		"aal1": {Level: 1}, "": {}} {
		out := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		v.Start(out, r.WithContext(context.WithValue(r.Context(), sessionKey{}, "1")), need, "/")
		to, err := url.Parse(out.Header().Get("Location"))
		require.NoError(t, err)
		require.Equal(t, acr, to.Query().Get("acr_values"))
	}
}

// An assertion that says less than Start asked for signs nobody in, also at the callback.
func TestCallback_HoldsAnAssertionToTheClass(t *testing.T) {
	w := newWorld(t)
	var refused error
	var user string
	v, err := portal.NewVerifier(portal.VerifierConfig{Portal: w.server.URL, ClientID: "mail",
		Store: w.store, Clock: w.clock, Session: &sessions{data: map[string]map[string]string{}},
		Failed: func(_ http.ResponseWriter, _ *http.Request, err error) { refused = err },
		SignedIn: func(_ http.ResponseWriter, _ *http.Request, a *portal.Assertion) error {
			user = a.Subject
			return nil
		}})
	require.NoError(t, err)
	request := func(url string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, url, nil)
		return r.WithContext(context.WithValue(r.Context(), sessionKey{}, "1"))
	}
	back := func(a portal.Assertion) {
		out := httptest.NewRecorder()
		v.Start(out, request("/"), portal.Need{PhishingResistant: true}, "/")
		to, err := url.Parse(out.Header().Get("Location"))
		require.NoError(t, err)
		asked := to.Query()
		token, err := w.issuer.Issue("mail", portal.Nonce(asked.Get("nonce")), a)
		require.NoError(t, err)
		q := url.Values{"assertion": {token}, "state": {asked.Get("state")}}
		v.Callback().ServeHTTP(httptest.NewRecorder(), request("/callback?"+q.Encode()))
	}
	back(said())
	var more *portal.StepUpError
	require.ErrorAs(t, refused, &more)
	require.True(t, more.Need.PhishingResistant)
	require.Empty(t, user)
	back(resistant())
	require.Equal(t, said().Subject, user)
}

func TestFromVerification_SaysPhishingResistant(t *testing.T) {
	v := &mfa.Verification{Time: start, AssuranceLevel: 2, ACR: "phr"}
	require.True(t, portal.FromVerification("ann", v).PhishingResistant)
}
