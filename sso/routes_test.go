package sso_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/routes"
	"github.com/secondgate/secondgate/mfa"
)

// Of the routes of the handler, one begins a sign-on, and two change what signs a user in.
func TestHandlerRoutes_AreClassified(t *testing.T) {
	list, err := routes.Of(".", "Handle", "HandleFunc")
	require.NoError(t, err)
	var writes []string
	for _, r := range list {
		if !strings.HasPrefix(r, "GET ") {
			writes = append(writes, r)
		}
	}
	require.Equal(t, []string{"POST atlink", "POST atsign-in", "POST atunlink"}, writes,
		"say of a new route what it has to prove, and prove it")
}

// Neither linking nor unlinking goes on with a grant that is not good, and nothing is kept.
func TestHandlerRoutes_WantAGrant(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.link("dave", "", "oidc", daveOIDC))
	r.as("dave", "")
	r.clock.Advance(time.Hour)
	b := r.browser()
	before := dump(t, r.store)
	for _, path := range []string{"link", "unlink"} {
		resp, err := b.PostForm(r.app.URL+"/sso/oidc/"+path, url.Values{"link": {r.linked[0].ID}})
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		r.mu.Lock()
		require.ErrorIs(t, r.err, mfa.ErrTokenExpired, path)
		r.err = nil
		r.mu.Unlock()
		require.Equal(t, before, dump(t, r.store), path)
	}
}
