package sms_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/internal/done/donetest"
	"github.com/secondgate/secondgate/internal/freeport"
	"github.com/secondgate/secondgate/secret"
)

func TestRetryAfter_IsReadAndBounded(t *testing.T) {
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"-1", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"86401", "", 24 * time.Hour},
		{"99999999999999999999", "", 0},
		{date(time.Minute), date(0), time.Minute}, // by the provider's own clock
		{date(-time.Minute), date(0), 0},
		{date(48 * time.Hour), date(0), 24 * time.Hour},
		{date(time.Minute), "no date", 0},
	} {
		p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", c.value)
			if c.date != "" {
				w.Header().Set("Date", c.date)
			}
			w.WriteHeader(503)
		})
		e := sendError(t, newHTTP(t, form(p.URL)).Send(context.Background(), message))
		if e.RetryAfter != c.want {
			t.Errorf("Retry-After %q at %q is %s, want %s", c.value, c.date, e.RetryAfter, c.want)
		}
	}
}

// No redirect carries the message on, whatever the client's settings.
func TestHTTP_FollowsNoRedirect(t *testing.T) {
	target := newProvider(t, says(200, ""))
	for _, status := range []int{301, 302, 303, 307, 308} {
		p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, target.URL+"/x", status)
		})
		cfg := form(p.URL)
		cfg.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return nil
		}}
		e := sendError(t, newHTTP(t, cfg).Send(context.Background(), message))
		if e.Reason != "reply" || e.Code != status || e.Temporary {
			t.Errorf("%d: %v", status, e)
		}
		require.NoError(t, cfg.Client.CheckRedirect(nil, nil), "the caller's client was changed")
	}
	require.Empty(t, target.got())
}

func TestHTTP_NamesConnectionFailures(t *testing.T) {
	hang := newProvider(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	drop := newProvider(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	gone := "http://127.0.0.1:" + strconv.Itoa(freeport.Reserve(t))
	noise := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 hunter2\r\n\r\n")
			_ = c.Close()
		}
	}))
	t.Cleanup(noise.Close)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name, url string
		ctx       context.Context
		timeout   time.Duration
		want      string
		is        error
		permanent bool
	}{
		{"timeout", hang.URL, context.Background(), 30 * time.Millisecond, "timed out",
			context.DeadlineExceeded, false},
		{"cancelled", hang.URL, cancelled, 0, "cancelled", context.Canceled, false},
		{"cut", drop.URL, context.Background(), 0, "connection failed", nil, false},
		{"closed", gone, context.Background(), 0, "connection refused", nil, false},
		{"no HTTP", noise.URL, context.Background(), 0, "connection failed", nil, false},
		{"untrusted", untrusted.URL, context.Background(), 0, "certificate not trusted", nil, true},
	} {
		cfg := form(c.url)
		cfg.Timeout = c.timeout
		cfg.Query = map[string]secret.Text{"key": secret.New("s3cret")}
		start := time.Now()
		err := newHTTP(t, cfg).Send(c.ctx, message)
		e := sendError(t, err)
		if e.Reason != "unreachable" || e.Code != 0 || e.Temporary == c.permanent ||
			!strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v, temporary %v", c.name, err, e.Temporary)
		}
		if strings.Contains(e.Err.Error(), "s3cret") {
			t.Errorf("%s: the cause quotes the URL: %v", c.name, e.Err)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v is not %v", c.name, err, c.is)
		}
		if d := time.Since(start); c.timeout > 0 && d > 9*time.Second { // the default is ten
			t.Errorf("%s: took %s", c.name, d)
		}
	}
}

// A reply whose body never ends does not hold the caller.
func TestHTTP_EndlessReplyDoesNotHoldTheCaller(t *testing.T) {
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	cfg := form(p.URL)
	ctx, end := donetest.Ending(t.Context())
	cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response,
		error) {
		defer end() // once the status is there
		return http.DefaultTransport.RoundTrip(r)
	})}
	require.NoError(t, newHTTP(t, cfg).Send(ctx, message), "the status decides")
	cfg.SuccessField = "id"
	ctx, end = donetest.Ending(t.Context())
	e := sendError(t, newHTTP(t, cfg).Send(ctx, message))
	require.Equal(t, "reply", e.Reason)
}

// An endless reply is not read to its end.
func TestHTTP_ReadsABoundedReply(t *testing.T) {
	read := 0
	cfg := form("https://sms.example")
	cfg.Client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 400, Body: io.NopCloser(reader(func(b []byte) (int,
			error) {
			if read += len(b); read > 1<<20 {
				return 0, io.EOF
			}
			return len(b), nil
		}))}, nil
	})}
	sendError(t, newHTTP(t, cfg).Send(context.Background(), message))
	if read > 128<<10 {
		t.Errorf("%d bytes were asked for", read)
	}
}

type reader func([]byte) (int, error)

func (f reader) Read(b []byte) (int, error) { return f(b) }
