package mfahttp_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The cookie that opens what is shown has one spelling. Its last character has bits that a
// decoder may ignore.
func TestShown_CookieHasOneSpelling(t *testing.T) {
	s := newSite(t, nil)
	p := s.browser("ann").signIn()
	at := p.post("/mfa/enroll/totp", url.Values{"secret": {"IMPORTEDSECRET23"}}).Header.Get(
		"Location")
	p.get(at).page(t, 200, "IMPORTEDSECRET23")
	u, err := url.Parse(s.srv.URL + "/mfa/")
	require.NoError(t, err)
	good := ""
	for _, c := range p.client.Jar.Cookies(u) {
		if c.Name == "secondgate_shown" {
			good = c.Value
		}
	}
	require.Len(t, good, 43)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[42])
	other := good[:42] + alphabet[last^1:last^1+1]
	one, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	same, err := base64.RawURLEncoding.DecodeString(other)
	require.NoError(t, err)
	require.Equal(t, one, same, "a decoder that ignores trailing bits takes it for the same")
	set := func(value string) {
		p.client.Jar.SetCookies(u, []*http.Cookie{
			{Name: "secondgate_shown", Path: "/", Value: value}})
	}
	set(other)
	require.NotContains(t, p.get(at).Text, "IMPORTEDSECRET23")
	set(good)
	p.get(at).page(t, 200, "IMPORTEDSECRET23")
}
