package manager_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/storage/memory"
)

// served is what some requests took the handler of a site.
type served struct {
	took          time.Duration // of the processor
	allocs, bytes uint64
}

// serveAll has the handler serve one request of every user, with what p and cookies have for the
// user, and puts the responses there. Making the requests is not counted.
func (s *site) serveAll(b testing.TB, path string, users *crowd, p []pair,
	cookies [][]*http.Cookie,
) (all served) {
	b.Helper()
	requests := make([]*http.Request, len(p))
	responses := make([]*httptest.ResponseRecorder, len(p))
	for i, u := range users.users {
		body, err := json.Marshal(p[i])
		require.NoError(b, err)
		r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User", u.ID)
		for _, c := range cookies[i] {
			r.AddCookie(c)
		}
		requests[i], responses[i] = r, httptest.NewRecorder()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := processorTime(b)
	for i, r := range requests {
		s.handler.ServeHTTP(responses[i], r)
	}
	all.took = processorTime(b) - began
	runtime.ReadMemStats(&after)
	all.allocs = after.Mallocs - before.Mallocs
	all.bytes = after.TotalAlloc - before.TotalAlloc
	for i, w := range responses {
		require.Equal(b, http.StatusOK, w.Code, w.Body)
		require.NoError(b, json.Unmarshal(w.Body.Bytes(), &p[i]))
		cookies[i] = w.Result().Cookies()
	}
	return all
}

// BenchmarkHandlers is the second step of a sign-in by the handlers alone, without a network, over
// the memory store: Begin and Verify behind two routes, and the JSON API. They take turns, and the
// quickest turn of each counts: times-core is the processor time relative to the first's, and
// allocs-of-core the allocations.
func BenchmarkHandlers(b *testing.B) {
	users := newCrowd(b, memory.New(), crowded)
	sites, least := []*site{core(b, users.m), users.jsonAPI(b, users.m)}, make([]served, 2)
	for b.Loop() {
		for k, s := range sites {
			users.clock.Advance(time.Minute)
			p, cookies := make([]pair, crowded), make([][]*http.Cookie, crowded)
			all := s.serveAll(b, s.begin, users, p, cookies)
			for i := range p {
				p[i].Kind, p[i].Code = "totp", users.code(i).Reveal()
			}
			verified := s.serveAll(b, s.verify, users, p, cookies)
			all.took += verified.took
			all.allocs, all.bytes = all.allocs+verified.allocs, all.bytes+verified.bytes
			if least[k].took == 0 || all.took < least[k].took {
				least[k] = all
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for k, name := range []string{"core", "api"} {
		each := float64(least[k].took.Nanoseconds()) / 1000 / crowded
		b.ReportMetric(each, fmt.Sprint(name, "-µs"))
		b.ReportMetric(float64(least[k].allocs/crowded), fmt.Sprint(name, "-allocs"))
		b.ReportMetric(float64(least[k].bytes/crowded), fmt.Sprint(name, "-B"))
	}
	b.ReportMetric(least[1].took.Seconds()/least[0].took.Seconds(), "times-core")
	b.ReportMetric(float64(least[1].allocs)/float64(least[0].allocs), "allocs-of-core")
}
