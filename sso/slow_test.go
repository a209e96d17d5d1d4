package sso

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/done/donetest"
)

// A client of the application has a timeout, too: the others wait for the one who asks a provider.
func TestBoundedClient_HasATimeout(t *testing.T) {
	for _, c := range []*http.Client{nil, {}, {Timeout: requestTimeout}} {
		require.Equal(t, requestTimeout, boundedClient(c).Timeout)
	}
	require.Equal(t, time.Second, boundedClient(&http.Client{Timeout: time.Second}).Timeout)
}

// A caller whose time is up says nothing of the provider, which the next caller asks. A socket may
// notice that before the context does.
func TestProvider_IsAskedAgainAfterADeadline(t *testing.T) {
	idle := httptest.NewServer(http.NotFoundHandler())
	defer idle.Close()
	p := newProvider(Provider{ID: "oidc", Issuer: idle.URL}, "", boundedClient(nil))
	now := time.Now()
	_, err := p.endpoints(donetest.Unnoticed(t.Context()), now)
	require.Error(t, err)
	require.Zero(t, p.retry)
	_, err = p.endpoints(t.Context(), now)
	require.Error(t, err)
	require.NotZero(t, p.retry, "it is the provider's fault now")
}
