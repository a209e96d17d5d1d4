package sso

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client of the application has a timeout, too: the others wait for the one who asks a provider.
func TestBoundedClient_HasATimeout(t *testing.T) {
	for _, c := range []*http.Client{nil, {}, {Timeout: requestTimeout}} {
		require.Equal(t, requestTimeout, boundedClient(c).Timeout)
	}
	require.Equal(t, time.Second, boundedClient(&http.Client{Timeout: time.Second}).Timeout)
}
