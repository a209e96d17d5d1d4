package mfahttp_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each route of the API that changes something refuses a request of another site, a body that a
// form of another site could send, a body that is no object, and one that is too large, and then
// changes nothing. Each of these responses is documented.
func TestAPIRoutes_RefuseWhatNoClientSends(t *testing.T) {
	t.Parallel() // its server closes half a second after a body that it refused
	s := newKeySite(t)
	user := s.browser("ann").signIn()
	id := user.enrollSMS()
	visitor := s.browser("")
	checked := 0
	for route, proof := range writes {
		method, path, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(path, "/mfa/api/") {
			continue
		}
		p := user
		if proof == byNobody {
			p = visitor
		}
		checked++
		path = strings.ReplaceAll(path, "{id}", id)
		before := s.records()
		send := func(body string, header map[string]string) *response {
			all := maps.Clone(asJSON)
			maps.Copy(all, header)
			return p.do(method, path, body, all)
		}
		send("{}", map[string]string{"Sec-Fetch-Site": "cross-site"}).is(t, 403, "forbidden")
		send("{}", map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example"}).
			is(t, 403, "forbidden")
		send("{}", map[string]string{"Content-Type": "text/plain"}).is(t, 415, "media_type")
		send("{}", map[string]string{"Content-Type": ""}).is(t, 415, "media_type")
		send("[]", nil).is(t, 400, "malformed")
		send("{\"a\":\"\xff\"}", nil).is(t, 400, "malformed")
		send(`{"a":"`+strings.Repeat("1", 70000)+`"}`, nil).is(t, 413, "too_large")
		require.Equal(t, before, s.records(), route)
	}
	require.Greater(t, checked, 18)
	user.api("GET", "factors", nil).is(t, 200, "") // still signed in
}
