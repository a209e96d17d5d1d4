package main

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/mfatest"
)

// A user sets up the token at the first sign-in, and is asked for it at the next one.
func TestSite_SignsInWithTheToken(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	press := func() string {
		page := mfatest.NewClient(t, site).Post(t, "/token", nil)
		return regexp.MustCompile(`<output>(\d+)`).FindStringSubmatch(page.Text)[1]
	}
	client := mfatest.NewClient(t, site)
	client.Post(t, "/login", url.Values{"name": {"ann"}})
	require.Contains(t, client.Get(t, "/").Text, "Hardware token")
	page := client.Post(t, "/mfa/enroll/token", url.Values{"serial": {serial}})
	require.Contains(t, page.Text, "Confirm your token")
	client.Post(t, page.Path, url.Values{"code": {press()}})
	require.Contains(t, client.Get(t, "/").Text, "Welcome")

	client = mfatest.NewClient(t, site)
	client.Post(t, "/login", url.Values{"name": {"ann"}})
	require.Contains(t, client.Get(t, "/").Text, "Use your hardware token")
	client.Post(t, "/mfa/verify", url.Values{"kind": {"token"}, "code": {press()}})
	require.Contains(t, client.Get(t, "/").Text, "Welcome")
}
