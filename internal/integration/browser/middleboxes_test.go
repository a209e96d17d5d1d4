package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy that adds Referrer-Policy no-referrer to all pages has browsers post forms with the
// origin "null". On plain http they send no Sec-Fetch-Site either, so that every form of a site on
// an inner network was refused as another site's.
func TestPages_PlainHTTPBehindAProxyThatHidesReferrers(t *testing.T) {
	needChromium(t)
	bothAtLength(t, func(t *testing.T, script bool) {
		c := newOtherSite(t)
		a := newAuthorization(t, c)
		upstream, err := url.Parse(a.URL)
		require.NoError(t, err)
		origins := make(chan string, 64)
		proxy := httptest.NewServer(&httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(upstream)
				r.Out.Host = r.In.Host
				if r.In.Method == http.MethodPost {
					origins <- r.In.Header.Get("Sec-Fetch-Site") + r.In.Header.Get("Origin")
				}
			},
			ModifyResponse: func(r *http.Response) error {
				r.Header.Add("Referrer-Policy", "no-referrer")
				return nil
			}})
		t.Cleanup(proxy.Close)
		at, err := url.Parse(proxy.URL)
		require.NoError(t, err)
		s := &site{t: t, base: "http://plain.example:" + at.Port()}

		b := s.open(script)
		b.arrives(a, c)
		for range 2 {
			require.Equal(t, s.base, <-origins, "the test's host is a secure context")
		}
		for _, line := range b.logged() {
			require.Contains(t, line, "Cross-Origin-Opener-Policy header has been ignored")
		}
	})
}
