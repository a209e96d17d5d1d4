package manager_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/memory"
)

// BenchmarkPages is the time from a request to the first byte of a page, over the memory store, in
// turns with a handler that has the page ready: times-bare is the ratio of the medians. DESIGN: the
// first byte within 2 ms.
func BenchmarkPages(b *testing.B) {
	c := newCrowd(b, memory.New(), 1)
	s := c.jsonAPI(b, c.m)
	jar, err := cookiejar.New(nil)
	require.NoError(b, err)
	s.client.Jar = jar
	user := c.users[0]
	get := func(at string) (firstByte time.Duration, page []byte) {
		r, err := http.NewRequest(http.MethodGet, at, nil)
		require.NoError(b, err)
		r.Header.Set("User", user.ID)
		start := time.Now()
		trace := &httptrace.ClientTrace{GotFirstResponseByte: func() {
			firstByte = time.Since(start)
		}}
		a, err := s.client.Do(r.WithContext(httptrace.WithClientTrace(b.Context(), trace)))
		require.NoError(b, err)
		defer func() { _ = a.Body.Close() }()
		page, err = io.ReadAll(a.Body)
		require.NoError(b, err)
		require.Equal(b, http.StatusOK, a.StatusCode, "%s", page)
		return firstByte, page
	}
	measure := func(name, path string) {
		_, page := get(s.url + path)
		bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(page)
		}))
		b.Cleanup(bare.Close)
		b.Run(name, func(b *testing.B) {
			var ours, ready []time.Duration
			for b.Loop() {
				first, _ := get(s.url + path)
				ours = append(ours, first)
				first, _ = get(bare.URL)
				ready = append(ready, first)
			}
			slices.Sort(ours)
			slices.Sort(ready)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(percentile(ours, 0.5), "first-byte-ms")
			b.ReportMetric(percentile(ours, 0.5)/percentile(ready, 0.5), "times-bare")
			b.ReportMetric(float64(len(page)), "bytes")
		})
	}
	_, err = s.post(s.begin, user, nil, &pair{})
	require.NoError(b, err)
	measure("verify", "/mfa/verify")
	c.clock.Advance(time.Minute)
	_, err = s.post(s.verify, user, nil, &pair{Kind: "totp", Code: c.code(0).Reveal()})
	require.NoError(b, err)
	measure("enrollment", c.enrolling(b, s))
}

// enrolling begins the enrolment of an authenticator app and returns the path of its page.
func (c *crowd) enrolling(b *testing.B, s *site) string {
	b.Helper()
	form := url.Values{"name": {"Another phone"}}
	r, err := http.NewRequest(http.MethodPost, s.url+"/mfa/enroll/totp",
		strings.NewReader(form.Encode()))
	require.NoError(b, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User", c.users[0].ID)
	client := *s.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	a, err := client.Do(r)
	require.NoError(b, err)
	require.NoError(b, a.Body.Close())
	at, err := a.Location()
	require.NoError(b, err)
	return at.Path
}
