package main

import (
	"net/url"
	"regexp"
	"strings"
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

// A user sets up a phone and approves the next sign-in on it, by typing the number of the page.
func TestSite_SignsInByApproval(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	shown := regexp.MustCompile(`<p class="sg-number">(\d\d)</p>`)
	phone := mfatest.NewClient(t, site)
	link := ""
	approve := func(number string) {
		require.Contains(t, phone.Get(t, link).Text, "Are you signing in")
		phone.Post(t, link, url.Values{"device": {strings.TrimPrefix(link, "/device?device=")},
			"number": {number}, "approve": {"yes"}})
	}
	client := mfatest.NewClient(t, site)
	client.Post(t, "/login", url.Values{"name": {"bob"}})
	page := client.Post(t, "/mfa/enroll/approval", nil)
	link = regexp.MustCompile(`/device\?device=[\w-]+`).FindString(page.Text)
	approve(shown.FindStringSubmatch(page.Text)[1])
	client.Post(t, page.Path, nil)
	require.Contains(t, client.Get(t, "/").Text, "Welcome")

	client = mfatest.NewClient(t, site)
	client.Post(t, "/login", url.Values{"name": {"bob"}})
	client.Get(t, "/")
	page = client.Post(t, "/mfa/send", url.Values{"kind": {"approval"}})
	number := shown.FindStringSubmatch(page.Text)[1]
	client.Post(t, "/mfa/verify", url.Values{"kind": {"approval"}})
	require.NotContains(t, client.Get(t, "/").Text, "Welcome", "nobody has approved")
	approve(number)
	client.Post(t, "/mfa/verify", url.Values{"kind": {"approval"}})
	require.Contains(t, client.Get(t, "/").Text, "Welcome")
}
