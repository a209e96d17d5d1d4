package main

import (
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Of many guesses at once, ten are verified, and one more each half second. Afterwards the user
// signs in. Guesses wait a second for their turn rather than twenty.
func TestLogin_GuessesAreLimited(t *testing.T) {
	portalURL, _, _ := begin(t, "-login-wait", "1s")
	var verified, refused atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range 300 {
		wg.Go(func() {
			form := url.Values{"username": {"ann"}, "password": {"incorrect"}}
			resp, err := http.PostForm(portalURL+"/login", form)
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			switch {
			case resp.StatusCode == http.StatusUnauthorized:
				verified.Add(1)
			case resp.StatusCode == http.StatusTooManyRequests &&
				resp.Header.Get("Retry-After") != "":
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	most := 10 + int64(time.Since(began)/(500*time.Millisecond)) + 1
	require.LessOrEqual(t, verified.Load(), most)
	require.EqualValues(t, 300, verified.Load()+refused.Load())
	b := open(t)
	b.get(portalURL + "/login")
	b.password("ann")
}
